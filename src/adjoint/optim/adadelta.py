"""Adadelta."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from . import _kernels
from ._functional import adadelta
from ._rule import RuleOptimizer, numbers
from .optimizer import Group, check_common, not_negative

__all__ = ["Adadelta", "adadelta"]


class Adadelta(RuleOptimizer):
    """Adadelta (Zeiler, "ADADELTA: An Adaptive Learning Rate Method", 2012).

    ``v = rho * v + (1 - rho) * g * g``; ``d = sqrt(u + eps) / sqrt(v + eps) * g``;
    ``u = rho * u + (1 - rho) * d * d``; ``p -= lr * d``.

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: what the step is multiplied by.
        rho: decay rate of the averages of the square of the gradient and of the step.
        eps: added to both under the root.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        maximize: go up the gradient.
        foreach, capturable: accepted; every step is one call of a multi-tensor kernel.

    Raises:
        ValueError: a negative hyperparameter, or ``rho`` above 1.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.Adadelta([p], lr=0.1)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9997])
    """

    _param_shaped = ("square_avg", "acc_delta")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "rho": rho,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
            "capturable": capturable,
            "foreach": foreach,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        not_negative(group, "eps")
        if not 0.0 <= group["rho"] <= 1.0:
            raise ValueError(f"Invalid rho value: {group['rho']} (it must be between 0 and 1)")

    def _new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {name: adjoint.zeros_like(param) for name in self._param_shaped}

    @staticmethod
    def _update(group: Group, *lists: list[Tensor]) -> None:
        _kernels.adadelta_(
            *lists,
            **numbers(group, "lr", "rho", "eps", "weight_decay"),
            maximize=group["maximize"],
        )
