"""The CPU, as the device that it is.

>>> adjoint.cpu.is_available(), adjoint.cpu.device_count()
(True, 1)
"""

from __future__ import annotations

from typing import Any

from adjoint.cpu import amp

__all__ = ["amp", "current_device", "device_count", "is_available", "synchronize"]


def is_available() -> bool:
    """Whether there is a CPU: yes."""
    return True


def device_count() -> int:
    """Number of CPU devices: 1."""
    return 1


def current_device() -> str:
    """The name of the device: "cpu"."""
    return "cpu"


def synchronize(device: Any = None) -> None:
    """Nothing to wait for: work on the CPU is done when a call returns."""
