"""RMSprop."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from . import _kernels
from ._differentiable import recorded_step
from ._functional import rmsprop
from .optimizer import (
    Group,
    Optimizer,
    check_common,
    new_step,
    not_negative,
    number,
    run_closure,
    steps_as_tensors,
    with_gradients,
)

__all__ = ["RMSprop", "rmsprop"]


class RMSprop(Optimizer):
    """RMSprop (Hinton, lecture 6 of "Neural Networks for Machine Learning", 2012): the gradient
    divided by the root of a running average of its square.

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        alpha: decay rate of the average.
        eps: added to the denominator, after the root.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        momentum: of the quotient.
        centered: divide by the standard deviation instead (Graves, 2013).
        maximize: go up the gradient.
        foreach, capturable: accepted; every step is one call of a multi-tensor kernel.

    Raises:
        ValueError: a negative hyperparameter.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.RMSprop([p], lr=0.01)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000])
    """

    _param_shaped = ("square_avg", "momentum_buffer", "grad_avg")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        not_negative(group, "alpha", "eps", "momentum")

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
            names = ["square_avg"]
            if group["momentum"] > 0:
                names.append("momentum_buffer")
            if group["centered"]:
                names.append("grad_avg")
            for p, state in zip(params, states):
                if "step" not in state:
                    state["step"] = new_step()
                for name in names:
                    if name not in state:
                        state[name] = adjoint.zeros_like(p)
            lists = {name: [state[name] for state in states] for name in names}
            self._update(
                group,
                params,
                grads,
                lists["square_avg"],
                lists.get("grad_avg"),
                lists.get("momentum_buffer"),
                [state["step"] for state in states],
            )
        return loss

    @staticmethod
    def _update(group: Group, *lists: Any) -> None:
        """Step the parameters; the lists are those of the kernel."""
        _kernels.rmsprop_(
            *lists,
            lr=number(group["lr"]),
            alpha=number(group["alpha"]),
            eps=number(group["eps"]),
            weight_decay=number(group["weight_decay"]),
            momentum=number(group["momentum"]),
            centered=group["centered"],
            maximize=group["maximize"],
        )
