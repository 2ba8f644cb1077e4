"""What `import adjoint` costs, seen from a fresh interpreter."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.adjoint_only


def run(code):
    command = [sys.executable, "-c", code]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    return result.stdout.strip()


def test_loads_neither_numpy_nor_the_submodules():
    loaded = run("import sys, adjoint; print(*sys.modules)").split()
    assert "adjoint._core" in loaded
    for name in ("numpy", "safetensors", "adjoint.nn", "adjoint.optim", "adjoint.func"):
        assert name not in loaded


def test_numpy_is_loaded_when_it_is_used():
    code = """
import sys, adjoint
x = adjoint.ones(3, requires_grad=True)
(x.exp() @ x).backward()
repr(x.grad), x.tolist(), x[adjoint.tensor([0, 1])], adjoint.randn(3)
print("numpy" in sys.modules)
x.grad.numpy()
print("numpy" in sys.modules)
"""
    assert run(code).split() == ["False", "True"]


@pytest.mark.parametrize("name", ["nn", "optim", "func", "autograd", "utils", "nn.functional"])
def test_submodules_are_attributes(name):
    assert run(f"import adjoint; print(adjoint.{name}.__name__)") == f"adjoint.{name}"
    assert run(f"import adjoint.{name} as m; print(m.__name__)") == f"adjoint.{name}"


@pytest.mark.resident
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/self/status")
def test_memory():
    peak = run(
        "import adjoint\n"
        "for line in open('/proc/self/status'):\n"
        "    if line.startswith('VmRSS'): print(line.split()[1])"
    )
    assert int(peak) < 45 * 1024  # kB


@pytest.mark.resident
def test_time():
    """Best of three: a tenth of a second, and as much again for a busy machine."""

    def seconds(code):
        timed = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
        return min(float(run(timed)) for _ in range(3))

    assert seconds("import adjoint") < 0.2


def test_star_and_dir():
    assert run("from adjoint import *; print(tensor([1.0, 2.0]).sum())") == "tensor(3.)"
    names = run("import adjoint; print(*dir(adjoint))").split()
    for name in ("Tensor", "tensor", "matmul", "float32", "no_grad", "nn", "optim", "func"):
        assert name in names


def test_version():
    assert run("import adjoint; print(adjoint.__version__)").split(".")[0].isdigit()


def test_an_unknown_name_is_an_attribute_error():
    code = "import adjoint\ntry: adjoint.no_such_name\nexcept AttributeError as e: print(e)"
    assert "no_such_name" in run(code)


def test_exits_quietly_with_live_graphs():
    """Interpreter shutdown with a graph, hooks and cycles still around."""
    code = """
import adjoint
x = adjoint.ones(3, requires_grad=True)
y = (x * 2).exp()
y.register_hook(lambda g: g)
x.register_hook(lambda g: y)
(x ** 2).sum().backward(create_graph=True)
adjoint.keep = [x, y, y.grad_fn]
"""
    assert run(code) == ""
