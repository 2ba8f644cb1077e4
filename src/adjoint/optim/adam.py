"""Adam."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from . import _kernels
from ._differentiable import recorded_step
from ._functional import adam
from .optimizer import (
    Group,
    Optimizer,
    check_betas,
    check_common,
    new_step,
    not_negative,
    number,
    run_closure,
    steps_as_tensors,
    with_gradients,
)

__all__ = ["Adam", "adam"]


class Adam(Optimizer):
    """Adam (Kingma, Ba, "Adam: A Method for Stochastic Optimization", 2014).

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        betas: decay rates of the averages of the gradient and of its square.
        eps: added to the denominator.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        amsgrad: divide by the largest average of the square so far (Reddi et al., 2018).
        maximize: go up the gradient.
        decoupled_weight_decay: shrink the parameters instead, as :class:`AdamW` does.
        foreach, fused, capturable: accepted; every step is one call of a multi-tensor kernel.

    Raises:
        ValueError: a negative ``lr``, ``eps`` or ``weight_decay``, or a beta outside ``[0, 1)``.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.Adam([p], lr=0.1)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000])
    """

    _param_shaped = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        not_negative(group, "eps")
        check_betas(group)

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        steps_as_tensors(self.state)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        for group in self.param_groups:
            if group["differentiable"]:
                recorded_step(self, group)
                continue
            params, grads = with_gradients(group)
            if not params:
                continue
            states = [self.state[p] for p in params]
            amsgrad = group["amsgrad"]
            for p, state in zip(params, states):
                if not state:
                    state["step"] = new_step()
                    state["exp_avg"] = adjoint.zeros_like(p)
                    state["exp_avg_sq"] = adjoint.zeros_like(p)
                if amsgrad and "max_exp_avg_sq" not in state:
                    state["max_exp_avg_sq"] = adjoint.zeros_like(p)
            self._update(
                group,
                params,
                grads,
                [state["exp_avg"] for state in states],
                [state["exp_avg_sq"] for state in states],
                [state["max_exp_avg_sq"] for state in states] if amsgrad else None,
                [state["step"] for state in states],
            )
        return loss

    @staticmethod
    def _update(group: Group, *lists: Any) -> None:
        """Step the parameters; the lists are those of the kernel."""
        beta1, beta2 = group["betas"]
        _kernels.adam_(
            *lists,
            lr=number(group["lr"]),
            beta1=number(beta1),
            beta2=number(beta2),
            eps=number(group["eps"]),
            weight_decay=number(group["weight_decay"]),
            decoupled=group["decoupled_weight_decay"],
            maximize=group["maximize"],
        )
