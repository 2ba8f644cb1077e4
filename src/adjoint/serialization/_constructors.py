"""What torch's files may name, and what `load` makes of it.

The table is closed: a name that is not here, and was not added by the user, is refused.
"""

from __future__ import annotations

import re
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor, _core
from adjoint.serialization import _safe_globals
from adjoint.serialization._budget import Budget
from adjoint.serialization._memory import Memory, view
from adjoint.serialization._pickle import UnpicklingError

__all__ = ["STORAGES", "Constructors"]

STORAGES = {
    "FloatStorage": "float32",
    "DoubleStorage": "float64",
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
    "UntypedStorage": "uint8",
}
_DTYPE = re.compile(r"(?:q?u?int|float|complex|bits)\d\w*")


class StorageType:
    """A class of torch's for memory of one dtype."""

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype


class _Function:
    """A function of torch's, by its name."""

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        self.name, self.call = name, call


class Constructors:
    """The table for one file; ``persistent`` finds the memories that it holds."""

    def __init__(self, persistent: Callable[[Any], Memory], size: int) -> None:
        self.persistent = persistent
        self._copies = Budget(4 * size)
        self._resolved: list[tuple[Tensor, Tensor, Callable[[Tensor], Tensor]]] = []
        calls: dict[str, Callable[..., Any]] = {
            "torch._utils._rebuild_tensor": self._tensor,
            "torch._utils._rebuild_tensor_v2": self._tensor,
            "torch._utils._rebuild_tensor_v3": self._tensor_of_dtype,
            "torch._utils._rebuild_parameter": self._parameter,
            "torch._utils._rebuild_parameter_with_state": self._parameter_with_state,
            "torch._tensor._rebuild_from_type_v2": self._tensor_of_type,
            "torch.serialization._get_layout": _layout,
            "torch.torch_version.TorchVersion": _text,
            "torch.device": _device,
            "_codecs.encode": _encode,
        }
        self._functions = {name: _Function(name, call) for name, call in calls.items()}
        self._user: list[Any] = []

    def find(self, name: str) -> Any:
        if name in self._functions:
            return self._functions[name]
        if name in _VALUES:
            return _VALUES[name]
        first, _, last = name.rpartition(".")
        if first in ("torch", "torch.cuda", "torch.storage") and last in STORAGES:
            return StorageType(getattr(_core, STORAGES[last]))
        if first == "torch":
            value = getattr(_core, last, None)
            if isinstance(value, adjoint.dtype):
                return value
            if _DTYPE.fullmatch(last):
                raise UnpicklingError(
                    f"it holds values of the dtype {name}, which is not supported"
                )
        if name.startswith(("numpy.", "numpy._core.")):
            from adjoint.serialization import _numpy_values

            value = _numpy_values.find(name)
            if value is not None:
                return value
        value = _safe_globals.find(name)
        if value is not None:
            self._user.append(value)
            return value
        raise UnpicklingError(_refusal(name))

    def call(self, function: Any, arguments: tuple[Any, ...], budget: Budget) -> Any:
        if isinstance(function, _Function):
            return function.call(*arguments)
        if isinstance(function, type) and function in _TYPES:
            return _TYPES[function](budget, *arguments)
        if any(function is allowed for allowed in self._user):
            return function(*arguments)
        from adjoint.serialization import _numpy_values

        if isinstance(function, _numpy_values.Function):
            return function.call(*arguments)
        raise ValueError(f"it calls {_told(function)}")

    def new(self, cls: Any, arguments: tuple[Any, ...]) -> Any:
        if cls is OrderedDict and not arguments:
            return OrderedDict()
        if isinstance(cls, type) and any(cls is allowed for allowed in self._user):
            return cls.__new__(cls, *arguments)
        raise ValueError(f"it makes an object of {_told(cls)}")

    def build(self, value: Any, state: Any) -> Any:
        if isinstance(value, (Tensor, OrderedDict)):
            value.__dict__.update(_attributes(state))
            return value
        if any(type(value) is allowed for allowed in self._user):
            if hasattr(type(value), "__setstate__"):
                value.__setstate__(state)
            else:
                for name, attribute in _attributes(state).items():
                    setattr(value, name, attribute)
            return value
        if type(value).__module__.partition(".")[0] == "numpy":
            from adjoint.serialization import _numpy_values

            return _numpy_values.build(value, state)
        raise ValueError(f"it sets the state of {_told(type(value))}")

    def _tensor(self, memory: Any, offset: Any, size: Any, stride: Any, requires_grad: Any = False,
                hooks: Any = None, metadata: Any = None) -> Tensor:  # fmt: skip
        if not isinstance(memory, Memory):
            raise ValueError("a tensor has no memory")
        tensor = view(memory, tuple(size), tuple(stride), offset)
        for kind, resolve in (("conj", adjoint.conj), ("neg", adjoint.neg)):
            if metadata and metadata.get(kind):
                self._copies.spend(tensor.numel() * tensor.itemsize)
                source, tensor = tensor, resolve(tensor)
                self._resolved.append((tensor, source, resolve))
        return tensor.requires_grad_() if requires_grad is True else tensor

    def resolve(self) -> None:
        """Compute conjugates again, of memories that were filled since they were named."""
        with adjoint.no_grad():
            for tensor, source, resolve in self._resolved:
                tensor.copy_(resolve(source))

    def _tensor_of_dtype(
        self, memory: Any, offset: Any, size: Any, stride: Any, requires_grad: Any, hooks: Any,
        dtype: Any, metadata: Any = None
    ) -> Tensor:  # fmt: skip
        if not isinstance(memory, Memory) or memory.tensor.dtype != dtype:
            raise UnpicklingError(
                f"a tensor of {dtype} in memory of another dtype is not supported"
            )
        return self._tensor(memory, offset, size, stride, requires_grad, hooks, metadata)

    def _parameter(self, data: Any, requires_grad: Any, hooks: Any = None) -> Tensor:
        if not isinstance(data, Tensor):
            raise ValueError("a parameter has no tensor")
        return adjoint.nn.Parameter(data.detach(), requires_grad is True)

    def _parameter_with_state(
        self, data: Any, requires_grad: Any, hooks: Any, state: Any
    ) -> Tensor:
        parameter = self._parameter(data, requires_grad)
        parameter.__dict__.update(_attributes(state))
        return parameter

    def _tensor_of_type(self, function: Any, cls: Any, arguments: Any, state: Any) -> Tensor:
        if not isinstance(function, _Function) or not isinstance(arguments, tuple):
            raise ValueError("a tensor is made by no known function")
        tensor = function.call(*arguments)
        known = cls in (Tensor, adjoint.nn.Parameter) or any(cls is c for c in self._user)
        if not isinstance(tensor, Tensor) or not known or not issubclass(cls, Tensor):
            raise ValueError("a tensor has no known type")
        if type(tensor) is not cls:
            tensor = Tensor._make_subclass(cls, tensor.detach(), tensor.requires_grad)
        tensor.__dict__.update(_attributes(state))
        return tensor


