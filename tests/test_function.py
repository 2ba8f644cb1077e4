"""autograd.Function: operations with a derivative of one's own."""

import gc
import importlib
import weakref

import pytest
from _backend import NAME, torch

Function = torch.autograd.Function
once_differentiable = torch.autograd.function.once_differentiable
func = importlib.import_module(f"{NAME}.func")
forward_ad = importlib.import_module(f"{NAME}.autograd.forward_ad")


class Scale(Function):
    """x * n, for a number n."""

    @staticmethod
    def forward(ctx, x, n):
        ctx.n = n
        return x * n

    @staticmethod
    def backward(ctx, grad):
        return grad * ctx.n, None


class Cube(Function):
    """x**3 in the form that every transform can use."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x):
        return x**3

    @staticmethod
    def setup_context(ctx, inputs, output):
        (x,) = inputs
        ctx.save_for_backward(x)
        ctx.save_for_forward(x)

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x**2

    @staticmethod
    def jvp(ctx, tangent):
        (x,) = ctx.saved_tensors
        return tangent * 3 * x**2


class Product(Function):
    """x * y with two inputs to save."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x, y):
        return x * y

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs)
        ctx.save_for_forward(*inputs)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        return grad * y, grad * x

    @staticmethod
    def jvp(ctx, tx, ty):
        x, y = ctx.saved_tensors
        return tx * y + x * ty


def leaf(*values):
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def close(a, b):
    return torch.allclose(a, torch.as_tensor(b, dtype=a.dtype), rtol=1e-12, atol=1e-12)


def define(forward, backward=None, **methods):
    """A Function made of plain functions."""
    body = {"forward": forward, "backward": backward, **methods}
    return type("Op", (Function,), {k: staticmethod(v) for k, v in body.items() if v is not None})


# In reverse mode


def test_backward_gives_the_gradient_and_the_node_has_the_class_name():
    x = leaf(1.0, 2.0)
    y = Scale.apply(x, 3)
    assert y.grad_fn.name() == "ScaleBackward"
    y.sum().backward()
    assert close(x.grad, [3.0, 3.0])


def test_attributes_of_ctx_can_be_read_from_the_node():
    assert Scale.apply(leaf(1.0), 3).grad_fn.n == 3


def test_forward_is_not_recorded_and_knows_which_gradients_are_needed():
    seen = []

    def forward(ctx, x, y, n):
        seen.append((torch.is_grad_enabled(), ctx.needs_input_grad))
        return x * y

    op = define(forward, lambda ctx, g: (g, None, None))
    op.apply(leaf(1.0), torch.ones(1), 2)
    assert seen == [(False, (True, False, False))]


def test_without_grad_mode_no_node_is_made():
    with torch.no_grad():
        y = Scale.apply(leaf(1.0), 3)
    assert not y.requires_grad and y.grad_fn is None


def test_nothing_that_requires_grad_makes_no_node():
    assert not Scale.apply(torch.ones(1), 3).requires_grad


