"""Functions of indices whose number of results depends on their arguments."""

from __future__ import annotations

from typing import Any

from adjoint import _core
from adjoint._core import Tensor

__all__ = ["nonzero", "unique", "unique_consecutive"]

_nonzero = _core._namespaces[""]["nonzero"]
_unique = _core._namespaces["_nodes"]["unique"]


def nonzero(input: Tensor, *, out: Any = None, as_tuple: bool = False) -> Any:
    """The indices of all elements that are not zero, in row-major order: int64 of shape
    (number of them, dims). With `as_tuple` a tuple of vectors, one a dim, which can index `input`.

    >>> adjoint.nonzero(adjoint.tensor([[1, 0], [0, 2]]))
    tensor([[0, 0],
            [1, 1]])
    >>> adjoint.nonzero(adjoint.tensor([0, 3, 4]), as_tuple=True)
    (tensor([1, 2]),)
    """
    if not as_tuple:
        return _nonzero(input, out=out)
    return _nonzero(input if input.dim() else input.reshape(1)).unbind(1)


def unique(
    input: Tensor,
    sorted: bool = True,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The distinct elements in order, or the distinct slices along `dim`; NaN equals nothing.

    With `return_inverse` also the index in them of each element, with `return_counts` how often
    each occurs. (They are sorted whatever `sorted` says.)

    >>> adjoint.unique(adjoint.tensor([2, 1, 2]), return_counts=True)
    (tensor([1, 2]), tensor([1, 2]))
    """
    return _chosen(_unique(input, dim, False), return_inverse, return_counts)


def unique_consecutive(
    input: Tensor,
    return_inverse: bool = False,
    return_counts: bool = False,
    dim: int | None = None,
) -> Any:
    """The first of each run of equal elements, or of equal slices along `dim`.

    With `return_inverse` also the run of each element, with `return_counts` the runs' lengths.

    >>> adjoint.unique_consecutive(adjoint.tensor([1, 1, 2, 1]))
    tensor([1, 2, 1])
    """
    return _chosen(_unique(input, dim, True), return_inverse, return_counts)


def _chosen(results: Any, return_inverse: bool, return_counts: bool) -> Any:
    output, inverse, counts = results
    chosen = (output, *([inverse] if return_inverse else []), *([counts] if return_counts else []))
    return chosen if len(chosen) > 1 else output


Tensor.nonzero = nonzero
Tensor.unique = unique
Tensor.unique_consecutive = unique_consecutive
