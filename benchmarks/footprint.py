"""What the library costs before it has done anything: size, time of import, resident memory.

python -m benchmarks.footprint
"""

import importlib.metadata
import time
from pathlib import Path
from statistics import median

from benchmarks.processes import installed, output_of

WHEELS = Path(__file__).parent.parent / "build" / "dist"
RESIDENT = "from benchmarks.processes import resident; print(resident())"
ROUNDS = 7


def import_seconds(library: str) -> float:
    """Median seconds of an import, on its own, in fresh interpreters."""
    code = f"from time import perf_counter as t; start = t(); import {library}; print(t() - start)"
    output_of(code)  # files into the system's cache
    return median(float(output_of(code)) for _ in range(ROUNDS))


def installed_megabytes(library: str) -> float:
    """Size on disk of the library's own files, MB, without its dependencies."""
    files = importlib.metadata.files(library) or []
    return sum(f.locate().stat().st_size for f in files if f.locate().exists()) / 1e6


def report(libraries: list[str]) -> None:
    print(f"\n{'':<20}{'import':>12}{'resident after it':>20}{'on disk':>12}")
    print(f"{'python alone':<20}{'':>12}{float(output_of(RESIDENT)):>17.1f} MB")
    for library in installed(libraries):
        seconds, size = import_seconds(library), installed_megabytes(library)
        memory = float(output_of(f"import {library}; {RESIDENT}"))
        print(f"{library:<20}{seconds * 1e3:>9.0f} ms{memory:>17.1f} MB{size:>9.1f} MB")
    print("goals of adjoint: an import under 100 ms, under 45 MB resident, a wheel under 6 MB")
    for wheel in sorted(WHEELS.glob("adjoint-*.whl"), key=lambda path: path.stat().st_mtime)[-1:]:
        built = time.strftime("%Y-%m-%d %H:%M", time.localtime(wheel.stat().st_mtime))
        print(f"wheel of {built}: {wheel.stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    report(["adjoint", "torch"])
