"""Schedules made of others."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, check_optimizer, current_lrs, set_value
from .plateau import ReduceLROnPlateau

__all__ = ["ChainedScheduler", "SequentialLR"]


class _Composed(LRScheduler):
    """A schedule that steps others and saves their state with its own."""

    _schedulers: list[LRScheduler]

    def _adopt(self, optimizer: Optimizer, schedulers: Sequence[Any]) -> None:
        if len(schedulers) < 1:
            raise ValueError(f"{type(self).__name__} expects at least one scheduler")
        for i, scheduler in enumerate(schedulers):
            if not hasattr(scheduler, "optimizer"):
                raise TypeError(
                    f"schedulers[{i}] is a {type(scheduler).__name__}, which has no optimizer"
                )
            if isinstance(scheduler, ReduceLROnPlateau):
                raise ValueError(
                    f"{type(self).__name__} does not support `ReduceLROnPlateau`, whose step() "
                    f"needs a metric, but got one at index {i}"
                )
            if scheduler.optimizer is not optimizer:
                raise ValueError(
                    f"{type(self).__name__} expects all schedulers to belong to the same "
                    f"optimizer: schedulers[{i}] has another than schedulers[0] or the one given"
                )
        check_optimizer(optimizer)
        self.optimizer = optimizer
        self._schedulers = list(schedulers)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, the schedulers as their own state_dicts."""
        state = super().state_dict()
        state["_schedulers"] = [scheduler.state_dict() for scheduler in self._schedulers]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        saved = dict(state_dict)
        for scheduler, state in zip(self._schedulers, saved.pop("_schedulers")):
            scheduler.load_state_dict(state)
        super().load_state_dict(saved)


class SequentialLR(_Composed):
    """One schedule after the other: ``schedulers[i + 1]`` takes over at epoch ``milestones[i]``,
    from its own first epoch and the initial rate.

    Raises:
        ValueError: no schedulers, different optimizers, or not one milestone fewer than
            schedulers.

    >>> p = adjoint.nn.Parameter(adjoint.ones(1))
    >>> optimizer = adjoint.optim.SGD([p], lr=1.0)
    >>> lr = adjoint.optim.lr_scheduler
    >>> warmup = lr.ConstantLR(optimizer, factor=0.1)
    >>> decay = lr.ExponentialLR(optimizer, gamma=0.5)
    >>> scheduler = lr.SequentialLR(optimizer, [warmup, decay], milestones=[1])
    >>> rates = []
    >>> for _ in range(3):
    ...     rates += scheduler.get_last_lr()
    ...     optimizer.step()
    ...     scheduler.step()
    >>> rates
    [0.1, 1.0, 0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        schedulers: list[LRScheduler],
        milestones: list[int],
        last_epoch: int = -1,
    ) -> None:
        self._adopt(optimizer, schedulers)
        if len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"{len(schedulers)} schedulers need {len(schedulers) - 1} milestones, "
                f"got {len(milestones)}"
            )
        self._milestones = milestones
        self.last_epoch = last_epoch + 1
        # Making the schedulers has stepped all of them: begin again with the first one alone.
        for group in optimizer.param_groups:
            set_value(group, "lr", group["initial_lr"])
        for scheduler in schedulers:
            scheduler.last_epoch -= 1
        schedulers[0]._initial_step()
        self._last_lr = schedulers[0].get_last_lr()

    def step(self) -> None:  # type: ignore[override]
        """Go to the next epoch and set its rates."""
        self.last_epoch += 1
        i = bisect_right(self._milestones, self.last_epoch)
        scheduler = self._schedulers[i]
        if i > 0 and self._milestones[i - 1] == self.last_epoch:
            scheduler._update_lr(0)
        else:
            scheduler.step()
        self._last_lr = scheduler.get_last_lr()


class ChainedScheduler(_Composed):
    """Several schedules at once: each step steps all of them, so that their factors multiply.

    Raises:
        ValueError: no schedulers, or different optimizers.

    >>> optimizer = adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))], lr=1.0)
    >>> lr = adjoint.optim.lr_scheduler
    >>> scheduler = lr.ChainedScheduler(
    ...     [lr.ConstantLR(optimizer, 0.5), lr.ExponentialLR(optimizer, 0.5)]
    ... )
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self, schedulers: Sequence[LRScheduler], optimizer: Optimizer | None = None
    ) -> None:
        if len(schedulers) >= 1 and optimizer is None:
            optimizer = schedulers[0].optimizer
        self._adopt(optimizer, schedulers)  # type: ignore[arg-type]
        self._last_lr = current_lrs(self.optimizer)

    def step(self) -> None:  # type: ignore[override]
        """Step all schedulers."""
        for scheduler in self._schedulers:
            scheduler.step()
        self._last_lr = current_lrs(self.optimizer)