def test_backward_can_be_differentiated():
    x = leaf(2.0)
    (g,) = torch.autograd.grad(Cube.apply(x).sum(), x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    assert close(g, [12.0]) and close(h, [12.0])


def test_several_results_and_results_that_are_no_tensors():
    def forward(ctx, x):
        return x * 2, "label", x * 3, None

    seen = []

    def backward(ctx, *grads):
        seen.append(grads)
        return 2 * grads[0] + 3 * grads[2]

    x = leaf(1.0)
    double, label, triple, nothing = define(forward, backward).apply(x)
    assert label == "label" and nothing is None
    (double + triple).sum().backward()
    assert close(x.grad, [5.0])
    assert seen[0][1] is None and seen[0][3] is None


def test_a_result_without_a_gradient_gets_zeros_or_none_as_asked():
    seen = []

    def forward(ctx, x):
        ctx.set_materialize_grads(materialize)
        return x * 1, x * 2

    def backward(ctx, a, b):
        seen.append(b)
        return a

    for ask in (True, False):
        materialize = ask
        define(forward, backward).apply(leaf(1.0))[0].sum().backward()
    assert close(seen[0], [0.0]) and seen[1] is None


def test_a_result_marked_non_differentiable_does_not_require_grad():
    def forward(ctx, x):
        order, double = x.argsort(), x * 2
        ctx.mark_non_differentiable(order, double)
        return x * 1, order, double

    y, order, double = define(forward, lambda ctx, a, b, c: a).apply(leaf(2.0, 1.0))
    assert y.requires_grad and not order.requires_grad and not double.requires_grad
    assert order.tolist() == [1, 0]


def test_an_integer_result_does_not_require_grad():
    y, order = define(lambda ctx, x: (x * 1, x.argsort()), lambda ctx, a, b: a).apply(
        leaf(2.0, 1.0)
    )
    assert y.requires_grad and not order.requires_grad


def test_an_input_that_is_returned_comes_out_as_another_tensor():
    x = leaf(1.0)
    y = define(lambda ctx, x: x, lambda ctx, g: g * 5).apply(x)
    assert y is not x and y.grad_fn is not None
    y.sum().backward()
    assert close(x.grad, [5.0])


def test_a_dirty_input_gets_the_history_of_the_result():
    def forward(ctx, x):
        ctx.mark_dirty(x)
        x.mul_(2)
        return x

    op = define(forward, lambda ctx, g: g * 2)
    x = leaf(1.0)
    z = x * 1
    y = op.apply(z)
    assert y is z and z.grad_fn.name() == "OpBackward" and close(z.detach(), [2.0])
    z.sum().backward()
    assert close(x.grad, [2.0])
    with pytest.raises(RuntimeError, match="leaf"):
        op.apply(leaf(1.0))


def test_a_dirty_input_must_be_returned():
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x * 2

    with pytest.raises(RuntimeError):
        define(forward, lambda ctx, g: g).apply(leaf(1.0) * 1)


def test_saved_tensors_are_checked_for_later_writes():
    x = leaf(2.0)
    z = x * 1
    y = Cube.apply(z)
    with torch.no_grad():
        z.add_(1)
    with pytest.raises(RuntimeError, match="modified"):
        y.sum().backward()


def test_saved_tensors_are_freed_by_backward():
    y = Cube.apply(leaf(2.0)).sum()
    y.backward()
    with pytest.raises(RuntimeError, match="second time"):
        y.backward()


def test_only_tensors_and_none_can_be_saved():
    def forward(ctx, x, bad):
        ctx.save_for_backward(x, None, *bad)
        return x * 1

    op = define(forward, lambda ctx, g: (g * (ctx.saved_tensors[1] is None), None))
    x = leaf(1.0)
    op.apply(x, ()).sum().backward()
    assert close(x.grad, [1.0])
    with pytest.raises(TypeError):
        op.apply(x, (3,))


def test_once_differentiable_refuses_the_second_derivative():
    @once_differentiable
    def backward(ctx, g):
        assert not torch.is_grad_enabled()
        return g * 2

    x, cotangent = leaf(1.0), leaf(1.0)
    y = define(lambda ctx, x: x * 2, backward).apply(x)
    (g,) = torch.autograd.grad(y, x, cotangent, create_graph=True)
    assert close(g.detach(), [2.0])
    with pytest.raises(RuntimeError, match="once_differentiable"):
        g.sum().backward()


def test_setup_context_sees_all_arguments_with_their_defaults():
    seen = []

    def forward(x, n=3):
        return x * n

    def setup_context(ctx, inputs, output):
        seen.append(inputs[1])
        ctx.n = inputs[1]

    op = define(forward, lambda ctx, g: (g * ctx.n, None), setup_context=setup_context)
    x = leaf(1.0)
    op.apply(x).sum().backward()
    op.apply(x, n=5)
    op.apply(x=x, n=7)
    assert seen == [3, 5, 7] and close(x.grad, [3.0])


def test_vjp_is_another_name_for_backward():
    op = define(lambda ctx, x: x * 2, vjp=lambda ctx, g: g * 2)
    x = leaf(1.0)
    op.apply(x).sum().backward()
    assert close(x.grad, [2.0])


def test_gradients_beyond_the_arguments_may_be_none():
    x = leaf(1.0)
    define(lambda ctx, x: x * 2, lambda ctx, g: (g * 2, None, None)).apply(x).sum().backward()
    assert close(x.grad, [2.0])


@pytest.mark.adjoint_only
def test_a_graph_that_refers_to_itself_is_collected():

    def forward(ctx, x):
        ctx.result = x * 2
        return ctx.result

    y = define(forward, lambda ctx, g: g).apply(leaf(1.0))
    alive = weakref.ref(y)
    del y
    gc.collect()
    assert alive() is None


# Mistakes


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (lambda g: g, "incorrect number of gradients"),
        (lambda g: (g, None, g), "incorrect number of gradients"),
        (lambda g: (g, g), "gradient different"),
        (lambda g: (3, None), "int"),
        (lambda g: (g[:1], None), "shape"),
    ],
)
def test_what_backward_returns_is_checked(returned, message):
    op = define(lambda ctx, x, n: x * n, lambda ctx, g: returned(g))
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=message):
        torch.autograd.grad(op.apply(x, 2).sum(), x)


