"""Overrides of functions: `__torch_function__` of classes, and modes.

An argument takes a call over if its class has a classmethod `__torch_function__(cls, func, types,
args=(), kwargs=None)`; of several classes a subclass is asked before its bases, then the leftmost.
Subclasses of Tensor have one: their results are of the subclass too. A `TorchFunctionMode` sees
every call while it is entered.

>>> class Unit(adjoint.Tensor):
...     pass
>>> x = adjoint.ones(2).as_subclass(Unit)
>>> x + 1
Unit([2., 2.])
"""

from __future__ import annotations

import functools
import types as _types
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import adjoint
from adjoint import Tensor, _core

__all__ = ["BaseTorchFunctionMode", "DisableTorchFunction", "DisableTorchFunctionSubclass",
           "TorchFunctionMode", "enable_reentrant_dispatch", "get_default_nowrap_functions",
           "get_ignored_functions", "get_overridable_functions", "get_testing_overrides",
           "handle_torch_function", "has_torch_function", "has_torch_function_unary",
           "has_torch_function_variadic", "is_tensor_like", "is_tensor_method_or_property",
           "redispatch_function", "resolve_name", "wrap_torch_function"]  # fmt: skip


class _State:
    """Sets which overrides are asked in this thread, as a context manager."""

    _state = 0

    def __enter__(self) -> None:
        self._before = _core._set_torch_function_state(
            max(self._state, _core._torch_function_state())
        )

    def __exit__(self, *error: Any) -> None:
        _core._set_torch_function_state(self._before)


class DisableTorchFunctionSubclass(_State):
    """Within it `__torch_function__` of arguments is not asked; modes are.

    >>> class Loud(adjoint.Tensor):
    ...     pass
    >>> x = adjoint.ones(1).as_subclass(Loud)
    >>> with adjoint.overrides.DisableTorchFunctionSubclass():
    ...     type(x + 1).__name__
    'Tensor'
    """

    _state = 1


class DisableTorchFunction(_State):
    """Within it neither arguments nor modes take calls over."""

    _state = 2


def _convert(value: Any, cls: type) -> Any:
    """`value` with the plain tensors in it, one deep in tuples and lists, as objects of `cls`."""
    if isinstance(value, Tensor):
        return value if isinstance(value, cls) else value.as_subclass(cls)
    if isinstance(value, (tuple, list)) and not isinstance(value, adjoint.Size):
        items = [_convert(item, cls) for item in value]
        return type(value)(*items) if hasattr(value, "_make") else type(value)(items)
    return value


def _torch_function_of_tensor(
    cls: type, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
) -> Any:
    """What subclasses of Tensor do by default: the plain call, with results as objects of `cls`."""
    if not all(issubclass(cls, kind) for kind in types):
        return NotImplemented
    with DisableTorchFunctionSubclass():
        result = func(*args, **(kwargs or {}))
        if cls is Tensor or func in get_default_nowrap_functions():
            return result
        return _convert(result, cls)


@functools.cache
def get_default_nowrap_functions() -> set[Any]:
    """The functions whose results the default `__torch_function__` leaves as they are."""
    return {vars(Tensor)[name].__get__ for name in ("_base", "grad", "_grad")}


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether one of the arguments, or a mode, takes calls of functions over.

    >>> adjoint.overrides.has_torch_function((adjoint.ones(1),))
    False
    """
    return _core._overriding(tuple(relevant_args))


def has_torch_function_unary(obj: Any) -> bool:
    """`has_torch_function` of one argument."""
    return _core._overriding((obj,))


def has_torch_function_variadic(*objects: Any) -> bool:
    """`has_torch_function` of arguments one by one."""
    return _core._overriding(objects)


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> Any:
    """What the mode, or the first of `relevant_args` that does not decline, makes of the call.

    Raises:
        TypeError: nobody takes the call over.
    """
    return _core._handle_torch_function(public_api, tuple(relevant_args), args, kwargs)


def wrap_torch_function(dispatcher: Callable[..., Iterable[Any]]) -> Callable[..., Any]:
    """A decorator that lets a function be overridden by the arguments that `dispatcher` returns.

    >>> @adjoint.overrides.wrap_torch_function(lambda x: (x,))
    ... def double(x):
    ...     return 2 * x
    >>> double(4)
    8
    """

    def decorate(func: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            relevant = tuple(dispatcher(*args, **kwargs))
            if _core._overriding(relevant):
                return handle_torch_function(wrapped, relevant, *args, **kwargs)
            return func(*args, **kwargs)

        return wrapped

    return decorate


def _get_overloaded_args(
    relevant_args: Iterable[Any], get_type_fn: Callable[[Any], type] | None = None
) -> list[Any]:
    """One argument of each overriding class, in the order in which they are asked."""
    return list(_core._overridden_by(tuple(relevant_args)))


class TorchFunctionMode:
    """A context manager that takes over the calls of functions within it.

    A subclass defines `__torch_function__(self, func, types, args=(), kwargs=None)`; calls that it
    makes itself go to the mode around it. Operators and methods are seen; a function written
    in Python is seen by the operators that it calls.

    >>> class Names(adjoint.overrides.TorchFunctionMode):
    ...     def __torch_function__(self, func, types, args=(), kwargs=None):
    ...         print(func.__name__)
    ...         return func(*args, **(kwargs or {}))
    >>> with Names():
    ...     x = adjoint.ones(2) * 3
    ones
    mul
    """

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        raise NotImplementedError(f"{type(self).__name__} does not define __torch_function__")

    def __enter__(self) -> Any:
        _core._push_function_mode(self)
        return self

    def __exit__(self, *error: Any) -> None:
        _core._pop_function_mode()

    @classmethod
    def push(cls, *args: Any, **kwargs: Any) -> Any:
        """An instance, to be entered by `with`."""
        return cls(*args, **kwargs)


class BaseTorchFunctionMode(TorchFunctionMode):
    """A mode that makes each call as it is."""

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Any = (), kwargs: Any = None
    ) -> Any:
        return func(*args, **(kwargs or {}))


def _get_current_function_mode() -> Any:
    modes = _core._function_modes()
    return modes[-1] if modes else None


def _get_current_function_mode_stack() -> list[Any]:
    return list(_core._function_modes())


class enable_reentrant_dispatch:
    """Accepted for compatibility: a context manager that does nothing."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass


