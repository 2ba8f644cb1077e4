"""Tools around training; each module is loaded on first use."""

from __future__ import annotations

import importlib
import importlib.util
from types import ModuleType
from typing import Any

__all__ = ["checkpoint", "data", "hooks", "set_module"]


def __getattr__(name: str) -> ModuleType:
    if not name.startswith("_") and importlib.util.find_spec(f"adjoint.utils.{name}"):
        return importlib.import_module(f"adjoint.utils.{name}")
    raise AttributeError(f"module 'adjoint.utils' has no attribute {name!r}")


def set_module(obj: Any, mod: str) -> None:
    """Sets the module that an object says it is of."""
    if not isinstance(mod, str):
        raise TypeError(f"mod must be a string, got {type(mod).__name__}")
    obj.__module__ = mod
