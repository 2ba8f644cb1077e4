"""autograd.functional, and the edges of autograd's Python face."""

import importlib

import pytest
from _backend import NAME, torch

F = importlib.import_module(f"{NAME}.autograd.functional")
autograd = torch.autograd

X = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
Y = torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64)


def close(a, b):
    return torch.allclose(a, torch.as_tensor(b, dtype=a.dtype), rtol=1e-12, atol=1e-12)


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


# Products


def test_vjp_returns_the_value_and_the_product():
    y, g = F.vjp(lambda x: x**2, X, Y)
    assert close(y, X**2) and close(g, 2 * X * Y) and not g.requires_grad
    y, (ga, gb) = F.vjp(lambda a, b: (a * b).sum(), (X, Y))
    assert close(ga, Y) and close(gb, X)
    (ya, yb), g = F.vjp(lambda x: (x * 2, x.sum()), X, (Y, torch.tensor(3.0, dtype=torch.float64)))
    assert close(yb, X.sum()) and close(g, 2 * Y + 3)


def test_jvp_returns_the_value_and_the_product():
    y, t = F.jvp(lambda x: x**2, X, Y)
    assert close(y, X**2) and close(t, 2 * X * Y)
    _, (ta, tb) = F.jvp(lambda a, b: (a * b, a.sum()), (X, Y), (Y, X))
    assert close(ta, Y * Y + X * X) and close(tb, Y.sum())


def test_hessian_products():
    def f(x):
        return (x**3).sum() + x.prod()

    h = F.hessian(f, X)
    for product in (F.hvp, F.vhp):
        value, found = product(f, X, Y)
        assert close(value, f(X)) and close(found, h @ Y)
    _, (a, b) = F.hvp(lambda x, y: (x * x * y).sum(), (X, Y), (Y, X))
    assert close(a, 2 * Y * Y + 2 * X * X) and close(b, 2 * X * Y)


def test_create_graph_makes_results_differentiable():
    x = leaf(1.0, 2.0)
    v = torch.ones(2, dtype=torch.float64)
    cubes = lambda x: x**3
    for product in (F.vjp, F.jvp):
        y, g = product(cubes, x, v, create_graph=True)
        assert close(autograd.grad(g.sum(), x)[0], [6.0, 12.0]) and y.requires_grad
    for product in (F.hvp, F.vhp):
        _, h = product(lambda x: cubes(x).sum(), x, v, create_graph=True)
        assert close(autograd.grad(h.sum(), x)[0], [6.0, 6.0])


def test_strict_refuses_independence():
    one = torch.ones(1, dtype=torch.float64)
    for product in (F.vjp, F.jvp, F.hvp, F.vhp):
        with pytest.raises(RuntimeError, match="depend|strict"):
            product(lambda x: one.sum(), one, one.sum() if product is F.vjp else one, strict=True)
    _, g = F.vjp(lambda x: one, one)
    assert close(g, [0.0])


def test_vectors_are_checked():
    with pytest.raises(RuntimeError):
        F.vjp(lambda x: x**2, X)
    with pytest.raises(RuntimeError):
        F.vjp(lambda x: x**2, X, Y[:2])
    with pytest.raises(RuntimeError):
        F.jvp(lambda x: x**2, X, (Y, Y))
    with pytest.raises(RuntimeError):
        F.hvp(lambda x: x**2, X, Y)
    with pytest.raises(TypeError):
        F.vjp(lambda x: 3, X)
    with pytest.raises(TypeError):
        F.vjp(lambda x: x, 3)


# Jacobians and Hessians

STRATEGIES = {
    "rows": {},
    "vectorize": {"vectorize": True},
    "forward": {"vectorize": True, "strategy": "forward-mode"},
}


@pytest.mark.parametrize("strategy", STRATEGIES.values(), ids=STRATEGIES)
def test_jacobians_follow_the_structure_of_outputs_and_inputs(strategy):
    assert close(F.jacobian(lambda x: x**2, X, **strategy), torch.diag(2 * X))
    ja, jb = F.jacobian(lambda a, b: a * b, (X, Y), **strategy)
    assert close(ja, torch.diag(Y)) and close(jb, torch.diag(X))
    (jaa, jab), (jba, jbb) = F.jacobian(lambda a, b: (a * b, a.sum()), (X, Y), **strategy)
    assert close(jab, torch.diag(X)) and close(jba, [1.0, 1.0, 1.0]) and close(jbb, [0.0] * 3)
    assert F.jacobian(lambda m: m.sum(0), torch.ones(2, 3), **strategy).shape == (3, 2, 3)


@pytest.mark.parametrize("outer", ["reverse-mode", "forward-mode"])
def test_hessians_of_one_and_of_several_inputs(outer):
    options = {"vectorize": True, "outer_jacobian_strategy": outer}
    cubes = lambda x: (x**3).sum()
    assert close(F.hessian(cubes, X), torch.diag(6 * X))
    assert close(F.hessian(cubes, X, **options), torch.diag(6 * X))
    (aa, ab), (ba, bb) = F.hessian(lambda a, b: (a * a * b).sum(), (X, Y), **options)
    assert close(aa, torch.diag(2 * Y)) and close(ab, torch.diag(2 * X)) and close(ba, ab.t())
    assert close(bb, torch.zeros(3, 3))


