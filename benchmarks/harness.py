"""What a workload is, and how workloads are timed side by side."""

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from types import ModuleType

Step = Callable[[], object]


@dataclass(frozen=True)
class Workload:
    name: str
    title: str
    make: Callable[[ModuleType], Step]
    goal: float | None  # adjoint's time over torch's, at most


WORKLOADS: list[Workload] = []


def workload(goal: float | None = None) -> Callable:
    """Register a function that takes a library with torch's names and returns one step of work.

    Its name is what `--only` takes, its docstring the title of its row.
    """

    def register(make: Callable[[ModuleType], Step]) -> Callable[[ModuleType], Step]:
        title = (make.__doc__ or make.__name__).strip().rstrip(".")
        WORKLOADS.append(Workload(make.__name__, title, make, goal))
        return make

    return register


@dataclass
class Measurement:
    """The seconds that a step took in each round, or why there are none."""

    rounds: list[float]
    error: str | None = None

    @property
    def seconds(self) -> float | None:
        return median(self.rounds) if self.rounds else None


def seconds_of(step: Step, number: int) -> float:
    """Mean seconds of `number` calls in a row."""
    start = time.perf_counter()
    for _ in range(number):
        step()
    return (time.perf_counter() - start) / number


def calls_for(step: Step, seconds: float) -> int:
    """How many calls last about `seconds`. Warms the step up, too."""
    number = 1
    while True:
        taken = seconds_of(step, number) * number
        if taken >= seconds / 4:
            return max(1, round(number * seconds / taken))
        number *= 4


# Makes the step of a workload in one library; None where it is not written for it.
Maker = Callable[[Workload], Step | None]


def maker_of(library: ModuleType) -> Maker:
    """For a library with torch's names."""

    def make(work: Workload) -> Step | None:
        library.manual_seed(0)
        return work.make(library)

    return make


def measure(
    work: Workload, makers: dict[str, Maker], rounds: int, seconds: float
) -> dict[str, Measurement]:
    """Time a workload in each library, a round of one after a round of the other.

    A library that cannot run it yet gets the error in place of times.
    """
    results = {name: Measurement([]) for name in makers}
    steps: dict[str, tuple[Step, int]] = {}
    for name, make in makers.items():
        try:
            step = make(work)
            if step is None:
                continue
            step()
            steps[name] = step, calls_for(step, seconds)
        except Exception as error:  # one missing operator must not hide the other rows
            results[name].error = f"{type(error).__name__}: {error}".splitlines()[0]
    for turn in range(rounds):
        for name in reversed(steps) if turn % 2 else steps:
            gc.collect()
            time.sleep(0.005)  # lets the other library's idle threads stop spinning
            results[name].rounds.append(seconds_of(*steps[name]))
    return results
