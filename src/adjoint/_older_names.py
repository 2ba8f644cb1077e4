"""Functions that newer ones have taken the place of, in their older forms."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor

__all__ = ["lu"]


def lu(A: Tensor, pivot: bool = True, get_infos: bool = False, out: Any = None) -> Any:
    """`linalg.lu_factor_ex`: (LU, pivots), and with `get_infos` a third tensor, 0 for success.

    Raises:
        RuntimeError: a matrix has no factorization, and `get_infos` is False.

    >>> LU, pivots = adjoint.lu(adjoint.tensor([[2., 0.], [1., 3.]]))
    >>> LU
    tensor([[2.0000, 0.0000],
            [0.5000, 3.0000]])
    """
    result = tuple(adjoint.linalg.lu_factor_ex(A, pivot=pivot, check_errors=not get_infos))
    result = result if get_infos else result[:2]
    if out is None:
        return result
    if len(out) != len(result):
        raise TypeError(f"lu(): out must hold {len(result)} tensors, got {len(out)}")
    for target, value in zip(out, result, strict=True):
        target.resize_(value.shape).copy_(value)
    return out
