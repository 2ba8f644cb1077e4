"""`script` and `trace` give back what they are given, which runs as ordinary Python.

>>> @adjoint.jit.script
... def f(x):
...     return x + 1
>>> f(adjoint.zeros(1))
tensor([1.])
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Final, NoReturn

__all__ = [
    "Final",
    "export",
    "fork",
    "freeze",
    "ignore",
    "is_scripting",
    "is_tracing",
    "load",
    "optimized_execution",
    "save",
    "script",
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


def export(fn: Any) -> Any:
    """`fn` itself."""
    return fn


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


class ScriptModule:
    """There are none: a class to ask `isinstance` about."""


class ScriptFunction:
    """There are none: a class to ask `isinstance` about."""
