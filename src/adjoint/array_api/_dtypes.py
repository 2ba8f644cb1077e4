"""Data types and how they are promoted: stricter than adjoint's own functions."""

from __future__ import annotations

from typing import Any, NamedTuple

import adjoint
from adjoint import (
    Tensor,
    bool,
    complex64,
    complex128,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
)

__all__ = [
    "astype",
    "bool",
    "can_cast",
    "complex64",
    "complex128",
    "finfo",
    "float32",
    "float64",
    "iinfo",
    "int8",
    "int16",
    "int32",
    "int64",
    "isdtype",
    "result_type",
    "uint8",
]

KINDS: dict[str, tuple[Any, ...]] = {
    "bool": (bool,),
    "signed integer": (int8, int16, int32, int64),
    "unsigned integer": (uint8,),
    "real floating": (float32, float64),
    "complex floating": (complex64, complex128),
}
KINDS["integral"] = KINDS["signed integer"] + KINDS["unsigned integer"]
KINDS["numeric"] = KINDS["integral"] + KINDS["real floating"] + KINDS["complex floating"]

_PYTHON_KINDS = {"bool": 0, "int": 1, "float": 2, "complex": 3}


class FInfo(NamedTuple):
    """What `finfo` tells: Python numbers and the dtype itself."""

    bits: int
    eps: float
    max: float
    min: float
    smallest_normal: float
    dtype: Any


class IInfo(NamedTuple):
    """What `iinfo` tells: Python numbers and the dtype itself."""

    bits: int
    max: int
    min: int
    dtype: Any


def astype(x: Tensor, dtype: Any, /, *, copy: Any = True, device: Any = None) -> Tensor:
    """A copy in another dtype; with `copy=False` x itself if it has it. A TypeError for complex
    numbers as real ones."""
    if x.is_complex() and not isdtype(dtype, "complex floating"):
        raise TypeError(f"{x.dtype} cannot be cast to {dtype}: take the real part first")
    return x.to(device, dtype, copy=copy)


def can_cast(from_: Any, to: Any, /) -> Any:
    """Whether the promotion of both dtypes is the second."""
    try:
        return result_type(from_ if not isinstance(from_, Tensor) else from_.dtype, to) == to
    except TypeError:
        return False


def finfo(type: Any, /) -> FInfo:
    """The limits of a floating dtype; of a complex one those of its parts."""
    dtype = type.dtype if isinstance(type, Tensor) else type
    dtype = {complex64: float32, complex128: float64}.get(dtype, dtype)
    own = adjoint.finfo(dtype)
    return FInfo(own.bits, own.eps, own.max, own.min, own.smallest_normal, dtype)


def iinfo(type: Any, /) -> IInfo:
    """The limits of an integer dtype."""
    dtype = type.dtype if isinstance(type, Tensor) else type
    own = adjoint.iinfo(dtype)
    return IInfo(own.bits, own.max, own.min, dtype)


def isdtype(dtype: Any, kind: Any) -> Any:
    """Whether a dtype is another one, or of a kind ("integral", "real floating", ...), or of one
    of several."""
    if isinstance(kind, tuple):
        return any(isdtype(dtype, k) for k in kind)
    if isinstance(kind, str):
        if kind not in KINDS:
            raise ValueError(f"kind must be one of {sorted(KINDS)}, got {kind!r}")
        return dtype in KINDS[kind]
    return dtype == kind


def result_type(*arrays_and_dtypes: Any) -> Any:
    """The dtype of an operation on these. A TypeError where the standard has none: integers with
    floating numbers, or Python numbers alone."""
    dtypes = [
        a.dtype if isinstance(a, Tensor) else a for a in arrays_and_dtypes if not _is_number(a)
    ]
    numbers = [a for a in arrays_and_dtypes if _is_number(a)]
    if not dtypes:
        raise TypeError("result_type needs an array or a dtype")
    result = dtypes[0]
    for dtype in dtypes[1:]:
        result = _promoted(result, dtype)
    for number in numbers:
        result = with_number(result, number)
    return result


def _is_number(value: Any) -> Any:
    return type(value).__name__ in _PYTHON_KINDS and not isinstance(value, type)


def _promoted(a: Any, b: Any) -> Any:
    if a == b:
        return a
    floating = KINDS["real floating"] + KINDS["complex floating"]
    if (a in floating) != (b in floating) or bool in (a, b):
        raise TypeError(f"{a} and {b} are not promoted to one dtype")
    return adjoint.promote_types(a, b)


def with_number(dtype: Any, number: Any) -> Any:
    """The dtype of an array of this one beside a Python number of no greater kind."""
    kind = _PYTHON_KINDS[type(number).__name__]
    own = 0 if dtype == bool else 1 if dtype in KINDS["integral"] else 3 if dtype.is_complex else 2
    if kind == 3 and own == 2:
        return complex64 if dtype == float32 else complex128
    if kind > own or (kind == 0) != (own == 0):
        raise TypeError(f"the Python number {number!r} does not go with an array of {dtype}")
    return dtype
