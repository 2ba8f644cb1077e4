"""The native format: safetensors files.

A file is a safetensors file that any tool for the format reads. How the tensors were nested, and
everything that is not a tensor, is JSON text (the skeleton) in the file's metadata.

In the skeleton None, bools, ints, strings, finite floats and lists are themselves; anything else
is an object whose first key is its kind: ``{"tensor": name}``, ``{"dict": [[key, value], ...]}``...
Tensors that are different parts of one memory are views of a tensor with one dim that holds all of
it: ``{"tensor": name, "view": [sizes, strides, offset]}``.
"""

from __future__ import annotations

import base64
import json
import math
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import IO, Any

import adjoint
from adjoint import Tensor, _core
from adjoint.serialization._locations import Locations
from adjoint.serialization._memory import Memory, view
from adjoint.serialization._values import check_key, memory_of, place, refusal, whole

__all__ = ["read", "write"]

# The metadata entry of the file that holds the skeleton.
_KEY = "adjoint"
_VERSION = 1

_DTYPE_OF_CODE = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "C64": "complex64",
}


def write(obj: Any, file: IO[bytes]) -> None:
    """Write the file for a value; see `save`."""
    import safetensors

    writer = _Writer()
    try:
        skeleton = {"version": _VERSION, "content": writer.node(obj, ())}
        writer.join_views()  # which changes nodes
        metadata = {_KEY: json.dumps(skeleton, allow_nan=False)}
    except RecursionError:
        raise ValueError("cannot save the object: it is nested too deeply") from None
    specs = {name: _spec(tensor) for name, tensor in writer.tensors.items()}
    file.write(safetensors.serialize(specs, metadata))


def read(data: bytes, where: str, locations: Locations) -> Any:
    """The value in a file; see `load`."""
    entries, skeleton = _parse(data, where)
    del data
    reader = _Reader(entries, locations)
    if skeleton is None:
        return {name: reader.tensor(name, {}) for name in list(entries)}
    try:
        content = json.loads(skeleton)
        if content["version"] > _VERSION:
            raise ValueError(f"it was written by a later version ({content['version']})")
        return reader.value(content["content"])
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise RuntimeError(f"{where} is damaged: {_reason(error)}") from error


