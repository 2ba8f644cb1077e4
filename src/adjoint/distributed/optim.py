"""Optimizers whose state is spread over processes: types alone, for there is one process.

>>> from adjoint.distributed.optim import ZeroRedundancyOptimizer
>>> optimizer = adjoint.optim.SGD([adjoint.ones(1)], lr=0.1)
>>> isinstance(optimizer, ZeroRedundancyOptimizer)
False
"""

from __future__ import annotations

from typing import Any

from adjoint.optim import Optimizer

__all__ = ["DistributedOptimizer", "PostLocalSGDOptimizer", "ZeroRedundancyOptimizer"]


class _OverProcesses(Optimizer):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            f"{type(self).__name__} spreads an optimizer over processes, and adjoint trains in "
            "one: use the optimizer itself"
        )


class ZeroRedundancyOptimizer(_OverProcesses):
    """An optimizer each of whose processes keeps a part of the state."""


class DistributedOptimizer(_OverProcesses):
    """An optimizer of parameters that other processes hold."""


class PostLocalSGDOptimizer(_OverProcesses):
    """An optimizer that averages the parameters of processes."""
