"""Pooling to a given size: adaptive windows, and windows at random places."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjoint import Tensor

from .. import functional as F
from .module import Module
from .pooling import Sizes, _tuple

__all__ = [
    "AdaptiveAvgPool1d",
    "AdaptiveAvgPool2d",
    "AdaptiveAvgPool3d",
    "AdaptiveMaxPool1d",
    "AdaptiveMaxPool2d",
    "AdaptiveMaxPool3d",
    "FractionalMaxPool2d",
    "FractionalMaxPool3d",
]

OptionalSizes = int | None | Sequence[int | None]


class _AdaptivePool(Module):
    def extra_repr(self) -> str:
        return f"output_size={self.output_size}"


class _AdaptiveAvgPoolNd(_AdaptivePool):
    def __init__(self, output_size: OptionalSizes) -> None:
        super().__init__()
        self.output_size = output_size


class _AdaptiveMaxPoolNd(_AdaptivePool):
    def __init__(self, output_size: OptionalSizes, return_indices: bool = False) -> None:
        super().__init__()
        self.output_size = output_size
        self.return_indices = return_indices


class AdaptiveAvgPool1d(_AdaptiveAvgPoolNd):
    """The mean of each of ``output_size`` windows that cover an input [N, C, L] or [C, L]
    evenly.

    >>> adjoint.nn.AdaptiveAvgPool1d(1)(adjoint.tensor([[1.0, 5.0, 2.0, 4.0]]))
    tensor([[3.]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool1d(input, self.output_size)


class AdaptiveMaxPool1d(_AdaptiveMaxPoolNd):
    """The largest value in each of ``output_size`` windows that cover an input
    [N, C, L] or [C, L] evenly; with ``return_indices`` also where they are.

    >>> adjoint.nn.AdaptiveMaxPool1d(1)(adjoint.tensor([[1.0, 5.0, 2.0, 4.0]]))
    tensor([[5.]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool1d(input, self.output_size, self.return_indices)


class AdaptiveAvgPool2d(_AdaptiveAvgPoolNd):
    """The mean of each of ``output_size`` windows that cover an input [N, C, H, W] or [C, H, W]
    evenly; None: as many as there are positions.

    >>> adjoint.nn.AdaptiveAvgPool2d(1)(adjoint.arange(16.0).view(1, 4, 4))
    tensor([[[7.5000]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool2d(input, self.output_size)


class AdaptiveMaxPool2d(_AdaptiveMaxPoolNd):
    """The largest value in each of ``output_size`` windows that cover an input
    [N, C, H, W] or [C, H, W] evenly; with ``return_indices`` also where they are.

    >>> adjoint.nn.AdaptiveMaxPool2d(1)(adjoint.arange(16.0).view(1, 4, 4))
    tensor([[[15.]]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool2d(input, self.output_size, self.return_indices)


class AdaptiveAvgPool3d(_AdaptiveAvgPoolNd):
    """The mean of each of ``output_size`` windows that cover an input [N, C, D, H, W] or
    [C, D, H, W]
    evenly; None: as many as there are positions.

    >>> adjoint.nn.AdaptiveAvgPool3d(1)(adjoint.arange(8.0).view(1, 2, 2, 2))
    tensor([[[[3.5000]]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.adaptive_avg_pool3d(input, self.output_size)


class AdaptiveMaxPool3d(_AdaptiveMaxPoolNd):
    """The largest value in each of ``output_size`` windows that cover an input
    [N, C, D, H, W] or [C, D, H, W] evenly; with ``return_indices`` also where they are.

    >>> adjoint.nn.AdaptiveMaxPool3d(1)(adjoint.arange(8.0).view(1, 2, 2, 2))
    tensor([[[[7.]]]])
    """

    def forward(self, input: Tensor) -> Any:
        return F.adaptive_max_pool3d(input, self.output_size, self.return_indices)


class _FractionalMaxPool(Module):
    _dimensions: int

    def __init__(
        self,
        kernel_size: Sizes,
        output_size: Sizes | None = None,
        output_ratio: float | Sequence[float] | None = None,
        return_indices: bool = False,
        _random_samples: Tensor | None = None,
    ) -> None:
        super().__init__()
        n = self._dimensions
        if (output_size is None) == (output_ratio is None):
            raise ValueError(
                f"{type(self).__name__} requires either an output_size or an output_ratio, "
                f"got output_size={output_size}, output_ratio={output_ratio}"
            )
        self.kernel_size = _tuple(kernel_size, n)
        self.return_indices = return_indices
        self.output_size = None if output_size is None else _tuple(output_size, n)
        self.output_ratio = None if output_ratio is None else _tuple(output_ratio, n)
        self.register_buffer("_random_samples", _random_samples)
        if self.output_ratio is not None and not all(0 < r < 1 for r in self.output_ratio):
            raise ValueError(f"output_ratio must be between 0 and 1 (got {output_ratio})")


class FractionalMaxPool2d(_FractionalMaxPool):
    """The largest value of windows at random places of an input
    [N, C, H, W] or [C, H, W] (Graham, "Fractional max-pooling", 2014); as many as
    ``output_size``, or ``output_ratio`` of the input's size, says.

    Raises:
        ValueError: not one of size and ratio is given, or a ratio is not between 0 and 1.

    >>> adjoint.nn.FractionalMaxPool2d(2, output_size=1)(adjoint.arange(16.0).view(1, 4, 4)).shape
    torch.Size([1, 1, 1])
    """

    _dimensions = 2

    def forward(self, input: Tensor) -> Any:
        return F.fractional_max_pool2d(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )


class FractionalMaxPool3d(_FractionalMaxPool):
    """The largest value of windows at random places of an input
    [N, C, D, H, W] or [C, D, H, W] (Graham, "Fractional max-pooling", 2014); as many as
    ``output_size``, or ``output_ratio`` of the input's size, says.

    Raises:
        ValueError: not one of size and ratio is given, or a ratio is not between 0 and 1.

    >>> adjoint.nn.FractionalMaxPool3d(2, output_size=1)(adjoint.arange(8.0).view(1, 2, 2, 2)).shape
    torch.Size([1, 1, 1, 1])
    """

    _dimensions = 3

    def forward(self, input: Tensor) -> Any:
        return F.fractional_max_pool3d(
            input,
            self.kernel_size,
            self.output_size,
            self.output_ratio,
            self.return_indices,
            _random_samples=self._random_samples,
        )
