"""What pickles in torch's files may name, and what is made of it."""

from __future__ import annotations

from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.serialization._pickle import refused

__all__ = ["StorageType", "constructors"]

_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
}
_DTYPES = (*_STORAGES.values(), "float", "double", "half", "int", "long", "short", "cfloat",
           "cdouble")  # fmt: skip
_NAMES = ("strided", "contiguous_format", "preserve_format", "channels_last", "channels_last_3d")


class StorageType:
    """The class of a storage: its elements' dtype, or None for one of bytes."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype


class _NumpyType:
    """numpy.dtype: a code such as "f8", and the byte order that its state tells."""

    def __init__(self, code: str) -> None:
        if not isinstance(code, str) or len(code) > 4 or code[:1] not in "biufc":
            raise refused(f"numpy.dtype({code!r})")
        self.code = code
        self.order: Any = "="

    def set_pickled_state(self, state: Any) -> None:
        if state[1] in "<>=|":
            self.order = state[1]


def _numpy_type(code: str, align: bool = False, copy: bool = True) -> _NumpyType:
    return _NumpyType(code)


def _numpy_scalar(type_: _NumpyType, data: bytes) -> Any:
    import numpy

    value = numpy.frombuffer(data, numpy.dtype(type_.code).newbyteorder(type_.order))
    if value.shape != (1,):
        raise ValueError("a NumPy scalar of several elements")
    return value[0]


def _rebuild_tensor(
    storage: Callable[..., Tensor | None],
    offset: int,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    requires_grad: bool = False,
    hooks: Any = None,
    metadata: Any = None,
    *,
    dtype: Any = None,
) -> Tensor | None:
    memory = storage(dtype)
    if memory is None:  # a first look at the file
        return None
    if not all(isinstance(n, int) for n in (offset, *size, *stride)):
        raise ValueError("a size that is not a number")
    # A tensor of its own on that memory, not a view of another one.
    tensor = memory.as_strided(tuple(size), tuple(stride), offset).detach()
    if isinstance(metadata, dict) and (metadata.get("conj") or metadata.get("neg")):
        storage(dtype, copied=tensor.numel() * tensor.element_size())
        tensor = tensor.conj() if metadata.get("conj") else tensor
        tensor = -tensor if metadata.get("neg") else tensor
    return tensor.requires_grad_() if requires_grad else tensor


def _rebuild_tensor_v3(
    storage: Any,
    offset: int,
    size: Any,
    stride: Any,
    requires_grad: bool,
    hooks: Any,
    dtype: Any,
    metadata: Any = None,
) -> Tensor | None:
    return _rebuild_tensor(
        storage, offset, size, stride, requires_grad, hooks, metadata, dtype=dtype
    )


def _rebuild_parameter(
    data: Tensor | None, requires_grad: bool, hooks: Any = None, state: Any = None
) -> Any:
    return None if data is None else adjoint.nn.Parameter(data, bool(requires_grad))


def _rebuild_from_type(function: Any, type_: Any, args: tuple[Any, ...], state: Any) -> Any:
    return function(*args)


def _encode(text: str, encoding: str = "latin1") -> bytes:
    if encoding not in ("latin1", "latin-1"):
        raise refused(f"codecs.encode with {encoding!r}")
    return text.encode("latin1")


def _bytearray(data: Any = b"", encoding: str = "latin1") -> bytearray:
    if isinstance(data, str):
        data = _encode(data, encoding)
    if not isinstance(data, bytes):  # a number would be a size
        raise ValueError("a bytearray of what is not bytes")
    return bytearray(data)


def _container(type_: Any) -> Callable[..., Any]:
    def make(values: Any = ()) -> Any:
        if not isinstance(values, (list, tuple, dict, set, frozenset)):
            raise ValueError(f"a {type_.__name__} of a {type(values).__name__}")
        return type_(values)

    return make


def _defaultdict(factory: Any = None, values: Any = ()) -> Any:
    if factory not in (None, *_FACTORIES):
        raise refused("a defaultdict of something else than containers and numbers")
    return defaultdict(_FACTORIES.get(factory), values)


_list, _dict, _set = _container(list), _container(dict), _container(set)


def _int(value: Any = 0) -> int:
    if not isinstance(value, (int, float)):
        raise ValueError("an int of what is not a number")
    return int(value)


_FACTORIES: dict[Any, Any] = {_list: list, _dict: dict, _set: set, _int: int}


def _layout(name: str) -> Any:
    if name != "torch.strided":
        raise refused(f"the layout {name}")
    return adjoint.strided


def _tensor_class(*args: Any) -> Any:
    raise refused("torch.Tensor called by itself")


def constructors() -> dict[str, Any]:
    """By the names that pickles have for them."""
    table: dict[str, Any] = {
        "collections.OrderedDict": _container(OrderedDict),
        "collections.Counter": _container(Counter),
        "collections.defaultdict": _defaultdict,
        "builtins.set": _set,
        "builtins.frozenset": _container(frozenset),
        "builtins.list": _list,
        "builtins.tuple": _container(tuple),
        "builtins.dict": _dict,
        "builtins.int": _int,
        "builtins.bytearray": _bytearray,
        "builtins.complex": lambda real, imag: complex(float(real), float(imag)),
        "builtins.slice": slice,
        "_codecs.encode": _encode,
        "torch.Size": adjoint.Size,
        "torch.device": adjoint.device,
        "torch.Tensor": _tensor_class,
        "torch.nn.parameter.Parameter": _tensor_class,
        "torch.serialization._get_layout": _layout,
        "torch.torch_version.TorchVersion": str,
        "torch._utils._rebuild_tensor": _rebuild_tensor,
        "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
        "torch._utils._rebuild_tensor_v3": _rebuild_tensor_v3,
        "torch._utils._rebuild_parameter": _rebuild_parameter,
        "torch._utils._rebuild_parameter_with_state": _rebuild_parameter,
        "torch._tensor._rebuild_from_type_v2": _rebuild_from_type,
        "torch.storage.UntypedStorage": StorageType(None),
        "torch.UntypedStorage": StorageType(None),
        "numpy.dtype": _numpy_type,
    }
    for core in ("core", "_core"):
        table[f"numpy.{core}.multiarray.scalar"] = _numpy_scalar
    for name, dtype in _STORAGES.items():
        table[f"torch.{name}"] = StorageType(getattr(adjoint, dtype))
    for name in (*_DTYPES, *_NAMES):
        table[f"torch.{name}"] = getattr(adjoint, name)
    return table
