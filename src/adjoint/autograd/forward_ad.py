"""Forward mode, step by step: dual tensors within a dual level.

`func.jvp` is the same thing for a whole function.

>>> import adjoint.autograd.forward_ad as fwAD
>>> x, t = adjoint.tensor([1.0, 2.0]), adjoint.tensor([1.0, 0.0])
>>> with fwAD.dual_level():
...     y = fwAD.make_dual(x, t) ** 2
...     fwAD.unpack_dual(y).tangent
tensor([2., 0.])
"""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from adjoint import _core
from adjoint._core import Tensor

from .grad_mode import _DecoratorContextManager

__all__ = [
    "UnpackedDualTensor",
    "dual_level",
    "enter_dual_level",
    "exit_dual_level",
    "make_dual",
    "unpack_dual",
]


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` returns: a primal, and its tangent or None."""

    primal: Tensor
    tangent: Tensor | None


class _Open(threading.local):
    """The core's numbers of the dual levels that are open in this thread, the outermost first."""

    def __init__(self) -> None:
        self.levels: list[int] = []


_open = _Open()


def enter_dual_level() -> int:
    """Open a dual level and return its number, counted from 0. Levels nest."""
    _open.levels.append(_core._push_jvp())
    return len(_open.levels) - 1


def exit_dual_level(*, level: int | None = None) -> None:
    """Close the innermost dual level; `level`, if given, must be its number."""
    innermost = len(_open.levels) - 1
    if innermost < 0:
        raise RuntimeError("no dual level is open: call enter_dual_level() first")
    if level is not None and level != innermost:
        raise RuntimeError(
            f"dual level {level} is not the last one that was opened, which is {innermost}"
        )
    _core._pop_level()
    _open.levels.pop()


class dual_level(_DecoratorContextManager):
    """A dual level for a `with` block, or for each call of a decorated function."""

    def __enter__(self) -> int:
        return enter_dual_level()

    def __exit__(self, *exc: object) -> None:
        exit_dual_level()


def make_dual(tensor: Tensor, tangent: Tensor, *, level: int | None = None) -> Any:
    """A tensor that carries `tangent`: what is computed from it carries the directional derivative.

    Args:
        tensor: the primal, floating point or complex.
        tangent: of the same shape and dtype.
        level: the dual level, by default the innermost that is open.
    """
    if not _open.levels:
        raise RuntimeError("no dual level is open: use `with dual_level():` around make_dual")
    for role, x in (("primal", tensor), ("tangent", tangent)):
        if not isinstance(x, Tensor):
            raise TypeError(f"the {role} must be a tensor, got {type(x).__name__}")
        if not (x.dtype.is_floating_point or x.dtype.is_complex):
            raise ValueError(f"the {role} must be floating point or complex, got {x.dtype}")
    if tensor.shape != tangent.shape:
        raise RuntimeError(
            f"the tangent must have the shape of the primal, {tuple(tensor.shape)}; "
            f"got {tuple(tangent.shape)}"
        )
    return _core._make_dual(tensor, tangent, _open.levels[-1 if level is None else level])


def unpack_dual(tensor: Tensor, *, level: int | None = None) -> UnpackedDualTensor:
    """The primal and the tangent of `tensor`; the tangent is None if it carries none."""
    if not _open.levels:
        return UnpackedDualTensor(tensor, None)
    return UnpackedDualTensor(
        *_core._unpack_dual(tensor, _open.levels[-1 if level is None else level])
    )
