"""Sums and their kin, over one axis, several, or all."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.array_api._dtypes import isdtype
from adjoint.array_api._elementwise import _check

__all__ = [
    "all",
    "any",
    "argmax",
    "argmin",
    "count_nonzero",
    "cumulative_prod",
    "cumulative_sum",
    "diff",
    "max",
    "mean",
    "min",
    "prod",
    "std",
    "sum",
    "var",
]


def _axes(x: Tensor, axis: Any) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(x.dim()))
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if not -x.dim() <= a < x.dim():
            raise IndexError(f"axis {a} is out of range for {x.dim()} dimensions")
    return tuple(a % x.dim() for a in axes)


def _one_by_one(function: Any, x: Tensor, axis: Any, keepdims: Any) -> Tensor:
    """For functions of adjoint that reduce one dim."""
    axes = sorted(_axes(x, axis), reverse=True)
    for a in axes:
        x = function(x, a, keepdims)
    return x


def _accumulated_in(x: Tensor, dtype: Any) -> Any:
    if dtype is not None:
        return dtype
    return adjoint.int64 if isdtype(x.dtype, "integral") else x.dtype


def all(x: Tensor, /, *, axis: Any = None, keepdims: Any = False) -> Tensor:
    """Whether every element is true, or not zero."""
    return _one_by_one(adjoint.all, x != 0, axis, keepdims)


def any(x: Tensor, /, *, axis: Any = None, keepdims: Any = False) -> Tensor:
    """Whether an element is true, or not zero."""
    return _one_by_one(adjoint.any, x != 0, axis, keepdims)


def argmax(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the largest element is."""
    _check("argmax", x.dtype, "real")
    return adjoint.argmax(x, axis, keepdims)


def argmin(x: Tensor, /, *, axis: int | None = None, keepdims: bool = False) -> Tensor:
    """Where the smallest element is."""
    _check("argmin", x.dtype, "real")
    return adjoint.argmin(x, axis, keepdims)


def count_nonzero(x: Tensor, /, *, axis: Any = None, keepdims: Any = False) -> Tensor:
    """How many elements are not zero."""
    return sum((x != 0).long(), axis=axis, keepdims=keepdims)


def _cumulative(name: str, function: Any, start: int) -> Any:
    def cumulative(
        x: Tensor, /, *, axis: int | None = None, dtype: Any = None, include_initial: Any = False
    ) -> Tensor:
        _check(name, x.dtype, "numeric")
        if axis is None:
            if x.dim() > 1:
                raise ValueError(f"{name} needs an axis for {x.dim()} dimensions")
            axis = 0
        dtype = _accumulated_in(x, dtype)
        y = function(x.to(dtype), axis, dtype=dtype)
        if not include_initial:
            return y
        sizes = [*y.shape]
        sizes[axis] = 1
        return adjoint.cat([adjoint.full(sizes, start, dtype=y.dtype), y], axis)

    cumulative.__name__ = cumulative.__qualname__ = name
    cumulative.__doc__ = (
        "Of the elements up to each one along an axis; `include_initial` puts what it is of none "
        "in front."
    )
    return cumulative


cumulative_sum = _cumulative("cumulative_sum", adjoint.cumsum, 0)
cumulative_prod = _cumulative("cumulative_prod", adjoint.cumprod, 1)


def diff(
    x: Tensor,
    /,
    *,
    axis: int = -1,
    n: int = 1,
    prepend: Tensor | None = None,
    append: Tensor | None = None,
) -> Tensor:
    """The differences of neighbours, `n` times over."""
    _check("diff", x.dtype, "numeric")
    return adjoint.diff(x, n, axis, prepend, append)


def max(x: Tensor, /, *, axis: Any = None, keepdims: Any = False) -> Tensor:
    """The largest element."""
    _check("max", x.dtype, "real")
    axes = _axes(x, axis)
    return adjoint.amax(x, axes, keepdims) if axes else x.clone()


def min(x: Tensor, /, *, axis: Any = None, keepdims: Any = False) -> Tensor:
    """The smallest element."""
    _check("min", x.dtype, "real")
    axes = _axes(x, axis)
    return adjoint.amin(x, axes, keepdims) if axes else x.clone()


def mean(x: Tensor, /, *, axis: Any = None, keepdims: Any = False) -> Tensor:
    """The arithmetic mean."""
    _check("mean", x.dtype, "floating")
    axes = _axes(x, axis)
    return adjoint.mean(x, axes, keepdims) if axes else x.clone()


def prod(x: Tensor, /, *, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Tensor:
    """The product; integers in int64."""
    _check("prod", x.dtype, "numeric")
    dtype = _accumulated_in(x, dtype)

    def product(x: Tensor, axis: int, keepdims: Any) -> Tensor:
        return adjoint.prod(x, axis, keepdims, dtype=dtype)

    return _one_by_one(product, x.to(dtype, copy=True), axis, keepdims)


def sum(x: Tensor, /, *, axis: Any = None, dtype: Any = None, keepdims: Any = False) -> Tensor:
    """The sum; integers in int64."""
    _check("sum", x.dtype, "numeric")
    dtype = _accumulated_in(x, dtype)
    axes = _axes(x, axis)
    if not axes:
        return x.to(dtype, copy=True)
    return adjoint.sum(x.to(dtype), axes, keepdims, dtype=dtype)


def var(x: Tensor, /, *, axis: Any = None, correction: Any = 0.0, keepdims: Any = False) -> Tensor:
    """The variance, by the number of elements less `correction`."""
    _check("var", x.dtype, "real floating")
    axes = _axes(x, axis)
    if not axes:
        return adjoint.zeros_like(x)
    return adjoint.var(x, axes, correction=correction, keepdim=keepdims)


def std(x: Tensor, /, *, axis: Any = None, correction: Any = 0.0, keepdims: Any = False) -> Tensor:
    """The standard deviation: the root of `var`."""
    return var(x, axis=axis, correction=correction, keepdims=keepdims).sqrt()
