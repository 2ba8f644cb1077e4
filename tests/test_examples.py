"""Every example, in its small form: no warnings, its pictures, and a bound on what it learnt.

The bounds leave room for the rounding of other machines; each docstring has what the whole of it
reaches.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

for needed in ("matplotlib", "numpy", "tqdm"):
    pytest.importorskip(needed)

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ROOT / "examples"
# What the last number-bearing line says, as a pattern, and the least or the most that it may be.
AT_LEAST, AT_MOST = (lambda value, bound: value >= bound), (lambda value, bound: value <= bound)
EXPECTED = {
    "char_transformer": (r"held-out text: ([\d.]+) nats", AT_MOST, 2.9),  # 4.5 at first
    "digits": (r"([\d.]+)% of 359", AT_LEAST, 95),
    "digits_cnn": (r"([\d.]+)% of 359", AT_LEAST, 92),
    "lstm_forecaster": (r"84 steps ahead: ([\d.]+)", AT_MOST, 0.8),  # 1 is saying the mean
    "maml": (r"([\d.]+) adapted", AT_MOST, 1.2),  # from about 3.3
    "pinn": (r"relative error of the solution: ([\d.]+)%", AT_MOST, 30),
    "reinforce": (r"stands for (\d+) steps", AT_LEAST, 60),  # 20 at first
    "vae": (r"take ([\d.]+) nats", AT_MOST, 26.5),  # 44 at first
}


def test_every_example_is_tested():
    assert {p.stem for p in EXAMPLES.glob("[!_]*.py")} == set(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_it_runs_draws_and_learns(name, tmp_path):
    said = run_example(name, tmp_path)
    pattern, holds, bound = EXPECTED[name]
    found = re.search(pattern, said)
    assert found, said
    assert holds(float(found[1]), bound), said
    pictures = list(tmp_path.glob("*.png"))
    assert pictures
    for picture in pictures:
        assert picture.read_bytes().startswith(b"\x89PNG")
        assert picture.name in said


def run_example(name, out):
    """What it prints; `-W error` makes a warning an error, and progress bars go to stderr."""
    command = [sys.executable, "-W", "error", EXAMPLES / f"{name}.py", "--quick", "--out", out]
    # It imports what the tests import, wherever that came from.
    path = {"PYTHONPATH": os.pathsep.join(p for p in sys.path if p), "MPLBACKEND": "Agg"}
    result = subprocess.run(
        command, env={**os.environ, **path}, capture_output=True, text=True, timeout=300
    )
    assert result.returncode == 0, result.stderr
    assert "Warning" not in result.stderr
    assert "100%" in result.stderr  # of the bar
    return result.stdout
