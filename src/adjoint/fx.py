"""Graphs of programs are not there: names that programs import, which say so when they are used.

>>> @adjoint.fx.wrap
... def f(x):
...     return x
>>> adjoint.fx.symbolic_trace(f)
Traceback (most recent call last):
NotImplementedError: adjoint records no graphs of programs: torch.fx.symbolic_trace is not offered
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["Graph", "GraphModule", "Interpreter", "Node", "Proxy", "Tracer", "Transformer",
           "replace_pattern", "symbolic_trace", "wrap"]  # fmt: skip


def wrap(fn_or_name: Any) -> Any:
    """The function itself: nothing traces it."""
    return fn_or_name


def _refuse(name: str) -> NoReturn:
    raise NotImplementedError(
        f"adjoint records no graphs of programs: torch.fx.{name} is not offered"
    )


class _Absent:
    """A class to ask `isinstance` about; there are no instances."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse(type(self).__name__)


class Graph(_Absent):
    """There are none."""


class GraphModule(_Absent):
    """There are none."""


class Interpreter(_Absent):
    """There are none."""


class Node(_Absent):
    """There are none."""


class Proxy(_Absent):
    """There are none."""


class Tracer(_Absent):
    """There are none."""


class Transformer(_Absent):
    """There are none."""


def symbolic_trace(root: Any, concrete_args: Any = None) -> NoReturn:
    """A NotImplementedError."""
    _refuse("symbolic_trace")


def replace_pattern(gm: Any, pattern: Any, replacement: Any) -> NoReturn:
    """A NotImplementedError."""
    _refuse("replace_pattern")
