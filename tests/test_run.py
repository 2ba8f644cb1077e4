"""`python -m adjoint run`: programs written for torch, as python itself would run them."""

import subprocess
import sys

import pytest
from _backend import NAME

if NAME != "adjoint":
    pytest.skip("the command is adjoint's", allow_module_level=True)


def python(*arguments, cwd):
    return subprocess.run(
        [sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True, timeout=60
    )


def run(folder, source, *arguments):
    (folder / "program.py").write_text(source)
    return python("-m", "adjoint", "run", "program.py", *arguments, cwd=folder)


def test_torch_and_its_submodules_are_adjoint(tmp_path):
    done = run(
        tmp_path,
        "import torch, adjoint, torch.nn as nn, torch.optim as optim\n"
        "import torch.nn.functional as F, torch.backends.cudnn as cudnn\n"
        "from torch.utils.data import DataLoader\n"
        "assert nn is adjoint.nn and F is adjoint.nn.functional and torch.nn is nn\n"
        "assert torch.Tensor is adjoint.Tensor and adjoint.nn.__spec__.name == 'adjoint.nn'\n",
    )
    assert done.returncode == 0, done.stderr


def test_versions(tmp_path):
    done = run(
        tmp_path,
        "import torch, adjoint\n"
        "v = torch.__version__\n"
        "assert v >= '1.8' and v >= (2, 0) and v < '100.0' and int(v.split('.')[0]) == 2\n"
        "assert torch.version.__version__ == v and adjoint.__version__ != v\n"
        "import torch.version\n"
        "assert torch.version.__version__ == v and torch.version.cuda is None\n",
    )
    assert done.returncode == 0, done.stderr


def test_what_the_import_system_says_of_torch(tmp_path):
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision/__init__.py").write_text("")
    (tmp_path / "torchvision/_C.so").write_bytes(b"")
    done = run(
        tmp_path,
        "from importlib import metadata\n"
        "from importlib.util import find_spec\n"
        "assert metadata.version('torch').startswith('2.')\n"
        "assert metadata.packages_distributions()['torch'][0] == 'torch'\n"
        "assert find_spec('torch') and find_spec('torch.nn')\n"
        "assert find_spec('torch.no_such') is None and find_spec('torchvision') is None\n"
        "import torch\n"
        "assert torch.torch is torch\n",
    )
    assert done.returncode == 0, done.stderr


SEEN = "import sys; print(sys.argv, __name__, __file__, __package__, sys.path[0]); import other\n"


def test_the_same_as_python(tmp_path):
    (tmp_path / "other.py").write_text("")
    mine = run(tmp_path, SEEN, "a", "-h", "-m")
    theirs = python("program.py", "a", "-h", "-m", cwd=tmp_path)
    assert (mine.stdout, mine.returncode) == (theirs.stdout, 0)
    mine = python("-m", "adjoint", "run", "-m", "program", "-x", cwd=tmp_path)
    theirs = python("-m", "program", "-x", cwd=tmp_path)
    assert (mine.stdout, mine.returncode) == (theirs.stdout, 0)


@pytest.mark.parametrize(
    "source", ["def g():\n    1 / 0\ng()\n", "raise SystemExit(7)\n", "raise SystemExit('no')\n",
               "1 +\n", "import os, signal; os.kill(os.getpid(), signal.SIGINT)\n"]
)  # fmt: skip
def test_tracebacks_and_exit_codes(tmp_path, source):
    mine, theirs = run(tmp_path, source), python("program.py", cwd=tmp_path)
    assert (mine.returncode, mine.stderr) == (theirs.returncode, theirs.stderr)


def test_a_file_that_is_not_there(tmp_path):
    done = python("-m", "adjoint", "run", "nothing.py", cwd=tmp_path)
    assert done.returncode == 2 and "can't open file" in done.stderr


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("import torch\ntorch.no_such_a\ntorch.no_such_b\n", "torch.no_such_a torch.no_such_b"),
        ("from torch import nn\nnn.NoSuch\n", "torch.nn.NoSuch"),
        ("from torch.nn import NoSuch\n", "torch.nn.NoSuch"),
        ("import torch.no_such.part\n", "torch.no_such"),
        ("import torch\ntorch.ones(1).no_such()\n", "torch.Tensor.no_such"),
    ],
)
def test_names_that_are_lacking_are_listed(tmp_path, source, names):
    done = run(tmp_path, source)
    assert done.returncode == 1
    listed = done.stderr.rpartition("lacks names")[2].split("\n")[1:]
    assert [line.strip() for line in listed if line][: len(names.split())] == names.split()


def test_other_failures_list_nothing(tmp_path):
    done = run(tmp_path, "import torch\nhasattr(torch, 'no_such')\nraise ValueError('mine')\n")
    assert done.returncode == 1 and done.stderr.endswith("ValueError: mine\n")


def test_torchvision_is_absent_unless_it_is_the_programs_own(tmp_path):
    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision/__init__.py").write_text("from . import utils\n")
    (tmp_path / "torchvision/utils.py").write_text("import torch\n")
    program = "import torchvision.utils\nassert torchvision.utils.torch.__version__ >= '2'\n"
    done = run(tmp_path, program)
    assert done.returncode == 0, done.stderr
    (tmp_path / "torchvision/_C.so").write_bytes(b"")
    done = run(tmp_path, program)
    error = done.stderr.splitlines()[-1]
    assert error.startswith("ModuleNotFoundError: No module named 'torchvision' (")


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing(tmp_path, method):
    done = run(
        tmp_path,
        "import multiprocessing, torch\n"
        "def f(i):\n    return torch.__version__\n"
        "if __name__ == '__main__':\n"
        f"    with multiprocessing.get_context('{method}').Pool(1) as pool:\n"
        "        print(pool.map(f, [1])[0])\n",
    )
    assert done.returncode == 0 and "adjoint" in done.stdout, done.stderr


def test_info(tmp_path):
    done = python("-m", "adjoint", "info", cwd=tmp_path)
    assert done.returncode == 0
    for word in ("adjoint", "ISA level", "BLAS", "threads", "devices"):
        assert word in done.stdout
