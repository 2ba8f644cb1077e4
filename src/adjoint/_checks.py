"""Conditions that programs state, and the errors where they do not hold: `_assert`, `_check`.

>>> adjoint._check(True)
>>> adjoint._check_value(1 > 2, lambda: "1 is not above 2")
Traceback (most recent call last):
    ...
ValueError: 1 is not above 2
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint import Tensor, _core

__all__ = ["_assert", "_check", "_check_index", "_check_is_size", "_check_not_implemented",
           "_check_tensor_all", "_check_tensor_all_with", "_check_type", "_check_value",
           "_check_with"]  # fmt: skip

Message = Callable[[], Any] | None


def _assert(condition: Any, message: str) -> None:
    """An AssertionError with the message, unless the condition (a bool, a tensor of one) holds."""
    if not condition:
        raise AssertionError(message)


def _check_with(error_type: type[Exception], cond: bool, message: Message = None) -> None:
    """An error of this type unless `cond` is True; `message` is called for its text.

    Raises:
        TypeError: `cond` is not a bool, or `message` cannot be called.
    """
    if not isinstance(cond, bool):
        raise TypeError(f"cond must be a bool, but got {type(cond)}")
    if cond:
        return
    if message is None:
        text = "Expected cond to be True, but got False"
    elif callable(message):
        text = str(message())
    else:
        raise TypeError("message must be a callable")
    raise error_type(text)


def _check(cond: bool, message: Message = None) -> None:
    """A RuntimeError unless `cond` is True."""
    _check_with(RuntimeError, cond, message)


def _check_is_size(i: int, message: Message = None, *, max: int | None = None) -> None:
    """A RuntimeError unless `i` is from 0 to `max`."""
    _check(i >= 0, message)
    if max is not None:
        _check(i <= max, message)


def _check_index(cond: bool, message: Message = None) -> None:
    """An IndexError unless `cond` is True."""
    _check_with(IndexError, cond, message)


def _check_value(cond: bool, message: Message = None) -> None:
    """A ValueError unless `cond` is True."""
    _check_with(ValueError, cond, message)


def _check_type(cond: bool, message: Message = None) -> None:
    """A TypeError unless `cond` is True."""
    _check_with(TypeError, cond, message)


def _check_not_implemented(cond: bool, message: Message = None) -> None:
    """A NotImplementedError unless `cond` is True."""
    _check_with(NotImplementedError, cond, message)


def _check_tensor_all_with(
    error_type: type[Exception], cond: Tensor, message: Message = None
) -> None:
    """An error of this type unless all elements of `cond`, a tensor of bools, are True."""
    if not isinstance(cond, Tensor):
        raise TypeError(f"cond must be a tensor, but got {type(cond)}")
    if cond.dtype is not _core.bool:
        raise TypeError(f"cond tensor must have dtype torch.bool, but got {cond.dtype}")
    _check_with(error_type, bool(cond.all()), message)


def _check_tensor_all(cond: Tensor, message: Message = None) -> None:
    """A RuntimeError unless all elements of `cond`, a tensor of bools, are True."""
    _check_tensor_all_with(RuntimeError, cond, message)
