"""Mixed precision on a GPU, which is absent: `autocast` and `GradScaler` are off, and say so."""

from __future__ import annotations

import warnings
from typing import Any

from adjoint import _core, amp
from adjoint.amp import custom_bwd, custom_fwd

__all__ = ["GradScaler", "amp_definitely_not_available", "autocast", "custom_bwd", "custom_fwd"]


def amp_definitely_not_available() -> bool:
    """Whether there can be no mixed precision on a GPU: so it is."""
    return True


class autocast(amp.autocast):
    """`adjoint.autocast("cuda", ...)`."""

    def __init__(
        self,
        enabled: bool = True,
        dtype: Any = _core.float16,
        cache_enabled: bool = True,
    ) -> None:
        super().__init__("cuda", dtype=dtype, enabled=enabled, cache_enabled=cache_enabled)


class GradScaler(amp.GradScaler):
    """`adjoint.amp.GradScaler`, disabled, since there is no GPU."""

    def __init__(
        self,
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if enabled:
            warnings.warn(
                "cuda.amp.GradScaler is enabled, but CUDA is not available: it is disabled",
                UserWarning,
                stacklevel=2,
            )
        super().__init__(
            "cuda", init_scale, growth_factor, backoff_factor, growth_interval, enabled=False
        )
