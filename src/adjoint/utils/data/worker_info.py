"""What code that runs in a worker of a DataLoader can ask about it."""

from __future__ import annotations

import random
import sys
from typing import Any

import adjoint

__all__ = ["WorkerInfo", "get_worker_info", "start_worker"]

_info: WorkerInfo | None = None


class WorkerInfo:
    """About a worker process: its `id`, 0 up to `num_workers`; its `seed`; its copy of the
    `dataset`."""

    def __init__(self, id: int, num_workers: int, seed: int, dataset: Any) -> None:
        self.id = id
        self.num_workers = num_workers
        self.seed = seed
        self.dataset = dataset

    def __repr__(self) -> str:
        return f"WorkerInfo(id={self.id}, num_workers={self.num_workers}, seed={self.seed}, dataset={self.dataset})"  # noqa: E501


def get_worker_info() -> WorkerInfo | None:
    """About the worker process that this is, None in the main process and in its threads.

    An IterableDataset asks it for its share of the stream: every worker has its own copy.

    >>> print(adjoint.utils.data.get_worker_info())
    None
    """
    return _info


def start_worker(info: WorkerInfo) -> None:
    """Makes this process the worker, with random numbers of its own."""
    global _info
    _info = info
    random.seed(info.seed)
    adjoint.manual_seed(info.seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(info.seed % 2**32)
