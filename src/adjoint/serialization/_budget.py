"""Limits of what a file may make the reader do, by the file's size."""

from __future__ import annotations

from typing import Any

__all__ = ["Budget"]

_DEEPEST_KEY = 100
_MOST_NESTED_OBJECTS = 10_000
_PLAIN_KEYS = (str, int, float, bool, type(None), bytes, complex)


class Budget:
    """What may still be made: a small file cannot ask for large or endless copies of its parts."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._factories = _MOST_NESTED_OBJECTS

    def spend(self, amount: int) -> None:
        """Take this many bytes, or raise a ValueError."""
        self._left -= amount
        if self._left < 0:
            raise ValueError("it asks for far more than its size can justify")

    def spend_factory(self) -> None:
        """Count a defaultdict: Python frees nested ones by recursion, so they must be few."""
        self._factories -= 1
        if self._factories < 0:
            raise ValueError(f"it holds more than {_MOST_NESTED_OBJECTS} defaultdicts")

    def key(self, key: Any) -> Any:
        """The key, if it can be hashed: that takes the time and depth of a walk through tuples."""
        if type(key) in _PLAIN_KEYS:
            return key
        rest = [(key, 0)]
        while rest:
            value, depth = rest.pop()
            if depth > _DEEPEST_KEY:
                raise ValueError("a key is nested too deeply")
            if isinstance(value, tuple):
                self.spend(16 * len(value))
                rest.extend((entry, depth + 1) for entry in value)
        return key
