"""What the distributions share: broadcasting of parameters, logits and probabilities."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

import adjoint
from adjoint import Tensor

__all__ = ["broadcast_all", "clamp_probs", "lazy_property", "logits_to_probs", "probs_to_logits"]

T = TypeVar("T")


def broadcast_all(*values: Any) -> tuple[Tensor, ...]:
    """Tensors and numbers as tensors of one shape; numbers take the dtype of the tensors.

    >>> a, b = adjoint.distributions.utils.broadcast_all(1.0, adjoint.zeros(2))
    >>> a
    tensor([1., 1.])
    """
    for value in values:
        if not isinstance(value, (Tensor, int, float)):
            raise ValueError(
                "Input arguments must all be instances of Number or Tensor, got "
                f"{type(value).__name__}"
            )
    dtype = next((v.dtype for v in values if isinstance(v, Tensor)), adjoint.get_default_dtype())
    tensors = [v if isinstance(v, Tensor) else adjoint.tensor(v, dtype=dtype) for v in values]
    return tuple(adjoint.broadcast_tensors(tensors))


def logits_to_probs(logits: Tensor, is_binary: bool = False) -> Tensor:
    """Probabilities of log odds, or of log probabilities that need not be normalized."""
    return adjoint.sigmoid(logits) if is_binary else adjoint.softmax(logits, dim=-1)


def clamp_probs(probs: Tensor) -> Tensor:
    """Probabilities moved off 0 and 1 by the precision of the dtype."""
    eps = adjoint.finfo(probs.dtype).eps
    return probs.clamp(min=eps, max=1 - eps)


def probs_to_logits(probs: Tensor, is_binary: bool = False) -> Tensor:
    """Log odds of probabilities, or their logarithms."""
    clamped = clamp_probs(probs)
    if is_binary:
        return adjoint.log(clamped) - adjoint.log1p(-clamped)
    return adjoint.log(clamped)


class lazy_property(Generic[T]):
    """A property that is computed when it is first asked for, and kept."""

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self.compute = compute
        self.__doc__ = compute.__doc__
        self.name = compute.__name__

    @overload
    def __get__(self, instance: None, owner: Any = None) -> lazy_property[T]: ...
    @overload
    def __get__(self, instance: Any, owner: Any = None) -> T: ...
    def __get__(self, instance: Any, owner: Any = None) -> Any:
        if instance is None:
            return self
        with adjoint.enable_grad():
            value = self.compute(instance)
        instance.__dict__[self.name] = value
        return value


def tril_matrix_to_vec(mat: Tensor, diag: int = 0) -> Tensor:
    """The lower triangle of matrices [..., n, n], row by row, as vectors."""
    n = mat.shape[-1]
    index = adjoint.tril_indices(n, n, diag)
    return mat[..., index[0], index[1]]


def vec_to_tril_matrix(vec: Tensor, diag: int = 0) -> Tensor:
    """The inverse of `tril_matrix_to_vec`."""
    n = round(((1 + 8 * vec.shape[-1]) ** 0.5 - 1) / 2) - diag
    index = adjoint.tril_indices(n, n, diag)
    mat = vec.new_zeros((*vec.shape[:-1], n, n))
    mat[..., index[0], index[1]] = vec
    return mat


def _standard_normal(shape: Any, dtype: Any, device: Any) -> Tensor:
    """Draws from the standard normal distribution."""
    return adjoint.empty(shape, dtype=dtype, device=device).normal_()


def _sum_rightmost(value: Tensor, dim: int) -> Tensor:
    """The sum over so many dims on the right."""
    return value if dim == 0 else value.sum(tuple(range(-dim, 0)))
