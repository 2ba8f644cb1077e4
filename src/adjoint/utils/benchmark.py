"""How long statements take: `Timer` measures one, `Compare` sets measurements side by side.

>>> from adjoint.utils.benchmark import Timer
>>> timer = Timer("x + x", globals={"x": adjoint.ones(3)}, label="sum")
>>> measured = timer.timeit(10)
>>> measured.number_per_run, measured.mean > 0
(10, True)
"""

from __future__ import annotations

import enum
import math
import statistics
import textwrap
import time
import timeit
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import adjoint

__all__ = ["Compare", "Language", "Measurement", "TaskSpec", "Timer", "timer"]

timer = time.perf_counter  # seconds; work on the CPU is done when a call returns


class Language(enum.Enum):
    """What a statement is written in; there is Python."""

    PYTHON = 0
    CPP = 1


@dataclass(frozen=True)
class TaskSpec:
    """What was measured, and the names that tables give it."""

    stmt: str
    setup: str
    global_setup: str = ""
    label: str | None = None
    sub_label: str | None = None
    description: str | None = None
    env: str | None = None
    num_threads: int = 1

    @property
    def title(self) -> str:
        """The label, or else the statement."""
        title = self.label or (f"stmt: {self.stmt}" if "\n" not in self.stmt else "stmt")
        return f"{title}: {self.sub_label}" if self.sub_label else title


@dataclass(init=True, repr=False, eq=False)
class Measurement:
    """Times of a statement: `raw_times` are seconds of runs of `number_per_run` executions each."""

    number_per_run: int
    raw_times: list[float]
    task_spec: TaskSpec
    metadata: dict[Any, Any] | None = field(default=None)

    @property
    def times(self) -> list[float]:
        """Seconds of one execution, for each run."""
        return [t / self.number_per_run for t in self.raw_times]

    @property
    def mean(self) -> float:
        """Seconds of one execution: the mean of the runs."""
        return statistics.fmean(self.times)

    @property
    def median(self) -> float:
        """Seconds of one execution: the median of the runs."""
        return statistics.median(self.times)

    @property
    def iqr(self) -> float:
        """The distance of the quartiles of the runs, in seconds (0 for a single run)."""
        if len(self.raw_times) < 2:
            return 0.0
        low, _, high = statistics.quantiles(self.times, n=4, method="inclusive")
        return high - low

    @property
    def significant_figures(self) -> int:
        """How many figures of the median mean something, judged by the spread of the runs."""
        n = len(self.raw_times)
        spread = max(self.iqr / math.sqrt(n) if n > 1 else 0.0, self.median * 1e-4, 1e-12)
        return max(1, min(4, int(math.log10(max(self.median, 1e-12) / spread)) + 1))

    @property
    def has_warnings(self) -> bool:
        """Whether the runs differ so much (quartiles 10% of the median apart) as to be doubted."""
        return len(self.raw_times) < 2 or self.iqr > 0.1 * self.median

    def __getattr__(self, name: str) -> Any:
        if name != "task_spec" and not name.startswith("__") and hasattr(self.task_spec, name):
            return getattr(self.task_spec, name)
        raise AttributeError(f"'Measurement' object has no attribute {name!r}")

    @property
    def as_row_name(self) -> str:
        """The name of its row in a table."""
        return self.task_spec.sub_label or self.task_spec.stmt or "[Unknown]"

    @staticmethod
    def merge(measurements: Iterable[Measurement]) -> list[Measurement]:
        """One measurement for each task, with the runs of all that measured it."""
        groups: dict[TaskSpec, list[Measurement]] = {}
        for m in measurements:
            groups.setdefault(m.task_spec, []).append(m)
        return [
            Measurement(1, [t for m in group for t in m.times], spec)
            for spec, group in groups.items()
        ]

    def __repr__(self) -> str:
        spec, (unit, scale) = self.task_spec, _unit(self.median)
        lines = [f"<{type(self).__module__}.Measurement>", spec.title]
        lines += [spec.description] if spec.description else []
        lines += [f"setup: {spec.setup}"] if spec.setup not in ("", "pass") else []
        runs, threads = len(self.raw_times), spec.num_threads
        if runs > 1:
            lines.append(f"  Median: {self.median / scale:.2f} {unit}")
            lines.append(f"  IQR:    {self.iqr / scale:.2f} {unit}")
        else:
            lines.append(f"  {self.median / scale:.2f} {unit}")
        lines.append(
            f"  {runs} measurement{'s' * (runs > 1)}, {self.number_per_run} runs per measurement, "
            f"{threads} thread{'s' * (threads > 1)}"
        )
        return "\n".join(lines)


