"""How long parts of a program take: `record_function` names a part, `profile` adds up its times.

Operators are not listed one by one; what is under no name counts for the whole only.

>>> from adjoint.profiler import profile, record_function
>>> with profile() as prof:
...     for _ in range(3):
...         with record_function("step"):
...             y = adjoint.ones(10).sum()
>>> [(event.key, event.count) for event in prof.key_averages()]
[('step', 3)]
"""

from __future__ import annotations

import enum
import gzip
import json
import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Any

__all__ = [
    "ProfilerAction",
    "ProfilerActivity",
    "profile",
    "record_function",
    "schedule",
    "tensorboard_trace_handler",
]

_active: list[profile] = []


class ProfilerActivity(enum.Enum):
    """What may be measured; there is the CPU."""

    CPU = 0
    CUDA = 2


class ProfilerAction(enum.Enum):
    """What a schedule says of a step."""

    NONE = 0
    WARMUP = 1
    RECORD = 2
    RECORD_AND_SAVE = 3


def schedule(
    *, wait: int, warmup: int, active: int, repeat: int = 0, skip_first: int = 0
) -> Callable[[int], ProfilerAction]:
    """What to do at each step: in turns wait, warm up and record, `repeat` times (0: for ever).

    >>> from adjoint.profiler import schedule
    >>> plan = schedule(wait=1, warmup=1, active=2)
    >>> [plan(step).name for step in range(4)]
    ['NONE', 'WARMUP', 'RECORD', 'RECORD_AND_SAVE']
    """
    length = wait + warmup + active

    def action(step: int) -> ProfilerAction:
        turn, place = divmod(step - skip_first, length)
        if step < skip_first or (repeat and turn >= repeat) or place < wait:
            return ProfilerAction.NONE
        if place < wait + warmup:
            return ProfilerAction.WARMUP
        return ProfilerAction.RECORD if place < length - 1 else ProfilerAction.RECORD_AND_SAVE

    return action


class record_function:
    """Names a part of the program, as a `with` block or a decorator, for a `profile` around it."""

    def __init__(self, name: str, args: str | None = None) -> None:
        self.name, self.args = name, args
        self._starts: list[float] = []

    def __enter__(self) -> record_function:
        self._starts.append(time.perf_counter())
        return self

    def __exit__(self, *error: object) -> None:
        start = self._starts.pop()
        seconds = time.perf_counter() - start
        for one in _active:
            one._add(self.name, start, seconds)

    def __call__(self, function: Callable[..., Any]) -> Callable[..., Any]:
        import functools

        @functools.wraps(function)
        def named(*args: Any, **kwargs: Any) -> Any:
            with record_function(self.name):
                return function(*args, **kwargs)

        return named


class Event:
    """The times of one name: `key`, `count`, `cpu_time_total` in microseconds, `cpu_time` mean."""

    def __init__(self, key: str) -> None:
        self.key, self.count, self.cpu_time_total = key, 0, 0.0

    @property
    def cpu_time(self) -> float:
        return self.cpu_time_total / max(self.count, 1)


class EventList(list[Event]):
    """Events, and their table."""

    def total_average(self) -> Event:
        """All of them as one, named "Total"; what ran inside of another part counts twice."""
        total = Event("Total")
        for event in self:
            total.count += event.count
            total.cpu_time_total += event.cpu_time_total
        return total

    def table(self, sort_by: str | None = None, row_limit: int = 100, **kwargs: Any) -> str:
        """A line for each name, by decreasing total time if `sort_by` is given."""
        rows = sorted(self, key=lambda e: -e.cpu_time_total) if sort_by else list(self)
        width = max([4, *(len(event.key) for event in rows)])
        lines = [f"{'Name':<{width}}  {'total ms':>12}  {'mean ms':>12}  {'calls':>8}"]
        lines += [
            f"{e.key:<{width}}  {e.cpu_time_total / 1e3:>12.3f}  {e.cpu_time / 1e3:>12.3f}  "
            f"{e.count:>8}"
            for e in rows[: row_limit if row_limit >= 0 else None]
        ]
        return "\n".join(lines)


class profile:
    """Adds up the times of the parts that `record_function` names, within a `with` block.

    Args:
        schedule: which steps count, by `step()`; all of them if left out.
        on_trace_ready: called with the profile when a turn of the schedule ends, or the block.
        activities, record_shapes, profile_memory, with_stack, with_flops, ...: accepted.
    """

    def __init__(
        self,
        *args: Any,
        schedule: Callable[[int], ProfilerAction] | None = None,
        on_trace_ready: Callable[[profile], Any] | None = None,
        **kwargs: Any,
    ) -> None:
        self._schedule, self._ready = schedule, on_trace_ready
        self._events: dict[str, Event] = {}
        self._parts: list[dict[str, Any]] = []  # in the form of a trace
        self.step_num = 0

    def _action(self) -> ProfilerAction:
        return self._schedule(self.step_num) if self._schedule else ProfilerAction.RECORD

    def _add(self, name: str, start: float, seconds: float) -> None:
        if self._action() in (ProfilerAction.RECORD, ProfilerAction.RECORD_AND_SAVE):
            event = self._events.setdefault(name, Event(name))
            event.count += 1
            event.cpu_time_total += 1e6 * seconds
            place = {"pid": os.getpid(), "tid": threading.get_ident()}
            times = {"ts": 1e6 * start, "dur": 1e6 * seconds}
            self._parts.append({"ph": "X", "cat": "user_annotation", "name": name} | place | times)

    def __enter__(self) -> profile:
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to measure."""
        _active.append(self)

    def stop(self) -> None:
        """End the measurement."""
        _active.remove(self)
        if self._ready is not None and self._schedule is None:
            self._ready(self)

    def step(self) -> None:
        """The next step of the schedule begins."""
        ended = self._action() is ProfilerAction.RECORD_AND_SAVE
        self.step_num += 1
        if ended and self._ready is not None:
            self._ready(self)

    def key_averages(self, *args: Any, **kwargs: Any) -> EventList:
        """The events, one for each name."""
        return EventList(self._events.values())

    def total_average(self) -> Event:
        """The sum of the events."""
        return self.key_averages().total_average()

    def export_chrome_trace(self, path: str) -> None:
        """Write the named parts to a JSON file (packed, if it ends with .gz) for chrome://tracing."""
        pack: Any = gzip.open if str(path).endswith(".gz") else open
        with pack(path, "wt") as file:
            json.dump({"displayTimeUnit": "ms", "traceEvents": self._parts}, file)


def tensorboard_trace_handler(
    dir_name: str, worker_name: str | None = None, use_gzip: bool = False
) -> Callable[[profile], None]:
    """For `on_trace_ready`: writes the trace of the named parts to a new file in a directory.

    The file is `WORKER.TIME.pt.trace.json`; the worker is host and process, if not named.
    """

    def handler(prof: profile) -> None:
        os.makedirs(dir_name, exist_ok=True)
        worker = worker_name or f"{socket.gethostname()}_{os.getpid()}"
        name = f"{worker}.{time.time_ns()}.pt.trace.json" + (".gz" if use_gzip else "")
        prof.export_chrome_trace(os.path.join(dir_name, name))

    return handler
