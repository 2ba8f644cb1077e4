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

__all__ = [
    "allow_in_graph",
    "assume_constant_result",
    "compile",
    "cudagraph_mark_step_begin",
    "disable",
    "is_compiling",
    "is_dynamo_compiling",
    "is_exporting",
    "list_backends",
    "reset",
    "set_stance",
]

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


def is_exporting() -> bool:
    """Whether a program is being exported: no."""
    return False


def allow_in_graph(fn: Any) -> Any:
    """The function itself."""
    return fn


assume_constant_result = nested_compile_region = allow_in_graph


def substitute_in_graph(original_fn: Any, **options: Any) -> Callable[[Any], Any]:
    """A decorator that gives the function itself."""
    return lambda fn: fn


def list_backends(exclude_tags: Any = ()) -> list[str]:
    """The compilers: none."""
    return []


def cudagraph_mark_step_begin() -> None:
    """Nothing: there are no CUDA graphs."""


def set_enable_guard_collectives(enabled: bool) -> bool:
    """Accepted; False, what it was."""
    return False


class set_stance:
    """Accepted, called, as a context manager or as a decorator: everything runs eagerly."""

    def __init__(self, stance: str = "default", **options: Any) -> None:
        pass

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        pass

    def __call__(self, fn: Any) -> Any:
        return fn


def wrap_numpy(fn: Callable[..., Any]) -> Callable[..., Any]:
    """A function of NumPy's arrays as one of tensors.

    >>> import numpy
    >>> adjoint.compiler.wrap_numpy(numpy.sin)(adjoint.zeros(1))
    tensor([0.])
    """
    import numpy

    import adjoint

    @functools.wraps(fn)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        def to_array(x: Any) -> Any:
            return x.numpy() if isinstance(x, adjoint.Tensor) else x

        result = fn(*map(to_array, args), **{k: to_array(v) for k, v in kwargs.items()})
        return adjoint.as_tensor(result) if isinstance(result, numpy.ndarray) else result

    return wrapped
