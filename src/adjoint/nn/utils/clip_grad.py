"""Clipping of gradients, in place. ``foreach`` is accepted everywhere and changes nothing."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

import adjoint
from adjoint import Tensor

__all__ = [
    "clip_grad_norm",
    "clip_grad_norm_",
    "clip_grad_value_",
    "clip_grads_with_norm_",
    "get_total_norm",
]


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The ``norm_type``-norm of all elements of ``tensors`` together, a 0-d tensor.

    Raises:
        RuntimeError: the norm is infinite or nan, and ``error_if_nonfinite``.

    >>> adjoint.nn.utils.get_total_norm([adjoint.tensor([3.0]), adjoint.tensor([[4.0]])])
    tensor(5.)
    """
    norm_type = float(norm_type)
    with adjoint.no_grad():
        norms = [t.norm(norm_type) for t in _listed(tensors)]
        if not norms:
            return adjoint.tensor(0.0)
        first = norms[0]
        total = adjoint.stack([n.to(first.device) for n in norms]).norm(norm_type)
    if error_if_nonfinite and not total.isfinite().item():
        raise RuntimeError(
            f"the total norm (order {norm_type}) of the gradients is {total.item()}, so they "
            "cannot be clipped; pass error_if_nonfinite=False to scale them anyway"
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    total_norm: Tensor,
    foreach: bool | None = None,
) -> None:
    """Scale the gradients by ``max_norm / (total_norm + 1e-6)`` where that is below 1.

    >>> p = adjoint.nn.Parameter(adjoint.zeros(1))
    >>> p.grad = adjoint.tensor([10.0])
    >>> adjoint.nn.utils.clip_grads_with_norm_(p, 1.0, adjoint.tensor(10.0))
    >>> p.grad
    tensor([1.0000])
    """
    grads = _grads(parameters)
    with adjoint.no_grad():
        # always multiplied, by 1 if need be: a test would wait for the device
        scale = (float(max_norm) / (total_norm + 1e-6)).clamp(max=1.0)
        for grad in grads:
            grad.mul_(scale.to(grad.device))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale the gradients so that their norm, all taken together, is at most ``max_norm``.

    Args:
        parameters: a tensor or an iterable of tensors; those without a gradient are passed over.
        max_norm: the largest norm allowed.
        norm_type: the p of the norm, ``inf`` for the largest absolute value.

    Returns:
        The norm before clipping, a 0-d tensor.

    Raises:
        RuntimeError: the norm is infinite or nan, and ``error_if_nonfinite``.

    >>> p = adjoint.nn.Parameter(adjoint.zeros(2))
    >>> p.grad = adjoint.tensor([3.0, 4.0])
    >>> adjoint.nn.utils.clip_grad_norm_([p], max_norm=1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    listed = _listed(parameters)
    if not listed and isinstance(parameters, Iterator):
        warnings.warn(
            "clip_grad_norm_ was given a generator with nothing left in it: it can be used once",
            stacklevel=2,
        )
    total_norm = get_total_norm(_grads(listed), norm_type, error_if_nonfinite, foreach)
    clip_grads_with_norm_(listed, max_norm, total_norm, foreach)
    return total_norm


def clip_grad_value_(
    parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: bool | None = None
) -> None:
    """Clamp every element of every gradient to ``[-clip_value, clip_value]``.

    >>> p = adjoint.nn.Parameter(adjoint.zeros(2))
    >>> p.grad = adjoint.tensor([-3.0, 0.5])
    >>> adjoint.nn.utils.clip_grad_value_(p, 1.0)
    >>> p.grad
    tensor([-1.0000,  0.5000])
    """
    bound = float(clip_value)
    with adjoint.no_grad():
        for grad in _grads(parameters):
            grad.clamp_(-bound, bound)


def _listed(tensors: Tensor | Iterable[Tensor]) -> list[Tensor]:
    return [tensors] if isinstance(tensors, Tensor) else list(tensors)


def _grads(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    grads = (p.grad for p in _listed(parameters))
    return [grad for grad in grads if grad is not None]


def clip_grad_norm(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The older name of :func:`clip_grad_norm_`, with a warning."""
    warnings.warn(
        "nn.utils.clip_grad_norm is deprecated: use nn.utils.clip_grad_norm_",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)


# The names that these had before they were offered.
_get_total_norm, _clip_grads_with_norm_ = get_total_norm, clip_grads_with_norm_
