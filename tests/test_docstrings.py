"""Every operator's docstring has an example, and every example gives what it shows."""

import doctest

import pytest
from _backend import NAME

if NAME != "adjoint":
    pytest.skip("adjoint's own docstrings", allow_module_level=True)

import adjoint
from adjoint import _core

FUNCTIONS = {
    f"{space}.{name}" if space else name: function
    for space, functions in _core._namespaces.items()
    for name, function in functions.items()
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_gives_what_it_shows(name):
    text = FUNCTIONS[name].__doc__
    example = doctest.DocTestParser().get_doctest(text, {"adjoint": adjoint}, name, None, 0)
    assert example.examples, f"the docstring of {name} has no example"
    report = []
    runner = doctest.DocTestRunner(verbose=False, optionflags=doctest.REPORT_NDIFF)
    failed, _ = runner.run(example, out=report.append)
    assert not failed, "".join(report)
