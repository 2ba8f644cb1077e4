"""Lazy forms of the convolutions: the first input tells the number of channels."""

from __future__ import annotations

from typing import Any

from adjoint import Tensor

from ..parameter import UninitializedParameter
from .conv import (
    Conv1d,
    Conv2d,
    Conv3d,
    ConvTranspose1d,
    ConvTranspose2d,
    ConvTranspose3d,
)
from .lazy import LazyModuleMixin

__all__ = [
    "LazyConv1d",
    "LazyConv2d",
    "LazyConv3d",
    "LazyConvTranspose1d",
    "LazyConvTranspose2d",
    "LazyConvTranspose3d",
]


class _LazyChannels(LazyModuleMixin):
    """``in_channels`` is the size of the channels' dim of the first input."""

    dims: int
    transposed: bool
    in_channels: int
    out_channels: int
    groups: int
    kernel_size: tuple[int, ...]
    weight: Any
    bias: Any

    def _leave_open(self, out_channels: int, bias: bool, device: Any, dtype: Any) -> None:
        self.out_channels = out_channels
        self.weight = UninitializedParameter(device=device, dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(device=device, dtype=dtype)

    def reset_parameters(self) -> None:
        """As the module it becomes, once its parameters have shapes."""
        if self.in_channels != 0 and not self.has_uninitialized_params():
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Tensor, *args: Any, **kwargs: Any) -> None:
        """Take ``in_channels`` from ``input`` [N, C, ...] or [C, ...]."""
        if not self.has_uninitialized_params():  # loaded from a state dict
            first, second = self.weight.shape[:2]
            self.in_channels = first if self.transposed else second * self.groups
            return
        n = self.dims
        if input.dim() not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to "
                f"{type(self).__name__}, but got input of size: {tuple(input.shape)}"
            )
        self.in_channels = input.shape[-n - 1]
        if self.in_channels % self.groups:
            raise ValueError(
                f"in_channels must be divisible by groups, got {self.in_channels} and {self.groups}"
            )
        sizes = (self.out_channels, self.in_channels // self.groups)
        if self.transposed:
            sizes = (self.in_channels, self.out_channels // self.groups)
        self.weight.materialize((*sizes, *self.kernel_size))
        if self.bias is not None:
            self.bias.materialize((self.out_channels,))
        self.reset_parameters()


class _LazyConv(_LazyChannels):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._leave_open(out_channels, bias, device, dtype)


class _LazyConvTranspose(_LazyChannels):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False,
                         dilation, padding_mode)  # fmt: skip
        self._leave_open(out_channels, bias, device, dtype)


def _lazy(base: Any, cls: Any) -> Any:
    body = {
        "__doc__": f"A :class:`{cls.__name__}` that takes ``in_channels`` from its first input.",
        "__module__": __name__,
        "cls_to_become": cls,
    }
    return type(f"Lazy{cls.__name__}", (base, cls), body)


LazyConv1d = _lazy(_LazyConv, Conv1d)
LazyConv2d = _lazy(_LazyConv, Conv2d)
LazyConv3d = _lazy(_LazyConv, Conv3d)
LazyConvTranspose1d = _lazy(_LazyConvTranspose, ConvTranspose1d)
LazyConvTranspose2d = _lazy(_LazyConvTranspose, ConvTranspose2d)
LazyConvTranspose3d = _lazy(_LazyConvTranspose, ConvTranspose3d)