def _unit(seconds: float) -> tuple[str, float]:
    for unit, scale, limit in (("ns", 1e-9, 1e-6), ("us", 1e-6, 1e-3), ("ms", 1e-3, 1.0)):
        if seconds < limit:
            return unit, scale
    return "s", 1.0


class Timer:
    """Measures `stmt`, after `setup`, with the names of `globals` and `num_threads` threads.

    `label`, `sub_label` and `description` name the table, the row and the column of `Compare`.

    Raises:
        ValueError: a statement in a language other than Python.
    """

    def __init__(
        self,
        stmt: str = "pass",
        setup: str = "pass",
        global_setup: str = "",
        timer: Callable[[], float] = timer,
        globals: dict[str, Any] | None = None,
        label: str | None = None,
        sub_label: str | None = None,
        description: str | None = None,
        env: str | None = None,
        num_threads: int = 1,
        language: Language | str = Language.PYTHON,
    ) -> None:
        if language not in (Language.PYTHON, "py", "python") or global_setup:
            raise ValueError(f"adjoint's Timer measures Python, got language={language!r}")
        stmt, setup = textwrap.dedent(stmt).strip(), textwrap.dedent(setup).strip()
        names = {**(globals or {})}
        names.setdefault("torch", adjoint)
        names.setdefault("adjoint", adjoint)
        self._task_spec = TaskSpec(
            stmt, setup, global_setup, label, sub_label, description, env, num_threads
        )
        self._timer = timeit.Timer(stmt, setup, timer, names)

    def _run(self, number: int) -> float:
        before = adjoint.get_num_threads()
        adjoint.set_num_threads(self._task_spec.num_threads)
        try:
            return max(self._timer.timeit(number), 1e-9)
        finally:
            adjoint.set_num_threads(before)

    def timeit(self, number: int = 1_000_000) -> Measurement:
        """One run of `number` executions, after some that do not count."""
        self._run(max(number // 100, 2))
        return Measurement(number, [self._run(number)], self._task_spec)

    def _block(self, least: float) -> int:
        """How many executions take `least` seconds."""
        number = 1
        while (seconds := self._run(number)) < least:
            number = min(10 * number, max(number + 1, int(1.2 * number * least / seconds)))
        return number

    def blocked_autorange(
        self,
        callback: Callable[[int, float], Any] | None = None,
        min_run_time: float = 0.2,
    ) -> Measurement:
        """Runs of about a hundredth of `min_run_time` seconds, until all took that long."""
        number, times = self._block(min(0.01 * min_run_time, 0.1)), list[float]()
        while sum(times) < min_run_time:
            times.append(self._run(number))
            if callback is not None:
                callback(number, times[-1])
        return Measurement(number, times, self._task_spec)

    def adaptive_autorange(
        self,
        threshold: float = 0.1,
        *,
        min_run_time: float = 0.01,
        max_run_time: float = 10.0,
        callback: Callable[[int, float], Any] | None = None,
    ) -> Measurement:
        """Runs until their quartiles are within `threshold` of the median, or the time is over."""
        number, times = self._block(0.001), list[float]()
        while sum(times) < max_run_time:
            times.append(self._run(number))
            if callback is not None:
                callback(number, times[-1])
            measured = Measurement(number, times, self._task_spec)
            if len(times) >= 5 and sum(times) >= min_run_time:
                if measured.iqr <= threshold * measured.median:
                    break
        return Measurement(number, times, self._task_spec)

    def autorange(self, callback: Callable[[int, float], Any] | None = None) -> Measurement:
        """Runs as `blocked_autorange` makes them."""
        return self.blocked_autorange(callback)


class Compare:
    """Tables of measurements: one for each label, a row for each sub_label, a column for each
    description.

    >>> from adjoint.utils.benchmark import Compare, Measurement, TaskSpec
    >>> def measured(row, column, seconds):
    ...     spec = TaskSpec("f()", "", label="f", sub_label=row, description=column)
    ...     return Measurement(1, [seconds, seconds], spec)
    >>> Compare([measured("small", "old", 2e-6), measured("small", "new", 1e-6)]).print()
    [----------- f -----------]
                 |  old  |  new
    1 threads: ----------------
        small    |  2.0  |  1.0
    <BLANKLINE>
    Times are in microseconds (us).
    """

    def __init__(self, results: Iterable[Measurement]) -> None:
        self._results: list[Measurement] = []
        self._trim = False
        self.extend_results(results)

    def extend_results(self, results: Iterable[Measurement]) -> None:
        """More measurements."""
        results = list(results)
        for result in results:
            if not isinstance(result, Measurement):
                raise ValueError(f"Compare takes Measurements, got {type(result).__name__}")
        self._results += results

    def trim_significant_figures(self) -> None:
        """Print no more figures than mean something."""
        self._trim = True

    def colorize(self, rowwise: bool = False) -> None:
        """Accepted: tables are printed without colours."""

    def highlight_warnings(self) -> None:
        """Accepted: tables are printed without colours."""

    def print(self) -> None:
        """Print the tables."""
        print(self)

    def _tables(self) -> Iterator[str]:
        merged = Measurement.merge(self._results)
        labels = list(dict.fromkeys(m.task_spec.label for m in merged))
        fastest = min((m.median for m in merged), default=1.0)
        unit, scale = _unit(fastest)
        for label in labels:
            yield self._table(label, [m for m in merged if m.task_spec.label == label], scale)
        names = {"ns": "nanoseconds", "us": "microseconds", "ms": "milliseconds", "s": "seconds"}
        yield f"Times are in {names[unit]} ({unit})."

    def _table(self, label: str | None, results: list[Measurement], scale: float) -> str:
        columns = list(dict.fromkeys(m.task_spec.description or "" for m in results))
        rows = list(dict.fromkeys((m.task_spec.num_threads, m.as_row_name) for m in results))
        cells: dict[tuple[int, str, str], str] = {}
        for m in results:
            value, digits = m.median / scale, 1
            if self._trim:
                place = m.significant_figures - 1 - math.floor(math.log10(max(value, 1e-12)))
                value, digits = round(value, place), max(0, place)
            spec = m.task_spec
            cells[spec.num_threads, m.as_row_name, spec.description or ""] = f"{value:.{digits}f}"
        first = max(len(f"{max(n for n, _ in rows)} threads: "), *(len(r) + 4 for _, r in rows))
        widths = [
            max(len(c), *(len(cells.get((*r, c), "")) for r in rows)) for c in columns
        ]  # fmt: skip

        def line(name: str, values: Iterable[str]) -> str:
            parts = [f"{v:>{w}}" for v, w in zip(values, widths, strict=True)]
            return "  |  ".join([f"{name:<{first}}", *parts]).rstrip()

        head = line("", columns)
        lines = ["[" + f" {label or ''} ".center(max(len(head) - 2, 15), "-") + "]", head]
        for threads in sorted({n for n, _ in rows}):
            start = f"{threads} threads: "
            lines.append(start + "-" * (len(head) - len(start)))
            for n, name in rows:
                if n == threads:
                    lines.append(
                        line("    " + name, [cells.get((n, name, c), "") for c in columns])
                    )
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        return "\n".join(self._tables())
