"""Convolutions, and their transposes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import adjoint
from adjoint import Tensor

from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["Conv1d", "Conv2d", "Conv3d", "ConvTranspose1d", "ConvTranspose2d", "ConvTranspose3d"]

_Sizes = int | Sequence[int]


def _per_dim(value: _Sizes, dims: int, name: str) -> tuple[int, ...]:
    if isinstance(value, int):
        return (value,) * dims
    sizes = tuple(value)
    if len(sizes) == 1:
        sizes *= dims
    if len(sizes) != dims:
        raise ValueError(f"{name} must be an int or {dims} ints, got {value}")
    return sizes


class _ConvNd(Module):
    """What all of them share: parameters, their initialisation, the text of repr."""

    dims: ClassVar[int]
    transposed: ClassVar[bool] = False

    in_channels: int
    out_channels: int
    kernel_size: tuple[int, ...]
    stride: tuple[int, ...]
    padding: Any
    dilation: tuple[int, ...]
    output_padding: tuple[int, ...]
    groups: int
    padding_mode: str
    weight: Tensor
    bias: Tensor | None

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _Sizes,
        stride: _Sizes,
        padding: Any,
        dilation: _Sizes,
        output_padding: _Sizes,
        groups: int,
        bias: bool,
        padding_mode: str,
        device: Any,
        dtype: Any,
    ) -> None:
        super().__init__()
        n = self.dims
        if groups <= 0:
            raise ValueError(f"groups must be a positive integer, got {groups}")
        for name, channels in (("in_channels", in_channels), ("out_channels", out_channels)):
            if channels % groups:
                raise ValueError(f"{name} must be divisible by groups, got {channels} and {groups}")
        modes = ("zeros",) if self.transposed else ("zeros", "reflect", "replicate", "circular")
        if padding_mode not in modes:
            raise ValueError(
                f"padding_mode must be one of {', '.join(modes)}, "
                f"but got padding_mode={padding_mode!r}"
            )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.kernel_size = _per_dim(kernel_size, n, "kernel_size")
        self.stride = _per_dim(stride, n, "stride")
        self.dilation = _per_dim(dilation, n, "dilation")
        self.output_padding = _per_dim(output_padding, n, "output_padding")
        self.padding_mode = padding_mode
        self.padding = self._checked_padding(padding)
        first, second = out_channels, in_channels // groups
        if self.transposed:
            first, second = in_channels, out_channels // groups
        factory = {"device": device, "dtype": dtype}
        self.weight = Parameter(adjoint.empty((first, second, *self.kernel_size), **factory))
        if bias:
            self.bias = Parameter(adjoint.empty(out_channels, **factory))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def _checked_padding(self, padding: Any) -> Any:
        if not isinstance(padding, str):
            return _per_dim(padding, self.dims, "padding")
        if padding not in ("same", "valid"):
            raise ValueError(
                f"Invalid padding string {padding!r}, should be one of 'same' and 'valid'"
            )
        if padding == "same" and any(s != 1 for s in self.stride):
            raise ValueError("padding='same' is not supported for strided convolutions")
        return padding

    def reset_parameters(self) -> None:
        """Draw the parameters anew, uniform in +-1/sqrt(fan_in), weight first."""
        init.kaiming_uniform_(self.weight, a=math.sqrt(5))
        if self.bias is not None:
            fan_in = math.prod(self.weight.shape[1:])
            if fan_in:
                bound = 1 / math.sqrt(fan_in)
                init.uniform_(self.bias, -bound, bound)

    @property
    def _reversed_padding_repeated_twice(self) -> tuple[int, ...]:
        """The padding as `pad` takes it, which subclasses with a forward of their own read."""
        return tuple(self._edges())

    def _edges(self) -> list[int]:
        """The padding as `pad` takes it: the last dim first, before and behind."""
        if self.padding == "valid":
            return [0] * (2 * self.dims)
        edges: list[int] = []
        for i in reversed(range(self.dims)):
            if self.padding == "same":
                total = self.dilation[i] * (self.kernel_size[i] - 1)
                edges += [total // 2, total - total // 2]
            else:
                edges += [self.padding[i]] * 2
        return edges

    def extra_repr(self) -> str:
        n = self.dims
        text = f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"
        text += f", stride={self.stride}"
        if self.padding != (0,) * n:
            text += f", padding={self.padding}"
        if self.dilation != (1,) * n:
            text += f", dilation={self.dilation}"
        if self.output_padding != (0,) * n:
            text += f", output_padding={self.output_padding}"
        if self.groups != 1:
            text += f", groups={self.groups}"
        if self.bias is None:
            text += ", bias=False"
        if self.padding_mode != "zeros":
            text += f", padding_mode={self.padding_mode}"
        return text


class _Conv(_ConvNd):
    """A convolution of `dims` dims."""

    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _Sizes,
        stride: _Sizes = 1,
        padding: Any = 0,
        dilation: _Sizes = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, 0,
                         groups, bias, padding_mode, device, dtype)  # fmt: skip

    def _conv_forward(self, input: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        convolve = type(self).function
        if self.padding_mode != "zeros":
            padded = F.pad(input, self._edges(), mode=self.padding_mode)
            return convolve(padded, weight, bias, self.stride, 0, self.dilation, self.groups)
        return convolve(input, weight, bias, self.stride, self.padding, self.dilation, self.groups)

    def forward(self, input: Tensor) -> Tensor:
        return self._conv_forward(input, self.weight, self.bias)


class Conv1d(_Conv):
    """Convolution of sequences: input [N, C_in, L] or [C_in, L], output [N, C_out, L_out].

    ``weight`` [C_out, C_in / groups, kernel_size] and ``bias`` [C_out] start uniform in
    ``+-1/sqrt(fan_in)``. ``L_out = (L + 2 padding - dilation (kernel_size - 1) - 1) / stride + 1``,
    rounded down; `padding` may be "same" or "valid", `padding_mode` "zeros", "reflect",
    "replicate" or "circular".

    >>> adjoint.nn.Conv1d(16, 33, 3, stride=2)(adjoint.zeros(20, 16, 50)).shape
    torch.Size([20, 33, 24])
    """

    dims = 1
    function = F.conv1d


class Conv2d(_Conv):
    """Convolution of images: input [N, C_in, H, W] or [C_in, H, W]; see :class:`Conv1d`.

    >>> adjoint.nn.Conv2d(3, 8, 3, padding=1)(adjoint.zeros(2, 3, 5, 7)).shape
    torch.Size([2, 8, 5, 7])
    """

    dims = 2
    function = F.conv2d


class Conv3d(_Conv):
    """Convolution of volumes: input [N, C_in, D, H, W] or [C_in, D, H, W]; see :class:`Conv1d`.

    >>> adjoint.nn.Conv3d(1, 2, (1, 2, 3))(adjoint.zeros(1, 1, 4, 4, 4)).shape
    torch.Size([1, 2, 4, 3, 2])
    """

    dims = 3
    function = F.conv3d


class _ConvTransposeNd(_ConvNd):
    """The transpose of a convolution of `dims` dims."""

    transposed = True
    function: ClassVar[Callable[..., Tensor]]

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: _Sizes,
        stride: _Sizes = 1,
        padding: _Sizes = 0,
        output_padding: _Sizes = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: _Sizes = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation,
                         output_padding, groups, bias, padding_mode, device, dtype)  # fmt: skip

    def _output_padding(self, input: Tensor, output_size: Sequence[int] | None) -> tuple[int, ...]:
        """What has to be added for the result to have the size that is asked for."""
        if output_size is None:
            return self.output_padding
        n = self.dims
        wanted = list(output_size)
        if len(wanted) in (n + 1, n + 2) and len(wanted) == input.dim():
            wanted = wanted[-n:]
        if len(wanted) != n:
            raise ValueError(
                f"ConvTranspose{n}d: for {input.dim()}D input, output_size must have {n} or "
                f"{input.dim()} elements (got {len(output_size)})"
            )
        least = [
            (input.shape[i - n] - 1) * self.stride[i]
            - 2 * self.padding[i]
            + self.dilation[i] * (self.kernel_size[i] - 1)
            + 1
            for i in range(n)
        ]
        most = [least[i] + self.stride[i] - 1 for i in range(n)]
        if any(not low <= w <= high for low, w, high in zip(least, wanted, most, strict=True)):
            raise ValueError(
                f"requested an output size of {wanted}, but valid sizes range from {least} to "
                f"{most} (for an input of {tuple(input.shape[2:])})"
            )
        return tuple(w - low for w, low in zip(wanted, least, strict=True))

    def forward(self, input: Tensor, output_size: Sequence[int] | None = None) -> Tensor:
        more = self._output_padding(input, output_size)
        return type(self).function(
            input, self.weight, self.bias, self.stride, self.padding, more, self.groups,
            self.dilation,
        )  # fmt: skip


class ConvTranspose1d(_ConvTransposeNd):
    """The transpose of :class:`Conv1d`: input [N, C_in, L] or [C_in, L].

    The result has ``(L - 1) stride - 2 padding + dilation (kernel_size - 1) + output_padding + 1``
    positions; of the sizes that a strided convolution maps to L, `forward`'s `output_size` picks
    one. ``weight`` is [C_in, C_out / groups, kernel_size].

    >>> adjoint.nn.ConvTranspose1d(4, 2, 3, stride=2)(adjoint.zeros(1, 4, 5)).shape
    torch.Size([1, 2, 11])
    """

    dims = 1
    function = F.conv_transpose1d


class ConvTranspose2d(_ConvTransposeNd):
    """The transpose of :class:`Conv2d`; see :class:`ConvTranspose1d`.

    >>> up = adjoint.nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1)
    >>> up(adjoint.zeros(1, 4, 5, 5), output_size=(10, 10)).shape
    torch.Size([1, 2, 10, 10])
    """

    dims = 2
    function = F.conv_transpose2d


class ConvTranspose3d(_ConvTransposeNd):
    """The transpose of :class:`Conv3d`; see :class:`ConvTranspose1d`.

    >>> adjoint.nn.ConvTranspose3d(1, 1, 2)(adjoint.zeros(1, 1, 2, 2, 2)).shape
    torch.Size([1, 1, 3, 3, 3])
    """

    dims = 3
    function = F.conv_transpose3d
