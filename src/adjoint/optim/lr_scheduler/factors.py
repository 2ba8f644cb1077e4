"""Schedules that multiply the rate by a factor that depends on the epoch alone."""

from __future__ import annotations

import types
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from ..optimizer import Optimizer
from .base import LRScheduler, per_group

__all__ = [
    "ConstantLR",
    "ExponentialLR",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "PolynomialLR",
    "StepLR",
]

Factor = Callable[[int], float]


class _WithLambdas(LRScheduler):
    """A schedule given by functions; saved with it are only those that are objects with state."""

    def __init__(
        self, optimizer: Optimizer, lr_lambda: Factor | list[Factor], last_epoch: int = -1
    ) -> None:
        self.lr_lambdas = per_group(optimizer, "lr_lambda", lr_lambda)
        for factor in self.lr_lambdas:
            if not callable(factor):
                raise TypeError(f"lr_lambda must be callable, got {type(factor).__name__}")
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and those lambdas that are plain functions."""
        state = super().state_dict()
        state["lr_lambdas"] = [
            None if isinstance(factor, types.FunctionType) else dict(factor.__dict__)
            for factor in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave; the lambdas themselves stay."""
        saved = dict(state_dict)
        for factor, attributes in zip(self.lr_lambdas, saved.pop("lr_lambdas")):
            if attributes is not None:
                factor.__dict__.update(attributes)
        super().load_state_dict(saved)


class LambdaLR(_WithLambdas):
    """The initial rate times ``lr_lambda(epoch)``; one function, or one for each group.

    >>> p = adjoint.nn.Parameter(adjoint.ones(1))
    >>> optimizer = adjoint.optim.SGD([p], lr=1.0)
    >>> scheduler = adjoint.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: 0.5**epoch)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def get_lr(self) -> list[Any]:
        return [
            base * factor(self.last_epoch) for base, factor in zip(self.base_lrs, self.lr_lambdas)
        ]


class MultiplicativeLR(_WithLambdas):
    """The rate is multiplied by ``lr_lambda(epoch)`` at each epoch after the first.

    >>> optimizer = adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))], lr=1.0)
    >>> scheduler = adjoint.optim.lr_scheduler.MultiplicativeLR(optimizer, lambda epoch: 0.5)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def get_lr(self) -> list[Any]:
        if self._is_initial:
            return self._lrs()
        return [lr * factor(self.last_epoch) for lr, factor in zip(self._lrs(), self.lr_lambdas)]


class StepLR(LRScheduler):
    """The rate is multiplied by ``gamma`` every ``step_size`` epochs.

    >>> p = adjoint.nn.Parameter(adjoint.ones(1))
    >>> optimizer = adjoint.optim.SGD([p], lr=1.0)
    >>> scheduler = adjoint.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> for _ in range(4):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.25]
    """

    def __init__(
        self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1
    ) -> None:
        self.step_size = step_size
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        if self.last_epoch == 0 or self.last_epoch % self.step_size != 0:
            return self._lrs()
        return self._scaled(self.gamma)

    def _get_closed_form_lr(self) -> list[Any]:
        return self._base_scaled(self.gamma ** (self.last_epoch // self.step_size))


class MultiStepLR(LRScheduler):
    """The rate is multiplied by ``gamma`` at each of the epochs ``milestones``.

    >>> optimizer = adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))], lr=1.0)
    >>> scheduler = adjoint.optim.lr_scheduler.MultiStepLR(optimizer, [1, 3], gamma=0.5)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        milestones: Iterable[int],
        gamma: float = 0.1,
        last_epoch: int = -1,
    ) -> None:
        self.milestones = Counter(milestones)
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        if self.last_epoch not in self.milestones:
            return self._lrs()
        return self._scaled(self.gamma ** self.milestones[self.last_epoch])

    def _get_closed_form_lr(self) -> list[Any]:
        passed = bisect_right(sorted(self.milestones.elements()), self.last_epoch)
        return self._base_scaled(self.gamma**passed)


class ConstantLR(LRScheduler):
    """The rate is multiplied by ``factor`` until epoch ``total_iters``, where it returns.

    Raises:
        ValueError: ``factor`` is not between 0 and 1.

    >>> optimizer = adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))], lr=1.0)
    >>> scheduler = adjoint.optim.lr_scheduler.ConstantLR(optimizer, factor=0.5, total_iters=4)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        factor: float = 1.0 / 3,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < factor <= 1.0:
            raise ValueError(f"factor must be above 0 and at most 1, got {factor}")
        self.factor = factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        if self.last_epoch == 0:
            return self._scaled(self.factor)
        if self.last_epoch == self.total_iters:
            return self._scaled(1.0 / self.factor)
        return self._lrs()

    def _get_closed_form_lr(self) -> list[Any]:
        done = self.last_epoch >= self.total_iters
        return self._base_scaled(1.0 if done else self.factor)


class LinearLR(LRScheduler):
    """The factor goes linearly from ``start_factor`` to ``end_factor`` in ``total_iters`` epochs.

    Raises:
        ValueError: ``start_factor`` not in ``(0, 1]``, or ``end_factor`` not in ``[0, 1]``.

    >>> p = adjoint.nn.Parameter(adjoint.ones(1))
    >>> optimizer = adjoint.optim.SGD([p], lr=1.0)
    >>> scheduler = adjoint.optim.lr_scheduler.LinearLR(optimizer, 0.5, total_iters=2)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.75]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
        last_epoch: int = -1,
    ) -> None:
        if not 0 < start_factor <= 1.0:
            raise ValueError(f"start_factor must be above 0 and at most 1, got {start_factor}")
        if not 0 <= end_factor <= 1.0:
            raise ValueError(f"end_factor must be between 0 and 1, got {end_factor}")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        if self.last_epoch == 0:
            return self._scaled(self.start_factor)
        if self._is_initial or self.last_epoch > self.total_iters:
            return self._lrs()
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return self._scaled(1.0 + rise / before)

    def _get_closed_form_lr(self) -> list[Any]:
        done = min(self.total_iters, self.last_epoch) / self.total_iters
        return self._base_scaled(self.start_factor + (self.end_factor - self.start_factor) * done)


class ExponentialLR(LRScheduler):
    """The rate is multiplied by ``gamma`` at each epoch.

    >>> optimizer = adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))], lr=1.0)
    >>> scheduler = adjoint.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.125]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = gamma
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        return self._lrs() if self._holds() else self._scaled(self.gamma)

    def _get_closed_form_lr(self) -> list[Any]:
        return self._base_scaled(self.gamma**self.last_epoch)


class PolynomialLR(LRScheduler):
    """The factor is ``(1 - epoch / total_iters)^power``, 0 from ``total_iters`` on.

    >>> optimizer = adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))], lr=1.0)
    >>> scheduler = adjoint.optim.lr_scheduler.PolynomialLR(optimizer, total_iters=4)
    >>> for _ in range(2):
    ...     optimizer.step()
    ...     scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        total_iters: int = 5,
        power: float = 1.0,
        last_epoch: int = -1,
    ) -> None:
        self.total_iters = total_iters
        self.power = power
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[Any]:
        if self._holds() or self.last_epoch > self.total_iters:
            return self._lrs()
        now = 1.0 - self.last_epoch / self.total_iters
        before = 1.0 - (self.last_epoch - 1) / self.total_iters
        return self._scaled((now / before) ** self.power)

    def _get_closed_form_lr(self) -> list[Any]:
        done = min(self.total_iters, self.last_epoch) / self.total_iters
        return self._base_scaled((1.0 - done) ** self.power)
