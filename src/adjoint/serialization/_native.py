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
from typing import Any

import adjoint
from adjoint import Tensor, _core
from adjoint.serialization._locations import Locations

__all__ = ["cannot_save", "place_of", "read", "write"]

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


def write(obj: Any) -> bytes:
    """The file for a value; see `save`."""
    import safetensors

    writer = _Writer()
    skeleton = {"version": _VERSION, "content": writer.node(obj, ())}
    writer.place_views()
    metadata = {_KEY: json.dumps(skeleton, allow_nan=False)}
    specs = {name: _spec(tensor) for name, tensor in writer.tensors.items()}
    return bytes(safetensors.serialize(specs, metadata))


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
            raise ValueError(f"cannot save {place_of(path)}: it contains itself")
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
        raise cannot_save(value, path)

    def _mapping(self, kind: str, value: Mapping[Any, Any], path: tuple[Any, ...]) -> Any:
        pairs = []
        for key, entry in value.items():
            if isinstance(key, Tensor):
                raise TypeError(f"cannot save {place_of(path)}: a key is a Tensor")
            pairs.append([self.node(key, path), self.node(entry, (*path, key))])
        node: dict[str, Any] = {kind: pairs}
        # a module's state_dict carries the versions of its layers as an attribute
        metadata = getattr(value, "_metadata", None)
        if metadata is not None:
            node["_metadata"] = self.node(metadata, (*path, "_metadata"))
        return node

    def _tensor(self, tensor: Tensor, path: tuple[Any, ...]) -> Any:
        place: Any = None
        if tensor.numel() > 0:
            place = (tensor.data_ptr(), tensor.dtype, tuple(tensor.shape), tensor.stride())
        name = self._names.get(place)
        if name is None:
            name = self._unique_name(path)
            self.tensors[name] = tensor.detach().cpu().contiguous()
            if place is not None:
                self._names[place] = name
        node: dict[str, Any] = {"tensor": name}
        if place is not None:
            memory = (tensor.untyped_storage().data_ptr(), tensor.dtype)
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

    def place_views(self) -> None:
        """Puts different tensors on one memory into one that holds all of it."""
        for parts in self._memories.values():
            names = list(dict.fromkeys(node["tensor"] for _, node in parts))
            if len(names) == 1:
                continue
            for name in names:
                del self.tensors[name]
            tensor = parts[0][0].detach()
            count = tensor.untyped_storage().nbytes() // tensor.element_size()
            self.tensors[names[0]] = tensor.as_strided((count,), (1,), 0).cpu()
            for part, node in parts:
                layout = [list(part.shape), list(part.stride()), part.storage_offset()]
                node.update(tensor=names[0], view=layout)

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
            size, stride, offset = node["view"]
            tensor = tensor.as_strided(size, stride, offset).detach()
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


def cannot_save(value: Any, path: tuple[Any, ...]) -> TypeError:
    hint = ""
    if isinstance(value, adjoint.nn.Module):
        hint = ": save its state_dict()"
    elif type(value).__module__ == "numpy":
        hint = ": make it a tensor with adjoint.from_numpy"
    return TypeError(f"cannot save {place_of(path)}, which is a {type(value).__name__}{hint}")


def place_of(path: tuple[Any, ...]) -> str:
    return "the object" + "".join(f"[{key!r}]" for key in path)


def _dtype_name(dtype: Any) -> str:
    return str(dtype).rpartition(".")[2]


def _dtype(name: str) -> Any:
    dtype = getattr(adjoint, name, None)
    if not isinstance(dtype, adjoint.dtype):
        raise ValueError(f"the dtype {name!r} is not supported")
    return dtype


def _reason(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, KeyError):
        return f"{error} is missing"
    return str(error)
