"""Cosine schedules (Loshchilov, Hutter, "SGDR", 2016)."""

from __future__ import annotations

import math
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, _enable_get_lr_call, current_lrs, set_value

__all__ = ["CosineAnnealingLR", "CosineAnnealingWarmRestarts"]


class CosineAnnealingLR(LRScheduler):
    """``eta_min + (initial - eta_min) * (1 + cos(pi * epoch / T_max)) / 2``, step by step, so that
    other schedulers may act on the same rate. After ``T_max`` it rises again.

    >>> p = adjoint.nn.Parameter(adjoint.ones(1))
    >>> optimizer = adjoint.optim.SGD([p], lr=1.0)
    >>> scheduler = adjoint.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> round(scheduler.get_last_lr()[0], 6)
    0.5
    """

    def __init__(
        self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1
    ) -> None:
        self.T_max = T_max
        self.eta_min = eta_min
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        if self._holds():
            return self._lrs()
        if self._step_count == 1:  # resumed: there is no rate of the epoch before
            return self._get_closed_form_lr()
        if (self.last_epoch - 1 - self.T_max) % (2 * self.T_max) == 0:
            # the epoch before was at the minimum, from where no ratio leads up
            rise = (1 - math.cos(math.pi / self.T_max)) / 2
            return [
                lr + (base - self.eta_min) * rise for base, lr in zip(self.base_lrs, self._lrs())
            ]
        now = 1 + math.cos(math.pi * self.last_epoch / self.T_max)
        before = 1 + math.cos(math.pi * (self.last_epoch - 1) / self.T_max)
        return [now / before * (lr - self.eta_min) + self.eta_min for lr in self._lrs()]

    def _get_closed_form_lr(self) -> list[Any]:
        return [cosine(base, self.eta_min, self.last_epoch / self.T_max) for base in self.base_lrs]


class CosineAnnealingWarmRestarts(LRScheduler):
    """Cosine from the initial rate to ``eta_min``, again and again: the first time over ``T_0``
    epochs, each later one ``T_mult`` times as long. ``step(epoch)`` takes fractions of epochs.

    Raises:
        ValueError: ``T_0`` is not a positive int, ``T_mult`` not an int of at least 1, or
            ``eta_min`` not a number.

    >>> p = adjoint.nn.Parameter(adjoint.ones(1))
    >>> optimizer = adjoint.optim.SGD([p], lr=1.0)
    >>> restarts = adjoint.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2)
    >>> for _ in range(2):
    ...     restarts.step()
    >>> restarts.get_last_lr()
    [1.0]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_0: int,
        T_mult: int = 1,
        eta_min: float = 0.0,
        last_epoch: int = -1,
    ) -> None:
        if T_0 <= 0 or not isinstance(T_0, int):
            raise ValueError(f"Expected positive integer T_0, but got {T_0!r}")
        if T_mult < 1 or not isinstance(T_mult, int):
            raise ValueError(f"Expected integer T_mult >= 1, but got {T_mult!r}")
        if not isinstance(eta_min, (float, int)):
            raise ValueError(f"Expected float or int eta_min, but got {type(eta_min).__name__}")
        self.T_0 = T_0
        self.T_i = T_0
        self.T_mult = T_mult
        self.eta_min = eta_min
        self.T_cur: float = last_epoch
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        return [cosine(base, self.eta_min, self.T_cur / self.T_i) for base in self.base_lrs]

    def step(self, epoch: float | None = None) -> None:
        """Go to the next epoch, or to ``epoch``, and set its rates.

        Raises:
            ValueError: a negative epoch.
        """
        if epoch is None and self.last_epoch >= 0:
            epoch = self.last_epoch + 1
            self.T_cur += 1
            if self.T_cur >= self.T_i:
                self.T_cur -= self.T_i
                self.T_i *= self.T_mult
        else:
            epoch = 0 if epoch is None else epoch
            if epoch < 0:
                raise ValueError(f"Expected non-negative epoch, but got {epoch}")
            self._jump(epoch)
        self.last_epoch = math.floor(epoch)
        with _enable_get_lr_call(self):
            rates = self.get_lr()
        for group, lr in zip(self.optimizer.param_groups, rates):
            set_value(group, "lr", lr)
        self._last_lr = current_lrs(self.optimizer)

    def _update_lr(self, epoch: int | None = None) -> None:
        self.step(epoch)

    def _jump(self, epoch: float) -> None:
        """Set the length of the cycle that ``epoch`` is in, and how far into it that is."""
        start, length = 0, self.T_0
        if self.T_mult == 1:
            start = int(epoch // length) * length
        else:
            while epoch >= start + length:
                start += length
                length *= self.T_mult
        self.T_i = length
        self.T_cur = epoch - start


def cosine(start: Any, end: float, fraction: float) -> Any:
    """From ``start`` to ``end`` along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * fraction)) / 2
