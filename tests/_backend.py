"""The library under test, and the few helpers that the specifications share.

The library is adjoint. ADJOINT_TEST_AS=torch runs the same tests on torch, which shows that what
they ask for is what torch does; tests marked `adjoint_only` ask for more and are skipped there.
"""

import importlib
import os

import numpy as np

NAME = os.environ.get("ADJOINT_TEST_AS", "adjoint")
torch = importlib.import_module(NAME)


def f64(*values, grad=True):
    """A float64 leaf: of one argument its values, of several a vector."""
    data = values[0] if len(values) == 1 else list(values)
    return torch.tensor(data, dtype=torch.float64, requires_grad=grad)


def rand64(*shape, grad=True):
    """A float64 leaf with values in [0.5, 1.5): no logarithm, root or quotient is near its pole."""
    return (torch.rand(shape, dtype=torch.float64) + 0.5).requires_grad_(grad)


def assert_same(actual, expected):
    """Equal values and shape, and the dtype too if `expected` is a tensor; NaN equals NaN."""
    if isinstance(expected, torch.Tensor):
        assert actual.dtype == expected.dtype
        expected = expected.detach()
    assert tuple(actual.shape) == np.shape(array(expected))
    np.testing.assert_array_equal(array(actual), array(expected))


def assert_close(actual, expected, rtol=1e-10, atol=1e-12):
    """Equal shapes and nearly equal values: by default what float64 keeps in a few operations."""
    assert tuple(actual.shape) == np.shape(array(expected))
    np.testing.assert_allclose(array(actual), array(expected), rtol=rtol, atol=atol)


def array(x):
    """The values of a tensor, list or array as a NumPy array."""
    return x.detach().numpy() if isinstance(x, torch.Tensor) else np.asarray(x)


def check_gradient(f, *inputs, order=2):
    """Compare derivatives of `f` along random directions with central differences, up to `order`.

    The difference with step h is off by h**2 times a third derivative, and by the rounding of f
    over h: about 1e-10 and 1e-11 for h = 1e-5, times what values that are not near 1 make of it.
    """
    inputs = [x.detach().clone().requires_grad_() for x in inputs]
    out = f(*inputs)
    weight = torch.randn(out.shape, dtype=torch.float64)
    direction = [torch.randn(x.shape, dtype=torch.float64) for x in inputs]

    def along(*xs):  # the derivative of <weight, f> along direction, itself differentiable
        grads = torch.autograd.grad(
            (f(*xs) * weight).sum(), xs, create_graph=True, materialize_grads=True
        )
        return sum((g * d).sum() for g, d in zip(grads, direction, strict=True))

    def moved(step):
        pairs = zip(inputs, direction, strict=True)
        return [(x.detach() + step * d).requires_grad_() for x, d in pairs]

    h = 1e-5
    numeric = ((f(*moved(h)) - f(*moved(-h))) * weight).sum() / (2 * h)
    analytic = along(*inputs)
    assert_close(analytic, numeric, rtol=1e-6, atol=1e-7)
    if order > 1 and analytic.requires_grad:
        check_gradient(along, *inputs, order=order - 1)
