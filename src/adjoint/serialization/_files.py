"""Paths and files: opened for reading, and replaced in one go."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from typing import IO, Any

__all__ = ["File", "check_writable", "name_of", "opened", "write"]

File = str | os.PathLike[str] | IO[bytes]


def name_of(f: File) -> str:
    """What messages call the file."""
    return repr(os.fspath(f)) if isinstance(f, (str, os.PathLike)) else "the file"


@contextlib.contextmanager
def opened(f: File) -> Iterator[IO[bytes]]:
    """A seekable file at its beginning: that at a path, or what is left of one that is open."""
    if isinstance(f, (str, os.PathLike)):
        with open(f, "rb") as file:
            if file.seekable():
                yield file
            else:
                yield io.BytesIO(file.read())
    elif hasattr(f, "read"):
        begin = f.tell() if hasattr(f, "tell") and hasattr(f, "seek") else None
        data: Any = f.read()
        if isinstance(data, str):
            raise TypeError("load() needs a file opened in binary mode ('rb')")
        rest = io.BytesIO(data)
        yield rest
        # Several values may stand one behind the other: what was not read is left.
        if begin is not None and rest.tell() < len(data):
            with contextlib.suppress(OSError):
                f.seek(begin + rest.tell())
    else:
        raise TypeError(f"load() takes a path or a file opened for reading, got {f!r}")


def check_writable(f: File) -> None:
    if not isinstance(f, (str, os.PathLike)) and not hasattr(f, "write"):
        raise TypeError(f"save() takes a path or a file opened for writing, got {f!r}")


def write(f: File, data: bytes) -> None:
    if isinstance(f, (str, os.PathLike)):
        _write_atomically(os.fspath(f), data)
    else:
        f.write(data)


def _write_atomically(path: str, data: bytes) -> None:
    """Write beside ``path`` first, then move into its place."""
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
        with open(path, "wb") as file:  # a pipe or a device cannot be replaced
            file.write(data)
        return
    temporary = f"{path}.{os.urandom(4).hex()}.tmp"
    try:
        with open(temporary, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if os.path.isfile(path):
            os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
