"""The files that torch wrote before 1.6: pickles one behind the other, then the memories."""

from __future__ import annotations

import struct
from typing import IO, Any

import adjoint
from adjoint.serialization._constructors import Constructors, StorageType
from adjoint.serialization._files import FileError
from adjoint.serialization._locations import Locations
from adjoint.serialization._memory import Memory, from_bytes, other_order
from adjoint.serialization._pickle import UnpicklingError, unpickle

__all__ = ["MAGIC", "PROTOCOL", "read"]

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001


def read(file: IO[bytes], where: str, locations: Locations, encoding: str = "utf-8") -> Any:
    """The value in a file, which is left behind its end; see `load`."""
    data = file.read()
    memories = _Memories(where, len(data), locations)
    table = Constructors(memories.memory, len(data))
    nothing = Constructors(_refuse, 0)
    magic, at = unpickle(data, where, nothing)
    if magic != MAGIC:
        raise UnpicklingError(
            f"{where} is a pickle, but not one that torch.save writes. Nothing is unpickled here: "
            "save with adjoint.save or torch.save"
        )
    protocol, at = unpickle(data, where, nothing, at)
    if protocol != PROTOCOL:
        raise FileError(f"{where} has the protocol {protocol!r}, not {PROTOCOL}")
    _, at = unpickle(data, where, nothing, at)  # about the machine that wrote it
    value, at = unpickle(data, where, table, at, encoding)
    keys, at = unpickle(data, where, nothing, at)
    at = memories.fill(data, at, keys)
    table.resolve()
    file.seek(at)
    return value


def _refuse(key: Any) -> Memory:
    raise ValueError("a memory stands where none can be")


class _Memories:
    """The memories of a file: made where the pickle names them, filled from what is behind it."""

    def __init__(self, where: str, size: int, locations: Locations) -> None:
        self._where, self._left, self._locations = where, size, locations
        self._made: dict[str, Memory] = {}

    def memory(self, key: Any) -> Memory:
        if not isinstance(key, tuple) or len(key) not in (5, 6) or key[0] != "storage":
            raise ValueError("the key of a memory is not understood")
        _, kind, name, location, count = key[:5]
        if not isinstance(kind, StorageType) or type(name) is not str or type(count) is not int:
            raise ValueError("the key of a memory is not understood")
        if type(location) is not str or count < 0:
            raise ValueError("a memory has no device or no size")
        if name not in self._made:
            self._left -= count * kind.dtype.itemsize
            if self._left < 0:
                raise ValueError(f"a memory of {count} elements is larger than the file")
            tensor = adjoint.zeros(count, dtype=kind.dtype)
            self._made[name] = Memory(self._locations.moved(tensor, location))
        whole = self._made[name]
        if whole.tensor.dtype != kind.dtype or whole.count != count:
            raise ValueError(f"the memory {name!r} is used in different ways")
        part = key[5] if len(key) == 6 else None
        if part is None:
            return whole
        if not isinstance(part, tuple) or len(part) != 3:
            raise ValueError("a part of a memory is not understood")
        _, begin, size = part
        if any(type(n) is not int or n < 0 for n in (begin, size)) or begin + size > count:
            raise ValueError("a part of a memory reaches beyond it")
        return Memory(whole.tensor, begin, size)

    def fill(self, data: bytes, at: int, keys: Any) -> int:
        if not isinstance(keys, list) or any(type(key) is not str for key in keys):
            raise FileError(f"{self._where} is damaged: it has no list of its memories")
        if sorted(keys) != sorted(self._made):
            raise FileError(f"{self._where} is damaged: memories are missing")
        for key in keys:
            memory = self._made[key]
            if at + 8 > len(data):
                raise FileError(f"{self._where} is cut short, at {len(data)} bytes")
            (count,) = struct.unpack_from("<q", data, at)
            end = at + 8 + memory.count * memory.tensor.itemsize
            if count != memory.count:
                raise FileError(
                    f"{self._where} is damaged: a memory of {memory.count} elements has {count}"
                )
            if end > len(data):
                raise FileError(f"{self._where} is cut short, at {len(data)} bytes")
            # torch keeps numbers in little endian, whichever machine wrote them
            content = from_bytes(data[at + 8 : end], memory.tensor.dtype, other_order("little"))
            with adjoint.no_grad():
                memory.tensor.copy_(content)
            at = end
        return at
