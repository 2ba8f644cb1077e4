"""The functional form of the layers, activations and losses.

Every function here is an operator of the core, published under torch's name and signature, but for
the few that put several of them together (``_functional_*.py``).
``help(adjoint.nn.functional.gelu)`` shows the operator's own docstring.
"""

from __future__ import annotations

from typing import Any

from adjoint import _core

from . import (
    _functional_attention,
    _functional_dropout,
    _functional_losses,
    _functional_pooling,
    _functional_resample,
)

_operators: dict[str, Any] = _core._namespaces.get("nn.functional", {})
globals().update(_operators)
_composed: list[str] = []
for _module in (
    _functional_attention,
    _functional_dropout,
    _functional_losses,
    _functional_pooling,
    _functional_resample,
):
    globals().update({name: getattr(_module, name) for name in _module.__all__})
    _composed += _module.__all__

__all__ = sorted({*_operators, *_composed})


def __getattr__(name: str) -> Any:
    from . import _functional_parts  # no part of the interface, but imported by programs

    if name in _functional_parts.__all__:
        return getattr(_functional_parts, name)
    raise AttributeError(
        f"adjoint.nn.functional has no {name!r}: "
        "either the name is misspelt or this version of adjoint does not have the operator yet"
    )
