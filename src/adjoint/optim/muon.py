"""Muon."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from .optimizer import (
    Group,
    Optimizer,
    check_common,
    not_negative,
    run_closure,
    with_gradients,
)

__all__ = ["Muon"]


class Muon(Optimizer):
    """Momentum whose matrices are made orthogonal (Jordan, "Muon", 2024), for the matrices of
    hidden layers; the other parameters need another optimizer.

    ``b = momentum * b + (1 - momentum) * g``; the step is ``b`` (with ``nesterov`` ``b`` moved
    towards ``g``) with its singular values brought near 1 by a Newton-Schulz iteration.

    Args:
        params: matrices, or groups of them, see :class:`Optimizer`.
        lr: learning rate.
        weight_decay: multiplies the parameters by ``1 - lr * weight_decay``.
        momentum: decay rate of the average of the gradient.
        nesterov: use the gradient once more.
        ns_coefficients: a, b, c of the iteration ``x = a x + (b y + c y y) x``, ``y = x x^T``.
        eps: smallest norm to divide by.
        ns_steps: number of iterations.
        adjust_lr_fn: "original" (None): ``lr`` is multiplied by ``sqrt(max(1, rows / columns))``;
            "match_rms_adamw": by ``0.2 * sqrt(max(rows, columns))``.

    Raises:
        ValueError: a parameter that is not a matrix, or a hyperparameter out of range.

    >>> p = adjoint.nn.Parameter(adjoint.eye(2))
    >>> optimizer = adjoint.optim.Muon([p], lr=0.1)
    >>> (p * p).sum().backward()
    >>> optimizer.step()
    >>> p.data.diagonal().max().item() < 1
    True
    """

    _param_shaped = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "weight_decay": weight_decay,
            "momentum": momentum,
            "nesterov": nesterov,
            "ns_coefficients": ns_coefficients,
            "eps": eps,
            "ns_steps": ns_steps,
            "adjust_lr_fn": adjust_lr_fn,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        not_negative(group, "momentum")
        if group["adjust_lr_fn"] not in (None, "original", "match_rms_adamw"):
            raise ValueError(
                f"Adjust learning rate function {group['adjust_lr_fn']} is not supported: "
                "adjust_lr_fn is None, 'original' or 'match_rms_adamw'"
            )
        if len(group["ns_coefficients"]) != 3:
            raise ValueError(f"ns_coefficients must be three, got {group['ns_coefficients']}")
        if not 0 <= group["ns_steps"] < 100:
            raise ValueError(f"ns_steps must be between 0 and 99, got {group['ns_steps']}")

    def _check_params(self, params: list[Any]) -> None:
        super()._check_params(params)
        for param in params:
            if param.dim() != 2:
                raise ValueError(
                    f"Muon only supports 2D parameters, got one of shape {tuple(param.shape)}: "
                    "give it to another optimizer"
                )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        with adjoint.no_grad():
            for group in self.param_groups:
                for param, grad in zip(*with_gradients(group)):
                    self._update(group, param, grad)
        return loss

    def _update(self, group: Group, param: Tensor, grad: Tensor) -> None:
        if param.is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        state = self.state[param]
        if "momentum_buffer" not in state:
            state["momentum_buffer"] = adjoint.zeros_like(grad)
        momentum = float(group["momentum"])
        average = state["momentum_buffer"].lerp_(grad, 1 - momentum)
        update = grad.lerp(average, momentum) if group["nesterov"] else average
        update = orthogonalized(update, group["ns_coefficients"], group["ns_steps"], group["eps"])
        lr = float(group["lr"])
        param.mul_(1 - lr * group["weight_decay"])
        param.add_(update.to(param.dtype), alpha=-lr * _ratio(group["adjust_lr_fn"], param.shape))


def orthogonalized(
    matrix: Tensor, coefficients: tuple[float, float, float], steps: int, eps: float
) -> Tensor:
    """``matrix`` with its singular values brought near 1, in bfloat16 as the iteration allows."""
    a, b, c = coefficients
    x = matrix.to(adjoint.bfloat16)
    tall = matrix.shape[0] > matrix.shape[1]
    if tall:
        x = x.T
    x = x / x.norm().clamp(min=eps)
    for _ in range(steps):
        y = x @ x.T
        x = adjoint.addmm(x, adjoint.addmm(y, y, y, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


def _ratio(rule: str | None, shape: Any) -> float:
    rows, columns = shape
    if rule == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1.0, rows / columns)) if columns else 1.0
