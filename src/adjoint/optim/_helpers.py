"""Helpers of optimizers, under the names by which optimizers written elsewhere import them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.utils._foreach_utils import (
    _get_foreach_kernels_supported_devices,
    _get_fused_kernels_supported_devices,
    _group_tensors_by_device_and_dtype,
)

__all__ = [
    "_capturable_doc",
    "_default_to_fused_or_foreach",
    "_device_dtype_check_for_fused",
    "_differentiable_doc",
    "_disable_dynamo_if_unsupported",
    "_dispatch_sqrt",
    "_foreach_doc",
    "_fused_doc",
    "_get_capturable_supported_devices",
    "_get_foreach_kernels_supported_devices",
    "_get_fused_kernels_supported_devices",
    "_get_scalar_dtype",
    "_get_value",
    "_group_tensors_by_device_and_dtype",
    "_maximize_doc",
    "_params_doc",
    "_stack_if_compiling",
    "_to_scalar",
    "_use_grad_for_differentiable",
    "_view_as_real",
]

# The arguments that optimizers share, for their docstrings.
_params_doc = "params (iterable): parameters, named parameters, or groups of either"
_foreach_doc = "foreach (bool, optional): accepted; all tensors of a group are stepped at once"
_fused_doc = "fused (bool, optional): accepted; all tensors of a group are stepped at once"
_capturable_doc = "capturable (bool, optional): accepted; there are no graphs of a GPU to capture"
_differentiable_doc = "differentiable (bool, optional): record the step (default: False)"
_maximize_doc = "maximize (bool, optional): go up the gradient (default: False)"


def _get_scalar_dtype(is_fused: bool | None = None) -> Any:
    """The dtype of steps and other single numbers of the state: float64 if that is the default
    dtype, else float32."""
    wide = not is_fused and adjoint.get_default_dtype() == adjoint.float64
    return adjoint.float64 if wide else adjoint.float32


def _get_value(x: Any) -> Any:
    """A number, also from a tensor of one element."""
    return x.item() if isinstance(x, Tensor) else x


def _to_scalar(x: Any) -> Any:
    """A hyperparameter with a tensor of one element made 0-d."""
    return x.squeeze() if isinstance(x, Tensor) and x.dim() != 0 else x


def _dispatch_sqrt(x: Any) -> Any:
    """The square root of a number or of a tensor."""
    return x.sqrt() if isinstance(x, Tensor) else math.sqrt(x)


def _stack_if_compiling(x: Any) -> Any:
    """The argument: steps are not compiled."""
    return x


def _view_as_real(params: list[Tensor], *state_and_grads: list[Tensor]) -> None:
    """Replaces complex parameters in the list, and what belongs to them, by their real views."""
    for i, param in enumerate(params):
        if param.is_complex():
            for tensors in (params, *state_and_grads):
                tensors[i] = adjoint.view_as_real(tensors[i])


def _default_to_fused_or_foreach(
    params: list[Tensor], differentiable: bool, use_fused: bool = False
) -> tuple[bool, bool]:
    """What `fused` and `foreach` mean where neither is given: one tensor after the other."""
    return False, False


def _device_dtype_check_for_fused(p: Tensor, cuda_unsupported: bool = False) -> None:
    """A RuntimeError unless the parameter is of a floating dtype."""
    if not p.is_floating_point():
        raise RuntimeError(
            "`fused=True` requires all the params to be floating point Tensors of supported "
            f"devices: {_get_fused_kernels_supported_devices()} but {p.dtype} and {p.device.type}"
        )


def _get_capturable_supported_devices(supports_xla: bool = True) -> list[str]:
    """The devices whose steps can be captured as a graph: none."""
    return []


def _disable_dynamo_if_unsupported(
    single_tensor_fn: Callable[..., Any] | None = None,
) -> Callable[[Any], Any]:
    """A decorator that changes nothing: steps are not compiled."""
    return lambda function: function


def _use_grad_for_differentiable(step: Any) -> Any:
    """A decorator of `step`: it is recorded only where `defaults["differentiable"]` is set."""

    @functools.wraps(step)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        with adjoint.set_grad_enabled(bool(args[0].defaults["differentiable"])):
            return step(*args, **kwargs)

    return wrapper
