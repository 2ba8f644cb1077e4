"""func: grad, vjp, jvp, Jacobians, and how they nest. float64, so 1e-12 is a few roundings."""

import importlib

import pytest
from _backend import NAME, torch

func = importlib.import_module(f"{NAME}.func")
nn = importlib.import_module(f"{NAME}.nn")
grad, vjp, jvp, vmap = func.grad, func.vjp, func.jvp, func.vmap
jacrev, jacfwd, hessian = func.jacrev, func.jacfwd, func.hessian

X = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
T = torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64)


def tensor(value, **options):
    return torch.tensor(value, dtype=torch.float64, **options)


def close(a, b):
    return torch.allclose(a, torch.as_tensor(b, dtype=a.dtype), rtol=1e-12, atol=1e-12)


def cubes(x):
    return (x**3).sum()


# grad


def test_grad_is_the_gradient():
    assert close(grad(cubes)(X), 3 * X**2)


def test_argnums_choose_the_arguments():
    def f(x, y):
        return (x * y**2).sum()

    y = X + 1
    assert close(grad(f)(X, y), y**2)
    assert close(grad(f, argnums=1)(X, y), 2 * X * y)
    assert close(grad(f, argnums=-1)(X, y), 2 * X * y)
    gx, gy = grad(f, argnums=(0, 1))(X, y)
    assert close(gx, y**2) and close(gy, 2 * X * y)


def test_arguments_and_gradients_are_pytrees():
    params = {"w": X, "rest": (tensor(2.0), [tensor(3.0)])}

    def f(p):
        return (p["w"] * p["rest"][0]).sum() + p["rest"][1][0]

    g = grad(f)(params)
    assert close(g["w"], [2.0, 2.0, 2.0])
    assert close(g["rest"][0], X.sum()) and close(g["rest"][1][0], 1.0)


def test_keyword_arguments_are_passed_on():
    assert close(grad(lambda x, power: (x**power).sum())(X, power=2), 2 * X)


def test_has_aux_and_the_value():
    def f(x):
        return cubes(x), {"x": x}

    g, aux = grad(f, has_aux=True)(X)
    assert close(g, 3 * X**2) and close(aux["x"], X) and not aux["x"].requires_grad
    g, value = func.grad_and_value(cubes)(X)
    assert close(g, 3 * X**2) and close(value, cubes(X)) and not value.requires_grad
    g, (value, aux) = func.grad_and_value(f, has_aux=True)(X)
    assert close(value, cubes(X)) and close(aux["x"], X)


@pytest.mark.adjoint_only
def test_value_and_grad_puts_the_value_first():
    value, g = func.value_and_grad(cubes)(X)
    assert close(value, cubes(X)) and close(g, 3 * X**2)
    (value, aux), g = func.value_and_grad(lambda x: (cubes(x), 7), has_aux=True)(X)
    assert close(value, cubes(X)) and aux == 7


def test_an_unused_argument_has_gradient_zero():
    assert close(grad(lambda x: tensor(1.0))(X), [0.0, 0.0, 0.0])


def test_no_leaf_is_touched_and_nothing_is_left_attached():
    x = tensor([1.0, 2.0], requires_grad=True)
    g = grad(cubes)(x.detach())
    assert x.grad is None and not g.requires_grad


def test_the_result_is_differentiable_where_something_outside_requires_grad():
    x = tensor([1.0, 2.0], requires_grad=True)
    w = tensor([3.0, 4.0], requires_grad=True)
    g = grad(cubes)(x)
    g.sum().backward()
    assert close(x.grad, [6.0, 12.0])
    grad(lambda x: (w * x**2).sum())(tensor([1.0, 1.0])).sum().backward()
    assert close(w.grad, [2.0, 2.0])


def test_no_grad_outside_cuts_the_outer_graph_and_no_grad_inside_the_inner():
    x = tensor([1.0, 2.0], requires_grad=True)
    with torch.no_grad():
        g = grad(cubes)(x)
    assert close(g, [3.0, 12.0]) and not g.requires_grad

    def f(x):
        with torch.no_grad():
            constant = x**2
        return x.sum() + constant.sum()

    assert close(grad(f)(X), [1.0, 1.0, 1.0])


