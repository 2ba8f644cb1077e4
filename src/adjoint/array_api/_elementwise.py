"""Functions of each element: adjoint's, in the dtypes that the standard names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.array_api._dtypes import isdtype, result_type

_ONE = {
    "abs": "numeric", "acos": "floating", "acosh": "floating", "asin": "floating",
    "asinh": "floating", "atan": "floating", "atanh": "floating", "bitwise_invert": "bits",
    "ceil": "real", "conj": "numeric", "cos": "floating", "cosh": "floating", "exp": "floating",
    "expm1": "floating", "floor": "real", "imag": "complex", "isfinite": "numeric",
    "isinf": "numeric", "isnan": "numeric", "log": "floating", "log1p": "floating",
    "log2": "floating", "log10": "floating", "logical_not": "bool", "negative": "numeric",
    "positive": "numeric", "real": "numeric", "reciprocal": "floating", "round": "numeric",
    "sign": "numeric", "signbit": "real floating", "sin": "floating", "sinh": "floating",
    "square": "numeric", "sqrt": "floating", "tan": "floating", "tanh": "floating",
    "trunc": "real",
}  # fmt: skip
_TWO = {
    "add": "numeric", "atan2": "real floating", "bitwise_and": "bits",
    "bitwise_left_shift": "integral", "bitwise_or": "bits", "bitwise_right_shift": "integral",
    "bitwise_xor": "bits", "copysign": "real floating", "divide": "floating", "equal": "any",
    "floor_divide": "real", "greater": "real", "greater_equal": "real", "hypot": "real floating",
    "less": "real", "less_equal": "real", "logaddexp": "real floating", "logical_and": "bool",
    "logical_or": "bool", "logical_xor": "bool", "maximum": "real", "minimum": "real",
    "multiply": "numeric", "nextafter": "real floating", "not_equal": "any", "pow": "numeric",
    "remainder": "real", "subtract": "numeric",
}  # fmt: skip
_KINDS: dict[str, Any] = {
    "numeric": "numeric",
    "real": ("integral", "real floating"),
    "floating": ("real floating", "complex floating"),
    "real floating": "real floating",
    "complex": "complex floating",
    "integral": "integral",
    "bits": ("bool", "integral"),
    "bool": "bool",
    "any": ("bool", "numeric"),
}
_NAMES = {"bitwise_invert": "bitwise_not", "equal": "eq", "sign": "sgn"}
# Of whole numbers these are the numbers themselves.
_WHOLE = ("ceil", "floor", "round", "trunc")

__all__ = ["clip", *_ONE, *_TWO]


def _check(name: str, dtype: Any, kind: str) -> None:
    if not isdtype(dtype, _KINDS[kind]):
        raise TypeError(f"{name} is for {kind} dtypes, got {dtype}")


def _complex_expm1(x: Tensor) -> Tensor:
    """Where a part is not finite, by `exp`, whose special cases are those of `expm1`; and 0, not
    -0, of 0."""
    finite = adjoint.isfinite(x)
    zero = adjoint.complex(x.real.new_zeros(()), x.real.new_full((), -0.0))
    usual, special = adjoint.where(finite, x, 0), adjoint.where(finite, 0, x)
    return adjoint.where(finite, adjoint.expm1(usual) + zero, special.exp() - 1)


def _of_one(name: str, kind: str) -> Callable[..., Tensor]:
    own = getattr(adjoint, _NAMES.get(name, name))

    def function(x: Tensor, /) -> Tensor:
        _check(name, x.dtype, kind)
        if name in _WHOLE and isdtype(x.dtype, "integral"):
            return x.clone()
        if name == "round" and x.is_complex():
            return adjoint.complex(x.real.round(), x.imag.round())
        if name == "real" and not x.is_complex():
            return x.clone()
        if name == "expm1" and x.is_complex():
            return _complex_expm1(x)
        if name == "sign" and not isdtype(x.dtype, "integral"):
            return adjoint.where(x.isnan(), x, own(x))
        return own(x)

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"`adjoint.{_NAMES.get(name, name)}` of each element ({kind} dtypes)."
    return function


def _of_two(name: str, kind: str) -> Callable[..., Tensor]:
    own = getattr(adjoint, _NAMES.get(name, name))

    def function(x1: Any, x2: Any, /) -> Tensor:
        dtype = result_type(x1, x2)
        _check(name, dtype, kind)
        pair = [x.to(dtype) if isinstance(x, Tensor) else adjoint.tensor(x, dtype=dtype)
                for x in (x1, x2)]  # fmt: skip
        y = own(*pair)
        if name == "remainder" and dtype.is_floating_point:
            with adjoint.no_grad():
                y.copysign_(pair[1])  # also a zero has the sign of the divisor
        return y

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"`adjoint.{_NAMES.get(name, name)}` of pairs of elements ({kind} dtypes), or of a number."
    )
    return function


for _name, _kind in _ONE.items():
    globals()[_name] = _of_one(_name, _kind)
for _name, _kind in _TWO.items():
    globals()[_name] = _of_two(_name, _kind)


def _in_range(bound: Any, x: Tensor) -> Any:
    """A bound as far as whole numbers of the dtype of `x` go."""
    if bound is None or not isdtype(x.dtype, "integral"):
        return bound
    info = adjoint.iinfo(x.dtype)
    return info.min if bound < info.min else info.max if bound > info.max else bound


def clip(x: Tensor, /, min: Any = None, max: Any = None) -> Tensor:
    """The elements, at least `min` and at most `max`, in the dtype of `x`."""
    _check("clip", x.dtype, "real")
    if min is None and max is None:
        return x.clone()
    bounds = [b.to(x.dtype) if isinstance(b, Tensor) else _in_range(b, x) for b in (min, max)]
    if any(isinstance(b, Tensor) for b in bounds):
        bounds = [b if b is None or isinstance(b, Tensor) else adjoint.tensor(b, dtype=x.dtype)
                  for b in bounds]  # fmt: skip
    return adjoint.clamp(x, *bounds).to(x.dtype)
