"""Python's multiprocessing, less what would need tensors in shared memory.

Queues, locks and contexts are Python's: tensors pass through them as copies. Processes that train
one model together share its memory in torch; adjoint has none to share, so `Process`, `Pool` and
`spawn` are errors instead of processes that train apart. `DataLoader` has workers of its own.

>>> from adjoint import multiprocessing
>>> multiprocessing.get_context("spawn").get_start_method()
'spawn'
"""

from __future__ import annotations

import multiprocessing as _python
from typing import Any

__all__ = ["get_all_sharing_strategies", "get_sharing_strategy", "set_sharing_strategy"]

_SHARING = ("Pool", "Process", "ProcessContext", "SpawnContext", "spawn", "start_processes")


def get_all_sharing_strategies() -> set[str]:
    """The ways in which torch shares memory; here they are names."""
    return {"file_descriptor", "file_system"}


_strategy = "file_descriptor"


def get_sharing_strategy() -> str:
    """The name last set; nothing depends on it, for tensors travel as copies."""
    return _strategy


def set_sharing_strategy(new_strategy: str) -> None:
    """Keeps the name of a strategy; nothing depends on it, for tensors travel as copies."""
    global _strategy
    if new_strategy not in get_all_sharing_strategies():
        raise AssertionError(f"{new_strategy!r} is none of {sorted(get_all_sharing_strategies())}")
    _strategy = new_strategy


def __getattr__(name: str) -> Any:
    if name in _SHARING:
        raise NotImplementedError(
            f"adjoint.multiprocessing.{name}: adjoint does not share tensors between processes. "
            "Python's own multiprocessing sends them as copies, and DataLoader(num_workers=...) "
            "loads data in worker processes."
        )
    if not name.startswith("_") and hasattr(_python, name):
        return getattr(_python, name)
    raise AttributeError(f"module 'adjoint.multiprocessing' has no attribute '{name}'")
