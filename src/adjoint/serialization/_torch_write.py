"""Writing torch's format: what `torch.load(..., weights_only=True)` reads."""

from __future__ import annotations

import ctypes
import io
import struct
import zipfile
from collections import Counter, OrderedDict
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.serialization._constructors import _STORAGES
from adjoint.serialization._native import cannot_save, place_of

__all__ = ["write"]

_STORAGE_OF = {dtype: name for name, dtype in _STORAGES.items()}
_ALIGNMENT = 64  # of records, so that they can be mapped into memory


def write(obj: Any) -> bytes:
    """The file for a value; see `save`."""
    pickler = _Pickler()
    program = pickler.program(obj)
    records = {"data.pkl": program, "byteorder": b"little"}
    for i, memory in enumerate(pickler.memories):
        count = memory.numel() * memory.element_size()
        records[f"data/{i}"] = ctypes.string_at(memory.data_ptr(), count) if count else b""
    records["version"] = b"3\n"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, data in records.items():
            info = zipfile.ZipInfo(f"archive/{name}")
            header = file.tell() + 30 + len(info.filename) + 4
            padding = -header % _ALIGNMENT
            info.extra = b"FB" + struct.pack("<H", padding) + b"Z" * padding
            archive.writestr(info, data)
    return file.getvalue()


class _Pickler:
    """Writes a pickle of protocol 2, opcode by opcode (PEP 307)."""

    def __init__(self) -> None:
        self.memories: list[Tensor] = []
        self._keys: dict[Any, int] = {}  # of the memories, by place and dtype
        self._out = bytearray()
        self._memo: dict[int, int] = {}
        self._kept: list[Any] = []  # so that no id is given twice
        self._open: set[int] = set()

    def program(self, obj: Any) -> bytes:
        self._out += b"\x80\x02"
        self._value(obj, ())
        self._out += b"."
        return bytes(self._out)

    def _value(self, value: Any, path: tuple[Any, ...]) -> None:
        out = self._out
        if value is None:
            out += b"N"
        elif isinstance(value, bool):
            out += b"\x88" if value else b"\x89"
        elif isinstance(value, int):
            self._int(int(value))
        elif isinstance(value, float):
            out += b"G" + struct.pack(">d", value)
        elif isinstance(value, str):
            data = str(value).encode("utf-8", "surrogatepass")
            if isinstance(value, (adjoint.layout, adjoint.memory_format)):
                self._name(*str(value).split("."))
            else:
                out += b"X" + struct.pack("<I", len(data)) + data
        elif isinstance(value, complex):
            self._call("__builtin__", "complex", path, value.real, value.imag)
        elif isinstance(value, (bytes, bytearray)):
            if isinstance(value, bytearray):
                self._name("__builtin__", "bytearray")
            self._call("_codecs", "encode", path, value.decode("latin1"), "latin1")
            if isinstance(value, bytearray):
                out += b"\x85R"
        elif isinstance(value, adjoint.dtype):
            self._name("torch", str(value).rpartition(".")[2])
        elif isinstance(value, adjoint.device):
            self._call("torch", "device", path, str(value))
        elif isinstance(value, slice):
            self._call("__builtin__", "slice", path, value.start, value.stop, value.step)
        elif type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
            self._value(value.item(), path)
        elif id(value) in self._memo:
            out += b"j" + struct.pack("<I", self._memo[id(value)])
        else:
            self._object(value, path)

    def _object(self, value: Any, path: tuple[Any, ...]) -> None:
        if id(value) in self._open:
            raise ValueError(f"cannot save {place_of(path)}: it contains itself")
        self._open.add(id(value))
        if isinstance(value, Tensor):
            self._tensor(value, path)
        else:
            self._container(value, path)
        self._open.discard(id(value))
        self._memo[id(value)] = len(self._memo)
        self._kept.append(value)
        self._out += b"r" + struct.pack("<I", self._memo[id(value)])

    def _container(self, value: Any, path: tuple[Any, ...]) -> None:
        out = self._out
        if type(value) is list:
            out += b"]("
            for i, entry in enumerate(value):
                self._value(entry, (*path, i))
            out += b"e"
        elif isinstance(value, adjoint.Size):
            self._call("torch", "Size", path, tuple(value))
        elif type(value) is tuple:
            self._tuple(value, path)
        elif type(value) in (set, frozenset):
            self._call("__builtin__", type(value).__name__, path, list(value))
        elif type(value) in (dict, OrderedDict, Counter):
            if type(value) is dict:
                out += b"}"
            else:
                self._name("collections", type(value).__name__)
                out += b")R"
            out += b"("
            for key, entry in value.items():
                if isinstance(key, Tensor):
                    raise TypeError(f"cannot save {place_of(path)}: a key is a Tensor")
                self._value(key, path)
                self._value(entry, (*path, key))
            out += b"u"
            metadata = getattr(value, "_metadata", None)
            if metadata is not None:
                self._value({"_metadata": metadata}, (*path, "_metadata"))
                out += b"b"
        else:
            raise cannot_save(value, path)

    def _tensor(self, tensor: Tensor, path: tuple[Any, ...]) -> None:
        parameter = isinstance(tensor, adjoint.nn.Parameter)
        if parameter:
            self._name("torch._utils", "_rebuild_parameter")
            self._out += b"("
        key, count = self._memory(tensor.detach())
        self._name("torch._utils", "_rebuild_tensor_v2")
        self._out += b"(("
        self._value("storage", path)
        self._name("torch", _STORAGE_OF[str(tensor.dtype).rpartition(".")[2]])
        for value in (str(key), str(tensor.device), count):
            self._value(value, path)
        self._out += b"tQ"
        grad = tensor.requires_grad and not parameter
        for entry in (tensor.storage_offset(), tuple(tensor.shape), tuple(tensor.stride()), grad):
            self._value(entry, path)
        self._no_hooks()
        self._out += b"tR"
        if parameter:
            self._value(tensor.requires_grad, path)
            self._no_hooks()
            self._out += b"tR"

    def _memory(self, tensor: Tensor) -> tuple[int, int]:
        storage = tensor.untyped_storage()
        place = (storage.data_ptr() or id(tensor), tensor.dtype)
        if place not in self._keys:
            self._keys[place] = len(self.memories)
            count = storage.nbytes() // tensor.element_size()
            self.memories.append(tensor.as_strided((count,), (1,), 0).cpu())
            self._kept.append(tensor)
        key = self._keys[place]
        return key, self.memories[key].numel()

    def _int(self, value: int) -> None:
        if -(2**31) <= value < 2**31:
            self._out += b"J" + struct.pack("<i", value)
            return
        data = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
        if len(data) < 256:
            self._out += b"\x8a" + bytes([len(data)]) + data
        else:
            self._out += b"\x8b" + struct.pack("<i", len(data)) + data

    def _name(self, module: str, name: str) -> None:
        self._out += f"c{module}\n{name}\n".encode()

    def _tuple(self, values: tuple[Any, ...], path: tuple[Any, ...]) -> None:
        self._out += b"("
        for i, entry in enumerate(values):
            self._value(entry, (*path, i))
        self._out += b"t"

    def _call(self, module: str, name: str, path: tuple[Any, ...], *args: Any) -> None:
        self._name(module, name)
        self._tuple(args, path)
        self._out += b"R"

    def _no_hooks(self) -> None:
        self._name("collections", "OrderedDict")
        self._out += b")R"
