"""Rearrangements of channels and pixels."""

from __future__ import annotations

from adjoint import Tensor

from .. import functional as F
from .module import Module

__all__ = ["ChannelShuffle", "PixelShuffle", "PixelUnshuffle"]


class PixelShuffle(Module):
    """Images [..., C r^2, H, W] as [..., C, H r, W r]: r^2 channels become squares of r x r pixels,
    r being ``upscale_factor`` (Shi et al., 2016).

    >>> adjoint.nn.PixelShuffle(2)(adjoint.arange(4).view(4, 1, 1))
    tensor([[[0, 1],
             [2, 3]]])
    """

    def __init__(self, upscale_factor: int) -> None:
        super().__init__()
        self.upscale_factor = upscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_shuffle(input, self.upscale_factor)

    def extra_repr(self) -> str:
        return f"upscale_factor={self.upscale_factor}"


class PixelUnshuffle(Module):
    """The inverse of :class:`PixelShuffle`.

    >>> adjoint.nn.PixelUnshuffle(2)(adjoint.arange(4).view(1, 2, 2)).shape
    torch.Size([4, 1, 1])
    """

    def __init__(self, downscale_factor: int) -> None:
        super().__init__()
        self.downscale_factor = downscale_factor

    def forward(self, input: Tensor) -> Tensor:
        return F.pixel_unshuffle(input, self.downscale_factor)

    def extra_repr(self) -> str:
        return f"downscale_factor={self.downscale_factor}"


class ChannelShuffle(Module):
    """The channels of an input [N, C, ...] in ``groups`` groups, taken one from each in turn
    (Zhang et al., "ShuffleNet", 2018).

    >>> adjoint.nn.ChannelShuffle(2)(adjoint.arange(4).view(1, 4, 1, 1)).flatten()
    tensor([0, 2, 1, 3])
    """

    def __init__(self, groups: int) -> None:
        super().__init__()
        self.groups = groups

    def forward(self, input: Tensor) -> Tensor:
        return F.channel_shuffle(input, self.groups)

    def extra_repr(self) -> str:
        return f"groups={self.groups}"
