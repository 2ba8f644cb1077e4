"""Parameters as one vector, and back."""

from __future__ import annotations

from collections.abc import Iterable

import adjoint
from adjoint import Tensor

__all__ = ["parameters_to_vector", "vector_to_parameters"]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters flattened and joined, a vector [total number of elements].

    Raises:
        TypeError: they are on different devices.

    >>> model = adjoint.nn.Linear(2, 3)
    >>> adjoint.nn.utils.parameters_to_vector(model.parameters()).shape
    torch.Size([9])
    """
    listed = list(parameters)
    _check_devices(listed)
    return adjoint.cat([p.reshape(-1) for p in listed])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Set the parameters to consecutive slices of ``vec``, which they share memory with.

    Raises:
        TypeError: ``vec`` is not a tensor, or the parameters are on different devices.
        ValueError: ``vec`` is not a vector as long as the parameters together.

    >>> model = adjoint.nn.Linear(2, 1)
    >>> vec = adjoint.tensor([1.0, 2.0, 3.0])
    >>> adjoint.nn.utils.vector_to_parameters(vec, model.parameters())
    >>> model.weight.tolist(), model.bias.tolist()
    ([[1.0, 2.0]], [3.0])
    """
    if not isinstance(vec, Tensor):
        raise TypeError(f"the vector must be a Tensor, got {type(vec).__name__}")
    listed = list(parameters)
    _check_devices(listed)
    total = sum(p.numel() for p in listed)
    if tuple(vec.shape) != (total,):
        raise ValueError(
            f"the parameters have {total} elements together, the vector has shape "
            f"{tuple(vec.shape)}"
        )
    start = 0
    for p in listed:
        p.data = vec[start : start + p.numel()].view_as(p).data
        start += p.numel()


def _check_devices(parameters: list[Tensor]) -> None:
    devices = {p.device for p in parameters}
    if len(devices) > 1:
        listed = ", ".join(sorted(map(str, devices)))
        raise TypeError(f"the parameters are on different devices: {listed}")
