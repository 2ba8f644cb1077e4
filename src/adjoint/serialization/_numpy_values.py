"""NumPy's scalars, arrays and dtypes in torch's files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any

__all__ = ["Function", "build", "find"]

# Numbers and text of a fixed size; never Python objects, and no records.
_DTYPE = re.compile(r"[<>=|]?(?:[biufc]\d{1,2}|[SUV]\d{1,9}|\?)")


class Function:
    """A function or a class of NumPy's, by its name."""

    def __init__(self, call: Callable[..., Any]) -> None:
        self.call = call


def find(name: str) -> Any:
    """What a name of NumPy's stands for, or None."""
    first, _, last = name.rpartition(".")
    if first in ("numpy.core.multiarray", "numpy._core.multiarray"):
        return {"scalar": _SCALAR, "_reconstruct": _RECONSTRUCT}.get(last)
    if first in ("numpy.core.numeric", "numpy._core.numeric") and last == "_frombuffer":
        return _FROM_BUFFER
    if first == "numpy.dtypes":
        import numpy

        cls: Any = getattr(numpy.dtypes, last, None)
        is_class = isinstance(cls, type) and issubclass(cls, numpy.dtype)
        return Function(lambda: _checked(cls())) if is_class else None
    return {"numpy.dtype": _DTYPE_FUNCTION, "numpy.ndarray": _NDARRAY}.get(name)


def build(value: Any, state: Any) -> Any:
    """An array or a dtype with its state."""
    import numpy

    if isinstance(value, numpy.dtype):
        _check_dtype_state(value, state)
    elif type(value) is numpy.ndarray:
        _check_array_state(state)
    else:
        raise ValueError(f"it sets the state of a {type(value).__name__}")
    value.__setstate__(state)
    return value


def _check_dtype_state(dtype: Any, state: Any) -> None:
    flexible = dtype.kind in "SUV"
    sizes = (dtype.itemsize, dtype.alignment) if flexible else (-1, -1)
    if (
        not isinstance(state, tuple)
        or len(state) != 8
        or state[0] != 3
        or state[1] not in ("<", ">", "|", "=")
        or state[2:5] != (None, None, None)
        or state[5:7] != sizes
        or type(state[7]) is not int
        or state[7] & 0x3F & ~0x08  # a needed C API or holding objects; 8: needs initialising
        or dtype.hasobject
    ):
        raise ValueError("a NumPy dtype has a state that is not understood")


def _check_array_state(state: Any) -> None:
    if not isinstance(state, tuple) or len(state) != 5 or state[0] != 1:
        raise ValueError("a NumPy array has a state that is not understood")
    _, shape, dtype, fortran, raw = state
    _check_extent(shape, _checked(dtype), raw)
    if type(fortran) not in (bool, int):
        raise ValueError("a NumPy array has no order")


def _check_extent(shape: Any, dtype: Any, raw: Any) -> None:
    if not isinstance(shape, tuple) or len(shape) > 32 or not isinstance(raw, (bytes, bytearray)):
        raise ValueError("a NumPy array has no shape or no bytes")
    size = dtype.itemsize
    for n in shape:
        if type(n) is not int or n < 0:
            raise ValueError(f"a NumPy array has the shape {shape}")
        size *= n
    if size != len(raw):
        raise ValueError(f"a NumPy array of shape {shape} and {dtype} has {len(raw)} bytes")


def _checked(dtype: Any) -> Any:
    import numpy

    if not isinstance(dtype, numpy.dtype) or dtype.kind not in "biufcSUV" or dtype.hasobject:
        raise UnpicklingError("values of NumPy that are no numbers or text are not supported")
    if dtype.fields or dtype.subdtype:
        raise UnpicklingError("records of NumPy are not supported")
    return dtype


def _dtype(text: Any, align: Any = False, copy: Any = False) -> Any:
    import numpy

    if type(text) is not str or not _DTYPE.fullmatch(text):
        raise UnpicklingError(
            f"the NumPy dtype {text!r} is not supported: its values are no numbers"
        )
    return numpy.dtype(text, copy=True)  # the state that follows must not change a shared one


def _scalar(dtype: Any, raw: Any) -> Any:
    import numpy

    _check_extent((), _checked(dtype), raw)
    return numpy.frombuffer(bytes(raw), dtype, 1)[0]


def _reconstruct(cls: Any, shape: Any, kind: Any) -> Any:
    import numpy

    if cls is not _NDARRAY or shape != (0,):
        raise ValueError("a NumPy array is made of no array")
    return numpy.empty(0, numpy.int8)


def _from_buffer(raw: Any, dtype: Any, shape: Any, order: Any, *_: Any) -> Any:
    import numpy

    _check_extent(shape, _checked(dtype), raw)
    if order not in ("C", "F"):
        raise ValueError("a NumPy array has no order")
    return numpy.frombuffer(bytearray(raw), dtype).reshape(shape, order=order)


def _no_call(*_: Any) -> Any:
    raise ValueError("numpy.ndarray is not called")


_SCALAR, _RECONSTRUCT = Function(_scalar), Function(_reconstruct)
_FROM_BUFFER, _DTYPE_FUNCTION = Function(_from_buffer), Function(_dtype)
_NDARRAY = Function(_no_call)
