"""Pooling: one value for each window of the input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint import Tensor

from .. import functional as F
from .module import Module

__all__ = [
    "AvgPool1d",
    "AvgPool2d",
    "AvgPool3d",
    "LPPool1d",
    "LPPool2d",
    "LPPool3d",
    "MaxPool1d",
    "MaxPool2d",
    "MaxPool3d",
    "MaxUnpool1d",
    "MaxUnpool2d",
    "MaxUnpool3d",
]

Sizes = int | Sequence[int]


class _MaxPoolNd(Module):
    return_indices: bool
    ceil_mode: bool

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        dilation: Sizes = 1,
        return_indices: bool = False,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.dilation = dilation
        self.return_indices = return_indices
        self.ceil_mode = ceil_mode

    def _arguments(self) -> tuple[Any, ...]:
        return (
            self.kernel_size,
            self.stride,
            self.padding,
            self.dilation,
            self.ceil_mode,
            self.return_indices,
        )

    def extra_repr(self) -> str:
        return (
            f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}, "
            f"dilation={self.dilation}, ceil_mode={self.ceil_mode}"
        )


class MaxPool1d(_MaxPoolNd):
    """The largest value in each window of an input [N, C, L] or [C, L].

    Windows hold ``kernel_size`` positions, ``dilation`` apart, and begin ``stride`` (by default
    ``kernel_size``) apart; ``padding`` adds -inf at both ends. With ``ceil_mode`` the last window
    may reach beyond the end. With ``return_indices`` the positions of the maxima are returned, too,
    for :class:`MaxUnpool1d`.

    Raises:
        RuntimeError: the input has another number of dimensions or is too small, or the padding is
            more than half of a window.

    >>> adjoint.nn.MaxPool1d(2)(adjoint.tensor([[1.0, 5.0, 2.0, 4.0]]))
    tensor([[5., 4.]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool1d(input, *self._arguments())


class MaxPool2d(_MaxPoolNd):
    """The largest value in each window of an input [N, C, H, W] or [C, H, W]; see
    :class:`MaxPool1d`. An argument is one number, or one for H and one for W.

    >>> adjoint.nn.MaxPool2d(2)(adjoint.arange(16.0).view(1, 4, 4))
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool2d(input, *self._arguments())


class MaxPool3d(_MaxPoolNd):
    """The largest value in each window of an input [N, C, D, H, W] or [C, D, H, W]; see
    :class:`MaxPool1d`.

    >>> adjoint.nn.MaxPool3d(2)(adjoint.arange(8.0).view(1, 2, 2, 2))
    tensor([[[[7.]]]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.max_pool3d(input, *self._arguments())


def _tuple(value: Any, n: int) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,) * n


class _MaxUnpoolNd(Module):
    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class MaxUnpool1d(_MaxUnpoolNd):
    """Puts the maxima that :class:`MaxPool1d` found back where they were, and zeros elsewhere.

    ``forward(input, indices, output_size=None)``: ``output_size`` settles which of the sizes that
    the pooling makes equal the input had.

    Raises:
        ValueError: ``output_size`` is none of these.

    >>> x = adjoint.tensor([[1.0, 5.0, 2.0, 4.0]])
    >>> values, where = adjoint.nn.MaxPool1d(2, return_indices=True)(x)
    >>> adjoint.nn.MaxUnpool1d(2)(values, where).count_nonzero()
    tensor(2)
    """

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        self.kernel_size = _tuple(kernel_size, 1)
        self.stride = _tuple(stride if stride is not None else kernel_size, 1)
        self.padding = _tuple(padding, 1)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool1d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool2d(_MaxUnpoolNd):
    """Puts the maxima that :class:`MaxPool2d` found back where they were, and zeros elsewhere.

    ``forward(input, indices, output_size=None)``: ``output_size`` settles which of the sizes that
    the pooling makes equal the input had.

    Raises:
        ValueError: ``output_size`` is none of these.

    >>> x = adjoint.arange(16.0).view(1, 4, 4)
    >>> values, where = adjoint.nn.MaxPool2d(2, return_indices=True)(x)
    >>> adjoint.nn.MaxUnpool2d(2)(values, where).count_nonzero()
    tensor(4)
    """

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        self.kernel_size = _tuple(kernel_size, 2)
        self.stride = _tuple(stride if stride is not None else kernel_size, 2)
        self.padding = _tuple(padding, 2)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool2d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class MaxUnpool3d(_MaxUnpoolNd):
    """Puts the maxima that :class:`MaxPool3d` found back where they were, and zeros elsewhere.

    ``forward(input, indices, output_size=None)``: ``output_size`` settles which of the sizes that
    the pooling makes equal the input had.

    Raises:
        ValueError: ``output_size`` is none of these.

    >>> x = adjoint.arange(8.0).view(1, 2, 2, 2)
    >>> values, where = adjoint.nn.MaxPool3d(2, return_indices=True)(x)
    >>> adjoint.nn.MaxUnpool3d(2)(values, where).count_nonzero()
    tensor(1)
    """

    def __init__(self, kernel_size: Sizes, stride: Sizes | None = None, padding: Sizes = 0) -> None:
        super().__init__()
        self.kernel_size = _tuple(kernel_size, 3)
        self.stride = _tuple(stride if stride is not None else kernel_size, 3)
        self.padding = _tuple(padding, 3)

    def forward(
        self, input: Tensor, indices: Tensor, output_size: Sequence[int] | None = None
    ) -> Tensor:
        return F.max_unpool3d(
            input, indices, self.kernel_size, self.stride, self.padding, output_size
        )


class _AvgPoolNd(Module):
    def extra_repr(self) -> str:
        return f"kernel_size={self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool1d(_AvgPoolNd):
    """The mean of each window of an input [N, C, L] or [C, L].

    Windows hold ``kernel_size`` positions and begin ``stride`` (by default ``kernel_size``) apart;
    ``padding`` adds zeros at both ends, which count unless ``count_include_pad`` is off. With
    ``ceil_mode`` the last window may reach beyond the end.

    >>> adjoint.nn.AvgPool1d(2)(adjoint.tensor([[1.0, 5.0, 2.0, 4.0]]))
    tensor([[3., 3.]])
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__()
        self.kernel_size = _tuple(kernel_size, 1)
        self.stride = _tuple(stride if stride is not None else kernel_size, 1)
        self.padding = _tuple(padding, 1)
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool1d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
        )


class AvgPool2d(_AvgPoolNd):
    """The mean of each window of an input [N, C, H, W] or [C, H, W];
    see :class:`AvgPool1d`. ``divisor_override`` is divided by instead of the size of the window.

    >>> adjoint.nn.AvgPool2d(2)(adjoint.arange(16.0).view(1, 4, 4))
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool2d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class AvgPool3d(_AvgPoolNd):
    """The mean of each window of an input [N, C, D, H, W] or
    [C, D, H, W];
    see :class:`AvgPool1d`. ``divisor_override`` is divided by instead of the size of the window.

    >>> adjoint.nn.AvgPool3d(2)(adjoint.arange(8.0).view(1, 2, 2, 2))
    tensor([[[[3.5000]]]])
    """

    def __init__(
        self,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        padding: Sizes = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
        divisor_override: int | None = None,
    ) -> None:
        super().__init__()
        self.kernel_size = kernel_size
        self.stride = stride if stride is not None else kernel_size
        self.padding = padding
        self.ceil_mode = ceil_mode
        self.count_include_pad = count_include_pad
        self.divisor_override = divisor_override

    def forward(self, input: Tensor) -> Tensor:
        return F.avg_pool3d(
            input,
            self.kernel_size,
            self.stride,
            self.padding,
            self.ceil_mode,
            self.count_include_pad,
            self.divisor_override,
        )


class _LPPoolNd(Module):
    def __init__(
        self,
        norm_type: float,
        kernel_size: Sizes,
        stride: Sizes | None = None,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__()
        self.norm_type = norm_type
        self.kernel_size = kernel_size
        self.stride = stride
        self.ceil_mode = ceil_mode

    def extra_repr(self) -> str:
        return (
            f"norm_type={self.norm_type}, kernel_size={self.kernel_size}, "
            f"stride={self.stride}, ceil_mode={self.ceil_mode}"
        )


class LPPool1d(_LPPoolNd):
    """``(sum of x^p)^(1/p)`` over each window of an input [N, C, L] or [C, L],
    p being ``norm_type``.

    >>> adjoint.nn.LPPool1d(2, 2)(adjoint.tensor([[1.0, 5.0, 2.0, 4.0]]))
    tensor([[5.0990, 4.4721]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool1d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool2d(_LPPoolNd):
    """``(sum of x^p)^(1/p)`` over each window of an input [N, C, H, W] or [C, H, W],
    p being ``norm_type``.

    >>> adjoint.nn.LPPool2d(2, 2)(adjoint.arange(16.0).view(1, 4, 4))
    tensor([[[ 6.4807,  9.8995],
             [21.4009, 25.3377]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool2d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )


class LPPool3d(_LPPoolNd):
    """``(sum of x^p)^(1/p)`` over each window of an input [N, C, D, H, W] or
    [C, D, H, W],
    p being ``norm_type``.

    >>> adjoint.nn.LPPool3d(2, 2)(adjoint.arange(8.0).view(1, 2, 2, 2))
    tensor([[[[11.8322]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.lp_pool3d(
            input, float(self.norm_type), self.kernel_size, self.stride, self.ceil_mode
        )
