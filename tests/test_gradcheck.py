"""gradcheck and gradgradcheck accept right derivatives and refuse wrong ones."""

import importlib

import pytest
from _backend import NAME, torch

gradcheck, gradgradcheck = torch.autograd.gradcheck, torch.autograd.gradgradcheck
GradcheckError = importlib.import_module(f"{NAME}.autograd.gradcheck").GradcheckError
Function = torch.autograd.Function


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


X = leaf(0.3, 0.7, 1.1)


def operation(forward, backward, jvp=None):
    methods = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    if jvp:
        methods["jvp"] = staticmethod(jvp)
    return type("Op", (Function,), methods).apply


def square(factor=2.0):
    """x**2, right for factor 2."""

    def forward(ctx, x):
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)
        return x**2

    def derivative(ctx, g):
        return g * factor * ctx.saved_tensors[0]

    return operation(forward, derivative, derivative)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_a_right_derivative_is_accepted(fast_mode):
    assert gradcheck(lambda x, y: (x.sin() * y).sum(0), (X, leaf(2.0)), fast_mode=fast_mode)
    assert gradcheck(square(), X, check_forward_ad=True, fast_mode=fast_mode)
    assert gradgradcheck(lambda x: x.exp() * x, X, fast_mode=fast_mode)


@pytest.mark.parametrize("fast_mode", [False, True])
def test_a_wrong_derivative_is_refused(fast_mode):
    wrong = square(2.1)
    with pytest.raises(GradcheckError, match="Jacobian"):
        gradcheck(wrong, X, fast_mode=fast_mode)
    assert not gradcheck(wrong, X, fast_mode=fast_mode, raise_exception=False)
    with pytest.raises(GradcheckError):
        gradcheck(wrong, X, check_forward_ad=True, check_backward_ad=False, fast_mode=fast_mode)


def test_a_wrong_second_derivative_is_refused():
    cos = operation(
        lambda ctx, x: (ctx.save_for_backward(x), x.cos())[1],
        lambda ctx, g: g * ctx.saved_tensors[0].sin(),  # the sign is wrong
    )
    sin = operation(
        lambda ctx, x: (ctx.save_for_backward(x), x.sin())[1],
        lambda ctx, g: g * cos(ctx.saved_tensors[0]),
    )
    assert gradcheck(sin, X)
    with pytest.raises(GradcheckError):
        gradgradcheck(sin, X)


def test_several_inputs_and_outputs_and_constants():
    constant = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    assert gradcheck(lambda x, c, y: (x * c, (x * y).sum(), c), (X, constant, leaf(1.0, 2.0, 3.0)))
    assert gradcheck(lambda x, n: x * n, (X, 3))


def test_a_non_contiguous_input():
    x = torch.arange(6.0, dtype=torch.float64).reshape(2, 3).t().requires_grad_()
    assert gradcheck(lambda x: (x**2).sum(1), x)


def test_an_input_that_is_a_scalar_and_one_that_is_empty():
    assert gradcheck(torch.sin, torch.tensor(0.5, dtype=torch.float64, requires_grad=True))
    assert gradcheck(torch.sin, torch.zeros(0, dtype=torch.float64, requires_grad=True))


def test_the_inputs_are_left_as_they_were():
    x = leaf(0.3, 0.7)
    gradcheck(torch.sin, x)
    assert x.tolist() == [0.3, 0.7] and x.grad is None


def test_a_result_without_history_must_be_constant():
    assert gradcheck(lambda x: torch.ones(2, dtype=torch.float64), X)
    with pytest.raises(GradcheckError):
        gradcheck(lambda x: x.detach() * 2, X)


def test_backward_must_be_deterministic():
    drift = [0.0]

    def backward(ctx, g):
        drift[0] += 1e-7
        return g + drift[0]

    op = operation(lambda ctx, x: x * 1, backward)
    with pytest.raises(GradcheckError, match="determin|reentrant"):
        gradcheck(op, X)
    drift[0] = 0.0


def test_a_small_difference_between_two_runs_may_be_allowed():
    runs = [0]

    def backward(ctx, g):
        runs[0] += 1
        return g * (1 + 1e-9 * (runs[0] % 2))

    op = operation(lambda ctx, x: x * 1, backward)
    with pytest.raises(GradcheckError):
        gradcheck(op, X)
    assert gradcheck(op, X, nondet_tol=1e-8)


def test_backward_must_be_linear_in_the_gradient():
    with pytest.raises(GradcheckError):
        gradcheck(operation(lambda ctx, x: x * 1, lambda ctx, g: torch.ones_like(g)), X)


def test_backward_must_cope_with_missing_gradients():
    def forward(ctx, x):
        ctx.set_materialize_grads(False)
        return x * 1, x * 2

    op = operation(forward, lambda ctx, a, b: a + b * 2)
    with pytest.raises((GradcheckError, TypeError)):
        gradcheck(op, X)
    zeros = torch.zeros(3, dtype=torch.float64)
    tolerant = operation(
        forward,
        lambda ctx, a, b: (zeros if a is None else a) + (zeros if b is None else b * 2),
    )
    assert gradcheck(tolerant, X)


def test_batched_gradients():
    assert gradcheck(lambda x: x.sin(), X, check_batched_grad=True)
    assert gradcheck(
        torch.sin,
        X,
        check_forward_ad=True,
        check_batched_forward_grad=True,
        check_batched_grad=True,
    )
    loud = operation(lambda ctx, x: x * 1, lambda ctx, g: g * (1.0 if g.sum() else 1.0))
    assert gradcheck(loud, X)
    with pytest.raises(GradcheckError, match="vmap"):
        gradcheck(loud, X, check_batched_grad=True)


def test_second_derivatives_by_forward_over_reverse():
    assert gradgradcheck(lambda x: x.sin() * x, X, check_fwd_over_rev=True)
    assert gradgradcheck(
        torch.sin,
        X,
        check_rev_over_rev=False,
        check_fwd_over_rev=True,
        check_undefined_grad=False,
    )
    assert gradgradcheck(torch.sin, X, gen_non_contig_grad_outputs=True)
    assert gradgradcheck(torch.sin, X, leaf(1.0, 2.0, 3.0))


def test_mistakes():
    with pytest.raises(ValueError, match="requires_grad|require"):
        gradcheck(torch.sin, X.detach())
    with pytest.raises((ValueError, AssertionError)):
        gradcheck(torch.sin, X, check_backward_ad=False)
    with pytest.raises(RuntimeError, match="memory|overlap"):
        gradcheck(torch.sin, leaf(1.0).expand(3).detach().requires_grad_())
    with pytest.warns(UserWarning, match="input"), pytest.raises(GradcheckError):
        gradcheck(torch.sin, torch.tensor([0.3], requires_grad=True), atol=0, rtol=0)
