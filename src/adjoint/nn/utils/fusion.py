"""Batch norms of evaluation folded into the layer before them."""

from __future__ import annotations

import copy
from typing import Any

from adjoint import Tensor

from ..parameter import Parameter

__all__ = [
    "fuse_conv_bn_eval",
    "fuse_conv_bn_weights",
    "fuse_linear_bn_eval",
    "fuse_linear_bn_weights",
]


def fuse_conv_bn_weights(
    conv_w: Tensor,
    conv_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
    transpose: bool = False,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the (transposed) convolution with the batch norm in them."""
    scale = (bn_rv + bn_eps).rsqrt()
    if bn_w is not None:
        scale = scale * bn_w
    shape = [1] * conv_w.dim()
    shape[1 if transpose else 0] = -1
    bias = ((0 if conv_b is None else conv_b) - bn_rm) * scale
    if bn_b is not None:
        bias = bias + bn_b
    wanted = conv_w.requires_grad
    weight = (conv_w * scale.reshape(shape)).to(conv_w.dtype)
    return Parameter(weight.detach(), wanted), Parameter(bias.to(conv_w.dtype).detach(), wanted)


def fuse_linear_bn_weights(
    linear_w: Tensor,
    linear_b: Tensor | None,
    bn_rm: Tensor,
    bn_rv: Tensor,
    bn_eps: float,
    bn_w: Tensor | None,
    bn_b: Tensor | None,
) -> tuple[Parameter, Parameter]:
    """Weight and bias of the linear layer with the batch norm after it in them."""
    return fuse_conv_bn_weights(linear_w, linear_b, bn_rm, bn_rv, bn_eps, bn_w, bn_b)


def _fused(layer: Any, bn: Any, transpose: bool) -> Any:
    if layer.training or bn.training:
        raise AssertionError("fusion is for evaluation: call eval() of both modules first")
    fused = copy.deepcopy(layer)
    fused.weight, fused.bias = fuse_conv_bn_weights(
        layer.weight,
        layer.bias,
        bn.running_mean,
        bn.running_var,
        bn.eps,
        bn.weight,
        bn.bias,
        transpose,
    )
    return fused


def fuse_conv_bn_eval(conv: Any, bn: Any, transpose: bool = False) -> Any:
    """A copy of ``conv`` that computes ``bn(conv(x))`` in evaluation mode."""
    return _fused(conv, bn, transpose)


def fuse_linear_bn_eval(linear: Any, bn: Any) -> Any:
    """A copy of ``linear`` that computes ``bn(linear(x))`` in evaluation mode.

    >>> linear, bn = adjoint.nn.Linear(2, 3).eval(), adjoint.nn.BatchNorm1d(3).eval()
    >>> x = adjoint.ones(4, 2)
    >>> fused = adjoint.nn.utils.fuse_linear_bn_eval(linear, bn)
    >>> adjoint.allclose(fused(x), bn(linear(x)))
    True
    """
    return _fused(linear, bn, False)
