"""Times every workload and prints the table."""

import argparse
import importlib
import json
import os
import platform
import sys
from types import ModuleType

from benchmarks import compiled, footprint, memory
from benchmarks.harness import WORKLOADS, Maker, Measurement, Workload, maker_of, measure

THREADS = 2
for group in ("small", "large", "models", "transforms"):
    importlib.import_module(f"benchmarks.{group}")  # registers its workloads


def load(names: list[str]) -> dict[str, ModuleType]:
    """The libraries that are installed among those asked for."""
    libraries = {}
    for name in names:
        try:
            libraries[name] = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            print(f"{name} is not installed in {sys.prefix}: its column is left out")
        else:
            if name != "jax":  # which takes the cores that there are
                libraries[name].set_num_threads(THREADS)
    return libraries


def makers_of(libraries: dict[str, ModuleType]) -> dict[str, Maker]:
    return {
        name: compiled.make if name == "jax" else maker_of(library)
        for name, library in libraries.items()
    }


def duration(seconds: float | None) -> str:
    if seconds is None:
        return "-"
    unit, scale = next(((u, s) for u, s in (("s", 1), ("ms", 1e-3)) if seconds >= s), ("us", 1e-6))
    return f"{seconds / scale:.3g} {unit}"


def ratio(results: dict[str, Measurement], other: str = "torch") -> float | None:
    """adjoint's time over another library's."""
    ours, theirs = (results.get(name) for name in ("adjoint", other))
    if ours and theirs and ours.seconds and theirs.seconds:
        return ours.seconds / theirs.seconds
    return None


def row(work: Workload, results: dict[str, Measurement]) -> str:
    got = ratio(results)
    cells = [f"{duration(result.seconds):>10}" for result in results.values()]
    cells.append(f"{got:>8.2f}" if got is not None else f"{'-':>8}")
    cells.append(f"{work.goal:>8.2f}" if work.goal is not None else f"{'':>8}")
    if got is not None and work.goal is not None:
        cells.append("  met   " if got <= work.goal else "  missed")
    if "jax" in results:
        got = ratio(results, "jax")
        cells.append(f"{got:>9.2f}" if got is not None else f"{'-':>9}")
    return f"{work.title:<72}" + "".join(cells)


def as_json(rows: list[tuple[Workload, dict[str, Measurement]]], libraries: dict) -> dict:
    return {
        "machine": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "libraries": {name: library.__version__ for name, library in libraries.items()},
        "threads": THREADS,
        "workloads": {
            work.name: {
                "title": work.title,
                "goal": work.goal,
                "ratio": ratio(results),
                "seconds": {name: result.seconds for name, result in results.items()},
                "rounds": {name: result.rounds for name, result in results.items()},
            }
            for work, results in rows
        },
    }


def report(options: argparse.Namespace) -> None:
    """Time the workloads whose names contain `options.only` and print a row for each."""
    libraries = load(options.libraries.split(","))
    chosen = [work for work in WORKLOADS if options.only in work.name]
    if not chosen:
        raise SystemExit(f"no workload {options.only!r}: {', '.join(w.name for w in WORKLOADS)}")
    versions = ", ".join(f"{name} {library.__version__}" for name, library in libraries.items())
    print(f"{versions}; {THREADS} threads, float32, median of {options.rounds} rounds")
    print("ratio: adjoint's time over torch's; goal: at most this ratio")
    if "jax" in libraries:
        print("/ jax: adjoint's time over that of JAX's compiled step")
    print()
    heads = [f"{name:>10}" for name in libraries] + [f"{'ratio':>8}", f"{'goal':>8}"]
    heads += [f"{'':>8}{'/ jax':>9}"] if "jax" in libraries else []
    makers = makers_of(libraries)
    print(f"{'':<72}" + "".join(heads))
    rows = []
    for work in chosen:
        results = measure(work, makers, options.rounds, options.seconds)
        rows.append((work, results))
        print(row(work, results), flush=True)
        for name, result in results.items():
            if result.error:
                print(f"    {name}: {result.error}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(as_json(rows, libraries), file, indent=1)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", default="", help="workloads whose names contain this")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="of one round")
    parser.add_argument("--libraries", default="adjoint,torch,jax")
    parser.add_argument("--json", metavar="FILE", help="write every round's time there")
    options = parser.parse_args()
    report(options)
    if not options.only:
        libraries = [name for name in options.libraries.split(",") if name != "jax"]
        memory.report(libraries)
        footprint.report(libraries)


if __name__ == "__main__":
    main()
