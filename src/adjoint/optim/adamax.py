"""Adamax."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from . import _kernels
from ._functional import adamax
from ._rule import RuleOptimizer, betas, numbers
from .optimizer import Group, check_betas, check_common, not_negative

__all__ = ["Adamax", "adamax"]


class Adamax(RuleOptimizer):
    """Adamax, Adam with the infinity norm (Kingma, Ba, 2014, section 7.1).

    ``m += (1 - beta1) * (g - m)``; ``u = max(beta2 * u, |g| + eps)``;
    ``p -= lr / (1 - beta1^t) * m / u``.

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        betas: decay rates of the average of the gradient and of the norm.
        eps: added to the absolute value of the gradient.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        maximize: go up the gradient.
        foreach, capturable: accepted; every step is one call of a multi-tensor kernel.

    Raises:
        ValueError: a negative hyperparameter, or a beta outside ``[0, 1)``.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.Adamax([p], lr=0.1)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000])
    """

    _param_shaped = ("exp_avg", "exp_inf")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        not_negative(group, "eps")
        check_betas(group)

    def _new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {name: adjoint.zeros_like(param) for name in self._param_shaped}

    @staticmethod
    def _update(group: Group, *lists: list[Tensor]) -> None:
        _kernels.adamax_(
            *lists,
            **numbers(group, "lr", "eps", "weight_decay"),
            **betas(group),
            maximize=group["maximize"],
        )
