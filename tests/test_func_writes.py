"""In-place writes inside transformed functions: the same derivatives as without them."""

import pytest
from _backend import NAME, torch

from adjoint.func import grad, hessian, jacfwd, jacrev, jvp, vjp, vmap

if NAME != "adjoint":  # torch maps the same programs, but not all of these
    pytest.skip("some of these are errors in torch", allow_module_level=True)

X = torch.arange(12.0, dtype=torch.float64).reshape(3, 4) / 5 + 0.1


def into_rows_of_zeros(x):
    y = torch.zeros_like(x)
    y[0] = x[0] * 2
    y[1:] += x[1:] ** 2
    return y


def through_views_of_a_copy(x):
    y = x.clone()
    y[0].mul_(3)
    y[1:3].add_(x[:2])
    return y**2


def a_view_and_then_its_base(x):
    y = x * 1
    view = y[1:]
    view.mul_(x[0])
    y.exp_()
    return y + view.sum()


def a_view_made_before_another_is_written(x):
    y = x * 1
    before, view = y[:2], y[1:].unsqueeze(0)
    view.mul_(view.clone() * x[3])
    return before * y[2:]


def every_other_element(x):
    y = x.clone()
    y.view(-1)[::2] = 0
    y.reshape(2, 2).t()[0, 1].add_(x.prod())
    return y * y


def with_reads_of_what_is_overwritten(x):
    y = x.sin()
    y.mul_(y).mul_(y)
    y[:2].div_(y[2:].clone())
    return y


def with_an_index(x):
    y = x * 0
    y[torch.tensor([2, 0])] = x[:2] * x[1]
    y.index_add_(0, torch.tensor([1, 1]), x[2:])
    return y**3


WITH_WRITES = {
    into_rows_of_zeros: lambda x: torch.cat([x[:1] * 2, x[1:] ** 2]),
    through_views_of_a_copy: lambda x: torch.stack([3 * x[0], x[1] + x[0], x[2] + x[1], x[3]]) ** 2,
    a_view_and_then_its_base: lambda x: (lambda y: y + y[1:].sum())(
        torch.cat([x[:1], x[1:] * x[0]]).exp()
    ),
    a_view_made_before_another_is_written: lambda x: (lambda y: y[:2] * y[2:])(
        torch.cat([x[:1], x[1:] ** 2 * x[3]])
    ),
    every_other_element: lambda x: torch.stack([0 * x[0], x[1], x.prod(), x[3]]) ** 2,
    with_reads_of_what_is_overwritten: lambda x: (lambda y: torch.cat([y[:2] / y[2:], y[2:]]))(
        x.sin() ** 4
    ),
    with_an_index: lambda x: torch.stack([x[1] * x[1], x[2] + x[3], x[0] * x[1], 0 * x[0]]) ** 3,
}

DIRECTION = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)


def scalar(f):
    return lambda x: (f(x) * DIRECTION[: f(x).shape[0]]).sum()


TRANSFORMS = {
    "grad": lambda f: grad(scalar(f)),
    "jvp": lambda f: lambda x: jvp(f, (x,), (DIRECTION,))[1],
    "vjp": lambda f: lambda x: vjp(f, x)[1](torch.ones_like(f(x)))[0],
    "jacrev": jacrev,
    "jacfwd": jacfwd,
    "hessian": lambda f: hessian(scalar(f)),
    "grad of grad": lambda f: grad(lambda x: grad(scalar(f))(x).sin().sum()),
    "jvp of jvp": lambda f: (
        lambda x: jvp(lambda x: jvp(f, (x,), (DIRECTION,))[1], (x,), (DIRECTION,))[1]
    ),
    "grad of jvp": lambda f: grad(lambda x: jvp(f, (x,), (DIRECTION,))[1].sum()),
}


@pytest.mark.parametrize("name", TRANSFORMS)
@pytest.mark.parametrize("mapped", [False, True])
@pytest.mark.parametrize("f", WITH_WRITES, ids=lambda f: f.__name__)
def test_derivatives_are_those_of_the_function_without_writes(f, mapped, name):
    transform, x = TRANSFORMS[name], X if mapped else X[1]
    outer = vmap if mapped else lambda g: g
    found = outer(transform(f))(x)
    expected = outer(transform(WITH_WRITES[f]))(x)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("f", WITH_WRITES, ids=lambda f: f.__name__)
def test_a_backward_from_outside_passes_through_the_writes(f):
    x, y = X.clone().requires_grad_(), X.clone().requires_grad_()
    vmap(f)(x).sum().backward()
    vmap(WITH_WRITES[f])(y).sum().backward()
    torch.testing.assert_close(x.grad, y.grad)


def test_a_tensor_from_outside_of_vmap_takes_no_batched_values():
    y = torch.zeros(4, dtype=torch.float64)
    with pytest.raises(RuntimeError, match="zeros_like"):
        vmap(lambda x: y[:2].copy_(x[:2]))(X)
    assert y.tolist() == [0, 0, 0, 0]
