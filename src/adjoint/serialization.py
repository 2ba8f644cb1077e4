"""Saving and loading: tensors, and containers of them, as safetensors files.

A file written by :func:`save` is a safetensors file that any tool for the format reads. How the
tensors were nested, and everything that is not a tensor, is JSON text (the skeleton) in the file's
metadata. Nothing in a file is ever executed.

In the skeleton None, bools, ints, strings, finite floats and lists are themselves; anything else
is an object whose first key is its kind: ``{"tensor": name}``, ``{"dict": [[key, value], ...]}``...
"""

from __future__ import annotations

import base64
import json
import math
import os
import stat
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import IO, Any

import adjoint
from adjoint import Tensor, _core

__all__ = ["load", "save"]

File = str | os.PathLike[str] | IO[bytes]

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


def save(obj: Any, f: File) -> None:
    """Write ``obj`` to a safetensors file.

    Args:
        obj: tensors, None, bools, numbers, strings, bytes, dtypes, devices, sizes, and dicts,
            OrderedDicts, Counters, lists and tuples of these, nested: the ``state_dict()`` of a
            module, an optimizer or a scheduler, for example.
        f: a path, or an object with ``write``. The file at a path is replaced in one go: it is
            the old one or the whole new one, whatever happens.

    Tensors that share memory, with the same shape and strides (tied weights), are written once and
    share memory again when loaded. Of a tensor, ``requires_grad`` and whether it is a Parameter
    are kept, its history and its gradient are not.

    Raises:
        TypeError: something that cannot be saved (the message tells where it is), or ``f`` is
            neither a path nor a file.
        ValueError: a container that contains itself.

    >>> import io
    >>> file = io.BytesIO()
    >>> adjoint.save({"weight": adjoint.ones(2), "epoch": 3}, file)
    >>> _ = file.seek(0)
    >>> adjoint.load(file)
    {'weight': tensor([1., 1.]), 'epoch': 3}
    """
    is_path = isinstance(f, (str, os.PathLike))
    if not is_path and not hasattr(f, "write"):
        raise TypeError(f"save() takes a path or a file opened for writing, got {f!r}")
    import safetensors

    writer = _Writer()
    skeleton = {"version": _VERSION, "content": writer.node(obj, ())}
    metadata = {_KEY: json.dumps(skeleton, allow_nan=False)}
    specs = {name: _spec(tensor) for name, tensor in writer.tensors.items()}
    data = safetensors.serialize(specs, metadata)
    if is_path:
        _write_atomically(os.fspath(f), data)  # type: ignore[arg-type]
    else:
        f.write(data)  # type: ignore[union-attr]


def load(
    f: File, map_location: Any = None, *, weights_only: bool = True, mmap: bool | None = None
) -> Any:
    """Read what :func:`save` wrote, or the tensors of any safetensors file as a dict.

    Args:
        f: a path, or an object with ``read``, opened in binary mode.
        map_location: the device to load to; None for the one that a tensor was saved from; a dict
            from saved devices to others, ``{"cuda:0": "cpu"}``.
        weights_only, mmap: accepted, without effect: loading never executes what a file says.

    Raises:
        FileNotFoundError: there is no such file.
        RuntimeError: the file is not a safetensors file, is cut short, or says what cannot be.

    >>> import io
    >>> file = io.BytesIO()
    >>> adjoint.save([1, (2.5, None), adjoint.tensor(4)], file)
    >>> _ = file.seek(0)
    >>> adjoint.load(file)
    [1, (2.5, None), tensor(4)]
    """
    if callable(map_location):
        raise TypeError("map_location is a device or a dict of devices here, not a function")
    if isinstance(f, (str, os.PathLike)):
        where = repr(os.fspath(f))
        with open(f, "rb") as file:
            data = file.read()
    elif hasattr(f, "read"):
        where = "the file"
        data = f.read()
        if isinstance(data, str):
            raise TypeError("load() needs a file opened in binary mode ('rb')")
    else:
        raise TypeError(f"load() takes a path or a file opened for reading, got {f!r}")
    entries, skeleton = _parse(bytes(data), where)
    del data
    reader = _Reader(entries, map_location)
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
            raise ValueError(f"cannot save {_place(path)}: it contains itself")
        self._open.add(id(value))
        try:
            if isinstance(value, adjoint.Size):
                return {"size": list(value)}
            if type(value) in (list, tuple):
                nodes = [self.node(entry, (*path, i)) for i, entry in enumerate(value)]
                return nodes if type(value) is list else {"tuple": nodes}
            for kind, container in _MAPPINGS.items():
                if type(value) is container:
                    return self._mapping(kind, value, path)
        finally:
            self._open.discard(id(value))
        hint = ""
        if isinstance(value, adjoint.nn.Module):
            hint = ": save its state_dict()"
        elif type(value).__module__ == "numpy":
            hint = ": make it a tensor with adjoint.from_numpy"
        raise TypeError(f"cannot save {_place(path)}, which is a {type(value).__name__}{hint}")

    def _mapping(self, kind: str, value: Mapping[Any, Any], path: tuple[Any, ...]) -> Any:
        pairs = []
        for key, entry in value.items():
            if isinstance(key, Tensor):
                raise TypeError(f"cannot save {_place(path)}: a key is a Tensor")
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
        if tensor.dtype == adjoint.complex128:
            node["dtype"] = "complex128"
        if tensor.requires_grad:
            node["requires_grad"] = True
        if isinstance(tensor, adjoint.nn.Parameter):
            node["parameter"] = True
        if tensor.device.type != "cpu":
            node["device"] = str(tensor.device)
        return node

    def _unique_name(self, path: tuple[Any, ...]) -> str:
        wanted = ".".join(map(str, path)) or "tensor"
        name, n = wanted, 1
        while name in self.tensors or name == "__metadata__":
            n += 1
            name = f"{wanted}#{n}"
        return name


class _Reader:
    """Turns a skeleton back into a value; raises ValueError and the like if it is damaged."""

    def __init__(self, entries: dict[str, Any], map_location: Any) -> None:
        self._entries = entries
        self._map_location = map_location
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
            tensor = self._tensors[name].detach()  # tied: another tensor on the same memory
        elif name in self._entries:
            tensor = self._read(name, node)
            self._tensors[name] = tensor
        else:
            raise ValueError(f"it names the tensor {name!r}, which it does not hold")
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
        return tensor.to(self._device(node.get("device", "cpu")))

    def _device(self, saved: str) -> Any:
        if isinstance(self._map_location, Mapping):
            moved = {str(adjoint.device(k)): v for k, v in self._map_location.items()}
            return adjoint.device(moved.get(saved, saved))
        return adjoint.device(saved if self._map_location is None else self._map_location)


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
        if data.startswith((b"PK\x03\x04", b"\x80")):
            message = (
                f"{where} is not a safetensors file but a pickle, as torch.save writes them. "
                "Pickles can run any code and are not read: convert it where it was written, with "
                "safetensors.torch.save_file"
            )
        raise RuntimeError(message) from error
    return entries, metadata.get(_KEY)


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


def _place(path: tuple[Any, ...]) -> str:
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
