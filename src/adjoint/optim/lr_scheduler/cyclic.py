"""Cyclical learning rates."""

from __future__ import annotations

import math
import types
from collections.abc import Callable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, check_optimizer, per_group, set_value

__all__ = ["CyclicLR"]


class CyclicLR(LRScheduler):
    """Rate up and down between two bounds, again and again (Smith, "Cyclical Learning Rates for
    Training Neural Networks", 2015). Step it after every batch.

    Args:
        base_lr: the lower bound, one number or one for each group.
        max_lr: the upper bound of the first cycle.
        step_size_up: steps from the lower bound to the upper one.
        step_size_down: steps back, as many if None.
        mode: "triangular" (the same in all cycles), "triangular2" (the amplitude is halved after
            each) or "exp_range" (it is multiplied by ``gamma`` in each step).
        scale_fn: takes the place of ``mode``: what the amplitude is multiplied by, a function of
            the number of the cycle, or with ``scale_mode="iterations"`` of the step.
        cycle_momentum: also move the momentum (or the first beta), from ``max_momentum`` to
            ``base_momentum`` and back.

    Raises:
        ValueError: an unknown mode, or momentum is to be moved in an optimizer without it.

    >>> optimizer = adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))], lr=1.0, momentum=0.9)
    >>> scheduler = adjoint.optim.lr_scheduler.CyclicLR(
    ...     optimizer, base_lr=1.0, max_lr=3.0, step_size_up=2
    ... )
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     scheduler.step()
    ...     print(scheduler.get_last_lr())
    [2.0]
    [3.0]
    [2.0]
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        base_lr: float | list[float],
        max_lr: float | list[float],
        step_size_up: int = 2000,
        step_size_down: int | None = None,
        mode: str = "triangular",
        gamma: float = 1.0,
        scale_fn: Callable[[float], float] | None = None,
        scale_mode: str = "cycle",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.8,
        max_momentum: float | list[float] = 0.9,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        if scale_fn is None and mode not in ("triangular", "triangular2", "exp_range"):
            raise ValueError(
                "mode must be 'triangular', 'triangular2' or 'exp_range' if there is no scale_fn, "
                f"got {mode!r}"
            )
        if cycle_momentum and not {"momentum", "betas"} & set(optimizer.defaults):
            raise ValueError(
                "cycle_momentum=True: the optimizer must support momentum or beta1, "
                f"{type(optimizer).__name__} has neither"
            )
        self.optimizer = optimizer
        base_lrs = per_group(optimizer, "base_lr", base_lr)
        self.max_lrs = per_group(optimizer, "max_lr", max_lr)
        up = float(step_size_up)
        self.total_size = up + (up if step_size_down is None else float(step_size_down))
        self.step_ratio = up / self.total_size
        self.mode = mode
        self.gamma = gamma
        self._scale_fn_custom = scale_fn
        self.scale_mode = scale_mode
        if scale_fn is None:
            self.scale_mode = "iterations" if mode == "exp_range" else "cycle"
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            self.use_beta1 = "betas" in optimizer.defaults
            self.base_momentums = per_group(optimizer, "base_momentum", base_momentum)
            self.max_momentums = per_group(optimizer, "max_momentum", max_momentum)
        if last_epoch == -1:
            for i, group in enumerate(optimizer.param_groups):
                set_value(group, "lr", base_lrs[i])
                if cycle_momentum:
                    self._set_momentum(group, self.max_momentums[i])
                    group["max_momentum"] = self.max_momentums[i]
                    group["base_momentum"] = self.base_momentums[i]
        super().__init__(optimizer, last_epoch)
        self.base_lrs = base_lrs

    def scale_fn(self, x: float) -> float:
        """What the amplitude is multiplied by in cycle (or step) ``x``."""
        if self._scale_fn_custom is not None:
            return self._scale_fn_custom(x)
        if self.mode == "triangular2":
            return 1 / (2.0 ** (x - 1))
        return self.gamma**x if self.mode == "exp_range" else 1.0

    def get_lr(self) -> list[Any]:
        cycle = math.floor(1 + self.last_epoch / self.total_size)
        x = 1.0 + self.last_epoch / self.total_size - cycle
        up = x <= self.step_ratio
        height = x / self.step_ratio if up else (x - 1) / (self.step_ratio - 1)
        height *= self.scale_fn(cycle if self.scale_mode == "cycle" else self.last_epoch)
        if self.cycle_momentum:
            bounds = zip(self.base_momentums, self.max_momentums)
            for group, (low, high) in zip(self.optimizer.param_groups, bounds):
                self._set_momentum(group, high - (high - low) * height)
        return [low + (high - low) * height for low, high in zip(self.base_lrs, self.max_lrs)]

    def _set_momentum(self, group: dict[str, Any], value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            set_value(group, "momentum", value)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer; of a ``scale_fn`` its attributes, if it has some."""
        state = super().state_dict()
        custom = state["_scale_fn_custom"]
        plain = custom is None or isinstance(custom, types.FunctionType)
        state["_scale_fn_custom"] = None if plain else dict(vars(custom))
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave; a ``scale_fn`` gets its attributes back."""
        state = dict(state_dict)
        attributes = state.pop("_scale_fn_custom", None)
        super().load_state_dict(state)
        if attributes is not None:
            vars(self._scale_fn_custom).update(attributes)
