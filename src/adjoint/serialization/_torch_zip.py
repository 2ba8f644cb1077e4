"""The files that torch writes since 1.6: a zip archive of a pickle and of the memory of tensors."""

from __future__ import annotations

import mmap as _mmap
import os
import struct
import zipfile
import zlib
from typing import IO, Any

import adjoint
from adjoint import Tensor
from adjoint.serialization import _options
from adjoint.serialization._constructors import Constructors, StorageType
from adjoint.serialization._files import FileError
from adjoint.serialization._locations import Locations
from adjoint.serialization._memory import Memory, from_bytes, other_order
from adjoint.serialization._pickle import unpickle

__all__ = ["Archive", "read"]

_LOCAL_HEADER = struct.Struct("<4s22xHH")
_ZIP_ERRORS = (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, LookupError,
               struct.error, OverflowError, OSError)  # fmt: skip
# The dtypes that `frombuffer` sees in a map of the file without a copy.
_MAPPED = {"float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8"}


def read(
    file: IO[bytes], where: str, locations: Locations, encoding: str = "utf-8", mmap: bool = False
) -> Any:
    """The value in an archive; see `load`."""
    archive = Archive(file, where)
    records = _Records(archive, where, locations, mmap)
    table = Constructors(records.memory, archive.size)
    value, _ = unpickle(archive.read("data.pkl"), where, table, encoding=encoding)
    file.seek(0, os.SEEK_END)
    return value


class Archive:
    """The records of an archive, each of them read once, so that they cannot exceed the file."""

    def __init__(self, file: IO[bytes], where: str) -> None:
        self._file, self._where = file, where
        self.size = self._left = file.seek(0, os.SEEK_END)
        try:
            with zipfile.ZipFile(file) as archive:
                entries = archive.infolist()
        except _ZIP_ERRORS as error:
            raise FileError(
                f"{where} is not a whole zip archive ({self.size} bytes): {error}. "
                "Is the file cut short?"
            ) from error
        self._root = entries[0].filename.partition("/")[0] + "/" if entries else ""
        self._entries = {entry.filename: entry for entry in entries}
        if len(self._entries) < len(entries):
            raise FileError(f"{where} is damaged: it holds two records of one name")
        if f"{self._root}constants.pkl" in self._entries:
            raise FileError(
                f"{where} is a TorchScript program, which cannot be loaded: save the state_dict() "
                "of the module in it with torch.save"
            )
        if f"{self._root}data.pkl" not in self._entries:
            raise FileError(f"{where} is a zip archive, but not one that torch.save writes: it "
                               "holds no data.pkl (a pickle)")  # fmt: skip

    def __contains__(self, name: str) -> bool:
        return self._root + name in self._entries

    def place(self, name: str) -> tuple[int, int]:
        """Where the bytes of a record begin in the file, and how many there are."""
        entry = self._entries.get(self._root + name)
        if entry is None:
            raise FileError(f"{self._where} is damaged: the record {name!r} is missing")
        if entry.flag_bits & 0x1:
            raise FileError(f"{self._where} is encrypted: decrypt it first")
        if entry.compress_type != zipfile.ZIP_STORED or entry.file_size != entry.compress_size:
            raise FileError(
                f"{self._where}: the record {name!r} is compressed, which torch.save never does: "
                "unpack the archive and pack it again without compression (zip -0)"
            )
        try:
            self._file.seek(entry.header_offset)
            header = self._file.read(_LOCAL_HEADER.size)
            magic, name_length, extra_length = _LOCAL_HEADER.unpack(header)
        except (OSError, ValueError, OverflowError, struct.error) as error:
            raise FileError(f"{self._where} is damaged: the record {name!r} has no place") from (
                error
            )
        begin = entry.header_offset + len(header) + name_length + extra_length
        if magic != b"PK\x03\x04" or begin + entry.file_size > self.size:
            raise FileError(
                f"{self._where} is damaged: the record {name!r} of {entry.file_size} bytes is not "
                f"inside the file of {self.size} bytes"
            )
        self._left -= entry.file_size
        if self._left < 0:
            raise FileError(f"{self._where} is damaged: its records overlap")
        return begin, entry.file_size

    def read(self, name: str) -> bytes:
        begin, size = self.place(name)
        self._file.seek(begin)
        data = self._file.read(size)
        expected = self._entries[self._root + name].CRC
        # torch writes 0 where it was told not to compute the checksum
        if len(data) != size or (expected and zlib.crc32(data) != expected):
            raise FileError(f"{self._where} is damaged: the checksum of {name!r} does not match")
        return data

    def map(self) -> Any:
        """The file as memory of its own: what is written there does not reach the file."""
        return _mmap.mmap(self._file.fileno(), 0, access=_mmap.ACCESS_COPY)


class _Records:
    """The memories in an archive, by the keys that its pickle has for them."""

    def __init__(self, archive: Archive, where: str, locations: Locations, mmap: bool) -> None:
        self._archive, self._where, self._locations = archive, where, locations
        self._memories: dict[str, tuple[Any, Memory]] = {}
        self._map = archive.map() if mmap else None
        byteorder = _options.default_byteorder()
        if "byteorder" in archive:
            byteorder = archive.read("byteorder").decode("ascii", "replace")
        if byteorder not in ("little", "big"):
            raise FileError(f"{where} is damaged: its byte order is {byteorder[:20]!r}")
        self._swapped = other_order(byteorder)

    def memory(self, key: Any) -> Memory:
        if not isinstance(key, tuple) or len(key) != 5 or key[0] != "storage":
            raise ValueError("the key of a memory is not understood")
        _, kind, name, location, count = key
        if not isinstance(kind, StorageType) or type(name) is not str or type(count) is not int:
            raise ValueError("the key of a memory is not understood")
        if type(location) is not str:
            raise ValueError("a memory has no device")
        if name in self._memories:
            dtype, memory = self._memories[name]
            if dtype != kind.dtype or memory.count != count:
                raise ValueError(f"the memory {name!r} is used in different ways")
            return memory
        tensor = self._read(f"data/{name}", kind.dtype, count)
        memory = Memory(self._locations.moved(tensor, location))
        self._memories[name] = kind.dtype, memory
        return memory

    def _read(self, record: str, dtype: Any, count: int) -> Tensor:
        needed = count * dtype.itemsize
        if self._map is not None:
            begin, size = self._archive.place(record)
            data = memoryview(self._map)[begin : begin + size]
        else:
            data = self._archive.read(record)  # type: ignore[assignment]
        if len(data) != needed:
            raise ValueError(
                f"the record {record!r} has {len(data)} bytes, but {count} elements of {dtype} "
                f"take {needed}"
            )
        if self._map is not None and count and not self._swapped:
            if str(dtype)[6:] in _MAPPED and begin % dtype.itemsize == 0:
                return adjoint.frombuffer(data, dtype=dtype)
        return from_bytes(bytes(data), dtype, self._swapped)
