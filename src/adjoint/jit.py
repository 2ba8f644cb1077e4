"""`script` and `trace` give back what they are given, which runs as ordinary Python.

>>> @adjoint.jit.script
... def f(x):
...     return x + 1
>>> f(adjoint.zeros(1))
tensor([1.])
"""

from __future__ import annotations

import contextlib
import types
import typing
from collections.abc import Iterator
from typing import Any, Final, NamedTuple, NoReturn

from adjoint.nn import Module

__all__ = [
    "Final",
    "annotate",
    "enable_onednn_fusion",
    "export",
    "fork",
    "freeze",
    "ignore",
    "interface",
    "is_scripting",
    "is_tracing",
    "load",
    "onednn_fusion_enabled",
    "optimize_for_inference",
    "optimized_execution",
    "run_frozen_optimizations",
    "save",
    "script",
    "script_if_tracing",
    "script_method",
    "set_fusion_strategy",
    "strict_fusion",
    "trace",
    "trace_module",
    "unused",
    "wait",
]


def script(obj: Any, *args: Any, **kwargs: Any) -> Any:
    """`obj`, a function, class or Module, itself."""
    return obj


def trace(func: Any, example_inputs: Any = None, *args: Any, **kwargs: Any) -> Any:
    """`func` itself, which, unlike a trace, still branches; it is called once on the example."""
    if example_inputs is not None:
        if not isinstance(example_inputs, (tuple, list)):
            example_inputs = (example_inputs,)
        func(*example_inputs)
    return func


def trace_module(mod: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """`mod` itself."""
    return mod


def freeze(mod: Any, *args: Any, **kwargs: Any) -> Any:
    """`mod` itself."""
    return mod


def optimize_for_inference(mod: Any, other_methods: Any = None) -> Any:
    """`mod` itself."""
    return mod


run_frozen_optimizations = optimize_for_inference


def export(fn: Any) -> Any:
    """`fn` itself."""
    return fn


script_if_tracing = script_method = export


def interface(obj: Any) -> Any:
    """The class itself."""
    return obj


def annotate(the_type: Any, the_value: Any) -> Any:
    """`the_value` itself.

    >>> adjoint.jit.annotate(list, [1])
    [1]
    """
    return the_value


class Attribute(NamedTuple):
    """A value with its type, for attributes of scripted modules."""

    value: Any
    type: Any


def set_fusion_strategy(strategy: Any) -> Any:
    """Accepted; does nothing."""
    return strategy


def enable_onednn_fusion(enabled: bool) -> None:
    """Accepted; does nothing."""


def onednn_fusion_enabled() -> bool:
    """Whether graphs are fused by oneDNN: no."""
    return False


def is_instance(obj: Any, target_type: Any) -> bool:
    """Python's `isinstance`, for types such as `list[int]` by their container alone.

    >>> adjoint.jit.isinstance([1], list[int])
    True
    """
    origin = typing.get_origin(target_type)
    if origin in (typing.Union, types.UnionType):
        return any(is_instance(obj, part) for part in typing.get_args(target_type))
    if isinstance(target_type, tuple):
        return any(is_instance(obj, part) for part in target_type)
    if not isinstance(obj, origin or target_type):
        return False
    inner = typing.get_args(target_type)
    if origin is list:
        return all(is_instance(item, inner[0]) for item in obj)
    if origin is dict:
        return all(is_instance(k, inner[0]) and is_instance(v, inner[1]) for k, v in obj.items())
    if origin is tuple and Ellipsis not in inner:
        pairs = zip(obj, inner, strict=False)
        return len(obj) == len(inner) and all(is_instance(item, part) for item, part in pairs)
    return True


class strict_fusion:
    """Accepted: a context manager that does nothing."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass


def ignore(drop: Any = False, **kwargs: Any) -> Any:
    """The function itself, or a decorator."""
    return drop if callable(drop) else lambda fn: fn


def unused(fn: Any) -> Any:
    """`fn` itself."""
    return fn


def is_scripting() -> bool:
    """Whether a script is being compiled: no."""
    return False


def is_tracing() -> bool:
    """Whether a trace is being made: no."""
    return False


def fork(func: Any, *args: Any, **kwargs: Any) -> Any:
    """The result of the call, for `wait`."""
    return func(*args, **kwargs)


def wait(future: Any) -> Any:
    """What `fork` gave."""
    return future


@contextlib.contextmanager
def optimized_execution(should_optimize: bool) -> Iterator[None]:
    """Accepted; does nothing."""
    yield


def _no_files(*args: Any, **kwargs: Any) -> NoReturn:
    raise NotImplementedError(
        "adjoint.jit keeps no programs in files: save model.state_dict() with adjoint.save, and "
        "load it into a model made by its own Python code"
    )


save = load = _no_files


class ScriptModule(Module):
    """A Module, as programs of the time before `script` derive from it."""


class RecursiveScriptModule(ScriptModule):
    """What scripting a Module would give: there are none."""


class ScriptFunction:
    """There are none: a class to ask `isinstance` about."""


class TracerWarning(Warning):
    """Never given: what a trace cannot follow."""


class Error(RuntimeError):
    """Never raised: an error of a scripted program."""


def __getattr__(name: str) -> Any:  # torch's name; within this module it stays Python's
    if name == "isinstance":
        return is_instance
    raise AttributeError(f"module 'adjoint.jit' has no attribute '{name}'")
