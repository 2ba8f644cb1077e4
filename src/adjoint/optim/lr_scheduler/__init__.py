"""Schedules of the learning rate: call ``scheduler.step()`` after ``optimizer.step()``.

A scheduler multiplies the rate it finds in each group, so that several can be chained on one
optimizer. ``get_last_lr()`` tells the rates it set last.
"""

from ..optimizer import Optimizer as Optimizer
from .base import (
    LRScheduler,
    _enable_get_lr_call,
    _initial_mode,
    _warn_get_lr_called_within_step,
)
from .compose import ChainedScheduler, SequentialLR
from .cosine import CosineAnnealingLR, CosineAnnealingWarmRestarts
from .cyclic import CyclicLR
from .factors import (
    ConstantLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    MultiplicativeLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from .one_cycle import OneCycleLR
from .plateau import ReduceLROnPlateau

_LRScheduler = LRScheduler  # the older name, which schedulers written elsewhere derive from
EPOCH_DEPRECATION_WARNING = "scheduler.step(epoch) is deprecated: call step() once an epoch"

__all__ = [
    "ChainedScheduler",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "PolynomialLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]
