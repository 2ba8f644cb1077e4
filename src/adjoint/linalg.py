"""Linear algebra: norms now, factorisations and solvers as the core gets them."""

from __future__ import annotations

from typing import Any

from adjoint import _core

_operators: dict[str, Any] = _core._namespaces.get("linalg", {})
globals().update(_operators)

__all__ = sorted(_operators)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"adjoint.linalg has no {name!r}: misspelt, or not there yet")
