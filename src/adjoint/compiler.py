"""`compile` is accepted and runs eagerly: there is no compiler yet, and little overhead to remove.

>>> @adjoint.compile
... def f(x):
...     return x * 2
>>> f(adjoint.ones(2))
tensor([2., 2.])
"""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["compile", "disable", "is_compiling", "is_dynamo_compiling", "reset"]

F = TypeVar("F", bound=Callable[..., Any])

_told = False


def _tell() -> None:
    global _told
    if not _told:
        _told = True
        warnings.warn(
            "adjoint.compile accepts the model and runs it eagerly", UserWarning, stacklevel=3
        )


def compile(
    model: Any = None,
    *,
    fullgraph: bool = False,
    dynamic: bool | None = None,
    backend: Any = "inductor",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
) -> Any:
    """The model (a function or a Module) itself; a warning says once that it runs eagerly.

    Without `model` it is a decorator. All options are accepted.
    """
    if model is None:
        return functools.partial(compile, disable=disable)
    if not callable(model):
        raise TypeError(f"compile: the model must be callable, got {type(model).__name__}")
    if not disable:
        _tell()
    return model


def disable(fn: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
    """The function itself, or a decorator."""
    return fn if fn is not None else lambda f: f


def is_compiling() -> bool:
    """Whether a compiler traces the program: no."""
    return False


is_dynamo_compiling = is_compiling


def reset() -> None:
    """Forget what was compiled: nothing is."""
