"""Honest answers about distributed training: one process, no groups.

>>> from adjoint.distributed import is_available, is_initialized
>>> is_available(), is_initialized()
(False, False)
"""

from __future__ import annotations

from typing import Any, NoReturn

__all__ = ["all_gather", "all_reduce", "barrier", "broadcast", "destroy_process_group",
           "get_rank", "get_world_size", "init_process_group", "is_available",
           "is_initialized", "is_torchelastic_launched"]  # fmt: skip


def is_available() -> bool:
    """Whether processes can work together: no."""
    return False


def is_initialized() -> bool:
    """Whether a process group was started: no."""
    return False


def is_torchelastic_launched() -> bool:
    """Whether a launcher of several processes started this one: no."""
    return False


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


get_rank, get_world_size = _needs_a_group("get_rank"), _needs_a_group("get_world_size")
barrier, broadcast = _needs_a_group("barrier"), _needs_a_group("broadcast")
all_reduce, all_gather = _needs_a_group("all_reduce"), _needs_a_group("all_gather")
destroy_process_group = _needs_a_group("destroy_process_group")
