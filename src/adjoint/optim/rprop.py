"""Resilient backpropagation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from . import _kernels
from ._functional import rprop
from ._rule import RuleOptimizer
from .optimizer import Group, check_common

__all__ = ["Rprop", "rprop"]


class Rprop(RuleOptimizer):
    """Resilient backpropagation (Riedmiller, Braun, 1993): only the gradient's sign counts.

    Each element has a step size, ``lr`` at first. It grows by ``etas[1]`` while the sign of the
    gradient stays, and shrinks by ``etas[0]`` when it changes, in which step the element rests.

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: the first step sizes.
        etas: the factors, ``0 < etas[0] < 1 < etas[1]``.
        step_sizes: the smallest and the largest step size.
        maximize: go up the gradient.
        foreach, capturable: accepted; every step is one call of a multi-tensor kernel.

    Raises:
        ValueError: a negative ``lr``, or ``etas`` out of order.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.Rprop([p], lr=0.1)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.9000])
    """

    _param_shaped = ("prev", "step_size")

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "etas": etas,
            "step_sizes": step_sizes,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "capturable": capturable,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        shrink, grow = group["etas"]
        if not 0.0 < shrink < 1.0 < grow:
            raise ValueError(
                f"Invalid eta values: {shrink}, {grow} (needed: 0 < shrink < 1 < grow)"
            )

    def _new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        lr = float(group["lr"])
        return {
            "prev": adjoint.zeros_like(param),
            "step_size": adjoint.full_like(param, complex(lr, lr) if param.is_complex() else lr),
        }

    @staticmethod
    def _update(group: Group, *lists: list[Tensor]) -> None:
        _kernels.rprop_(
            *lists,
            eta_minus=float(group["etas"][0]),
            eta_plus=float(group["etas"][1]),
            smallest=float(group["step_sizes"][0]),
            largest=float(group["step_sizes"][1]),
            maximize=group["maximize"],
        )