def _refusal(name: str) -> str:
    """What to do about a name that is refused."""
    start = f"it asks for {name}, which load() does not make, and nothing in a file is executed. "
    if "._rebuild_" in name:
        return start + "Only dense tensors with memory of their own are supported."
    if name.startswith(("torch.nn.", "torch.optim.")):
        return start + "Save the state_dict() of a module or an optimizer instead of itself."
    return start + (
        "If it is a class of yours that only holds data, allow it with "
        f"adjoint.serialization.add_safe_globals([{name.rpartition('.')[2]}]); "
        "of a module save the state_dict()."
    )


def _told(value: Any) -> str:
    return str(getattr(value, "__qualname__", None) or getattr(value, "name", type(value).__name__))


def _attributes(state: Any) -> dict[str, Any]:
    """The attributes in a state; those of slots stand in a dict of their own."""
    parts = state if isinstance(state, tuple) and len(state) == 2 else (state,)
    attributes: dict[str, Any] = {}
    for part in parts:
        if part is None:
            continue
        if not isinstance(part, dict) or any(type(name) is not str for name in part):
            raise ValueError("the state of an object is no dict of attributes")
        attributes.update(part)
    if any(name.startswith("__") for name in attributes):
        raise ValueError("the state of an object sets special attributes")
    return attributes


def _layout(name: Any) -> Any:
    if name != "torch.strided":
        raise UnpicklingError(f"the layout {name!r} is not supported: tensors are strided")
    return adjoint.strided


