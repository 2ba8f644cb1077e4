"""The CPU, as the device that it is.

>>> adjoint.cpu.is_available(), adjoint.cpu.device_count()
(True, 1)
"""

from __future__ import annotations

import time
from typing import Any

from adjoint.cpu import amp

__all__ = [
    "Event",
    "Stream",
    "StreamContext",
    "amp",
    "current_device",
    "current_stream",
    "device_count",
    "is_available",
    "is_initialized",
    "set_device",
    "stream",
    "synchronize",
]


def is_available() -> bool:
    """Whether there is a CPU: yes."""
    return True


def device_count() -> int:
    """Number of CPU devices: 1."""
    return 1


def current_device() -> str:
    """The name of the device: "cpu"."""
    return "cpu"


def synchronize(device: Any = None) -> None:
    """Nothing to wait for: work on the CPU is done when a call returns."""


def is_initialized() -> bool:
    """Whether the CPU was started: yes."""
    return True


def set_device(device: Any) -> None:
    """Accepted: there is one device."""


class Stream:
    """Work in order: all work on the CPU is, and is done when a call returns."""

    def __init__(self, priority: int = -1) -> None:
        self.priority = priority

    def wait_stream(self, stream: Any) -> None:
        """Nothing to wait for."""

    def wait_event(self, event: Any) -> None:
        """Nothing to wait for."""

    def record_event(self, event: Any = None) -> Event:
        """An event at the present place."""
        event = Event() if event is None else event
        event.record(self)
        return event

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def query(self) -> bool:
        """Whether all is done: yes."""
        return True


class Event:
    """A place in a stream, and with `enable_timing` its time.

    >>> start, end = (adjoint.cpu.Event(enable_timing=True) for _ in range(2))
    >>> start.record(), end.record()
    (None, None)
    >>> start.elapsed_time(end) >= 0  # milliseconds
    True
    """

    def __init__(self, enable_timing: bool = False) -> None:
        self.enable_timing = enable_timing
        self._time: float | None = None

    def record(self, stream: Any = None) -> None:
        """Let this place be that of the event."""
        self._time = time.perf_counter()

    def wait(self, stream: Any = None) -> None:
        """Nothing to wait for."""

    def synchronize(self) -> None:
        """Nothing to wait for."""

    def query(self) -> bool:
        """Whether all before it is done: yes."""
        return True

    def elapsed_time(self, end_event: Event) -> float:
        """Milliseconds from this event to the other.

        Raises:
            ValueError: one of them was made without `enable_timing` or not recorded.
        """
        if not (self.enable_timing and end_event.enable_timing):
            raise ValueError("elapsed_time needs events made with enable_timing=True")
        if self._time is None or end_event._time is None:
            raise ValueError("elapsed_time needs events that have been recorded")
        return (end_event._time - self._time) * 1000


_stream = Stream()


def current_stream(device: Any = None) -> Stream:
    """The stream of the CPU."""
    return _stream


class StreamContext:
    """A `with` block whose work goes to a stream: as everywhere, it is done when a call returns."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __enter__(self) -> None:
        global _stream
        self._before = _stream
        if self.stream is not None:
            _stream = self.stream

    def __exit__(self, *exc: object) -> None:
        global _stream
        _stream = self._before


def stream(stream: Any) -> StreamContext:
    """A `with` block whose work goes to a stream."""
    return StreamContext(stream)