class _Writer:
    """Turns a value into its skeleton and collects its tensors under unique names."""

    def __init__(self) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._names: dict[Any, str] = {}  # by place in memory
        # Of each memory, by dtype: the tensors in it and their nodes.
        self._memories: dict[Any, list[tuple[Tensor, dict[str, Any]]]] = {}
        self._open: set[int] = set()  # the containers around the current value

    def node(self, value: Any, path: tuple[Any, ...]) -> Any:
        if isinstance(value, Tensor):
            return self._tensor(value, path)
        if value is None or isinstance(value, (bool, str)):
            return value
        if isinstance(value, int):
            return int(value)
        if isinstance(value, float):
            return float(value) if math.isfinite(value) else {"float": repr(float(value))}
        if isinstance(value, complex):
            return {"complex": [self.node(value.real, path), self.node(value.imag, path)]}
        if isinstance(value, bytes):
            return {"bytes": base64.b64encode(value).decode("ascii")}
        if isinstance(value, adjoint.dtype):
            return {"dtype": _dtype_name(value)}
        if isinstance(value, adjoint.device):
            return {"device": str(value)}
        if type(value).__module__ == "numpy" and getattr(value, "ndim", None) == 0:
            return self.node(value.item(), path)
        return self._container(value, path)

    def _container(self, value: Any, path: tuple[Any, ...]) -> Any:
        if id(value) in self._open:
            raise ValueError(f"cannot save {place(path)}: it contains itself")
        self._open.add(id(value))
        try:
            if isinstance(value, adjoint.Size):
                return {"size": list(value)}
            if type(value) in (set, frozenset):
                entries = [self.node(entry, (*path, "an element")) for entry in value]
                return {type(value).__name__: entries}
            if type(value) in (list, tuple):
                nodes = [self.node(entry, (*path, i)) for i, entry in enumerate(value)]
                return nodes if type(value) is list else {"tuple": nodes}
            for kind, container in _MAPPINGS.items():
                if type(value) is container:
                    return self._mapping(kind, value, path)
        finally:
            self._open.discard(id(value))
        raise refusal(value, path)

    def _mapping(self, kind: str, value: Mapping[Any, Any], path: tuple[Any, ...]) -> Any:
        pairs = []
        for key, entry in value.items():
            check_key(key, path)
            pairs.append([self.node(key, path), self.node(entry, (*path, key))])
        node: dict[str, Any] = {kind: pairs}
        # a module's state_dict carries the versions of its layers as an attribute
        metadata = getattr(value, "_metadata", None)
        if metadata is not None:
            node["_metadata"] = self.node(metadata, (*path, "_metadata"))
        return node

    def _tensor(self, tensor: Tensor, path: tuple[Any, ...]) -> Any:
        memory = memory_of(tensor)
        layout = None if memory is None else (memory, *_layout(tensor))
        name = self._names.get(layout)
        if name is None:
            name = self._unique_name(path)
            self.tensors[name] = tensor.detach().cpu().contiguous()
            if layout is not None:
                self._names[layout] = name
        node: dict[str, Any] = {"tensor": name}
        if memory is not None:
            self._memories.setdefault(memory, []).append((tensor, node))
        if tensor.dtype == adjoint.complex128:
            node["dtype"] = "complex128"
        if tensor.requires_grad:
            node["requires_grad"] = True
        if isinstance(tensor, adjoint.nn.Parameter):
            node["parameter"] = True
        if tensor.device.type != "cpu":
            node["device"] = str(tensor.device)
        return node

    def join_views(self) -> None:
        """Writes tensors that overlap in memory once: as views of the one that holds all others."""
        for tensors in self._memories.values():
            group: list[tuple[Tensor, dict[str, Any]]] = []
            end = -1
            for tensor, node in sorted(tensors, key=lambda entry: _span(entry[0])):
                begin, stop = _span(tensor)
                if begin >= end and group:
                    self._join(group)
                    group = []
                group.append((tensor, node))
                end = max(end, stop)
            self._join(group)

    def _join(self, group: list[tuple[Tensor, dict[str, Any]]]) -> None:
        if len({node["tensor"] for _, node in group}) == 1:
            return
        begin = min(_span(tensor)[0] for tensor, _ in group)
        end = max(_span(tensor)[1] for tensor, _ in group)
        for tensor, node in group:
            if tensor.is_contiguous() and _span(tensor) == (begin, end):
                name = node["tensor"]
                break
        else:
            name = group[0][1]["tensor"]
            part = group[0][0].detach().as_strided((end - begin,), (1,), begin)
            self.tensors[name] = part.cpu()
        owner = self.tensors[name]
        for tensor, node in group:
            if node["tensor"] != name:
                self.tensors.pop(node["tensor"], None)
            size, stride, offset = _layout(tensor)
            if (size, stride, offset) != (tuple(owner.shape), tuple(owner.stride()), begin):
                node.update(tensor=name, view=[list(size), list(stride), offset - begin])

    def _unique_name(self, path: tuple[Any, ...]) -> str:
        wanted = ".".join(map(str, path)) or "tensor"
        name, n = wanted, 1
        while name in self.tensors or name == "__metadata__":
            n += 1
            name = f"{wanted}#{n}"
        return name