def redispatch_function(func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    """The call of `func` without the overrides of its arguments."""
    with DisableTorchFunctionSubclass():
        return func(*args, **(kwargs or {}))


_SPACES = ("", "nn.functional", "linalg", "fft", "special")


@functools.cache
def _names() -> dict[Any, str]:
    """The functions that can be overridden, with their names."""
    names: dict[Any, str] = {}
    for name, value in vars(Tensor).items():
        if isinstance(value, (_types.GetSetDescriptorType, property)):
            if name not in ("__dict__", "__weakref__"):
                names.setdefault(value.__get__, f"torch.Tensor.{name}.__get__")
                names.setdefault(value.__set__, f"torch.Tensor.{name}.__set__")
        elif callable(value) and name not in _UNSEEN_METHODS:
            names.setdefault(getattr(Tensor, name), f"torch.Tensor.{name}")
    for space in _SPACES:
        module = functools.reduce(getattr, filter(None, space.split(".")), adjoint)
        for name in _core._namespaces[space]:
            value = getattr(module, name, None)
            if isinstance(value, _types.BuiltinFunctionType):
                names.setdefault(value, ".".join(filter(None, ["torch", space, name])))
    return names


_UNSEEN_METHODS = {"__new__", "__init__", "__hash__", "__getattribute__", "__setattr__",
                   "__delattr__", "__torch_function__", "_make_subclass"}  # fmt: skip


def resolve_name(f: Any) -> str | None:
    """The name of a function that can be overridden; None of others.

    >>> adjoint.overrides.resolve_name(adjoint.Tensor.add)
    'torch.Tensor.add'
    """
    return _names().get(f)


def get_overridable_functions() -> dict[Any, list[Any]]:
    """Functions that can be overridden, by the module or class that they are of."""
    spaces: dict[Any, list[Any]] = {}
    for function, name in _names().items():
        path = name.split(".")[1:-1]
        if name.startswith("torch.Tensor."):
            path = path[:2] if name.endswith(("__get__", "__set__")) else path[:1]
        spaces.setdefault(functools.reduce(getattr, path, adjoint), []).append(function)
    return spaces


def get_testing_overrides() -> dict[Any, Callable[..., Any]]:
    """For each function that can be overridden one that takes any arguments and returns -1."""
    return {function: lambda *args, **kwargs: -1 for function in _names()}


def get_ignored_functions() -> set[Any]:
    """Functions that cannot be overridden."""
    factories = ("arange", "empty", "eye", "full", "linspace", "logspace", "ones", "rand",
                 "randint", "randn", "randperm", "tensor", "as_tensor", "zeros", "is_tensor",
                 "manual_seed", "set_num_threads", "get_num_threads", "save", "load")  # fmt: skip
    return {getattr(adjoint, name) for name in factories}


def is_tensor_like(inp: Any) -> bool:
    """Whether it is a tensor, or has `__torch_function__`.

    >>> from adjoint.overrides import is_tensor_like
    >>> is_tensor_like(adjoint.ones(1)), is_tensor_like(0.5)
    (True, False)
    """
    return isinstance(inp, Tensor) or hasattr(inp, "__torch_function__")


def is_tensor_method_or_property(func: Any) -> bool:
    """Whether it is a method of `Tensor`, or reads or writes an attribute.

    >>> from adjoint.overrides import is_tensor_method_or_property
    >>> is_tensor_method_or_property(adjoint.Tensor.add)
    True
    """
    name = _names().get(func, "")
    return name.startswith("torch.Tensor.") or getattr(func, "__name__", "") == "__get__"
