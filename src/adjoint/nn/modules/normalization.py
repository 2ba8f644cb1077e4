"""Normalisation over features, over groups of channels, and over nearby channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import adjoint
from adjoint import Tensor

from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["CrossMapLRN2d", "GroupNorm", "LayerNorm", "LocalResponseNorm", "RMSNorm"]


class LayerNorm(Module):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` over the last dimensions
    (Ba, Kiros, Hinton, 2016); the variance is the biased one.

    Args:
        normalized_shape: the sizes of the dimensions to normalise over, an int for the last one.
        eps: added to the variance.
        elementwise_affine: whether there is a ``weight`` (ones) and a ``bias`` (zeros), of shape
            ``normalized_shape``.
        bias: False leaves the bias out.

    >>> adjoint.nn.LayerNorm(2)(adjoint.tensor([[1.0, 3.0]])).shape
    torch.Size([1, 2])
    """

    normalized_shape: tuple[int, ...]
    weight: Tensor | None
    bias: Tensor | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(normalized_shape, int):
            normalized_shape = (normalized_shape,)
        self.normalized_shape = tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        factory = {"device": device, "dtype": dtype}
        for name, wanted in (("weight", True), ("bias", bias)):
            if elementwise_affine and wanted:
                empty = adjoint.empty(self.normalized_shape, **factory)
                self.register_parameter(name, Parameter(empty))
            else:
                self.register_parameter(name, None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to one and the bias to zero."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.layer_norm(input, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, "
            f"elementwise_affine={self.elementwise_affine}, bias={self.bias is not None}"
        )


class RMSNorm(Module):
    """``x / sqrt(mean of x^2 + eps) * weight`` over the last dimensions (Zhang, Sennrich, 2019).

    Args:
        normalized_shape: the sizes of the dimensions to normalise over, an int for the last one.
        eps: added to the mean; None for the machine epsilon of the input's dtype.
        elementwise_affine: whether there is a ``weight`` (ones), of shape ``normalized_shape``.

    >>> adjoint.nn.RMSNorm(2)(adjoint.tensor([[1.0, 7.0]])).detach()
    tensor([[0.2000, 1.4000]])
    """

    normalized_shape: tuple[int, ...]
    weight: Tensor | None

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        if isinstance(normalized_shape, int):
            normalized_shape = (normalized_shape,)
        self.normalized_shape = tuple(normalized_shape)
        self.eps = eps
        self.elementwise_affine = elementwise_affine
        if elementwise_affine:
            self.weight = Parameter(
                adjoint.empty(self.normalized_shape, device=device, dtype=dtype)
            )
        else:
            self.register_parameter("weight", None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to one."""
        if self.weight is not None:
            init.ones_(self.weight)

    def forward(self, input: Tensor) -> Tensor:
        return F.rms_norm(input, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}"
        )


class GroupNorm(Module):
    """``(x - mean) / sqrt(var + eps) * weight + bias`` of inputs [N, C, ...], mean and variance
    being those of each of ``num_groups`` groups of channels of a sample (Wu, He, 2018).

    Args:
        num_groups: a divisor of ``num_channels``.
        affine: whether there is a ``weight`` (ones) and a ``bias`` (zeros), of [num_channels].
        bias: False leaves the bias out.

    Raises:
        ValueError: the channels cannot be divided by the groups, or a group has a single value.

    >>> adjoint.nn.GroupNorm(1, 2)(adjoint.tensor([[1.0, 3.0]])).detach()
    tensor([[-1.0000,  1.0000]])
    """

    weight: Tensor | None
    bias: Tensor | None

    def __init__(
        self,
        num_groups: int,
        num_channels: int,
        eps: float = 1e-5,
        affine: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ) -> None:
        super().__init__()
        if num_channels % num_groups != 0:
            raise ValueError(
                f"num_channels ({num_channels}) must be divisible by num_groups ({num_groups})"
            )
        self.num_groups = num_groups
        self.num_channels = num_channels
        self.eps = eps
        self.affine = affine
        factory = {"device": device, "dtype": dtype}
        for name, wanted in (("weight", affine), ("bias", affine and bias)):
            value = Parameter(adjoint.empty(num_channels, **factory)) if wanted else None
            self.register_parameter(name, value)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Set the weight to one and the bias to zero."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, input: Tensor) -> Tensor:
        return F.group_norm(input, self.num_groups, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (
            f"{self.num_groups}, {self.num_channels}, eps={self.eps}, affine={self.affine}, "
            f"bias={self.bias is not None}"
        )


class LocalResponseNorm(Module):
    """``x / (k + alpha * mean of x^2)^beta``, the mean going over ``size`` neighbouring channels of
    the same position; input [N, C, ...] (Krizhevsky et al., 2012).

    >>> adjoint.nn.LocalResponseNorm(1, alpha=3.0, beta=0.5)(adjoint.ones(1, 1, 2))
    tensor([[[0.5000, 0.5000]]])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        return F.local_response_norm(input, self.size, self.alpha, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


class CrossMapLRN2d(Module):
    """:class:`LocalResponseNorm` of inputs [N, C, H, W], over an odd number of channels, the same
    on both sides: of an even ``size``, one less (but the sum is divided by ``size``).

    Raises:
        ValueError: the input is not 4-D.

    >>> adjoint.nn.CrossMapLRN2d(1, alpha=3.0, beta=0.5)(adjoint.ones(1, 1, 1, 2))
    tensor([[[[0.5000, 0.5000]]]])
    """

    def __init__(self, size: int, alpha: float = 1e-4, beta: float = 0.75, k: float = 1) -> None:
        super().__init__()
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.k = k

    def forward(self, input: Tensor) -> Tensor:
        if input.dim() != 4:
            raise ValueError(f"CrossMapLRN2d: Expected input to be 4D, got {input.dim()}D instead.")
        odd = (self.size - 1) // 2 * 2 + 1
        return F.local_response_norm(input, odd, self.alpha * odd / self.size, self.beta, self.k)

    def extra_repr(self) -> str:
        return f"{self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"
