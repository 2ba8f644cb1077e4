"""Shapes, places and sets: functions that compute nothing."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.array_api._dtypes import isdtype, result_type

__all__ = [
    "argsort",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "concat",
    "expand_dims",
    "flip",
    "isin",
    "moveaxis",
    "nonzero",
    "permute_dims",
    "repeat",
    "reshape",
    "roll",
    "searchsorted",
    "sort",
    "squeeze",
    "stack",
    "take",
    "take_along_axis",
    "tile",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unstack",
    "where",
]

UniqueAll = namedtuple("UniqueAll", "values indices inverse_indices counts")
UniqueCounts = namedtuple("UniqueCounts", "values counts")
UniqueInverse = namedtuple("UniqueInverse", "values inverse_indices")


def broadcast_arrays(*arrays: Tensor) -> Any:
    """All in the shape that they have together."""
    return tuple(adjoint.broadcast_tensors(arrays)) if arrays else ()


def broadcast_shapes(*shapes: tuple[int, ...]) -> tuple[int, ...]:
    """The shape that these have together. A ValueError if they do not fit."""
    try:
        return tuple(adjoint.broadcast_shapes(*shapes))
    except RuntimeError as error:
        raise ValueError(*error.args) from None


def broadcast_to(x: Tensor, /, shape: Any) -> Tensor:
    """In another shape that it fits."""
    return adjoint.broadcast_to(x, shape)


def concat(arrays: Any, /, *, axis: int | None = 0) -> Tensor:
    """One behind the other along an axis, or flattened."""
    arrays = list(arrays)
    dtype = result_type(*arrays)
    arrays = [a.to(dtype) for a in arrays]
    if axis is None:
        return adjoint.cat([a.reshape(-1) for a in arrays])
    return adjoint.cat(arrays, axis)


def expand_dims(x: Tensor, /, axis: int | tuple[int, ...]) -> Tensor:
    """With new axes of size 1, at these places of the result."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    dims = x.dim() + len(axes)
    if any(not -dims <= a < dims for a in axes) or len({a % dims for a in axes}) < len(axes):
        raise IndexError(f"axis {axis} does not name places among {dims} dimensions, each once")
    for a in sorted(a % dims for a in axes):
        x = adjoint.unsqueeze(x, a)
    return x


def flip(x: Tensor, /, *, axis: Any = None) -> Tensor:
    """Backwards along some axes, or all."""
    axes = range(x.dim()) if axis is None else (axis,) if isinstance(axis, int) else axis
    return adjoint.flip(x, tuple(axes))


def moveaxis(x: Tensor, source: Any, destination: Any, /) -> Tensor:
    """With axes at other places."""
    return adjoint.movedim(x, source, destination)


def permute_dims(x: Tensor, /, axes: Any) -> Tensor:
    """With the axes in another order."""
    return adjoint.permute(x, tuple(axes))


def repeat(x: Tensor, repeats: Any, /, *, axis: int | None = None) -> Tensor:
    """Every element several times."""
    return adjoint.repeat_interleave(x, repeats, dim=axis)


def reshape(x: Tensor, /, shape: Any, *, copy: Any = None) -> Tensor:
    """The same elements in another shape."""
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    if copy is False:
        return x.view(shape)
    return adjoint.reshape(x.clone() if copy else x, shape)


def roll(x: Tensor, /, shift: Any, *, axis: Any = None) -> Tensor:
    """Moved along some axes; what leaves at one end comes in at the other."""
    if axis is None:
        return adjoint.roll(x, shift)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    shifts = (shift,) * len(axes) if isinstance(shift, int) else tuple(shift)
    return adjoint.roll(x, shifts, axes)


def squeeze(x: Tensor, /, axis: Any) -> Tensor:
    """Without axes of size 1. A ValueError for one of another size."""
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    for a in axes:
        if x.shape[a] != 1:
            raise ValueError(f"axis {a} has size {x.shape[a]}, not 1")
    return adjoint.squeeze(x, axes)


def stack(arrays: Any, /, *, axis: int = 0) -> Tensor:
    """Side by side along a new axis."""
    arrays = list(arrays)
    dtype = result_type(*arrays)
    return adjoint.stack([a.to(dtype) for a in arrays], axis)


def tile(x: Tensor, repetitions: Any, /) -> Tensor:
    """The whole array several times along each axis."""
    return adjoint.tile(x, tuple(repetitions))


def unstack(x: Tensor, /, *, axis: int = 0) -> Any:
    """The slices along an axis."""
    return adjoint.unbind(x, axis)


def take(x: Tensor, indices: Tensor, /, *, axis: int | None = None) -> Tensor:
    """Slices along an axis."""
    if axis is None:
        if x.dim() != 1:
            raise ValueError(f"axis is needed for an array of {x.dim()} dimensions")
        axis = 0
    if not isdtype(indices.dtype, "integral"):
        raise TypeError(f"take needs integers for indices, got {indices.dtype}")
    indices = indices.long()
    wrapped = adjoint.where(indices < 0, indices + x.shape[axis], indices)
    return adjoint.index_select(x, axis, wrapped)


