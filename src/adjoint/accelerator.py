"""Honest answers about accelerators: this build has none, everything is on the CPU.

>>> from adjoint.accelerator import current_accelerator, is_available
>>> is_available(), current_accelerator() is None
(False, True)
"""

from __future__ import annotations

from typing import Any

__all__ = ["current_accelerator", "current_device_index", "device_count", "empty_cache",
           "is_available", "set_device_index", "synchronize"]  # fmt: skip


def is_available() -> bool:
    """Whether tensors can live on an accelerator: no."""
    return False


def device_count() -> int:
    """Number of accelerators: 0."""
    return 0


def current_accelerator(check_available: bool = False) -> None:
    """The accelerator in use: None."""
    return


def current_device_index() -> int:
    """A RuntimeError: there is no accelerator."""
    raise RuntimeError("this build of adjoint has no accelerator: only 'cpu' is available")


def set_device_index(device: Any) -> None:
    """A RuntimeError: there is no accelerator."""
    current_device_index()


def synchronize(device: Any = None) -> None:
    """Nothing to wait for: work on the CPU is done when a call returns."""


def empty_cache() -> None:
    """Nothing to empty: freed memory is given back."""
