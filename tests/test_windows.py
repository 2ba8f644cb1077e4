"""`signal.windows` against SciPy's windows of the same names."""

import numpy as np
import pytest
import scipy.signal.windows as sw
from _backend import torch

ARGUMENTS = {
    "bartlett": ({}, ()),
    "blackman": ({}, ()),
    "cosine": ({}, ()),
    "exponential": ({"tau": 2.5}, (None, 2.5)),
    "gaussian": ({"std": 1.5}, (1.5,)),
    "general_cosine": ({"a": [0.4, 0.35, 0.25]}, ([0.4, 0.35, 0.25],)),
    "general_hamming": ({"alpha": 0.6}, (0.6,)),
    "hamming": ({}, ()),
    "hann": ({}, ()),
    "kaiser": ({"beta": 7.0}, (7.0,)),
    "nuttall": ({}, ()),
}


@pytest.mark.parametrize("sym", [True, False])
@pytest.mark.parametrize("name", ARGUMENTS)
def test_values(name, sym):
    words, positional = ARGUMENTS[name]
    for size in (0, 1, 2, 7, 12):
        w = getattr(torch.signal.windows, name)(size, sym=sym, dtype=torch.float64, **words)
        expected = getattr(sw, name)(size, *positional, sym=sym)
        # each value is a few operations on numbers below 10 in float64
        np.testing.assert_allclose(w.numpy(), expected, atol=1e-13)


def test_dtypes():
    w = torch.signal.windows.hann(4, requires_grad=True)
    assert w.dtype is torch.float32 and w.requires_grad
    with pytest.raises(ValueError, match="float"):
        torch.signal.windows.hann(4, dtype=torch.int64)


@pytest.mark.parametrize(
    ("name", "words", "error"),
    [
        ("hann", {"M": -1}, ValueError),
        ("exponential", {"M": 3, "tau": 0.0}, ValueError),
        ("exponential", {"M": 3, "center": 1.0}, ValueError),
        ("gaussian", {"M": 3, "std": 0.0}, ValueError),
        ("kaiser", {"M": 3, "beta": -1.0}, ValueError),
        ("general_cosine", {"M": 3, "a": []}, ValueError),
        ("general_cosine", {"M": 3, "a": 3}, TypeError),
    ],
)
def test_bad_arguments(name, words, error):
    with pytest.raises(error):
        getattr(torch.signal.windows, name)(**words)
