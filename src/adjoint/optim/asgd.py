"""Averaged stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from . import _kernels
from ._functional import asgd
from ._helpers import _get_scalar_dtype
from ._rule import RuleOptimizer, numbers
from .optimizer import Group, check_common

__all__ = ["ASGD", "asgd"]


class ASGD(RuleOptimizer):
    """Averaged SGD (Polyak, Juditsky, "Acceleration of Stochastic Approximation", 1992).

    ``p = (1 - lambd * eta) * p - eta * g`` with the rate ``eta = lr / (1 + lambd * lr * t)^alpha``
    of the step before (``lr`` at first); ``state["ax"]`` is the mean of ``p`` since step ``t0``.

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        lambd: how fast the rate and the parameters decay.
        alpha: the power of the rate's decay.
        t0: the step at which averaging begins.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        maximize: go up the gradient.
        foreach, capturable: accepted; every step is one call of a multi-tensor kernel.

    Raises:
        ValueError: a negative ``lr`` or ``weight_decay``.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.ASGD([p], lr=0.1)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000])
    """

    _param_shaped = ("ax",)
    _scalars = ("step", "eta", "mu")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "lambd": lambd,
            "alpha": alpha,
            "t0": t0,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)

    def _new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        return {
            "eta": adjoint.tensor(float(group["lr"]), dtype=_get_scalar_dtype()),
            "mu": adjoint.ones((), dtype=_get_scalar_dtype()),
            "ax": adjoint.zeros_like(param),
        }

    @staticmethod
    def _update(group: Group, *lists: list[Tensor]) -> None:
        _kernels.asgd_(
            *lists,
            **numbers(group, "lr", "lambd", "alpha", "t0", "weight_decay"),
            maximize=group["maximize"],
        )
