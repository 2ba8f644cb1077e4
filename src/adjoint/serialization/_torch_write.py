"""Files that torch opens: of its own format, and of the one that it had before 1.6."""

from __future__ import annotations

import hashlib
import struct
import sys
import zipfile
from typing import IO, Any

from adjoint import Tensor, _core
from adjoint.serialization._memory import other_order, swapped
from adjoint.serialization._pickle_writer import Writer, pickled
from adjoint.serialization._torch_legacy import MAGIC, PROTOCOL

__all__ = ["write", "write_legacy"]

_ALIGNMENT = 64
_ZIP64_LIMIT = (2**31 - 1) / 1.05  # where zipfile takes room for larger sizes in the header


def write(obj: Any, file: IO[bytes], root: str = "archive") -> None:
    """Write an archive with a pickle of the value, and the memories of its tensors."""
    writer = Writer(legacy=False)
    pickle = writer.pickle(obj)
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:

        def add(name: str, data: bytes) -> None:
            info = zipfile.ZipInfo(f"{root}/{name}")
            info.extra = _padding(file.tell(), info.filename, len(data))
            archive.writestr(info, data)

        add("data.pkl", pickle)
        add(".format_version", b"1")
        add(".storage_alignment", str(_ALIGNMENT).encode())
        add("byteorder", sys.byteorder.encode())
        for number, memory in enumerate(writer.memories):
            add(f"data/{number}", _bytes(memory))
        add("version", b"3\n")
        digits = int.from_bytes(hashlib.sha256(pickle).digest(), "little") % 10**40
        add(".data/serialization_id", f"{digits:040}".encode())


def write_legacy(obj: Any, file: IO[bytes]) -> None:
    """Write pickles one behind the other, then the memories."""
    writer = Writer(legacy=True)
    pickle = writer.pickle(obj)
    sizes = {"short": 2, "int": 4, "long": 4}
    system = {"protocol_version": PROTOCOL, "little_endian": sys.byteorder == "little",
              "type_sizes": sizes}  # fmt: skip
    for part in (MAGIC, PROTOCOL, system):
        file.write(pickled(part))
    file.write(pickle)
    file.write(pickled([str(number) for number in range(len(writer.memories))]))
    for memory in writer.memories:
        file.write(struct.pack("<q", memory.numel()))
        data = _bytes(memory)
        file.write(swapped(data, memory.dtype) if other_order("little") else data)


def _padding(offset: int, name: str, size: int) -> bytes:
    """An extra field of the header such that the data behind it are aligned."""
    begin = offset + 30 + len(name.encode()) + 4 + (20 if size > _ZIP64_LIMIT else 0)
    count = -begin % _ALIGNMENT
    return b"FB" + struct.pack("<H", count) + b"Z" * count


def _bytes(memory: Tensor) -> bytes:
    return _core._tensor_to_bytes(memory.cpu().contiguous())
