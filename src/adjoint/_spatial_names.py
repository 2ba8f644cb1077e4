"""Functions of nn.functional under the older names in the root, where arguments are other ones."""

from __future__ import annotations

from collections.abc import Sequence

from adjoint import _core
from adjoint._core import Tensor

__all__ = [
    "affine_grid_generator",
    "conv_tbc",
    "feature_dropout",
    "feature_dropout_",
    "grid_sampler",
    "grid_sampler_2d",
    "grid_sampler_3d",
    "norm_except_dim",
]

_F = _core._namespaces["nn.functional"]
_MODES = ("bilinear", "nearest", "bicubic")
_PADDINGS = ("zeros", "border", "reflection")


def grid_sampler(
    input: Tensor, grid: Tensor, interpolation_mode: int, padding_mode: int, align_corners: bool
) -> Tensor:
    """`nn.functional.grid_sample` with modes by number: 0 bilinear, 1 nearest, 2 bicubic; 0 zeros,
    1 border, 2 reflection."""
    if not (0 <= interpolation_mode < 3 and 0 <= padding_mode < 3):
        raise ValueError(
            f"grid_sampler: modes are numbers from 0 to 2, got {interpolation_mode}, {padding_mode}"
        )
    return _F["grid_sample"](
        input, grid, _MODES[interpolation_mode], _PADDINGS[padding_mode], align_corners
    )


grid_sampler_2d = grid_sampler_3d = grid_sampler


def affine_grid_generator(theta: Tensor, size: Sequence[int], align_corners: bool) -> Tensor:
    """`nn.functional.affine_grid`."""
    return _F["affine_grid"](theta, list(size), align_corners)


def conv_tbc(input: Tensor, weight: Tensor, bias: Tensor, pad: int = 0) -> Tensor:
    """A 1-d convolution of [time, batch, channels] by a weight [kernel, channels, outputs].

    >>> adjoint.conv_tbc(adjoint.ones(4, 1, 2), adjoint.ones(3, 2, 1), adjoint.zeros(1)).flatten()
    tensor([6., 6.])
    """
    if input.dim() != 3 or weight.dim() != 3 or bias.dim() != 1:
        raise RuntimeError(
            "conv_tbc: expected input [T, B, C], weight [K, C, O] and bias [O], got shapes "
            f"{tuple(input.shape)}, {tuple(weight.shape)} and {tuple(bias.shape)}"
        )
    y = _F["conv1d"](input.permute(1, 2, 0), weight.permute(2, 1, 0), bias, padding=pad)
    return y.permute(2, 0, 1)


def feature_dropout(input: Tensor, p: float, train: bool) -> Tensor:
    """Dropout of whole channels of an input [N, C, ...]."""
    if input.dim() < 2:
        raise RuntimeError(
            f"Feature dropout requires at least 2 dimensions in the input, got {input.dim()}"
        )
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p}")
    if not train or p == 0:
        return input.clone()
    kept = input.new_ones((*input.shape[:2], *(1,) * (input.dim() - 2)))
    return input * _F["dropout"](kept, p, True)


def feature_dropout_(input: Tensor, p: float, train: bool) -> Tensor:
    """`feature_dropout` in place."""
    return input.copy_(feature_dropout(input, p, train))


def norm_except_dim(v: Tensor, pow: int = 2, dim: int = 0) -> Tensor:
    """Norms over all dims but one, which are kept with size 1; of all dims for `dim=-1`.

    >>> adjoint.norm_except_dim(adjoint.tensor([[3., 4.], [6., 8.]]), 2, 0)
    tensor([[ 5.],
            [10.]])
    """
    if dim == -1:
        return v.norm(pow)
    others = tuple(d for d in range(v.dim()) if d != dim)
    return v.norm(pow, others, keepdim=True)
