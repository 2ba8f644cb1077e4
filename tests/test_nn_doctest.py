"""The examples in the docstrings of the Python layers."""

import doctest
import importlib
import pkgutil

import pytest
from _backend import NAME, torch

if NAME != "adjoint":
    pytest.skip("the docstrings are adjoint's", allow_module_level=True)


def modules():
    names = []
    for package in ("adjoint.nn", "adjoint.optim", "adjoint.serialization", "adjoint.utils"):
        names.append(package)
        path = importlib.import_module(package).__path__
        names += [info.name for info in pkgutil.walk_packages(path, package + ".")]
    return names


def examples():
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = []
    for name in modules():
        # an example runs in the namespace of a program: only `adjoint` is there
        found += finder.find(importlib.import_module(name), name, globs={"adjoint": torch})
    return [test for test in found if test.examples]


@pytest.mark.parametrize("test", examples(), ids=lambda test: test.name)
def test_docstring(test):
    report = []
    runner = doctest.DocTestRunner(verbose=False)
    runner.run(test, out=report.append)
    text = "".join(report)
    if "does not have the operator yet" in text:
        pytest.skip("the core does not have the operator yet")
    assert not text, text