def _text(value: Any) -> str:
    if type(value) is not str:
        raise ValueError("a version is no text")
    return value


def _device(*arguments: Any) -> Any:
    return adjoint.device(*arguments)


def _encode(text: Any, encoding: Any = "utf-8") -> bytes:
    if type(text) is not str or encoding not in ("latin1", "latin-1", "ascii", "utf-8", "utf8"):
        raise ValueError("bytes are no text in latin1")
    return text.encode(encoding)


def _size(budget: Budget, values: Any = ()) -> Any:
    if not isinstance(values, (list, tuple)) or any(type(n) is not int for n in values):
        raise ValueError("a size is no row of integers")
    return adjoint.Size(values)


def _pairs(budget: Budget, values: Any) -> Any:
    if isinstance(values, dict):
        return values
    if isinstance(values, (list, tuple)) and all(
        isinstance(pair, (list, tuple)) and len(pair) == 2 for pair in values
    ):
        return [(budget.key(key), value) for key, value in values]
    raise ValueError("a dict is made of no pairs")


def _default_dict(budget: Budget, factory: Any = None, values: Any = ()) -> Any:
    if factory is not None and (not isinstance(factory, type) or factory not in _FACTORIES):
        raise UnpicklingError(f"a defaultdict of {_told(factory)} is not allowed")
    budget.spend_factory()
    return defaultdict(factory, _pairs(budget, values))


def _counter(budget: Budget, values: Any = None) -> Any:
    if values is not None and not isinstance(values, dict):
        raise ValueError("a Counter is made of no dict")
    counter: Counter[Any] = Counter()
    counter.update(values or {})
    return counter


def _set_of(kind: type) -> Callable[..., Any]:
    def make(budget: Budget, values: Any = ()) -> Any:
        if not isinstance(values, (list, tuple, set, frozenset)):
            raise ValueError("a set is made of no list")
        return kind(map(budget.key, values))

    return make


def _row_of(kind: type) -> Callable[..., Any]:
    def make(budget: Budget, values: Any = ()) -> Any:
        if not isinstance(values, (list, tuple, set, frozenset)):
            raise ValueError(f"a {kind.__name__} is made of no list")
        return kind(values)

    return make


def _numbers_of(kind: type, allowed: tuple[type, ...]) -> Callable[..., Any]:
    def make(budget: Budget, *values: Any) -> Any:
        if any(type(value) not in allowed for value in values):
            raise ValueError(f"a {kind.__name__} is made of no numbers")
        return kind(*values)

    return make


def _bytes_of(kind: type) -> Callable[..., Any]:
    def make(budget: Budget, data: Any = b"", encoding: Any = None) -> Any:
        if encoding is not None:
            data = _encode(data, encoding)
        if not isinstance(data, (bytes, bytearray)):
            raise ValueError(f"a {kind.__name__} is made of no bytes")
        return kind(data)

    return make


# What calling a type does: the types themselves take too much, `bytes(10**12)`.
_TYPES: dict[type, Callable[..., Any]] = {
    OrderedDict: lambda budget, values=(): OrderedDict(_pairs(budget, values)),
    dict: lambda budget, values=(): dict(_pairs(budget, values)),
    defaultdict: _default_dict,
    Counter: _counter,
    set: _set_of(set),
    frozenset: _set_of(frozenset),
    list: _row_of(list),
    tuple: _row_of(tuple),
    adjoint.Size: _size,
    complex: _numbers_of(complex, (int, float)),
    slice: _numbers_of(slice, (int, type(None))),
    range: _numbers_of(range, (int,)),
    bytes: _bytes_of(bytes),
    bytearray: _bytes_of(bytearray),
}
_FORMATS = ("strided", "contiguous_format", "preserve_format", "channels_last", "channels_last_3d")
_FACTORIES = {list, dict, set, tuple, str, int, float, bool, complex, OrderedDict, Counter}
_VALUES: dict[str, Any] = {
    **{f"torch.{name}": getattr(adjoint, name) for name in _FORMATS},
    **{f"{t.__module__}.{t.__name__}": t for t in {*_TYPES, *_FACTORIES} if t is not adjoint.Size},
    "torch.Size": adjoint.Size,
    "torch.Tensor": Tensor,
    "torch._C._TensorBase": Tensor,
    "torch.nn.parameter.Parameter": adjoint.nn.Parameter,
}
