"""Settings of `load` and `save` that torch has."""

from __future__ import annotations

import enum
import sys

__all__ = [
    "LoadEndianness",
    "default_byteorder",
    "get_crc32_options",
    "get_default_load_endianness",
    "set_crc32_options",
    "set_default_load_endianness",
]


class LoadEndianness(enum.Enum):
    """The byte order of files that do not tell theirs."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


_endianness: LoadEndianness | None = None


def get_default_load_endianness() -> LoadEndianness | None:
    """The byte order of torch's files that do not tell theirs; None means little endian.

    >>> adjoint.serialization.get_default_load_endianness() is None
    True
    """
    return _endianness


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """Set the byte order of torch's files that do not tell theirs.

    >>> adjoint.serialization.set_default_load_endianness(None)
    """
    global _endianness
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError(f"expected a LoadEndianness or None, got {endianness!r}")
    _endianness = endianness


def default_byteorder() -> str:
    """ "little" or "big"."""
    if _endianness is LoadEndianness.NATIVE:
        return sys.byteorder
    return "big" if _endianness is LoadEndianness.BIG else "little"


def get_crc32_options() -> bool:
    """Whether torch's files are written with checksums: always.

    >>> adjoint.serialization.get_crc32_options()
    True
    """
    return True


def set_crc32_options(compute_crc32: bool) -> None:
    """Accepted, without effect: checksums are always written."""