def test_grad_mistakes():
    with pytest.raises(RuntimeError, match="scalar"):
        grad(lambda x: x)(X)
    with pytest.raises(RuntimeError, match="float"):
        grad(lambda x: 3.0)(X)
    with pytest.raises(RuntimeError):
        grad(lambda x: (cubes(x), x))(X)
    with pytest.raises(RuntimeError):
        grad(cubes, has_aux=True)(X)
    with pytest.raises(RuntimeError):
        grad(cubes)(torch.ones(2, dtype=torch.int64))
    with pytest.raises(ValueError):
        grad(cubes)(3.0)


@pytest.mark.parametrize("argnums", [1, -2, (0, 1), "x", (), (0, 0), (0, -1)])
def test_argnums_mistakes(argnums):
    with pytest.raises(RuntimeError, match="argnum"):
        grad(cubes, argnums=argnums)(X)


# vjp


def test_vjp_pulls_cotangents_back_any_number_of_times():
    y, pullback = vjp(lambda x, w: x * w, X, X + 1)
    assert close(y, X * (X + 1)) and not y.requires_grad
    for scale in (1.0, 2.0):
        gx, gw = pullback(T * scale)
        assert close(gx, T * scale * (X + 1)) and close(gw, T * scale * X)


def test_vjp_of_pytrees_and_aux():
    def f(p):
        return {"a": p[0] * 2, "b": (p[1].sum(),)}, p[0]

    y, pullback, aux = vjp(f, [X, T], has_aux=True)
    assert close(aux, X) and not aux.requires_grad and close(y["b"][0], T.sum())
    ((g0, g1),) = pullback({"a": T, "b": (tensor(3.0),)})
    assert close(g0, 2 * T) and close(g1, [3.0, 3.0, 3.0])


def test_vjp_is_differentiable_in_the_cotangent():
    _, pullback = vjp(torch.sin, X)
    assert close(grad(lambda ct: pullback(ct)[0].sum())(T), X.cos())


def test_vjp_mistakes():
    _, pullback = vjp(lambda x: (x, x), X)
    with pytest.raises(RuntimeError, match="structure"):
        pullback(X)
    with pytest.raises(RuntimeError, match="shape"):
        vjp(torch.sin, X)[1](torch.ones(2, dtype=torch.float64))
    with pytest.raises(RuntimeError, match="int"):
        vjp(lambda x: 3, X)
    with pytest.raises(RuntimeError, match="floating"):
        vjp(lambda x: x.argsort(), X)[1](X)


# jvp


def test_jvp_pushes_tangents_forward():
    y, t = jvp(lambda x, w: x * w, (X, X + 1), (T, T * 2))
    assert close(y, X * (X + 1)) and close(t, T * (X + 1) + X * T * 2)


def test_jvp_of_pytrees_and_aux():
    y, t, aux = jvp(lambda p: ({"a": p["x"] ** 2}, p["x"]), ({"x": X},), ({"x": T},), has_aux=True)
    assert close(y["a"], X**2) and close(t["a"], 2 * X * T) and close(aux, X)


def test_a_result_that_does_not_depend_has_tangent_zero_or_is_refused():
    assert close(jvp(lambda x: tensor([1.0, 2.0]), (X,), (T,))[1], [0.0, 0.0])
    with pytest.raises(RuntimeError, match="strict"):
        jvp(lambda x: tensor([1.0]), (X,), (T,), strict=True)


def test_detach_drops_the_tangent():
    assert close(jvp(lambda x: x.detach() * x, (X,), (T,))[1], X * T)


def test_detach_inside_vmap_cuts_the_history_outside():
    g = grad(lambda x: vmap(lambda y: y.detach() * y)(x).sum())(X)
    assert close(g, X)


def test_no_grad_does_not_concern_forward_mode():
    with torch.no_grad():
        assert close(jvp(torch.sin, (X,), (T,))[1], X.cos() * T)


def test_an_in_place_operation_carries_the_tangent():
    def f(x):
        y = x * 2
        y.mul_(x)
        y[0] = x[1]
        return y

    assert close(jvp(f, (X,), (T,))[1], [-1.0, -4.0, 4.0])


@pytest.mark.parametrize(
    ("primals", "tangents", "error"),
    [
        (X, T, RuntimeError),
        ((X,), (T, T), RuntimeError),
        ((X,), (T[:2],), RuntimeError),
        ((), (), RuntimeError),
        ((1.0,), (T,), RuntimeError),
        ((X,), (1.0,), RuntimeError),
        ((torch.ones(1, dtype=torch.int64),), (torch.ones(1, dtype=torch.int64),), ValueError),
    ],
)
def test_jvp_mistakes(primals, tangents, error):
    with pytest.raises(error):
        jvp(torch.sin, primals, tangents)


