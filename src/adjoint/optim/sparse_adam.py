"""SparseAdam: for sparse gradients, which do not exist here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from adjoint import Tensor

from .optimizer import Group, Optimizer, check_betas, check_common, not_negative, run_closure

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam for sparse gradients. All gradients are dense here, so that a step is an error that
    says to use :class:`Adam`.

    Raises:
        ValueError: a negative ``lr`` or ``eps``, or a beta outside ``[0, 1)``.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize}
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        not_negative(group, "eps")
        check_betas(group)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        if any(p.grad is not None for group in self.param_groups for p in group["params"]):
            raise RuntimeError("SparseAdam does not support dense gradients: use Adam")
        return loss
