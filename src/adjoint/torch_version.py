"""A version that compares by its numbers.

>>> from adjoint.torch_version import TorchVersion
>>> TorchVersion("2.10.1") > "2.9", TorchVersion("2.10.1") >= (2, 10)
(True, True)
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["TorchVersion"]


class TorchVersion(str):
    """A version that compares by its numbers, with a string or a tuple."""

    def _numbers(self) -> tuple[int, ...]:
        return _numbers(self)

    def __lt__(self, other: Any) -> bool:
        return _numbers(self) < _numbers(other)

    def __le__(self, other: Any) -> bool:
        return _numbers(self) <= _numbers(other)

    def __gt__(self, other: Any) -> bool:
        return _numbers(self) > _numbers(other)

    def __ge__(self, other: Any) -> bool:
        return _numbers(self) >= _numbers(other)

    def __eq__(self, other: Any) -> bool:
        if isinstance(other, str) and "+" in other:
            return str.__eq__(self, other)
        return _numbers(self) == _numbers(other)

    def __ne__(self, other: Any) -> bool:
        return not self == other

    __hash__ = str.__hash__


def _numbers(version: Any) -> tuple[int, ...]:
    if isinstance(version, str):
        parts = re.match(r"\s*v?(\d+(?:\.\d+)*)", version)
        version = parts[1].split(".") if parts else ()
    try:
        numbers = [int(part) for part in version]
    except (TypeError, ValueError):
        numbers = []
    return tuple(numbers + [0] * (3 - len(numbers)))
