"""NAdam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from . import _kernels
from ._functional import nadam
from ._helpers import _get_scalar_dtype
from ._rule import RuleOptimizer, betas, numbers
from .optimizer import Group, check_betas, check_common, not_negative

__all__ = ["NAdam", "nadam"]


class NAdam(RuleOptimizer):
    """Adam with Nesterov momentum (Dozat, "Incorporating Nesterov Momentum into Adam", 2016).

    With ``mu(t) = beta1 * (1 - 0.96^(t * momentum_decay) / 2)`` and ``M`` the product of ``mu`` up
    to ``t``: ``m += (1 - beta1) * (g - m)``, ``v = beta2 * v + (1 - beta2) * g * g``,
    ``d = (1 - mu(t)) / (1 - M) * g + mu(t + 1) / (1 - M * mu(t + 1)) * m`` and
    ``p -= lr * d / (sqrt(v / (1 - beta2^t)) + eps)``.

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        betas: decay rates of the averages of the gradient and of its square.
        eps: added to the denominator.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        momentum_decay: how fast ``mu`` approaches ``beta1``.
        decoupled_weight_decay: multiply ``p`` by ``1 - lr * weight_decay`` instead, as AdamW does.
        maximize: go up the gradient.
        foreach, capturable: accepted; every step is one call of a multi-tensor kernel.

    Raises:
        ValueError: a negative hyperparameter, or a beta outside ``[0, 1)``.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.NAdam([p], lr=0.1)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.8944])
    """

    _param_shaped = ("exp_avg", "exp_avg_sq")
    _scalars = ("step", "mu_product")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        not_negative(group, "eps", "momentum_decay")
        check_betas(group)

    def _new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {
            "mu_product": adjoint.ones((), dtype=_get_scalar_dtype()),
            **{name: adjoint.zeros_like(param) for name in self._param_shaped},
        }

    @staticmethod
    def _update(group: Group, *lists: list[Tensor]) -> None:
        _kernels.nadam_(
            *lists,
            **numbers(group, "lr", "eps", "weight_decay", "momentum_decay"),
            **betas(group),
            decoupled=group["decoupled_weight_decay"],
            maximize=group["maximize"],
        )