def test_missing_methods():
    with pytest.raises(NotImplementedError):
        type("Nothing", (Function,), {}).apply(leaf(1.0))
    y = define(lambda ctx, x: x * 2).apply(leaf(1.0))
    with pytest.raises(NotImplementedError):
        y.sum().backward()


def test_an_instance_cannot_be_called():
    with pytest.warns(DeprecationWarning), pytest.raises(RuntimeError):
        Cube()(leaf(1.0))


# In forward mode


def test_jvp_runs_in_a_dual_level():
    with forward_ad.dual_level():
        y = Cube.apply(forward_ad.make_dual(torch.tensor([2.0]), torch.tensor([1.0])))
        primal, tangent = forward_ad.unpack_dual(y)
    assert close(primal, [8.0]) and close(tangent, [12.0])


def test_jvp_of_the_form_with_ctx_reads_attributes_and_saved_tensors():
    def forward(ctx, x):
        ctx.n = 3
        ctx.save_for_forward(x)
        return x**3

    def jvp(ctx, t):
        (x,) = ctx.saved_tensors
        return ctx.n * x**2 * t

    with forward_ad.dual_level():
        dual = forward_ad.make_dual(torch.tensor([2.0]), torch.tensor([1.0]))
        y = define(forward, jvp=jvp).apply(dual)
        assert close(forward_ad.unpack_dual(y).tangent, [12.0])


def test_an_input_without_a_tangent_gets_zeros():
    _, tangent = func.jvp(
        lambda x: Product.apply(x, torch.ones(1)), (torch.ones(1),), (torch.ones(1),)
    )
    assert close(tangent, [1.0])


def test_jvp_mistakes():
    one = (torch.ones(1),)
    op = define(lambda x: x * 2, setup_context=lambda ctx, inputs, output: None)
    with pytest.raises(NotImplementedError, match="jvp"):
        func.jvp(op.apply, one, one)
    op = define(
        lambda x: (x * 2, x * 3),
        setup_context=lambda ctx, inputs, output: None,
        jvp=lambda ctx, t: t,
    )
    with pytest.raises(RuntimeError):
        func.jvp(op.apply, one, one)


# Under vmap


def test_a_vmap_staticmethod_gets_whole_batches():
    seen = []

    def vmap(info, in_dims, x, y):
        seen.append((info.batch_size, info.randomness, in_dims, tuple(x.shape)))
        return x * y, 0

    op = define(
        lambda x, y: x * y,
        setup_context=lambda ctx, inputs, output: None,
        vmap=vmap,
    )
    x = torch.arange(6.0).reshape(3, 2)
    y = func.vmap(op.apply, in_dims=(0, None))(x, torch.tensor([1.0, 2.0]))
    assert seen == [(3, "error", (0, None), (3, 2))]
    assert close(y, x * torch.tensor([1.0, 2.0]))


def test_a_generated_rule_runs_the_methods_on_batched_tensors():
    x = torch.arange(6.0).reshape(3, 2)
    assert close(func.vmap(Cube.apply)(x), x**3)
    assert close(func.vmap(func.vmap(Cube.apply))(x), x**3)
    assert close(func.vmap(Product.apply, in_dims=(0, None))(x, x[1]), x * x[1])


