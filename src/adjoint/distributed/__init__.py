"""Honest answers about distributed training: one process, no groups.

Names are there so that programs which ask `is_initialized()` first run as they are; what needs a
process group is a ValueError, as it is in torch before `init_process_group`.

>>> from adjoint.distributed import ReduceOp, is_available, is_initialized
>>> is_available(), is_initialized()
(False, False)
>>> ReduceOp.SUM.name
'SUM'
"""

from __future__ import annotations

import enum
from typing import Any, NoReturn

__all__ = ["Backend", "FileStore", "GroupMember", "HashStore", "ProcessGroup", "ReduceOp", "Store",
           "TCPStore", "Work", "all_gather", "all_gather_into_tensor", "all_gather_object",
           "all_reduce", "all_to_all", "all_to_all_single", "barrier", "broadcast",
           "broadcast_object_list", "destroy_process_group", "gather", "gather_object",
           "get_backend", "get_process_group_ranks", "get_rank", "get_world_size", "group",
           "init_process_group", "irecv", "is_available", "is_backend_available",
           "is_gloo_available", "is_initialized", "is_mpi_available", "is_nccl_available",
           "is_torchelastic_launched", "is_ucc_available", "is_xccl_available", "isend",
           "monitored_barrier", "new_group", "recv", "reduce", "reduce_scatter",
           "reduce_scatter_tensor", "scatter", "scatter_object_list", "send"]  # fmt: skip


class ReduceOp(enum.Enum):
    """How a reduction over processes joins their values."""

    SUM, AVG, PRODUCT, MIN, MAX, BAND, BOR, BXOR = range(8)


class Backend(str):
    """The name of a way to communicate, in lower case; none of them is available."""

    UNDEFINED, GLOO, NCCL, MPI, UCC, XCCL = "undefined", "gloo", "nccl", "mpi", "ucc", "xccl"

    def __new__(cls, name: str) -> Backend:
        return super().__new__(cls, name.lower())


class _NeedsProcesses:
    """A type for annotations and `isinstance`: there are no objects of it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(
            f"distributed.{type(self).__name__} connects processes, and adjoint runs in one "
            "(is_available() is False)"
        )


class ProcessGroup(_NeedsProcesses):
    """A group of processes."""


class Work(_NeedsProcesses):
    """A communication under way."""


class Store(_NeedsProcesses):
    """Keys and values that processes share."""


class TCPStore(Store):
    """A store that a server holds."""


class FileStore(Store):
    """A store in a file."""


class HashStore(Store):
    """A store in memory."""


class GroupMember:
    """What stands for the group of all processes, and for being in no group."""

    WORLD: ProcessGroup | None = None
    NON_GROUP_MEMBER = -100


group = GroupMember


def is_available() -> bool:
    """Whether processes can work together: no."""
    return False


def is_initialized() -> bool:
    """Whether a process group was started: no."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether a launcher of several processes started this one: no."""
    return False


def is_backend_available(backend: str) -> bool:
    """Whether processes can communicate by `backend`: no."""
    return False


def is_gloo_available() -> bool:
    """Whether processes can communicate by Gloo: no."""
    return False


is_mpi_available = is_nccl_available = is_ucc_available = is_xccl_available = is_gloo_available


def init_process_group(*args: Any, **kwargs: Any) -> NoReturn:
    """A RuntimeError: adjoint trains in one process."""
    raise RuntimeError(
        "adjoint has no process groups: run the program as one process (is_available() is False)"
    )


def _needs_a_group(name: str) -> Any:
    def function(*args: Any, **kwargs: Any) -> NoReturn:
        raise ValueError(
            f"distributed.{name} needs a process group, and adjoint has none: ask "
            "is_initialized() first"
        )

    function.__name__ = function.__qualname__ = name
    function.__doc__ = "A ValueError: there is no process group."
    return function


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'adjoint.distributed' has no attribute '{name}'")
    return globals().setdefault(name, _needs_a_group(name))
