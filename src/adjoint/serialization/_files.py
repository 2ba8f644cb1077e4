"""Paths and files: opened for reading, and replaced in one go."""

from __future__ import annotations

import contextlib
import io
import os
import stat
from collections.abc import Iterator
from typing import IO, Any

__all__ = ["File", "FileError", "is_path", "name_of", "opened", "output"]


class FileError(RuntimeError):
    """What is wrong with a file, in a message that needs no more around it."""


File = str | os.PathLike[str] | IO[bytes]


def is_path(f: Any) -> bool:
    return isinstance(f, (str, os.PathLike))


def name_of(f: Any) -> str:
    """What messages call the file."""
    return repr(os.fspath(f)) if is_path(f) else "the file"


@contextlib.contextmanager
def opened(f: Any) -> Iterator[IO[bytes]]:
    """A seekable file at its beginning: that at a path, or what is left of one that is open."""
    if is_path(f):
        with open(f, "rb") as file:
            if file.seekable():
                yield file
            else:
                yield io.BytesIO(file.read())
        return
    if not hasattr(f, "read"):
        raise TypeError(f"load() takes a path or a file opened for reading, got {f!r}")
    begin = _position(f)
    if begin == 0 and isinstance(f, io.BufferedReader) and isinstance(f.raw, io.FileIO):
        yield f
        return
    data = f.read()
    if isinstance(data, str):
        raise TypeError("load() needs a file opened in binary mode ('rb')")
    rest = io.BytesIO(data)
    yield rest
    # Several values may stand one behind the other: what was not read is left.
    if begin is not None and rest.tell() < len(data):
        with contextlib.suppress(OSError):
            f.seek(begin + rest.tell())


def _position(f: Any) -> int | None:
    try:
        return f.tell()
    except (AttributeError, OSError, ValueError):
        return None


@contextlib.contextmanager
def output(f: Any) -> Iterator[IO[bytes]]:
    """A file whose content takes the place of that of ``f`` once all of it is written."""
    if is_path(f):
        with _replaced(os.fspath(f)) as file:
            yield file
    elif hasattr(f, "write"):
        content = io.BytesIO()
        yield content
        _write_all(f, content)
    else:
        raise TypeError(f"save() takes a path or a file opened for writing, got {f!r}")


def _write_all(f: Any, content: io.BytesIO) -> None:
    if not isinstance(f, io.RawIOBase):
        f.write(content.getbuffer() if isinstance(f, io.BufferedIOBase) else content.getvalue())
        return
    rest = content.getbuffer()
    while rest.nbytes:  # files without a buffer take what fits
        written = f.write(rest)
        if not written:
            raise BlockingIOError("the file takes no more data")
        rest = rest[written:]


@contextlib.contextmanager
def _replaced(path: str) -> Iterator[IO[bytes]]:
    """A file beside ``path``, which is moved into its place in the end."""
    path = os.path.realpath(path)
    if os.path.isdir(path):
        raise IsADirectoryError(f"cannot save to {path!r}: it is a directory")
    if os.path.exists(path) and not os.path.isfile(path):
        content = io.BytesIO()
        yield content
        with open(path, "wb") as pipe:  # a pipe or a device cannot be replaced
            pipe.write(content.getbuffer())
        return
    temporary = f"{path}.{os.urandom(4).hex()}.tmp"
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if os.path.isfile(path):
            os.chmod(temporary, stat.S_IMODE(os.stat(path).st_mode))
        os.replace(temporary, path)
    except BaseException:
        if os.path.exists(temporary):
            os.remove(temporary)
        raise