def take_along_axis(x: Tensor, indices: Tensor, /, *, axis: int = -1) -> Tensor:
    """Elements along an axis, by indices of the same shape but for it."""
    return adjoint.take_along_dim(x, indices.long(), axis)


def nonzero(x: Tensor, /) -> Any:
    """Where the elements are that are not zero: the indices of each axis."""
    if x.dim() == 0:
        raise ValueError("nonzero is not for arrays without dimensions")
    return adjoint.nonzero(x, as_tuple=True)


def isin(x1: Any, x2: Any, /, *, invert: bool = False) -> Tensor:
    """Whether each element of the first array is among those of the second, or is not. NaN is
    like no other element, itself included."""
    dtype = result_type(x1, x2)
    pair = [x.to(dtype) if isinstance(x, Tensor) else adjoint.tensor(x, dtype=dtype)
            for x in (x1, x2)]  # fmt: skip
    return adjoint.isin(*pair, invert=invert)


def searchsorted(
    x1: Tensor, x2: Any, /, *, side: str = "left", sorter: Tensor | None = None
) -> Tensor:
    """Where elements, or a number, would go into `x1`, which is in order."""
    _real("searchsorted", x1)
    dtype = result_type(x1, x2)
    x2 = x2.to(dtype) if isinstance(x2, Tensor) else adjoint.tensor(x2, dtype=dtype)
    absent = x1.isnan()
    if not absent.any():
        return adjoint.searchsorted(x1.to(dtype), x2, side=side, sorter=sorter)
    # NaN is behind all others, where `sort` puts it.
    x1 = adjoint.where(absent, adjoint.inf, x1.to(dtype))
    places = adjoint.searchsorted(x1, x2, side=side, sorter=sorter)
    known = x1.shape[-1] - absent.sum(-1, keepdim=x1.dim() > 1)
    within = adjoint.minimum(places, known)
    last = known if side == "left" else x1.shape[-1]
    return adjoint.where(x2.isnan(), last, within)


def where(condition: Tensor, x1: Any, x2: Any, /) -> Tensor:
    """Elements of the first array where the condition holds, else of the second."""
    dtype = result_type(x1, x2)
    pair = [x.to(dtype) if isinstance(x, Tensor) else adjoint.tensor(x, dtype=dtype)
            for x in (x1, x2)]  # fmt: skip
    return adjoint.where(condition, *pair)


def _real(name: str, x: Tensor) -> None:
    if not isdtype(x.dtype, ("integral", "real floating")):
        raise TypeError(f"{name} is for real dtypes, got {x.dtype}")


def argsort(
    x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True
) -> Tensor:
    """The indices that sort along an axis; equal elements keep their order."""
    _real("argsort", x)
    return adjoint.argsort(x, axis, descending, stable=stable)


def sort(x: Tensor, /, *, axis: int = -1, descending: bool = False, stable: bool = True) -> Tensor:
    """In order along an axis."""
    _real("sort", x)
    return adjoint.sort(x, axis, descending, stable=stable)[0]


def _unique(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The distinct elements (complex ones ordered by real part, then by imaginary part), which
    each element is, and how often each is."""
    if not x.is_complex():
        values, inverse, counts = adjoint.unique(x, return_inverse=True, return_counts=True)
        return values, inverse, counts
    pairs = adjoint.view_as_real(x.resolve_conj()).reshape(-1, 2)
    if not len(pairs):
        none = adjoint.zeros(0, dtype=adjoint.int64)
        return x.reshape(-1), none.reshape(x.shape), none
    found, places, times = adjoint.unique(pairs, dim=0, return_inverse=True, return_counts=True)
    return adjoint.view_as_complex(found), places.reshape(x.shape), times


def unique_all(x: Tensor, /) -> Any:
    """The distinct elements, where each is first, which each element is, and how often it is."""
    values, inverse, counts = _unique(x)
    flat = inverse.reshape(-1)
    places = adjoint.arange(flat.numel()).flip(0)
    first = adjoint.zeros(values.numel(), dtype=adjoint.int64)
    first = first.scatter_reduce(0, flat.flip(0), places, "amin", include_self=False)
    return UniqueAll(values, first, inverse, counts)


def unique_counts(x: Tensor, /) -> Any:
    """The distinct elements and how often each is."""
    values, _, counts = _unique(x)
    return UniqueCounts(values, counts)


def unique_inverse(x: Tensor, /) -> Any:
    """The distinct elements and which each element is."""
    values, inverse, _ = _unique(x)
    return UniqueInverse(values, inverse)


def unique_values(x: Tensor, /) -> Tensor:
    """The distinct elements."""
    return _unique(x)[0]
