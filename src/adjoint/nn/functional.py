"""The functional form of the layers, activations and losses.

Every function here is an operator of the core, published under torch's name and signature; nothing
is written in Python. ``help(adjoint.nn.functional.gelu)`` shows the operator's own docstring.
"""

from __future__ import annotations

from typing import Any

from adjoint import _core

_operators: dict[str, Any] = _core._namespaces.get("nn.functional", {})
globals().update(_operators)

__all__ = sorted(_operators)


def __getattr__(name: str) -> Any:
    raise AttributeError(
        f"adjoint.nn.functional has no {name!r}: "
        "either the name is misspelt or this version of adjoint does not have the operator yet"
    )