@pytest.mark.adjoint_only
def test_linearize_runs_the_function_once():
    calls = []

    def f(x, w):
        calls.append(1)
        return {"y": x.sin() * w}

    y, pushforward = func.linearize(f, X, T)
    for scale in (1.0, 3.0):
        pushed = pushforward(T * scale, X * 0)
        assert close(pushed["y"], X.cos() * T * T * scale)
    assert close(y["y"], X.sin() * T) and len(calls) == 1
    with pytest.raises(RuntimeError, match="shape"):
        pushforward(T[:2], X)


# Jacobians


@pytest.mark.parametrize("jacobian", [jacrev, jacfwd], ids=["jacrev", "jacfwd"])
def test_a_jacobian_has_the_shape_of_output_then_input(jacobian):
    def f(x, w):
        return w @ x

    w = torch.arange(6.0, dtype=torch.float64).reshape(2, 3)
    assert close(jacobian(f)(X, w), w)
    jw = jacobian(f, argnums=1)(X, w)
    assert jw.shape == (2, 2, 3) and close(jw[0, 0], X) and close(jw[0, 1], X * 0)
    jx, jw = jacobian(f, argnums=(0, 1))(X, w)
    assert close(jx, w) and jw.shape == (2, 2, 3)


@pytest.mark.parametrize("jacobian", [jacrev, jacfwd], ids=["jacrev", "jacfwd"])
def test_a_jacobian_of_pytrees(jacobian):
    def f(p):
        return {"s": p["x"].sum() * p["y"], "t": (p["x"],)}

    j = jacobian(f)({"x": X, "y": tensor(2.0)})
    assert close(j["s"]["x"], [2.0, 2.0, 2.0]) and close(j["s"]["y"], X.sum())
    assert close(j["t"][0]["x"], torch.eye(3)) and close(j["t"][0]["y"], [0.0, 0.0, 0.0])


@pytest.mark.parametrize("jacobian", [jacrev, jacfwd], ids=["jacrev", "jacfwd"])
def test_a_jacobian_with_aux(jacobian):
    j, aux = jacobian(lambda x: (x**2, x), has_aux=True)(X)
    assert close(j, torch.diag(2 * X)) and close(aux, X)


def test_a_jacobian_in_chunks():
    def f(x):
        return {"a": x**2, "b": x.sum()}

    whole, chunked = jacrev(f)(X), jacrev(f, chunk_size=2)(X)
    assert close(whole["a"], chunked["a"]) and close(whole["b"], chunked["b"])
    with pytest.raises(ValueError, match="chunk_size"):
        jacrev(f, chunk_size=0)


def test_a_jacobian_of_empty_tensors():
    assert jacrev(lambda x: x[:0])(X).shape == (0, 3)


@pytest.mark.adjoint_only
def test_a_jacobian_in_no_input_by_forward_mode():
    empty = torch.zeros(0, dtype=torch.float64)
    assert jacfwd(lambda x: x * 2)(empty).shape == (0, 0)


def test_the_hessian_by_all_four_orders_of_modes():
    def f(x):
        return (x**3).sum() + x.prod()

    a, b, c = X
    expected = tensor([[6 * a, c, b], [c, 6 * b, a], [b, a, 6 * c]])
    assert close(hessian(f)(X), expected)
    for outer in (jacrev, jacfwd):
        for inner in (jacrev, jacfwd):
            assert close(outer(inner(f))(X), expected)


def test_a_hessian_of_several_arguments():
    h = hessian(lambda x, y: (x * x * y).sum(), argnums=(0, 1))(X, T)
    assert close(h[0][0], torch.diag(2 * T)) and close(h[0][1], torch.diag(2 * X))
    assert close(h[1][1], torch.zeros(3, 3))


def test_a_hessian_vector_product_without_the_hessian():
    def f(x):
        return (x**3).sum() + x.prod()

    product = hessian(f)(X) @ T
    assert close(jvp(grad(f), (X,), (T,))[1], product)
    assert close(grad(lambda x: (grad(f)(x) * T).sum())(X), product)


# Nesting


