"""Memory formats of convolutions' weights: accepted, as everywhere, and not acted on."""

from __future__ import annotations

from typing import Any

__all__ = ["convert_conv2d_weight_memory_format", "convert_conv3d_weight_memory_format"]


def convert_conv2d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Return ``module``: kernels take their own order of a weight's elements."""
    return module


def convert_conv3d_weight_memory_format(module: Any, memory_format: Any) -> Any:
    """Return ``module``: kernels take their own order of a weight's elements."""
    return module
