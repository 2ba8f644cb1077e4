"""LRScheduler: counting epochs, setting rates, saving and loading."""

from __future__ import annotations

import warnings
from typing import Any

from adjoint import Tensor

from ..optimizer import Group, Optimizer

__all__ = ["LRScheduler"]


class LRScheduler:
    """Base class of the schedulers.

    A subclass defines ``get_lr()``: the rates of all groups at ``last_epoch``, from the rates in
    force (``group["lr"]``) and the initial ones (``base_lrs``). One that knows the rates of any
    epoch also defines ``_get_closed_form_lr()``, which ``step(epoch)`` uses.

    Args:
        optimizer: the optimizer whose rates are set.
        last_epoch: -1 to begin; to resume, the last epoch done (groups then have "initial_lr").

    Raises:
        TypeError: not an optimizer.
        KeyError: resuming with a group that has no "initial_lr".

    >>> class Halving(adjoint.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr * 0.5**self.last_epoch for lr in self.base_lrs]
    >>> optimizer = adjoint.optim.SGD([adjoint.nn.Parameter(adjoint.ones(1))], lr=1.0)
    >>> scheduler = Halving(optimizer)
    >>> optimizer.step()
    >>> scheduler.step()
    >>> scheduler.get_last_lr()
    [0.5]
    """

    optimizer: Optimizer
    base_lrs: list[Any]
    last_epoch: int
    _step_count = 0
    _last_lr: list[Any]
    # While the constructor sets the rates: those of a resumed schedule are the present ones.
    _is_initial = False
    # While `step` asks for the rates: a `get_lr` that changes state can tell (and is in state_dict
    # under this name, as the one above).
    _get_lr_called_within_step = False

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", value_of(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{i}] when resuming "
                    f"scheduler with last_epoch={last_epoch}: load the optimizer's state_dict first"
                )
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = last_epoch
        self._initial_step()

    def _initial_step(self) -> None:
        self._step_count = 0
        with _initial_mode(self):
            self.step()

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer."""
        return {name: value for name, value in self.__dict__.items() if name != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave; load the optimizer's state too."""
        self.__dict__.update(state_dict)

    def get_last_lr(self) -> list[Any]:
        """The rates of the groups as last set."""
        return self._last_lr

    def get_lr(self) -> list[Any]:
        """The rates of the groups at ``last_epoch``."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr()")

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch and set its rates. (``epoch`` to jump is deprecated.)"""
        if self._step_count == 1 and not self.optimizer._opt_called:
            warnings.warn(
                "lr_scheduler.step() was called before optimizer.step(), so the first rate of the "
                "schedule is never used: call optimizer.step() first",
                stacklevel=2,
            )
        if epoch is not None:
            warnings.warn(
                "the epoch argument of scheduler.step() is deprecated: call step() once an epoch",
                stacklevel=2,
            )
        self._step_count += 1
        self._update_lr(epoch)

    def _update_lr(self, epoch: int | None = None) -> None:
        with _enable_get_lr_call(self):
            closed_form = getattr(self, "_get_closed_form_lr", None)
            if epoch is None:
                self.last_epoch += 1
                values = self.get_lr()
            else:
                self.last_epoch = epoch
                values = self.get_lr() if closed_form is None else closed_form()
        for group, lr in zip(self.optimizer.param_groups, values):
            set_value(group, "lr", lr)
        self._last_lr = current_lrs(self.optimizer)

    def _holds(self) -> bool:
        """Whether the rates in force are those of ``last_epoch``: when it begins, or resumes."""
        return self._is_initial or self.last_epoch <= 0

    def _lrs(self) -> list[Any]:
        return [group["lr"] for group in self.optimizer.param_groups]

    def _scaled(self, factor: float) -> list[Any]:
        """The rates in force times ``factor``."""
        return [lr * factor for lr in self._lrs()]

    def _base_scaled(self, factor: float) -> list[Any]:
        return [lr * factor for lr in self.base_lrs]


class _Mode:
    """Sets an attribute of a scheduler to True, and to False at the end."""

    _name: str

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler

    def __enter__(self) -> _Mode:
        setattr(self.scheduler, self._name, True)
        return self

    def __exit__(self, *exc: object) -> None:
        setattr(self.scheduler, self._name, False)


class _initial_mode(_Mode):
    _name = "_is_initial"


class _enable_get_lr_call(_Mode):
    _name = "_get_lr_called_within_step"


def _warn_get_lr_called_within_step(lr_scheduler: LRScheduler) -> None:
    """For a `get_lr` that is not to be called from outside `step`: says so."""
    if not lr_scheduler._get_lr_called_within_step:
        warnings.warn("to read the rates as last set, call `get_last_lr()`", stacklevel=3)


def check_optimizer(optimizer: Any) -> None:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"a scheduler needs an Optimizer: {type(optimizer).__name__} is not one")


def value_of(lr: Any) -> Any:
    return lr.clone() if isinstance(lr, Tensor) else lr


def current_lrs(optimizer: Optimizer) -> list[Any]:
    return [value_of(group["lr"]) for group in optimizer.param_groups]


def set_value(group: Group, name: str, value: Any) -> None:
    """Set a hyperparameter; one that is a Tensor is written in place."""
    if isinstance(group[name], Tensor):
        group[name].fill_(float(value))
    else:
        group[name] = value


def per_group(optimizer: Optimizer, name: str, value: Any) -> list[Any]:
    """``value`` for each group: a list or tuple of the right length, or one value for all."""
    n = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [value] * n
    if len(value) != n:
        raise ValueError(
            f"{name} has {len(value)} values, and must have the same length as "
            f"optimizer.param_groups, {n}"
        )
    return list(value)
