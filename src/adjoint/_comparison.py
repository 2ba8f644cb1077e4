"""Comparisons of whole tensors, which give a Python bool."""

from __future__ import annotations

import math

from adjoint import _core
from adjoint._core import Tensor

__all__ = ["allclose", "equal"]


def _check_tensors(function: str, input: object, other: object) -> None:
    for name, x in (("input", input), ("other", other)):
        if not isinstance(x, Tensor):
            raise TypeError(
                f"{function}(): argument '{name}' must be Tensor, not {type(x).__name__}"
            )


def equal(input: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape and equal elements; NaN equals nothing.

    Of two dtypes, elements are compared as `==` compares them.

    >>> adjoint.equal(adjoint.tensor([1, 2]), adjoint.tensor([1, 2]))
    True
    """
    _check_tensors("equal", input, other)
    return input.shape == other.shape and bool((input == other).all())


def allclose(
    input: Tensor, other: Tensor, rtol: float = 1e-05, atol: float = 1e-08, equal_nan: bool = False
) -> bool:
    """Whether ``|input - other| <= atol + rtol * |other|`` for all elements, broadcast.

    Infinities are close to themselves alone, NaN to nothing or, with `equal_nan`, to NaN. A
    RuntimeError if the dtypes differ.

    >>> adjoint.allclose(adjoint.tensor([1.]), adjoint.tensor([1. + 1e-7]))
    True
    """
    _check_tensors("allclose", input, other)
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not tolerance >= 0:
            raise RuntimeError(f"{name} must be greater than or equal to zero, but got {tolerance}")
    if input.dtype != other.dtype:
        raise RuntimeError(f"{input.dtype} did not match {other.dtype}: allclose takes one dtype")
    input, other = input.detach(), other.detach()
    close = input == other
    if input.is_floating_point() or input.is_complex():
        if equal_nan:
            close = close | ((input != input) & (other != other))
        size = other.abs()
        close = close | (((input - other).abs() <= atol + rtol * size) & (size != math.inf))
    else:
        # In float64, where differences of integers do not overflow.
        x, y = input.to(_core.float64), other.to(_core.float64)
        close = close | ((x - y).abs() <= atol + rtol * y.abs())
    return bool(close.all())


Tensor.equal = equal
Tensor.allclose = allclose
