"""Operators by namespace: those of `adjoint.library`, and adjoint's own as `ops.aten`.

>>> adjoint.ops.aten.add(adjoint.ones(1), 1)
tensor([2.])
"""

from __future__ import annotations

from typing import Any

import adjoint


class _Namespace:
    """`ops.NAME`: its attributes are operators."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        from adjoint import library

        operator = library._operators.get(f"{self._name}::{name}")
        if operator is None:
            raise AttributeError(
                f"'_OpNamespace' '{self._name}' object has no attribute '{name}'",
                name=name,
                obj=self,
            )
        return operator

    def __repr__(self) -> str:
        return f"<namespace {self._name} of adjoint.ops>"


class _Aten(_Namespace):
    def __getattr__(self, name: str) -> Any:
        for module in (adjoint, adjoint.nn.functional, adjoint.linalg, adjoint.special):
            if not name.startswith("__") and callable(getattr(module, name, None)):
                return getattr(module, name)
        return super().__getattr__(name)


aten = _Aten("aten")


def load_library(path: Any) -> None:
    """A NotImplementedError: libraries of operators are built against torch's binaries."""
    raise NotImplementedError(
        f"adjoint cannot load {path}: libraries of operators are built against torch's binaries"
    )


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(f"module 'adjoint.ops' has no attribute '{name}'")
    namespace = globals()[name] = _Namespace(name)
    return namespace