@pytest.mark.parametrize(
    "strategy",
    [
        STRATEGIES["rows"],
        STRATEGIES["vectorize"],
        pytest.param(STRATEGIES["forward"], marks=pytest.mark.adjoint_only),
    ],
    ids=STRATEGIES,
)
def test_a_jacobian_with_create_graph_is_differentiable(strategy):
    x = leaf(1.0, 2.0)
    F.jacobian(lambda x: x**3, x, create_graph=True, **strategy).sum().backward()
    assert close(x.grad, [6.0, 12.0])
    assert not F.jacobian(lambda x: x**3, x, **strategy).requires_grad


def test_jacobian_mistakes():
    with pytest.raises(RuntimeError):
        F.jacobian(lambda x: x, X, strict=True, vectorize=True)
    with pytest.raises(RuntimeError, match="depend|strict"):
        F.jacobian(lambda x: Y, X, strict=True)
    with pytest.raises(NotImplementedError):
        F.jacobian(lambda x: x, X, strategy="forward-mode")
    with pytest.raises(RuntimeError):
        F.hessian(lambda x: x, X)


# The edges of autograd's Python face


def test_materialized_gradients_are_zeros():
    x, unused = leaf(1.0), leaf(1.0, 2.0)
    assert close(autograd.grad(x.sum(), (x, unused), materialize_grads=True)[1], [0.0, 0.0])
    with pytest.raises(ValueError, match="materialize_grads"):
        autograd.grad(x.sum(), x, materialize_grads=True, allow_unused=False)


def test_arguments_are_checked():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match="empty"):
        autograd.grad(x.sum(), ())
    with pytest.raises(RuntimeError, match="empty"):
        autograd.backward(x.sum(), inputs=[])
    with pytest.raises(RuntimeError, match="gradients"):
        autograd.grad((x * 2, x * 3), x, [torch.ones(2)])
    with pytest.raises(TypeError):
        autograd.grad(3, x)
    with pytest.raises((ValueError, IndexError)):
        autograd.grad(x.sum(), x, torch.tensor(1.0), is_grads_batched=True)
    with pytest.warns(FutureWarning, match="only_inputs"):
        autograd.grad(x.sum(), x, only_inputs=False)


def test_a_decorated_generator_has_the_mode_only_while_it_runs():
    @torch.no_grad()
    def numbers():
        try:
            sent = yield torch.is_grad_enabled()
            yield sent, torch.is_grad_enabled()
        except KeyError:
            yield "caught", torch.is_grad_enabled()
        return "done"

    g = numbers()
    assert next(g) is False and torch.is_grad_enabled()
    assert g.send(5) == (5, False) and torch.is_grad_enabled()
    assert g.throw(KeyError()) == ("caught", False)
    with pytest.raises(StopIteration) as stop:
        next(g)
    assert stop.value.value == "done" and torch.is_grad_enabled()


def test_decorating_a_class_is_deprecated():
    with pytest.warns(FutureWarning):

        @torch.no_grad()
        class Thing:
            def __init__(self):
                self.recorded = torch.is_grad_enabled()

    assert not Thing().recorded


def test_variable_is_a_tensor():
    x = leaf(1.0)
    v = autograd.Variable(x)
    assert type(v) is torch.Tensor and not v.requires_grad and v.data_ptr() == x.data_ptr()
    assert autograd.Variable(x, requires_grad=True).requires_grad
    assert isinstance(x, autograd.Variable)
    with pytest.raises(TypeError):
        autograd.Variable(3.0)


@pytest.mark.filterwarnings("ignore")
def test_anomaly_detection_names_the_function_that_made_a_nan():
    x = torch.zeros(2, requires_grad=True)
    with autograd.detect_anomaly(), pytest.raises(RuntimeError, match="SqrtBackward0.*nan"):
        (x.sqrt() * 0).sum().backward()
    with autograd.set_detect_anomaly(True), pytest.raises(RuntimeError, match="nan"):
        autograd.grad((x.sqrt() * 0).sum(), x)
    (x.sqrt() * 0).sum().backward()


def test_graph_edges_and_versions():
    graph = importlib.import_module(f"{NAME}.autograd.graph")
    x = leaf(1.0)
    assert graph.get_gradient_edge(x * 2).node.name() == "MulBackward0"
    assert "AccumulateGrad" in graph.get_gradient_edge(x).node.name()
    assert isinstance((x * 2).grad_fn, graph.Node)
    y = torch.ones(2)
    before = y._version
    graph.increment_version(y)
    assert y._version == before + 1
    with pytest.raises((RuntimeError, ValueError)):
        graph.get_gradient_edge(y)
