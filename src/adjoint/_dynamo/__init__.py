"""What programs call around a compiler: there is none, and functions run as they are.

>>> adjoint._dynamo.config.cache_size_limit = 64
>>> adjoint._dynamo.reset()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint._dynamo import config
from adjoint.compiler import (
    allow_in_graph,
    assume_constant_result,
    disable,
    is_compiling,
    list_backends,
    reset,
    substitute_in_graph,
)

__all__ = ["OptimizedModule", "allow_in_graph", "assume_constant_result", "config", "disable",
           "disallow_in_graph", "forbid_in_graph", "graph_break", "is_compiling", "list_backends",
           "mark_dynamic", "mark_static", "mark_static_address", "maybe_mark_dynamic",
           "nonstrict_trace", "optimize", "reset", "run", "substitute_in_graph"]  # fmt: skip


def _itself(fn: Any) -> Any:
    """The function itself."""
    return fn


disallow_in_graph = forbid_in_graph = nonstrict_trace = _itself


def run(fn: Any = None) -> Any:
    """The function itself, or a decorator."""
    return fn if fn is not None else _itself


def optimize(backend: Any = "inductor", **options: Any) -> Callable[[Any], Any]:
    """A decorator that gives the function itself."""
    return _itself


def graph_break(msg: str = "") -> None:
    """Accepted: there is no graph to break."""


def mark_dynamic(t: Any, index: Any, *, min: int | None = None, max: int | None = None) -> None:
    """Accepted: all sizes are dynamic."""


def maybe_mark_dynamic(t: Any, index: Any) -> None:
    """Accepted: all sizes are dynamic."""


def mark_static(t: Any, index: Any = None) -> None:
    """Accepted: all sizes are dynamic."""


def mark_static_address(t: Any, guard: bool = True) -> None:
    """Accepted: no address is compiled in."""


class OptimizedModule:
    """There are none: a class to ask `isinstance` about."""
