"""AdamW."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from adjoint import Tensor

from ._functional import adamw
from .adam import Adam

__all__ = ["AdamW", "adamw"]


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters by ``1 - lr * weight_decay`` and does not
    enter the averages (Loshchilov, Hutter, "Decoupled Weight Decay Regularization", 2017).

    The arguments are those of :class:`Adam`; ``weight_decay`` is 0.01 if not given.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.AdamW([p], lr=0.1, weight_decay=0.1)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data
    tensor([0.8900])
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        # Adam's state loaded here: the decay stays decoupled
        for group in self.param_groups:
            group["decoupled_weight_decay"] = True
