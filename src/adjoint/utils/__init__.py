"""Tools around training; each module is loaded on first use."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType

__all__ = ["checkpoint", "data", "hooks"]


def __getattr__(name: str) -> ModuleType:
    if not name.startswith("_") and importlib.util.find_spec(f"adjoint.utils.{name}"):
        return importlib.import_module(f"adjoint.utils.{name}")
    raise AttributeError(f"module 'adjoint.utils' has no attribute {name!r}")
