"""Optimizers, and schedules of their learning rates.

>>> p = adjoint.nn.Parameter(adjoint.tensor([1.0]))
>>> optimizer = adjoint.optim.SGD([p], lr=0.1)
>>> (p**2).sum().backward()
>>> optimizer.step()
>>> p.data
tensor([0.8000])
"""

from . import lr_scheduler
from .adam import Adam
from .adamw import AdamW
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD

__all__ = ["SGD", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
