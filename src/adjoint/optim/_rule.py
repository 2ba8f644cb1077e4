"""RuleOptimizer: what the optimizers share whose step is one formula of each element."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint import Tensor

from ._differentiable import recorded_step
from .optimizer import Group, Optimizer, new_step, run_closure, steps_as_tensors, with_gradients


class RuleOptimizer(Optimizer):
    """An optimizer that defines its buffers (``_param_shaped``), its scalars beside "step"
    (``_scalars``), :meth:`_new_state`, and :meth:`_update`, one call of a kernel."""

    def _new_state(self, param: Tensor, group: Group) -> dict[str, Any]:
        """The state of a parameter before its first step, besides "step"."""
        raise NotImplementedError

    @staticmethod
    def _update(group: Group, *lists: list[Tensor]) -> None:
        """Step the parameters of a group.

        ``lists`` are the parameters, their gradients, each buffer, the steps and the other scalars.
        """
        raise NotImplementedError

    def _init_state(self, param: Tensor, group: Group) -> None:
        self.state[param].update({"step": new_step(), **self._new_state(param, group)})

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        steps_as_tensors(self.state)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        names = (*self._param_shaped, *self._scalars)
        for group in self.param_groups:
            if group["differentiable"]:
                recorded_step(self, group)
                continue
            params, grads = with_gradients(group)
            if not params:
                continue
            for p in params:
                if not self.state[p]:
                    self._init_state(p, group)
            states = [self.state[p] for p in params]
            self._update(group, params, grads, *([s[name] for s in states] for name in names))
        return loss


def numbers(group: Group, *names: str) -> dict[str, float]:
    """Hyperparameters of a group as floats, by name."""
    return {name: float(group[name]) for name in names}


def betas(group: Group) -> dict[str, float]:
    beta1, beta2 = group["betas"]
    return {"beta1": float(beta1), "beta2": float(beta2)}
