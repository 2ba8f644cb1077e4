"""Clearing gradients, as ``Module.zero_grad`` and ``Optimizer.zero_grad`` do."""

from __future__ import annotations

from adjoint import Tensor


def clear_grad(param: Tensor, set_to_none: bool) -> None:
    """Set ``param.grad`` to None, or fill it with zeros and cut its history."""
    grad = param.grad
    if grad is None:
        return
    if set_to_none:
        param.grad = None
        return
    if grad.grad_fn is not None:
        grad.detach_()
    else:
        grad.requires_grad_(False)
    grad.zero_()
