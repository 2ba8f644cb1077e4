"""Pickles of values as torch writes them: protocol 2, with torch's names for tensors."""

from __future__ import annotations

import struct
from collections import Counter, OrderedDict
from collections.abc import Iterable
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.serialization._constructors import STORAGES
from adjoint.serialization._values import check_key, memory_of, place, refusal, whole

__all__ = ["Writer", "pickled"]

_STORAGE_OF = {dtype: name for name, dtype in STORAGES.items() if name != "UntypedStorage"}


def pickled(value: Any) -> bytes:
    """The pickle of a value that holds no tensors."""
    return Writer(False).pickle(value)


class Writer:
    """Writes the pickle and collects the memories of its tensors, each under a number."""

    def __init__(self, legacy: bool) -> None:
        self.memories: list[Tensor] = []
        self._legacy = legacy
        self._numbers: dict[Any, int] = {}  # of memories
        self._out = bytearray()
        self._kept: dict[Any, int] = {}  # what stands in the pickle already
        self._alive: list[Any] = []  # so that no other object gets the id of one that was kept
        self._open: set[int] = set()  # the containers around the current value

    def pickle(self, value: Any) -> bytes:
        self._out += b"\x80\x02"
        try:
            self._value(value, ())
        except RecursionError:
            raise ValueError("cannot save the object: it is nested too deeply") from None
        self._out += b"."
        return bytes(self._out)

    def _value(self, value: Any, path: tuple[Any, ...]) -> None:
        if value is None:
            self._out += b"N"
        elif isinstance(value, bool):
            self._out += b"\x88" if value else b"\x89"
        elif isinstance(value, int):
            self._int(int(value))
        elif isinstance(value, float):
            self._out += b"G" + struct.pack(">d", value)
        elif isinstance(value, adjoint.layout):
            self._call("torch.serialization _get_layout", str(value)[:])
        elif isinstance(value, adjoint.memory_format):
            self._name(str(value).replace(".", " "))
        elif isinstance(value, str):
            self._text(str(value))
        elif isinstance(value, Tensor):
            self._object(value, path, self._tensor)
        elif isinstance(value, bytes):
            self._call("_codecs encode", value.decode("latin1"), "latin1")
        elif isinstance(value, bytearray):
            self._call("__builtin__ bytearray", value.decode("latin1"), "latin-1")
        elif isinstance(value, slice):
            self._call("__builtin__ slice", value.start, value.stop, value.step)
        elif isinstance(value, complex):
            self._call("__builtin__ complex", value.real, value.imag)
        elif isinstance(value, adjoint.dtype):
            self._name(f"torch {str(value).rpartition('.')[2]}")
        elif isinstance(value, adjoint.device):
            indices = () if value.index is None else (value.index,)
            self._call("torch device", value.type, *indices)
        elif type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
            self._value(value.item(), path)
        else:
            self._object(value, path, self._container)

    def _object(self, value: Any, path: tuple[Any, ...], write: Any) -> None:
        """An object that stands in the pickle once, however often it occurs."""
        if id(value) in self._open:
            raise ValueError(f"cannot save {place(path)}: it contains itself")
        if id(value) in self._kept:
            self._get(id(value))
            return
        self._open.add(id(value))
        self._alive.append(value)
        write(value, path)
        self._open.discard(id(value))
        self._keep(id(value))

    def _container(self, value: Any, path: tuple[Any, ...]) -> None:
        kind = type(value)
        if isinstance(value, adjoint.Size):
            self._call("torch Size", tuple(value))
        elif kind is tuple:
            self._tuple(value, path)
        elif kind is list:
            self._out += b"]("
            self._entries(value, path)
            self._out += b"e"
        elif kind in (set, frozenset):
            self._call(f"__builtin__ {kind.__name__}", list(value))
        elif kind is dict:
            self._out += b"}"
            self._items(value, path)
        elif kind is Counter:
            self._call("collections Counter", dict(value))
        elif kind is OrderedDict:
            self._call("collections OrderedDict")
            self._items(value, path)
            # a module's state_dict carries the versions of its layers as an attribute
            metadata = getattr(value, "_metadata", None)
            if metadata is not None:
                self._value({"_metadata": metadata}, (*path, "_metadata"))
                self._out += b"b"
        else:
            raise refusal(value, path)

    def _tensor(self, tensor: Tensor, path: tuple[Any, ...]) -> None:
        is_parameter = isinstance(tensor, adjoint.nn.Parameter)
        if is_parameter:
            self._name("torch._utils _rebuild_parameter")
            self._out += b"("
        self._name("torch._utils _rebuild_tensor_v2")
        self._out += b"(("
        for part in ("storage", tensor.dtype, *self._memory(tensor)):
            if isinstance(part, adjoint.dtype):
                self._name(f"torch {_STORAGE_OF[str(part).rpartition('.')[2]]}")
            else:
                self._value(part, path)
        self._out += b"tQ"
        requires_grad = tensor.requires_grad
        offset = tensor.storage_offset() if tensor.numel() > 0 else 0
        for part in (offset, tuple(tensor.shape), tuple(tensor.stride())):
            self._value(part, path)
        self._value(requires_grad and not is_parameter, path)
        self._call("collections OrderedDict")  # of hooks
        self._out += b"tR"
        if is_parameter:
            self._value(requires_grad, path)
            self._call("collections OrderedDict")
            self._out += b"tR"

    def _memory(self, tensor: Tensor) -> tuple[Any, ...]:
        key = memory_of(tensor)
        number = self._numbers.get(key) if key is not None else None
        if number is None:
            number = len(self.memories)
            self.memories.append(whole(tensor))
            if key is not None:
                self._numbers[key] = number
        count = self.memories[number].numel()
        end = (None,) if self._legacy else ()
        return (str(number), str(tensor.device), count, *end)

    def _items(self, value: dict[Any, Any], path: tuple[Any, ...]) -> None:
        self._out += b"("
        for key, entry in value.items():
            check_key(key, path)
            self._value(key, path)
            self._value(entry, (*path, key))
        self._out += b"u"

    def _tuple(self, values: tuple[Any, ...], path: tuple[Any, ...]) -> None:
        self._out += b"("
        self._entries(values, path)
        self._out += b"t"

    def _entries(self, values: Iterable[Any], path: tuple[Any, ...]) -> None:
        for i, entry in enumerate(values):
            self._value(entry, (*path, i))

    def _call(self, name: str, *arguments: Any) -> None:
        self._name(name)
        self._tuple(arguments, ())
        self._out += b"R"

    def _name(self, name: str) -> None:
        if ("name", name) in self._kept:
            self._get(("name", name))
            return
        self._out += b"c" + "\n".join(name.split(" ")).encode("ascii") + b"\n"
        self._keep(("name", name))

    def _text(self, text: str) -> None:
        if ("text", text) in self._kept:
            self._get(("text", text))
            return
        raw = text.encode("utf-8", "surrogatepass")
        self._out += b"X" + struct.pack("<I", len(raw)) + raw
        self._keep(("text", text))

    def _int(self, value: int) -> None:
        if 0 <= value < 256:
            self._out += b"K" + struct.pack("<B", value)
        elif 0 <= value < 65536:
            self._out += b"M" + struct.pack("<H", value)
        elif -(2**31) <= value < 2**31:
            self._out += b"J" + struct.pack("<i", value)
        else:
            raw = value.to_bytes(value.bit_length() // 8 + 1, "little", signed=True)
            short = len(raw) < 256
            self._out += (b"\x8a" + bytes([len(raw)])) if short else (
                b"\x8b" + struct.pack("<i", len(raw)))  # fmt: skip
            self._out += raw

    def _keep(self, key: Any) -> None:
        number = self._kept[key] = len(self._kept)
        self._out += b"q" + bytes([number]) if number < 256 else b"r" + struct.pack("<I", number)

    def _get(self, key: Any) -> None:
        number = self._kept[key]
        self._out += b"h" + bytes([number]) if number < 256 else b"j" + struct.pack("<I", number)
