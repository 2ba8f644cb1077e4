"""Averages of models over training: stochastic weight averaging and moving averages."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterable
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.nn import Module

from .lr_scheduler.base import LRScheduler, check_optimizer, per_group
from .optimizer import Optimizer

__all__ = [
    "SWALR",
    "AveragedModel",
    "get_ema_avg_fn",
    "get_ema_multi_avg_fn",
    "get_swa_avg_fn",
    "get_swa_multi_avg_fn",
    "update_bn",
]

AvgFn = Callable[[Tensor, Tensor, Any], Tensor]
MultiAvgFn = Callable[[Any, Any, Any], None]


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay}: it must be between 0 and 1")


def get_ema_avg_fn(decay: float = 0.999) -> AvgFn:
    """The function ``(average, current, n) -> decay * average + (1 - decay) * current``.

    >>> average = adjoint.optim.swa_utils.get_ema_avg_fn(0.9)
    >>> average(adjoint.tensor(0.0), adjoint.tensor(1.0), 5)
    tensor(0.1000)
    """
    _check_decay(decay)

    def update(average: Tensor, current: Tensor, n: Any) -> Tensor:
        with adjoint.no_grad():
            return decay * average + (1 - decay) * current

    return update


def get_swa_avg_fn() -> AvgFn:
    """The function ``(average, current, n) -> average + (current - average) / (n + 1)``.

    >>> adjoint.optim.swa_utils.get_swa_avg_fn()(adjoint.tensor(1.0), adjoint.tensor(3.0), 1)
    tensor(2.)
    """

    def update(average: Tensor, current: Tensor, n: Any) -> Tensor:
        with adjoint.no_grad():
            return average + (current - average) / (n + 1)

    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> MultiAvgFn:
    """:func:`get_ema_avg_fn` for lists of tensors, in place."""
    _check_decay(decay)
    return _in_place(lambda n: 1 - decay)


def get_swa_multi_avg_fn() -> MultiAvgFn:
    """:func:`get_swa_avg_fn` for lists of tensors, in place."""
    return _in_place(lambda n: 1 / (float(n) + 1))


def _in_place(share: Callable[[Any], float]) -> MultiAvgFn:
    def update(averages: Any, currents: Any, n: Any) -> None:
        new = share(n)
        with adjoint.no_grad():
            for average, current in zip(averages, currents):
                if average.is_floating_point() or average.is_complex():
                    average.lerp_(current, new)
                else:
                    average.copy_(average * (1 - new) + current * new)

    return update


class AveragedModel(Module):
    """A copy of a model that holds the average of its parameters over training.

    Args:
        model: the model; it is copied.
        device: where the copy lives, the model's place if None.
        avg_fn: ``(average, current, n) -> new average``, n being the number of models averaged.
        multi_avg_fn: the same for lists of tensors, in place. With neither, the plain mean
            (Izmailov et al., "Averaging Weights Leads to Wider Optima", 2018).
        use_buffers: average the buffers too; otherwise they are those of the last model.

    Raises:
        AssertionError: both functions are given.

    >>> model = adjoint.nn.Linear(1, 1, bias=False)
    >>> averaged = adjoint.optim.swa_utils.AveragedModel(model)
    >>> for value in (1.0, 2.0, 6.0):
    ...     _ = adjoint.nn.init.constant_(model.weight, value)
    ...     averaged.update_parameters(model)
    >>> averaged.module.weight.item()
    3.0
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: AvgFn | None = None,
        multi_avg_fn: MultiAvgFn | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("give avg_fn or multi_avg_fn, not both")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", adjoint.tensor(0, dtype=adjoint.int64, device=device))
        self.avg_fn = avg_fn
        self.multi_avg_fn = multi_avg_fn
        self.use_buffers = use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Module) -> None:
        """Take the present parameters of ``model`` into the average; the first time, copy them."""
        with adjoint.no_grad():
            averages, currents = _state(self.module), _state(model)
            n = len(list(model.parameters()))
            if not self.use_buffers:
                for buffer, current in zip(averages[n:], currents[n:]):
                    buffer.copy_(current)
                averages, currents = averages[:n], currents[:n]
            if self.n_averaged.item() == 0:
                for average, current in zip(averages, currents):
                    average.copy_(current)
            elif self.avg_fn is not None:
                for average, current in zip(averages, currents):
                    average.copy_(self.avg_fn(average, current, self.n_averaged))
            else:
                update = self.multi_avg_fn or get_swa_multi_avg_fn()
                update(averages, currents, self.n_averaged)
            self.n_averaged += 1


def _state(model: Module) -> list[Tensor]:
    return [t.detach() for t in (*model.parameters(), *model.buffers())]


def update_bn(loader: Iterable[Any], model: Module, device: Any = None) -> None:
    """Compute the running statistics of the batch norms of ``model`` anew, by one pass over data.

    Args:
        loader: batches; of a list or tuple, the first entry is the model's input.
        model: it is put into training mode for the pass.
        device: where batches are moved to, if given.
    """
    norms = {
        module: module.momentum
        for module in model.modules()
        if isinstance(module, adjoint.nn.modules.batchnorm._BatchNorm)
    }
    if not norms:
        return
    was_training = model.training
    try:
        model.train()
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the mean over all batches
        with adjoint.no_grad():
            for batch in loader:
                input = batch[0] if isinstance(batch, (list, tuple)) else batch
                model(input if device is None else input.to(device))
    finally:
        for norm, momentum in norms.items():
            norm.momentum = momentum
        model.train(was_training)


class SWALR(LRScheduler):
    """Go from the rates in force to ``swa_lr`` in ``anneal_epochs`` epochs and stay there.

    Args:
        swa_lr: one number or one for each group.
        anneal_strategy: "cos" or "linear".

    Raises:
        ValueError: an unknown strategy or a negative number of epochs.

    >>> optimizer = adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))], lr=1.0)
    >>> schedule = adjoint.optim.swa_utils.SWALR(
    ...     optimizer, swa_lr=0.5, anneal_epochs=2, anneal_strategy="linear"
    ... )
    >>> for _ in range(3):
    ...     optimizer.step()
    ...     schedule.step()
    ...     print(schedule.get_last_lr())
    [0.75]
    [0.5]
    [0.5]
    """

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float | list[float],
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        check_optimizer(optimizer)
        for group, lr in zip(optimizer.param_groups, per_group(optimizer, "swa_lr", swa_lr)):
            group["swa_lr"] = lr
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"anneal_strategy must be one of 'cos' or 'linear', got {anneal_strategy!r}"
            )
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be an int, 0 or more, got {anneal_epochs!r}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _fraction(self, epoch: int) -> float:
        t = max(0.0, min(1.0, epoch / max(1, self.anneal_epochs)))
        return t if self._anneal_strategy == "linear" else (1 - math.cos(math.pi * t)) / 2

    def get_lr(self) -> list[Any]:
        # `_step_count` counts one more than the steps done
        epoch = self._step_count - 1
        if self.anneal_epochs == 0:
            epoch = max(1, epoch)
        before, now = self._fraction(max(0, epoch - 1)), self._fraction(epoch)
        rates = []
        for group in self.optimizer.param_groups:
            # the rate that annealing began with, from the one in force
            lr, end = group["lr"], group["swa_lr"]
            start = end if before == 1 else (lr - before * end) / (1 - before)
            rates.append(end * now + start * (1 - now))
        return rates
