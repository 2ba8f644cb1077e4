"""New arrays."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor

__all__ = [
    "arange",
    "asarray",
    "empty",
    "empty_like",
    "eye",
    "from_dlpack",
    "full",
    "full_like",
    "linspace",
    "meshgrid",
    "ones",
    "ones_like",
    "tril",
    "triu",
    "zeros",
    "zeros_like",
]


def asarray(obj: Any, /, *, dtype: Any = None, device: Any = None, copy: Any = None) -> Tensor:
    """An array of numbers, nested lists, or another library's array."""
    if copy is False and not hasattr(obj, "__dlpack__") and not hasattr(obj, "__array__"):
        raise ValueError("lists and numbers are copied: copy=False cannot be")
    if isinstance(obj, Tensor) and copy:
        return obj.to(device, dtype or obj.dtype, copy=True)
    if copy is False and dtype is not None and getattr(obj, "dtype", dtype) != dtype:
        raise ValueError(f"another dtype needs a copy: {obj.dtype} to {dtype}")
    return adjoint.asarray(obj, dtype=dtype, device=device, copy=copy)


def arange(
    start: Any, /, stop: Any = None, step: Any = 1, *, dtype: Any = None, device: Any = None
) -> Tensor:
    """Numbers from `start` to before `stop`; none if `stop` lies the other way."""
    if stop is None:
        start, stop = 0, start
    if (stop - start) * step < 0 or start == stop:
        real = any(isinstance(v, float) for v in (start, stop, step))
        standard = adjoint.get_default_dtype() if real else adjoint.int64
        return adjoint.empty(0, dtype=dtype or standard, device=device)
    return adjoint.arange(start, stop, step, dtype=dtype, device=device)


def empty(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Uninitialised."""
    return adjoint.empty(shape, dtype=dtype, device=device)


def empty_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Uninitialised, in the shape and dtype of `x`."""
    return adjoint.empty_like(x, dtype=dtype, device=device)


def eye(
    n_rows: int, n_cols: Any = None, /, *, k: int = 0, dtype: Any = None, device: Any = None
) -> Tensor:
    """Ones on diagonal `k`."""
    n_cols = n_rows if n_cols is None else n_cols
    x = adjoint.zeros(n_rows, n_cols, dtype=dtype, device=device)
    if -n_rows < k < n_cols:
        x.diagonal(k).fill_(1)
    return x


def from_dlpack(x: Any, /, *, device: Any = None, copy: Any = None) -> Tensor:
    """An array on the memory of another library's; `copy` puts it on memory of its own."""
    return adjoint.from_dlpack(x, device=device, copy=copy)


def full(shape: Any, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Filled with one number, whose kind gives the dtype."""
    shape = (shape,) if isinstance(shape, int) else shape
    return adjoint.full(shape, fill_value, dtype=dtype, device=device)


def full_like(x: Tensor, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Filled with one number, in the shape and dtype of `x`."""
    return adjoint.full_like(x, fill_value, dtype=dtype, device=device)


def linspace(
    start: Any,
    stop: Any,
    /,
    num: int,
    *,
    dtype: Any = None,
    device: Any = None,
    endpoint: bool = True,
) -> Tensor:
    """Numbers evenly spaced, with or without the last one."""
    if dtype is None and (isinstance(start, complex) or isinstance(stop, complex)):
        dtype = (
            adjoint.complex128
            if adjoint.get_default_dtype() == adjoint.float64
            else (adjoint.complex64)
        )
    if dtype is not None and dtype.is_complex:
        part = adjoint.float64 if dtype == adjoint.complex128 else adjoint.float32
        start, stop = complex(start), complex(stop)
        return adjoint.complex(
            linspace(start.real, stop.real, num, dtype=part, device=device, endpoint=endpoint),
            linspace(start.imag, stop.imag, num, dtype=part, device=device, endpoint=endpoint),
        )
    if endpoint:
        return adjoint.linspace(start, stop, num, dtype=dtype, device=device)
    return adjoint.linspace(start, stop, num + 1, dtype=dtype, device=device)[:num]


def meshgrid(*arrays: Tensor, indexing: str = "xy") -> Any:
    """Coordinates of a grid."""
    return tuple(adjoint.meshgrid(arrays, indexing=indexing)) if arrays else ()


def ones(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones."""
    return adjoint.ones(shape, dtype=dtype, device=device)


def ones_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Ones in the shape and dtype of `x`."""
    return adjoint.ones_like(x, dtype=dtype, device=device)


def tril(x: Tensor, /, *, k: int = 0) -> Tensor:
    """The lower triangle, from diagonal `k` on."""
    return adjoint.tril(x, k)


def triu(x: Tensor, /, *, k: int = 0) -> Tensor:
    """The upper triangle, from diagonal `k` on."""
    return adjoint.triu(x, k)


def zeros(shape: Any, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros."""
    return adjoint.zeros(shape, dtype=dtype, device=device)


def zeros_like(x: Tensor, /, *, dtype: Any = None, device: Any = None) -> Tensor:
    """Zeros in the shape and dtype of `x`."""
    return adjoint.zeros_like(x, dtype=dtype, device=device)
