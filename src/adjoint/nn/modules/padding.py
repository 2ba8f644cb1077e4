"""Padding of the spatial dimensions."""

from __future__ import annotations

from collections.abc import Sequence

from adjoint import Tensor

from .. import functional as F
from .module import Module

__all__ = [
    "CircularPad1d",
    "CircularPad2d",
    "CircularPad3d",
    "ConstantPad1d",
    "ConstantPad2d",
    "ConstantPad3d",
    "ReflectionPad1d",
    "ReflectionPad2d",
    "ReflectionPad3d",
    "ReplicationPad1d",
    "ReplicationPad2d",
    "ReplicationPad3d",
    "ZeroPad1d",
    "ZeroPad2d",
    "ZeroPad3d",
]

Padding = int | Sequence[int]


class _Pad(Module):
    """``padding``: one number for all sides, or two for each dimension, the last one first."""

    _dimensions: int
    _mode: str
    padding: tuple[int, ...]

    def __init__(self, padding: Padding) -> None:
        super().__init__()
        self.padding = (
            (padding,) * (2 * self._dimensions) if isinstance(padding, int) else tuple(padding)
        )

    def _check_input_dim(self, input: Tensor) -> None:
        n = self._dimensions
        if input.dim() not in (n + 1, n + 2):
            raise ValueError(f"expected {n + 1}D or {n + 2}D input (got {input.dim()}D input)")

    def forward(self, input: Tensor) -> Tensor:
        self._check_input_dim(input)
        return F.pad(input, self.padding, self._mode)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class _ConstantPadNd(_Pad):
    """Inputs of any number of dimensions."""

    def __init__(self, padding: Padding, value: float) -> None:
        super().__init__(padding)
        self.value = value

    def forward(self, input: Tensor) -> Tensor:
        return F.pad(input, self.padding, "constant", self.value)

    def extra_repr(self) -> str:
        return f"padding={self.padding}, value={self.value}"


class _ZeroPad(_ConstantPadNd):
    def __init__(self, padding: Padding) -> None:
        super().__init__(padding, 0.0)

    def extra_repr(self) -> str:
        return f"{self.padding}"


class ConstantPad1d(_ConstantPadNd):
    """Pads an input [N, C, L] or [C, L]
    with a constant ``value``; negative numbers crop.

    >>> adjoint.nn.ConstantPad1d(1, 7.0)(adjoint.tensor([[1.0, 2.0, 3.0]]))
    tensor([[7., 1., 2., 3., 7.]])
    """

    _dimensions = 1


class ConstantPad2d(_ConstantPadNd):
    """Pads an input [N, C, H, W] or [C, H, W]
    with a constant ``value``; negative numbers crop.

    >>> adjoint.nn.ConstantPad2d(1, 7.0)(adjoint.zeros(1, 2, 2)).shape
    torch.Size([1, 4, 4])
    """

    _dimensions = 2


class ConstantPad3d(_ConstantPadNd):
    """Pads an input [N, C, D, H, W] or [C, D, H, W]
    with a constant ``value``; negative numbers crop.

    >>> adjoint.nn.ConstantPad3d(1, 7.0)(adjoint.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    _dimensions = 3


class ZeroPad1d(_ZeroPad):
    """Pads an input [N, C, L] or [C, L]
    with zeros; negative numbers crop.

    >>> adjoint.nn.ZeroPad1d(1)(adjoint.tensor([[1.0, 2.0, 3.0]]))
    tensor([[0., 1., 2., 3., 0.]])
    """

    _dimensions = 1


class ZeroPad2d(_ZeroPad):
    """Pads an input [N, C, H, W] or [C, H, W]
    with zeros; negative numbers crop.

    >>> adjoint.nn.ZeroPad2d(1)(adjoint.zeros(1, 2, 2)).shape
    torch.Size([1, 4, 4])
    """

    _dimensions = 2


class ZeroPad3d(_ZeroPad):
    """Pads an input [N, C, D, H, W] or [C, D, H, W]
    with zeros; negative numbers crop.

    >>> adjoint.nn.ZeroPad3d(1)(adjoint.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    _dimensions = 3


class ReflectionPad1d(_Pad):
    """Pads an input [N, C, L] or [C, L]
    with the mirror image at its ends, which are not repeated.

    >>> adjoint.nn.ReflectionPad1d(1)(adjoint.tensor([[1.0, 2.0, 3.0]]))
    tensor([[2., 1., 2., 3., 2.]])
    """

    _dimensions = 1
    _mode = "reflect"


class ReflectionPad2d(_Pad):
    """Pads an input [N, C, H, W] or [C, H, W]
    with the mirror image at its edges, which are not repeated.

    >>> adjoint.nn.ReflectionPad2d(1)(adjoint.zeros(1, 2, 2)).shape
    torch.Size([1, 4, 4])
    """

    _dimensions = 2
    _mode = "reflect"


class ReflectionPad3d(_Pad):
    """Pads an input [N, C, D, H, W] or [C, D, H, W]
    with the mirror image at its edges, which are not repeated.

    >>> adjoint.nn.ReflectionPad3d(1)(adjoint.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    _dimensions = 3
    _mode = "reflect"


class ReplicationPad1d(_Pad):
    """Pads an input [N, C, L] or [C, L]
    with the values at its ends.

    >>> adjoint.nn.ReplicationPad1d(1)(adjoint.tensor([[1.0, 2.0, 3.0]]))
    tensor([[1., 1., 2., 3., 3.]])
    """

    _dimensions = 1
    _mode = "replicate"


class ReplicationPad2d(_Pad):
    """Pads an input [N, C, H, W] or [C, H, W]
    with the values at its edges.

    >>> adjoint.nn.ReplicationPad2d(1)(adjoint.zeros(1, 2, 2)).shape
    torch.Size([1, 4, 4])
    """

    _dimensions = 2
    _mode = "replicate"


class ReplicationPad3d(_Pad):
    """Pads an input [N, C, D, H, W] or [C, D, H, W]
    with the values at its edges.

    >>> adjoint.nn.ReplicationPad3d(1)(adjoint.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    _dimensions = 3
    _mode = "replicate"


class CircularPad1d(_Pad):
    """Pads an input [N, C, L] or [C, L]
    with what follows if it is repeated.

    >>> adjoint.nn.CircularPad1d(1)(adjoint.tensor([[1.0, 2.0, 3.0]]))
    tensor([[3., 1., 2., 3., 1.]])
    """

    _dimensions = 1
    _mode = "circular"


class CircularPad2d(_Pad):
    """Pads an input [N, C, H, W] or [C, H, W]
    with what follows if it is repeated.

    >>> adjoint.nn.CircularPad2d(1)(adjoint.zeros(1, 2, 2)).shape
    torch.Size([1, 4, 4])
    """

    _dimensions = 2
    _mode = "circular"


class CircularPad3d(_Pad):
    """Pads an input [N, C, D, H, W] or [C, D, H, W]
    with what follows if it is repeated.

    >>> adjoint.nn.CircularPad3d(1)(adjoint.zeros(1, 2, 2, 2)).shape
    torch.Size([1, 4, 4, 4])
    """

    _dimensions = 3
    _mode = "circular"
