"""Functions of indices whose number of results depends on their arguments."""

from __future__ import annotations

from typing import Any

from adjoint import _core
from adjoint._core import Tensor

__all__ = ["index_reduce", "nonzero", "nonzero_static", "unique", "unique_consecutive"]

_nonzero = _core._namespaces[""]["nonzero"]
_unique = _core._namespaces["_nodes"]["unique"]
_pad = _core._namespaces["nn.functional"]["pad"]


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


def nonzero_static(input: Tensor, *, size: int, fill_value: int = -1) -> Tensor:
    """The first `size` rows of `nonzero(input)`, or all of them and rows of `fill_value` behind.

    >>> adjoint.nonzero_static(adjoint.tensor([0, 3, 4]), size=3)
    tensor([[ 1],
            [ 2],
            [-1]])
    """
    if size < 0:
        raise RuntimeError(f"nonzero_static: 'size' must be an non-negative integer, got {size}")
    found = _nonzero(input)[:size]
    missing = size - found.shape[0]
    return _pad(found, (0, 0, 0, missing), value=fill_value) if missing else found


def _reduced(name: str, input: Tensor, dim: int, index: Tensor, source: Tensor, reduce: str) -> Any:
    """`scatter_reduce`'s arguments: its index is as large as its source, and other names."""
    if index.dim() > 1 or index.dtype not in (_core.int32, _core.int64):
        raise RuntimeError(
            f"{name}(): index must be a vector of int32 or int64, got {index.dtype} of shape "
            f"{tuple(index.shape)}"
        )
    if reduce not in ("prod", "mean", "amax", "amin"):
        raise RuntimeError(
            f"{name}(): expected reduce to be one of prod, mean, amax or amin but got {reduce}."
        )
    if source.dtype != input.dtype:
        raise RuntimeError(
            f"{name}(): self and source expected to have the same dtype, but got {input.dtype} "
            f"and {source.dtype}"
        )
    wanted = list(input.shape)
    if input.dim():
        wanted[dim] = index.numel()
    if list(source.shape) != wanted:
        raise RuntimeError(
            f"{name}(): source must have the shape {tuple(wanted)}, got {tuple(source.shape)}"
        )
    if not input.dim():
        return dim, index.reshape(()).long(), source, reduce
    along = [1] * input.dim()
    along[dim] = index.numel()
    return dim, index.long().reshape(along).expand(source.shape), source, reduce


def index_reduce(
    input: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """A copy of `input` in which each slice of `source` along `dim` is combined with the slice that
    `index` names: by "prod", "mean", "amax" or "amin". Without `include_self` the slices that are
    named begin anew.

    >>> x, i = adjoint.ones(3), adjoint.tensor([0, 0, 2])
    >>> adjoint.index_reduce(x, 0, i, adjoint.tensor([2., 3., 4.]), "prod")
    tensor([6., 1., 4.])
    """
    args = _reduced("index_reduce", input, dim, index, source, reduce)
    return input.scatter_reduce(*args, include_self=include_self)


def index_reduce_(
    self: Tensor,
    dim: int,
    index: Tensor,
    source: Tensor,
    reduce: str,
    *,
    include_self: bool = True,
) -> Tensor:
    """`index_reduce` in place."""
    args = _reduced("index_reduce_", self, dim, index, source, reduce)
    return self.scatter_reduce_(*args, include_self=include_self)


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


Tensor.index_reduce, Tensor.index_reduce_ = index_reduce, index_reduce_
Tensor.nonzero, Tensor.nonzero_static = nonzero, nonzero_static
Tensor.unique = unique
Tensor.unique_consecutive = unique_consecutive
