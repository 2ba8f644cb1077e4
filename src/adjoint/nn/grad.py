"""Gradients of convolutions by themselves, for programs that ask for one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import adjoint
from adjoint import Tensor

from . import functional as F

__all__ = [
    "conv1d_input",
    "conv1d_weight",
    "conv2d_input",
    "conv2d_weight",
    "conv3d_input",
    "conv3d_weight",
]

_Size = int | tuple[int, ...]


def _pulled_back(
    convolution: Any, x: Tensor, w: Tensor, by: int, grad: Tensor, options: Any
) -> Any:
    # a convolution is linear in each argument: its gradient does not depend on the one asked for
    pair = [x, w]
    pair[by] = pair[by].detach().requires_grad_()
    with adjoint.enable_grad():
        out = convolution(*pair, None, *options)
    if out.shape != grad.shape:
        raise ValueError(
            f"grad_output has shape {tuple(grad.shape)}, the convolution gives {tuple(out.shape)}"
        )
    create = adjoint.is_grad_enabled() and (grad.requires_grad or pair[1 - by].requires_grad)
    return adjoint.autograd.grad(out, pair[by], grad, create_graph=create)[0]


def _of_input(dims: int) -> Any:
    convolution = getattr(F, f"conv{dims}d")

    def gradient(
        input_size: Sequence[int],
        weight: Tensor,
        grad_output: Tensor,
        stride: _Size = 1,
        padding: _Size = 0,
        dilation: _Size = 1,
        groups: int = 1,
    ) -> Tensor:
        x = weight.new_zeros(tuple(input_size))
        options = stride, padding, dilation, groups
        return _pulled_back(convolution, x, weight, 0, grad_output, options)

    gradient.__name__ = gradient.__qualname__ = f"conv{dims}d_input"
    gradient.__doc__ = f"The gradient of conv{dims}d by its input, which has shape ``input_size``."
    return gradient


def _of_weight(dims: int) -> Any:
    convolution = getattr(F, f"conv{dims}d")

    def gradient(
        input: Tensor,
        weight_size: Sequence[int],
        grad_output: Tensor,
        stride: _Size = 1,
        padding: _Size = 0,
        dilation: _Size = 1,
        groups: int = 1,
    ) -> Tensor:
        w = input.new_zeros(tuple(weight_size))
        options = stride, padding, dilation, groups
        return _pulled_back(convolution, input, w, 1, grad_output, options)

    gradient.__name__ = gradient.__qualname__ = f"conv{dims}d_weight"
    gradient.__doc__ = f"The gradient of conv{dims}d by its weight, of shape ``weight_size``."
    return gradient


conv1d_input, conv2d_input, conv3d_input = (_of_input(dims) for dims in (1, 2, 3))
conv1d_weight, conv2d_weight, conv3d_weight = (_of_weight(dims) for dims in (1, 2, 3))
