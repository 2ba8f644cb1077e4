"""Resizing of images: sizes and scale factors are made out here, the work is the core's."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from typing import Any

from adjoint import Tensor, _core

__all__ = ["interpolate", "upsample", "upsample_bilinear", "upsample_nearest"]

_interpolate = _core._namespaces["_nodes"]["interpolate"]
_adaptive_avg_pool = [
    _core._namespaces["nn.functional"][f"adaptive_avg_pool{n}d"] for n in (1, 2, 3)
]
_DIMENSIONS = {"linear": 3, "bilinear": 4, "bicubic": 4, "trilinear": 5}
_MODES = "nearest | linear | bilinear | bicubic | trilinear | area | nearest-exact"


def interpolate(
    input: Tensor,
    size: int | Sequence[int] | None = None,
    scale_factor: float | Sequence[float] | None = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
    recompute_scale_factor: bool | None = None,
    antialias: bool = False,
) -> Tensor:
    """Input [N, C, ...] with one to three spatial dimensions at another size: ``size``, or the
    floor of the old one times ``scale_factor``; a number for all dimensions or one for each.

    Args:
        mode: "nearest", "nearest-exact" (pixels rounded as in Pillow), "linear" (3-D input),
            "bilinear" and "bicubic" (4-D), "trilinear" (5-D), or "area" (adaptive averages).
        align_corners: the corner pixels keep their values, rather than pixels their areas; for the
            linear and cubic modes.
        recompute_scale_factor: positions follow from the sizes, not from ``scale_factor``.
        antialias: widen the kernel where the image shrinks, as Pillow does; for "bilinear" and
            "bicubic".

    Raises:
        ValueError: both or neither of ``size`` and ``scale_factor``, or a number of them that does
            not fit the input; ``align_corners`` or ``antialias`` for a mode without it.
        NotImplementedError: the mode is not one for inputs of so many dimensions.

    >>> adjoint.nn.functional.interpolate(adjoint.tensor([[[1.0, 2.0]]]), scale_factor=2)
    tensor([[[1., 1., 2., 2.]]])
    """
    if mode in ("nearest", "area", "nearest-exact"):
        if align_corners is not None:
            raise ValueError(
                "align_corners option can only be set with the interpolating modes: "
                f"linear | bilinear | bicubic | trilinear, not with mode={mode!r}"
            )
    elif mode not in _DIMENSIONS:
        raise NotImplementedError(f"mode must be one of {_MODES}, got {mode!r}")
    spatial = input.dim() - 2
    if spatial not in (1, 2, 3):
        raise NotImplementedError(
            f"Input Error: Only 3D, 4D and 5D input Tensors supported (got {input.dim()}D) "
            f"for the modes: {_MODES} (got {mode})"
        )
    if input.dim() != _DIMENSIONS.get(mode, input.dim()):
        raise NotImplementedError(
            f"Got {input.dim()}D input, but {mode} mode needs {_DIMENSIONS[mode]}D input"
        )
    if antialias and mode not in ("bilinear", "bicubic"):
        raise ValueError(
            "Anti-alias option is restricted to bilinear and bicubic modes and requires a 4-D "
            f"tensor as input, got mode={mode!r}"
        )
    if size is not None and scale_factor is not None:
        raise ValueError("only one of size or scale_factor should be defined")
    sizes, scales = _sizes_and_scales(
        input, size, scale_factor, bool(recompute_scale_factor) or mode == "area"
    )
    if recompute_scale_factor and size is not None:
        raise ValueError("recompute_scale_factor is not meaningful with an explicit size.")
    if mode == "area":
        return _adaptive_avg_pool[spatial - 1](input, sizes)
    return _interpolate(input, sizes, mode, bool(align_corners), antialias, *scales)


def _sizes_and_scales(
    input: Tensor, size: Any, scale_factor: Any, recompute: bool
) -> tuple[list[int], list[float]]:
    old = list(input.shape[2:])
    if size is not None:
        sizes = list(size) if isinstance(size, (list, tuple)) else [size] * len(old)
        if len(sizes) != len(old):
            raise ValueError(
                "Input and output must have the same number of spatial dimensions, but got input "
                f"with spatial dimensions of {old} and output size of {size}: "
                "the input is (N, C, d1, d2, ..., dK), the output size (o1, o2, ..., oK)"
            )
        return sizes, []
    if scale_factor is None:
        raise ValueError("either size or scale_factor should be defined")
    several = isinstance(scale_factor, (list, tuple))
    scales = list(scale_factor) if several else [scale_factor] * len(old)
    if len(scales) != len(old):
        raise ValueError(
            "Input and scale_factor must have the same number of spatial dimensions, but got input "
            f"with spatial dimensions of {old} and scale_factor of shape {scale_factor}"
        )
    scales = [float(s) for s in scales]
    sizes = [math.floor(n * s) for n, s in zip(old, scales)]
    return sizes, [] if recompute else scales


def upsample(
    input: Tensor,
    size: Any = None,
    scale_factor: Any = None,
    mode: str = "nearest",
    align_corners: bool | None = None,
) -> Tensor:
    """:func:`interpolate` by its old name.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     adjoint.nn.functional.upsample(adjoint.tensor([[[1.0, 2.0]]]), 3)
    tensor([[[1., 1., 2.]]])
    """
    warnings.warn("upsample is deprecated: use interpolate instead", stacklevel=2)
    return interpolate(input, size, scale_factor, mode, align_corners)


def upsample_nearest(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """``interpolate(..., mode="nearest")`` by its old name."""
    warnings.warn("upsample_nearest is deprecated: use interpolate instead", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="nearest")


def upsample_bilinear(input: Tensor, size: Any = None, scale_factor: Any = None) -> Tensor:
    """``interpolate(..., mode="bilinear", align_corners=True)`` by its old name."""
    warnings.warn("upsample_bilinear is deprecated: use interpolate instead", stacklevel=2)
    return interpolate(input, size, scale_factor, mode="bilinear", align_corners=True)
