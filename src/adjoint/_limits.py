"""The limits of the numeric types: `finfo` and `iinfo`."""

from __future__ import annotations

from typing import Any

from adjoint import _core

# Bits of the significand behind the leading one, and the exponent range, by IEEE 754.
_FLOATS = {"float16": (10, 15), "bfloat16": (7, 127), "float32": (23, 127), "float64": (52, 1023)}

# The 8-bit dtypes, which are names here: digits and exponents of the smallest normal and the
# greatest number, with that number's significand (Micikevicius et al. 2022, "FP8 formats for deep
# learning"; the ones in "fnuz" are of Noune et al. 2022).
_SMALL_FLOATS = {
    "float8_e4m3fn": (3, -6, 8, 1.75),
    "float8_e4m3fnuz": (3, -7, 7, 1.875),
    "float8_e5m2": (2, -14, 15, 1.75),
    "float8_e5m2fnuz": (2, -15, 15, 1.75),
}


class finfo:
    """Limits of a floating-point dtype (the default one if none is given).

    >>> adjoint.finfo(adjoint.float32).eps
    1.1920928955078125e-07
    """

    def __init__(self, type: Any = None) -> None:
        dtype = type if type is not None else _core.get_default_dtype()
        if not isinstance(dtype, _core.dtype):
            raise TypeError(f"finfo(): type must be a dtype, got {type!r}")
        name = str(dtype.to_real())[6:]
        if name in _SMALL_FLOATS:
            digits, least, greatest, significand = _SMALL_FLOATS[name]
        elif name in _FLOATS:
            digits, greatest = _FLOATS[name]
            least, significand = 1 - greatest, 2.0 - 2.0**-digits
        else:
            raise TypeError(f"finfo() requires a floating point input type, not {dtype}: use iinfo")
        self.dtype = name
        self.bits = dtype.to_real().itemsize * 8
        self.eps = 2.0**-digits
        self.max = significand * 2.0**greatest
        self.min = -self.max
        self.tiny = self.smallest_normal = 2.0**least
        self.resolution = float(f"1e-{int(digits * 0.30103)}")

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, "
            f"eps={self.eps:g}, smallest_normal={self.tiny:g}, tiny={self.tiny:g}, "
            f"dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer dtype.

    >>> adjoint.iinfo(adjoint.int8).max
    127
    """

    def __init__(self, type: Any) -> None:
        name = str(type)[6:]
        if "int" not in name:
            raise TypeError(f"iinfo() requires an integer input type, not {type}: use finfo")
        self.dtype = name
        self.bits = type.itemsize * 8
        signed = type.is_signed
        self.min = -(2 ** (self.bits - 1)) if signed else 0
        self.max = 2 ** (self.bits - signed) - 1

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
