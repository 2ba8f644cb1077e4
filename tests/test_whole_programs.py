"""Whole programs written for torch run unmodified, and learn what they learn under torch.

The programs draw weights and data from NumPy, so that both libraries start from the same numbers.
"""

import importlib.util
import json
import os
import pathlib
import subprocess
import sys
from typing import NamedTuple

import pytest
from _backend import NAME

FOLDER = pathlib.Path(__file__).parent / "programs"


class Expected(NamedTuple):
    """The mean of the last tenth of the losses is below `fall` times that of the first."""

    fall: float
    early: float  # relative tolerance against torch over the first quarter of the curve
    late: float  # and over the whole: training amplifies rounding


# Rounding is 6e-8 in float32 and 1e-16 in float64, some tens of operations deep. Adam divides by
# the gradient's size, so that a gradient which is zero but for rounding (the bias of attention's
# keys) moves by rounding alone, and a long float32 curve drifts by a percent. Hessian-free steps
# are 20 iterations of conjugate gradients, which lose some seven digits of the sixteen.
PROGRAMS = {
    "actor_critic": Expected(0.7, 1e-8, 1e-8),
    "char_rnn": Expected(0.3, 1e-5, 1e-3),
    "gan": Expected(0.9, 1e-8, 1e-8),
    "gaussian_process": Expected(0.0, 1e-8, 1e-8),
    "gpt_trainer": Expected(0.5, 1e-8, 1e-8),
    "graph_network": Expected(0.5, 1e-8, 1e-8),
    "hessian_free": Expected(1e-3, 1e-6, 1e-4),
    "image_classifier": Expected(0.2, 1e-5, 1e-3),
    "maml": Expected(0.3, 1e-8, 1e-8),
    "mixture_density": Expected(0.1, 1e-8, 1e-8),
    "neural_ode": Expected(0.4, 1e-8, 1e-8),
    "per_sample_gradients": Expected(0.5, 1e-8, 1e-8),
    "ppo": Expected(0.4, 1e-8, 1e-8),
    "real_nvp": Expected(0.7, 1e-8, 1e-8),
    "reinforce": Expected(0.5, 1e-8, 1e-8),
    "seq2seq": Expected(0.4, 1e-8, 1e-8),
    "siamese": Expected(0.2, 1e-8, 1e-8),
    "transformer": Expected(0.3, 1e-5, 5e-2),
    "vae": Expected(0.9, 1e-5, 1e-3),
    "vq_vae": Expected(0.4, 1e-8, 1e-8),
}

pytestmark = pytest.mark.skipif(NAME == "torch", reason="compares the two libraries itself")


def run_all(*how: str) -> dict:
    command = [sys.executable, *how, str(FOLDER)]
    # One thread: sums of threads would be rounded in another order.
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def under_adjoint():
    return run_all("-m", "adjoint", "run")


@pytest.fixture(scope="module")
def under_torch():
    if importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed")
    return run_all()


def test_every_program_is_listed():
    assert {path.stem for path in FOLDER.glob("*.py")} - {"__main__"} == set(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
def test_runs_and_learns(name, under_adjoint):
    result = under_adjoint[name]
    assert "failed" not in result, result["failed"]
    losses = result["losses"]
    tenth = max(1, len(losses) // 10)
    first, last = sum(losses[:tenth]) / tenth, sum(losses[-tenth:]) / tenth
    assert last < PROGRAMS[name].fall * first


@pytest.mark.parametrize("name", PROGRAMS)
def test_learns_as_under_torch(name, under_adjoint, under_torch):
    assert "failed" not in under_torch[name], under_torch[name]["failed"]
    mine, theirs = under_adjoint[name].get("losses", []), under_torch[name]["losses"]
    assert len(mine) == len(theirs)
    quarter = max(1, len(theirs) // 4)
    assert mine[:quarter] == pytest.approx(theirs[:quarter], rel=PROGRAMS[name].early)
    assert mine == pytest.approx(theirs, rel=PROGRAMS[name].late, abs=1e-9)
