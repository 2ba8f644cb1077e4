"""The classes of named results: of `adjoint.max(x, 0)`, `adjoint.linalg.qr(A)` and the like.

>>> isinstance(adjoint.ones(2).max(0), adjoint.return_types.max)
True
"""

from __future__ import annotations

from typing import Any

from adjoint import _core


def __getattr__(name: str) -> Any:
    if not name.startswith("__"):
        classes = _core._return_types()
        globals().update(classes)
        if name in classes:
            return classes[name]
    raise AttributeError(f"module 'adjoint.return_types' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted(_core._return_types())
