"""Tools around training; :mod:`adjoint.utils.data` is loaded on first use."""

from __future__ import annotations

import importlib
from types import ModuleType

__all__ = ["data", "hooks"]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"adjoint.utils.{name}")
    raise AttributeError(f"module 'adjoint.utils' has no attribute {name!r}")