class _Reader:
    """Turns a skeleton back into a value; raises ValueError and the like if it is damaged."""

    def __init__(self, entries: dict[str, Any], locations: Locations) -> None:
        self._entries = entries
        self._locations = locations
        self._tensors: dict[str, Tensor] = {}

    def value(self, node: Any) -> Any:
        if isinstance(node, list):
            return [self.value(entry) for entry in node]
        if not isinstance(node, dict):
            return node
        kind: Any
        content: Any
        kind, content = next(iter(node.items()), (None, None))
        if kind == "tensor":
            return self.tensor(content, node)
        if kind == "tuple":
            return tuple(self.value(entry) for entry in content)
        if kind in ("set", "frozenset"):
            return (set if kind == "set" else frozenset)(self.value(entry) for entry in content)
        if kind == "size":
            return adjoint.Size(content)
        if kind == "float":
            return float(content)
        if kind == "complex":
            return complex(self.value(content[0]), self.value(content[1]))
        if kind == "bytes":
            return base64.b64decode(content, validate=True)
        if kind == "dtype":
            return _dtype(content)
        if kind == "device":
            return adjoint.device(content)
        if kind in _MAPPINGS:
            pairs = [(self.value(key), self.value(entry)) for key, entry in content]
            mapping = _MAPPINGS[kind](dict(pairs))
            if "_metadata" in node:
                mapping._metadata = self.value(node["_metadata"])
            return mapping
        raise ValueError(f"it holds a value of the unknown kind {kind!r}")

    def tensor(self, name: str, node: Mapping[str, Any]) -> Tensor:
        if name in self._tensors:
            tensor = self._tensors[name].detach()  # another tensor on the same memory
        elif name in self._entries:
            tensor = self._read(name, node)
            self._tensors[name] = tensor
        else:
            raise ValueError(f"it names the tensor {name!r}, which it does not hold")
        if "view" in node:
            tensor = view(Memory(whole(tensor)), *node["view"])
        requires_grad = bool(node.get("requires_grad", False))
        if node.get("parameter"):
            return adjoint.nn.Parameter(tensor, requires_grad)
        return tensor.requires_grad_() if requires_grad else tensor

    def _read(self, name: str, node: Mapping[str, Any]) -> Tensor:
        entry = self._entries.pop(name)
        shape = list(entry["shape"])
        code = entry["dtype"]
        if code not in _DTYPE_OF_CODE:
            raise ValueError(f"tensor {name!r} has the dtype {code}, which is not supported")
        dtype = _dtype(_DTYPE_OF_CODE[code])
        if node.get("dtype") == "complex128":
            if code != "F64" or shape[-1:] != [2]:
                raise ValueError(f"tensor {name!r} is not made of pairs of float64")
            dtype = adjoint.complex128
            shape.pop()
        tensor = _core._tensor_from_bytes(bytes(entry["data"]), dtype, shape)
        return self._locations.moved(tensor, node.get("device", "cpu"))


def _layout(tensor: Tensor) -> tuple[tuple[int, ...], tuple[int, ...], int]:
    return tuple(tensor.shape), tuple(tensor.stride()), tensor.storage_offset()


def _span(tensor: Tensor) -> tuple[int, int]:
    """The elements of its memory that a tensor reaches from, and up to."""
    size, stride, offset = _layout(tensor)
    return offset, offset + sum((n - 1) * step for n, step in zip(size, stride)) + 1


_MAPPINGS: dict[str, Any] = {"dict": dict, "odict": OrderedDict, "counter": Counter}


def _spec(tensor: Tensor) -> Any:
    import safetensors

    dtype, shape = _dtype_name(tensor.dtype), list(tensor.shape)
    if dtype == "complex128":  # unknown to the format: written as pairs of float64
        dtype, shape = "float64", [*shape, 2]
    return safetensors.TensorSpec(
        dtype=dtype,
        shape=shape,
        data_ptr=tensor.data_ptr(),
        data_len=tensor.numel() * tensor.element_size(),
    )


def _parse(data: bytes, where: str) -> tuple[dict[str, Any], str | None]:
    """The tensors of a safetensors file by name, and the skeleton if it has one."""
    import safetensors

    try:
        entries = dict(safetensors.deserialize(data))
        size = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + size]).get("__metadata__") or {}
    except (safetensors.SafetensorError, ValueError, RecursionError) as error:
        message = f"{where} is not a whole safetensors file ({len(data)} bytes): {_reason(error)}"
        raise RuntimeError(message) from error
    return entries, metadata.get(_KEY)


def _dtype_name(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


def _dtype(name: str) -> Any:
    dtype = getattr(_core, name, None)
    if not isinstance(dtype, adjoint.dtype):
        raise ValueError(f"the dtype {name!r} is not supported")
    return dtype


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error)
