"""Mixed precision on the CPU: `adjoint.amp` with its device filled in."""

from __future__ import annotations

from typing import Any

from adjoint import _core, amp
from adjoint.amp import GradScaler

__all__ = ["GradScaler", "autocast"]


class autocast(amp.autocast):
    """`adjoint.autocast("cpu", ...)`."""

    def __init__(
        self,
        enabled: bool = True,
        dtype: Any = _core.bfloat16,
        cache_enabled: bool = True,
    ) -> None:
        super().__init__("cpu", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)
