"""The 1cycle policy."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, check_optimizer, per_group, set_value

__all__ = ["OneCycleLR"]


class OneCycleLR(LRScheduler):
    """Rate up, then down far below the start, momentum the other way (Smith, Topin, 2017). Step it
    after every batch.

    Args:
        max_lr: the peak, one number or one for each group.
        total_steps: length of the cycle; if None, ``epochs * steps_per_epoch``.
        pct_start: the fraction of it spent rising.
        anneal_strategy: "cos" or "linear".
        cycle_momentum: also move the momentum (or the first beta), from ``max_momentum`` to
            ``base_momentum`` and back.
        div_factor: the first rate is ``max_lr / div_factor``.
        final_div_factor: the last one is the first one divided by this.
        three_phase: come down to the first rate before going to the last one.

    Raises:
        ValueError: no length is given, an argument is out of range, or momentum is to be moved
            in an optimizer without it; also by a step after the last.

    >>> p = adjoint.nn.Parameter(adjoint.ones(1))
    >>> optimizer = adjoint.optim.SGD([p], lr=1.0, momentum=0.9)
    >>> scheduler = adjoint.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=10)
    >>> round(scheduler.get_last_lr()[0], 6)
    0.04
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | list[float],
        total_steps: int | None = None,
        epochs: int | None = None,
        steps_per_epoch: int | None = None,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float | list[float] = 0.85,
        max_momentum: float | list[float] = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
        three_phase: bool = False,
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self.total_steps = _length(total_steps, epochs, steps_per_epoch)
        if not isinstance(pct_start, float) or not 0 <= pct_start <= 1:
            raise ValueError(f"Expected float between 0 and 1 pct_start, but got {pct_start!r}")
        if anneal_strategy not in _ANNEAL:
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', got {anneal_strategy!r}"
            )
        self._anneal_func_type = anneal_strategy
        self._schedule_phases = self._phases(pct_start, three_phase)

        max_lrs = per_group(optimizer, "max_lr", max_lr)
        base_momentums = per_group(optimizer, "base_momentum", base_momentum)
        max_momentums = per_group(optimizer, "max_momentum", max_momentum)
        self.cycle_momentum = cycle_momentum
        if cycle_momentum:
            if not {"momentum", "betas"} & set(optimizer.defaults):
                raise ValueError(
                    "cycle_momentum=True: the optimizer must support momentum or beta1, "
                    f"{type(optimizer).__name__} has neither"
                )
            self.use_beta1 = "betas" in optimizer.defaults
        if last_epoch == -1:
            for i, group in enumerate(optimizer.param_groups):
                group["initial_lr"] = max_lrs[i] / div_factor
                group["max_lr"] = max_lrs[i]
                group["min_lr"] = group["initial_lr"] / final_div_factor
                if cycle_momentum:
                    group["base_momentum"] = base_momentums[i]
                    group["max_momentum"] = max_momentums[i]
                    self._set_momentum(group, max_momentums[i])
        super().__init__(optimizer, last_epoch)

    def _phases(self, pct_start: float, three_phase: bool) -> list[dict[str, Any]]:
        """The steps at which each phase ends, and the names in the group of its two ends."""
        peak = float(pct_start * self.total_steps) - 1
        last = self.total_steps - 1
        ends = [peak, 2 * pct_start * self.total_steps - 2, last] if three_phase else [peak, last]
        lrs = ["initial_lr", "max_lr", "initial_lr", "min_lr"]
        momentums = ["max_momentum", "base_momentum", "max_momentum", "max_momentum"]
        if not three_phase:
            lrs = ["initial_lr", "max_lr", "min_lr"]
            momentums = ["max_momentum", "base_momentum", "max_momentum"]
        return [
            {
                "end_step": end,
                "start_lr": lrs[i],
                "end_lr": lrs[i + 1],
                "start_momentum": momentums[i],
                "end_momentum": momentums[i + 1],
            }
            for i, end in enumerate(ends)
        ]

    def get_lr(self) -> list[Any]:
        step = self.last_epoch
        if step > self.total_steps:
            raise ValueError(
                f"Tried to step {step} times, beyond the {self.total_steps} steps of the cycle"
            )
        start: float = 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if step <= end or phase is self._schedule_phases[-1]:
                break
            start = end
        fraction = (step - start) / (end - start)
        anneal = _ANNEAL[self._anneal_func_type]
        lrs = []
        for group in self.optimizer.param_groups:
            lrs.append(anneal(group[phase["start_lr"]], group[phase["end_lr"]], fraction))
            if self.cycle_momentum:
                ends = group[phase["start_momentum"]], group[phase["end_momentum"]]
                self._set_momentum(group, anneal(*ends, fraction))
        return lrs

    def _set_momentum(self, group: dict[str, Any], value: float) -> None:
        if self.use_beta1:
            group["betas"] = (value, *group["betas"][1:])
        else:
            set_value(group, "momentum", value)


def _length(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    if total_steps is not None:
        given = {"total_steps": total_steps}
    elif epochs is not None and steps_per_epoch is not None:
        given = {"epochs": epochs, "steps_per_epoch": steps_per_epoch}
    else:
        raise ValueError("give the length: total_steps, or both epochs and steps_per_epoch")
    for name, value in given.items():
        if not isinstance(value, int) or value <= 0:
            raise ValueError(f"Expected positive integer {name}, but got {value!r}")
    return math.prod(given.values())


def _cosine(start: float, end: float, fraction: float) -> float:
    return end + (start - end) / 2.0 * (math.cos(math.pi * fraction) + 1)


def _linear(start: float, end: float, fraction: float) -> float:
    return (end - start) * fraction + start


_ANNEAL: dict[str, Callable[[float, float, float], float]] = {"cos": _cosine, "linear": _linear}
