"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from . import _kernels
from ._differentiable import recorded_step
from ._functional import sgd
from .optimizer import (
    Group,
    Optimizer,
    check_common,
    not_negative,
    number,
    run_closure,
    with_gradients,
)

__all__ = ["SGD", "sgd"]


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum (Sutskever et al., 2013) if asked for.

    ``b = momentum * b + (1 - dampening) * g``, and ``p -= lr * b``; the first ``b`` is ``g``. With
    ``nesterov``, ``p -= lr * (g + momentum * b)``.

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: learning rate.
        weight_decay: adds ``weight_decay * p`` to the gradient.
        maximize: go up the gradient.
        foreach, fused: accepted; every step is one call of a multi-tensor kernel.

    Raises:
        ValueError: a negative ``lr``, ``momentum`` or ``weight_decay``, or ``nesterov`` without
            momentum or with dampening.

    >>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
    >>> optimizer = adjoint.optim.SGD([p], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     optimizer.zero_grad()
    ...     p.sum().backward()
    ...     optimizer.step()
    >>> p.data
    tensor([0.7100])
    """

    _param_shaped = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float | Tensor = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        momentum, dampening = group["momentum"], group["dampening"]
        not_negative(group, "momentum")
        if group["nesterov"] and (momentum <= 0 or dampening != 0):
            raise ValueError(
                "nesterov needs a momentum above zero and no dampening, "
                f"got momentum={momentum}, dampening={dampening}"
            )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        for group in self.param_groups:
            if group["differentiable"]:
                recorded_step(self, group)
                continue
            params, grads = with_gradients(group)
            if not params:
                continue
            if group["momentum"] == 0:
                self._update(group, params, grads, [])
                continue
            states = [self.state[p] for p in params]
            buffers = [state.get("momentum_buffer") for state in states]
            self._update(group, params, grads, buffers)
            for state, buffer in zip(states, buffers):
                state["momentum_buffer"] = buffer
        return loss

    @staticmethod
    def _update(group: Group, params: Any, grads: Any, buffers: Any) -> None:
        """Step the parameters; a buffer that is None is made, and put into the list."""
        if group["momentum"] == 0:
            _call_kernel(group, params, grads, None, False)
            return
        new = [i for i, buffer in enumerate(buffers) if buffer is None]
        for i in new:
            buffers[i] = adjoint.empty_like(params[i])
        if len(new) in (0, len(params)):
            _call_kernel(group, params, grads, buffers, bool(new))
            return
        # some parameters have their first gradient now: they are stepped apart
        old = [i for i in range(len(params)) if i not in set(new)]
        for some, first_step in ((new, True), (old, False)):
            p, g, b = ([tensors[i] for i in some] for tensors in (params, grads, buffers))
            _call_kernel(group, p, g, b, first_step)


def _call_kernel(group: Group, params: Any, grads: Any, buffers: Any, first_step: bool) -> None:
    _kernels.sgd_(
        params,
        grads,
        buffers,
        lr=number(group["lr"]),
        momentum=number(group["momentum"]),
        dampening=number(group["dampening"]),
        weight_decay=number(group["weight_decay"]),
        nesterov=group["nesterov"],
        maximize=group["maximize"],
        first_step=first_step,
    )