def test_third_derivatives_in_every_order_of_modes():
    def forward(f):
        return lambda x: jvp(f, (x,), (torch.ones_like(x),))[1]

    x = tensor(1.5)
    for first in (grad, forward):
        for second in (grad, forward):
            for third in (grad, forward):
                assert close(first(second(third(lambda x: x**4)))(x), 24 * x)


def test_perturbations_are_not_confused():
    # d/dx (x * d/dy (x + y)) = 1, but 2 where the two perturbations are taken for one.
    def inner_forward(x):
        return jvp(lambda y: x + y, (tensor(1.0),), (tensor(1.0),))[1]

    one = tensor(1.0)
    assert close(jvp(lambda x: x * inner_forward(x), (one,), (one,))[1], 1.0)
    assert close(grad(lambda x: x * inner_forward(x))(one), 1.0)
    assert close(grad(lambda x: x * grad(lambda y: x + y)(tensor(1.0)))(one), 1.0)
    assert close(jvp(lambda x: x * grad(lambda y: x + y)(tensor(1.0)), (one,), (one,))[1], 1.0)


def test_captured_values_of_outer_levels():
    # f(x) = d/dy (x^2 y^3) at y = x is 3 x^4; its derivative is 12 x^3 (y depends on x too).
    def f(x):
        return grad(lambda y: x**2 * y**3)(x)

    x = tensor(2.0)
    assert close(f(x), 48.0) and close(grad(f)(x), 96.0)
    assert close(jvp(f, (x,), (tensor(1.0),))[1], 96.0)


def test_per_sample_gradients():
    w = tensor([1.0, 2.0])
    xs, ys = torch.arange(6.0, dtype=torch.float64).reshape(3, 2), tensor([1.0, 2.0, 3.0])

    def loss(w, x, y):
        return ((w @ x) - y) ** 2

    found = vmap(grad(loss), in_dims=(None, 0, 0))(w, xs, ys)
    expected = torch.stack([2 * (w @ x - y) * x for x, y in zip(xs, ys)])
    assert found.shape == (3, 2) and close(found, expected) and not found.requires_grad


def test_nothing_is_left_attached_when_levels_end():
    xs, w = torch.ones(3, 2, dtype=torch.float64), tensor([1.0, 2.0])
    both = func.grad_and_value(lambda w, x: (w * x).sum())
    assert not any(y.requires_grad for y in vmap(both, in_dims=(None, 0))(w, xs))
    assert not any(y.requires_grad for y in jvp(lambda x: both(w, x), (w,), (w,))[1])
    attached = w.clone().requires_grad_()
    assert vmap(lambda x: both(attached, x)[1])(xs).requires_grad
    (third,) = torch.autograd.grad(vmap(lambda x: grad(cubes)(x * attached))(xs).sum(), attached)
    assert close(third, 3 * 6 * w)


def test_grad_of_vmap_and_vmap_of_second_derivatives():
    def f(x):
        return x.sin() * x**2

    assert close(grad(lambda xs: vmap(f)(xs).sum())(X), vmap(grad(f))(X))
    second = [grad(grad(f))(x) for x in X]
    assert close(vmap(grad(grad(f)))(X), torch.stack(second))
    assert close(vmap(hessian(f))(X), torch.stack(second))
    outer = grad(lambda xs: vmap(grad(f))(xs).sum())(X)
    assert close(outer, torch.stack(second))


def test_jvp_inside_and_outside_of_vmap():
    inside = vmap(lambda x, t: jvp(torch.sin, (x,), (t,))[1])(X, T)
    outside = jvp(vmap(torch.sin), (X,), (T,))[1]
    assert close(inside, X.cos() * T) and close(outside, X.cos() * T)


def test_vmap_over_a_pullback():
    _, pullback = vjp(lambda x: x**2, X)
    (rows,) = vmap(pullback)(torch.eye(3, dtype=torch.float64))
    assert close(rows, torch.diag(2 * X))


def test_a_jacobian_inside_grad():
    def f(x):
        return (jacrev(lambda y: y**3)(x) ** 2).sum()

    assert close(grad(f)(X), 36 * X**3)
    assert close(grad(lambda x: (jacfwd(lambda y: y**3)(x) ** 2).sum())(X), 36 * X**3)


def test_learning_a_learning_rate():
    def loss(w):
        return ((w - 3) ** 2).sum()

    def after_a_step(rate):
        w = tensor([0.0])
        return loss(w - rate * grad(loss)(w))

    # loss(rate) = (6 rate - 3)^2
    assert close(grad(after_a_step)(tensor(0.25)), 12 * (6 * 0.25 - 3))


