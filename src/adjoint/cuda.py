"""Honest answers about CUDA: this build has no devices of that kind."""

from __future__ import annotations

from typing import Any


def is_available() -> bool:
    """Whether tensors can live on a GPU: no.

    >>> adjoint.cuda.is_available()
    False
    """
    return False


def device_count() -> int:
    """Number of GPUs that can be used: 0."""
    return 0


def is_initialized() -> bool:
    """Whether CUDA was started: no."""
    return False


def manual_seed(seed: int) -> None:
    """Accepted for compatibility: there is no generator to seed."""


def manual_seed_all(seed: int) -> None:
    """Accepted for compatibility: there is no generator to seed."""


def empty_cache() -> None:
    """Accepted for compatibility: there is nothing cached."""


def synchronize(device: Any = None) -> None:
    """Accepted for compatibility: work on the CPU is done when a call returns."""
