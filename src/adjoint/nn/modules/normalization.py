"""Normalisation over features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import adjoint
from adjoint import Tensor

from .. import functional as F
from .. import init
from ..parameter import Parameter
from .module import Module

__all__ = ["LayerNorm"]


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
