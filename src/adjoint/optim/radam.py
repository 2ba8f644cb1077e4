"""RAdam."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from . import _kernels
from ._functional import radam
from ._rule import RuleOptimizer, betas, numbers
from .optimizer import Group, check_betas, check_common, not_negative

__all__ = ["RAdam", "radam"]


class RAdam(RuleOptimizer):
    """Rectified Adam (Liu et al., "On the Variance of the Adaptive Learning Rate", 2019).

    The averages are those of Adam. With ``q = 2 / (1 - beta2) - 1`` and
    ``r = q - 2 * t * beta2^t / (1 - beta2^t)``: as long as ``r <= 5`` the step is that of the
    average alone, ``p -= lr * m / (1 - beta1^t)``; then it is Adam's, multiplied by
    ``sqrt((r - 4) * (r - 2) * q / ((q - 4) * (q - 2) * r))``.

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        betas: decay rates of the averages of the gradient and of its square.
        eps: added to the denominator.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        decoupled_weight_decay: multiply ``p`` by ``1 - lr * weight_decay`` instead, as AdamW does.
        maximize: go up the gradient.
        foreach, capturable: accepted; every step is one call of a multi-tensor kernel.

    Raises:
        ValueError: a negative hyperparameter, or a beta outside ``[0, 1)``.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.RAdam([p], lr=0.1)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000])
    """

    _param_shaped = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
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
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
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
        _kernels.radam_(
            *lists,
            **numbers(group, "lr", "eps", "weight_decay"),
            **betas(group),
            decoupled=group["decoupled_weight_decay"],
            maximize=group["maximize"],
        )
