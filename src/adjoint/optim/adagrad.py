"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from . import _kernels
from ._functional import adagrad
from ._rule import RuleOptimizer, numbers
from .optimizer import Group, check_common, not_negative

__all__ = ["Adagrad", "adagrad"]


class Adagrad(RuleOptimizer):
    """Adagrad (Duchi, Hazan, Singer, "Adaptive Subgradient Methods", 2011).

    ``s += g * g``; ``p -= lr / (1 + (t - 1) * lr_decay) * g / (sqrt(s) + eps)``.

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        lr_decay: how fast it falls with the number of steps.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        initial_accumulator_value: what the sums begin with.
        eps: added to the denominator, after the root.
        maximize: go up the gradient.
        foreach, fused: accepted; every step is one call of a multi-tensor kernel.

    Raises:
        ValueError: a negative hyperparameter.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.Adagrad([p], lr=0.1)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000])
    """

    _param_shaped = ("sum",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self._init_state(p, group)

    def share_memory(self) -> None:
        """Put the sums into memory shared between processes."""
        for state in self.state.values():
            state["sum"].share_memory_()

    def _check_group(self, group: Group) -> None:
        check_common(group)
        not_negative(group, "lr_decay", "initial_accumulator_value", "eps")

    def _new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        value = group["initial_accumulator_value"]
        return {"sum": adjoint.full_like(param, value)}

    @staticmethod
    def _update(group: Group, *lists: list[Tensor]) -> None:
        _kernels.adagrad_(
            *lists,
            **numbers(group, "lr", "lr_decay", "eps", "weight_decay"),
            maximize=group["maximize"],
        )