@pytest.mark.parametrize(
    "methods",
    [
        {},
        {"generate_vmap_rule": True, "vmap": staticmethod(lambda info, dims, x: (x, 0))},
        {"vmap": staticmethod(lambda info, dims, x: x)},
    ],
    ids=["no rule", "two rules", "no out_dims"],
)
def test_vmap_mistakes(methods):
    setup = {"setup_context": staticmethod(lambda ctx, inputs, output: None)}
    op = type("Op", (Function,), {"forward": staticmethod(lambda x: x * 2), **setup, **methods})
    with pytest.raises(RuntimeError, match="vmap"):
        func.vmap(op.apply)(torch.ones(3))


def test_a_generated_rule_needs_setup_context():
    op = type("Op", (Function,), {"forward": staticmethod(lambda ctx, x: x * 2)})
    op.generate_vmap_rule = True
    with pytest.raises(RuntimeError, match="setup_context"):
        func.vmap(op.apply)(torch.ones(3))


# Transforms of each other: each is compared with the same composition of x**3


def reference(x):
    return x**3


COMPOSITIONS = {
    "grad": lambda f, x: func.grad(lambda x: f(x).sum())(x),
    "grad(grad)": lambda f, x: func.grad(lambda x: func.grad(lambda x: f(x).sum())(x).sum())(x),
    "jvp": lambda f, x: func.jvp(f, (x,), (x,))[1],
    "jvp(jvp)": lambda f, x: func.jvp(lambda x: func.jvp(f, (x,), (x,))[1], (x,), (x,))[1],
    "grad(jvp)": lambda f, x: func.grad(lambda x: func.jvp(f, (x,), (x,))[1].sum())(x),
    "jvp(grad)": lambda f, x: func.jvp(func.grad(lambda x: f(x).sum()), (x,), (x,))[1],
    "vmap(grad)": lambda f, x: func.vmap(func.grad(f))(x),
    "vmap(grad(grad))": lambda f, x: func.vmap(func.grad(func.grad(f)))(x),
    "grad(vmap)": lambda f, x: func.grad(lambda x: func.vmap(f)(x).sum())(x),
    "grad(vmap(grad))": lambda f, x: func.grad(lambda x: func.vmap(func.grad(f))(x).sum())(x),
    "vmap(jvp)": lambda f, x: func.vmap(lambda x: func.jvp(f, (x,), (x,))[1])(x),
    "jvp(vmap)": lambda f, x: func.jvp(func.vmap(f), (x,), (x,))[1],
    "vmap(vmap(grad))": lambda f, x: func.vmap(func.vmap(func.grad(f)))(x.reshape(1, -1)),
    "jacrev": lambda f, x: func.jacrev(f)(x),
    "jacfwd": lambda f, x: func.jacfwd(f)(x),
    "hessian": lambda f, x: func.hessian(lambda x: f(x).sum())(x),
    "jacrev(jacrev)": lambda f, x: func.jacrev(func.jacrev(f))(x),
    "jacfwd(jacfwd)": lambda f, x: func.jacfwd(func.jacfwd(f))(x),
    "vmap(hessian)": lambda f, x: func.vmap(func.hessian(f))(x),
}


TORCH_GIVES_ZEROS = ("jvp(jvp)", "jacfwd(jacfwd)")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.adjoint_only) if name in TORCH_GIVES_ZEROS else name
        for name in COMPOSITIONS
    ],
)
def test_a_function_goes_through_every_composition_of_transforms(name):
    x = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    compose = COMPOSITIONS[name]
    assert close(compose(Cube.apply, x), compose(reference, x))


def test_a_shared_parameter_gets_one_gradient_per_sample():
    w = torch.tensor([1.0, 2.0], dtype=torch.float64)
    xs = torch.arange(6.0, dtype=torch.float64).reshape(3, 2)
    per_sample = func.vmap(func.grad(lambda w, x: Product.apply(w, x).sum()), in_dims=(None, 0))
    assert close(per_sample(w, xs), xs)
    total = func.grad(lambda w: func.vmap(lambda x: Product.apply(w, x))(xs).sum())
    assert close(total(w), xs.sum(0))


def test_gradients_flow_through_vmap_to_leaves():
    w, xs = leaf(1.0, 2.0), leaf(3.0, 4.0, 5.0)
    func.vmap(lambda x: Product.apply(w, x).sum())(xs).sum().backward()
    assert close(w.grad, [12.0, 12.0]) and close(xs.grad, [3.0, 3.0, 3.0])
