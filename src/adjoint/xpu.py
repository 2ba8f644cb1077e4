"""Honest answers about Intel's GPUs: this build has no devices of that kind.

>>> from adjoint.xpu import is_available
>>> is_available()
False
"""

from __future__ import annotations

__all__ = ["device_count", "empty_cache", "is_available", "manual_seed", "synchronize"]


def is_available() -> bool:
    """Whether tensors can live there: no."""
    return False


def device_count() -> int:
    """Number of devices: 0."""
    return 0


def manual_seed(seed: int) -> None:
    """Accepted: there is no generator to seed."""


def empty_cache() -> None:
    """Accepted: there is nothing cached."""


def synchronize() -> None:
    """Accepted: work on the CPU is done when a call returns."""