# Modules


def linear(weight, bias=None):
    layer = nn.Linear(weight.shape[1], weight.shape[0], bias=bias is not None, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(weight)
        if bias is not None:
            layer.bias.copy_(bias)
    return layer


def test_functional_call_replaces_parameters_for_the_call():
    layer = linear(torch.zeros(1, 3, dtype=torch.float64), tensor([1.0]))
    before = dict(layer.named_parameters())
    weight = {"weight": torch.ones(1, 3, dtype=torch.float64)}
    assert close(func.functional_call(layer, weight, X), (X.sum() + 1).reshape(1))
    assert close(func.functional_call(layer, weight, (X,)), (X.sum() + 1).reshape(1))
    assert close(func.functional_call(layer, weight, None, {"input": X}), (X.sum() + 1).reshape(1))
    both = (weight, {"bias": tensor([5.0])})
    assert close(func.functional_call(layer, both, X), (X.sum() + 5).reshape(1))
    assert all(p is before[name] for name, p in layer.named_parameters())


def test_functional_call_restores_the_module_after_an_error():
    layer = linear(torch.zeros(1, 3, dtype=torch.float64))
    weight = layer.weight
    with pytest.raises(RuntimeError):
        func.functional_call(layer, {"weight": torch.ones(1, 4, dtype=torch.float64)}, X)
    assert layer.weight is weight


def test_functional_call_is_differentiable():
    layer = linear(torch.zeros(1, 3, dtype=torch.float64))
    params = {"weight": torch.ones(1, 3, dtype=torch.float64)}
    g = grad(lambda p: func.functional_call(layer, p, X).sum())(params)
    assert close(g["weight"], X.reshape(1, 3))


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = linear(torch.zeros(3, 3, dtype=torch.float64))
        self.b = linear(torch.zeros(3, 3, dtype=torch.float64))
        self.b.weight = self.a.weight
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x):
        self.calls = self.calls + 1
        return self.a(x) + self.b(x)


def test_tied_weights_are_replaced_together_and_buffers_updated():
    tied, eye = Tied(), torch.eye(3, dtype=torch.float64)
    state = {"a.weight": eye, "calls": torch.tensor(5.0)}
    assert close(func.functional_call(tied, state, X), 2 * X)
    assert state["calls"].item() == 6 and tied.calls.item() == 0
    assert close(func.functional_call(tied, {"a.weight": eye}, X, tie_weights=False), X)
    with pytest.raises(ValueError, match="tie"):
        func.functional_call(tied, {"a.weight": eye, "b.weight": eye * 2}, X)


def test_functional_call_mistakes():
    layer, weight = linear(torch.zeros(1, 3, dtype=torch.float64), tensor([1.0])), {"weight": T}
    with pytest.raises(RuntimeError, match="bias"):
        func.functional_call(layer, weight, X, strict=True)
    with pytest.raises(RuntimeError, match="extra"):
        func.functional_call(layer, {**weight, "bias": T, "extra": T}, X, strict=True)
    with pytest.raises(ValueError):
        func.functional_call(layer, (weight, weight), X)
    with pytest.raises(ValueError):
        func.functional_call(layer, 3, X)
    with pytest.raises(TypeError):
        func.functional_call(layer, {"weight": 3}, X)
    with pytest.raises(AttributeError):
        func.functional_call(layer, {"nothing.weight": T}, X)


def test_an_ensemble_runs_at_once():
    layers = [linear(torch.full((2, 3), float(i), dtype=torch.float64)) for i in range(4)]
    parameters, buffers = func.stack_module_state(layers)
    assert parameters["weight"].shape == (4, 2, 3) and buffers == {}
    assert parameters["weight"].requires_grad and parameters["weight"].is_leaf
    out = vmap(lambda p: func.functional_call(layers[0], p, X))(parameters)
    assert close(out.detach(), torch.stack([layer(X) for layer in layers]).detach())


def test_stack_module_state_mistakes():
    layer = linear(torch.zeros(2, 3, dtype=torch.float64))
    with pytest.raises(RuntimeError):
        func.stack_module_state([])
    with pytest.raises(RuntimeError):
        func.stack_module_state([layer, Tied()])
    with pytest.raises(RuntimeError):
        func.stack_module_state([layer, linear(torch.zeros(2, 3, dtype=torch.float64)).eval()])
