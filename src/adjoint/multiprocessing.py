"""Tensors in shared memory are not offered; `DataLoader` has workers of its own."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    raise NotImplementedError(
        f"adjoint.multiprocessing.{name}: adjoint does not share tensors between processes. "
        "Python's own multiprocessing sends them as copies, and DataLoader(num_workers=...) loads "
        "data in worker processes."
    )
