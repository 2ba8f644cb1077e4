"""Levels: one for each live `vmap`, `jvp` or dual level.

A tensor may be wrapped at a level: it is batched there (a dim is hidden) or dual there (it carries
a tangent). An operation on wrapped tensors acts at their innermost level. Reverse mode needs no
level: its variables are fresh tensors, so no two differentiations can be confused.
"""

from __future__ import annotations

import threading

from adjoint import _core


class _Live(threading.local):
    def __init__(self) -> None:
        self.randomness: dict[int, str] = {}  # of the thread's vmap levels


_live = _Live()


class vmap_level:
    """`with vmap_level(batch_size, randomness) as level`: tensors may be batched at `level`."""

    __slots__ = ("_batch_size", "_randomness")

    def __init__(self, batch_size: int, randomness: str = "error") -> None:
        self._batch_size = batch_size
        self._randomness = randomness

    def __enter__(self) -> int:
        level = _core._push_vmap(self._batch_size, self._randomness)
        _live.randomness[level] = self._randomness
        return level

    def __exit__(self, *exc: object) -> None:
        _core._pop_level()


def randomness_of(level: int) -> str:
    """What the vmap of `level` does about random numbers: "error", "different" or "same"."""
    return _live.randomness[level]


class jvp_level:
    """`with jvp_level() as level`: tensors may be dual at `level`."""

    __slots__ = ()

    def __enter__(self) -> int:
        return _core._push_jvp()

    def __exit__(self, *exc: object) -> None:
        _core._pop_level()
