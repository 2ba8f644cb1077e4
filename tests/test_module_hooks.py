"""Module hooks together with in-place operations, views, changing sets of hooks and transforms.

tests/test_nn_hooks.py has what each kind of hook does by itself.
"""

import importlib
from collections import namedtuple

import pytest
from _backend import NAME, torch

nn = torch.nn
checkpoint = importlib.import_module(f"{NAME}.utils.checkpoint").checkpoint


class Apply(nn.Module):
    """A module that computes the function it was given."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *args, **kwargs):
        return self.function(*args, **kwargs)


def double():
    return Apply(lambda x: 2 * x)


def leaf(*values):
    return torch.tensor([float(v) for v in values], requires_grad=True)


def lists(grads):
    return [None if g is None else g.tolist() for g in grads]


def recorded(module):
    """The gradients that the module's backward hooks see, call by call."""
    seen = []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((lists(gi), lists(go))))
    return seen


# In place: what backward hooks see is right, or the write is refused.


@pytest.mark.adjoint_only
def test_an_output_may_be_modified_in_place():
    module, x = double(), leaf(1, 2)
    seen = recorded(module)
    y = module(x)
    y.mul_(3)
    y.sum().backward()
    assert seen == [([[6, 6]], [[3, 3]])]
    assert x.grad.tolist() == [6, 6]


@pytest.mark.adjoint_only
def test_a_part_of_an_output_may_be_modified_in_place():
    module, x = double(), leaf(1, 2)
    seen = recorded(module)
    y = module(x)
    y[0].mul_(3)
    y.sum().backward()
    assert seen == [([[6, 2]], [[3, 1]])]
    assert x.grad.tolist() == [6, 2]


@pytest.mark.adjoint_only
@pytest.mark.parametrize("layer", [nn.Linear(2, 3), nn.BatchNorm1d(2), nn.Hardtanh()], ids=repr)
def test_a_layer_with_hooks_before_an_activation_in_place(layer):
    x = torch.tensor([[1.0, -2.0], [0.5, 4.0]], requires_grad=True)
    nn.ReLU()(layer(x)).sum().backward()
    expected, x.grad = x.grad, None
    seen = recorded(layer)
    nn.Sequential(layer, nn.ReLU(inplace=True))(x).sum().backward()
    assert x.grad.tolist() == expected.tolist() and seen[0][0] == [expected.tolist()]


@pytest.mark.adjoint_only
def test_a_tensor_that_the_module_kept_follows_the_write():
    class Keeps(nn.Module):
        def forward(self, x):
            self.last = 2 * x
            return self.last

    module, x = Keeps(), leaf(1)
    recorded(module)
    module(x).mul_(3)
    module.last.sum().backward()
    assert module.last.tolist() == [6] and x.grad.tolist() == [6]


@pytest.mark.parametrize(
    "function",
    [lambda x: x, lambda x: x.view(2, 1), lambda x: x[:1], lambda x: (2 * x, 3 * x)],
    ids=["input", "view", "part", "tuple"],
)
def test_an_output_that_shares_memory_may_not_be_modified(function):
    module = Apply(function)
    recorded(module)
    out = module(leaf(1, 2) * 1)
    out = out[0] if isinstance(out, tuple) else out
    for written in (out, out[0]):
        with pytest.raises(RuntimeError, match="modified inplace"):
            written.mul_(2)


def test_a_module_that_modifies_its_input_is_refused():
    module = nn.ReLU(inplace=True)
    recorded(module)
    with pytest.raises(RuntimeError, match="modified"):
        module(leaf(1, -1) * 1)
    with torch.no_grad():
        assert module(leaf(1, -1) * 1).tolist() == [1, 0]


@pytest.mark.adjoint_only
def test_the_refusal_names_the_module():
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(inplace=True))
    recorded(model[1])
    with pytest.raises(RuntimeError, match=r"ReLU .* input of shape \(1, 2\) in place") as info:
        model(torch.ones(1, 2))
    assert "1 (ReLU)" in "".join(getattr(info.value, "__notes__", ["1 (ReLU)"]))


def test_an_input_may_be_modified_afterwards():
    module, x = Apply(lambda x: x + 1), leaf(1, 2)
    seen = recorded(module)
    h = 2 * x
    y = module(h)
    h.mul_(5)
    (y.sum() + h.sum()).backward()
    assert seen == [([[1, 1]], [[1, 1]])]
    assert x.grad.tolist() == [12, 12]


def test_an_input_that_was_saved_may_not_be_modified_afterwards():
    module = Apply(lambda x: x * x)
    recorded(module)
    h = leaf(1, 2) * 1
    with pytest.raises(RuntimeError, match="modified"):
        y = module(h)
        h.mul_(5)
        y.sum().backward()


def test_forward_hooks_may_write():
    module, x = Apply(lambda x: x * x), leaf(1, 2)
    module.register_forward_hook(lambda m, args, out: out.mul_(3))
    y = module(x)
    y.sum().backward()
    assert y.tolist() == [3, 12] and x.grad.tolist() == [6, 12]


def test_a_pre_hook_may_write_to_the_input():
    module, x = Apply(lambda x: x * x), leaf(1, 2)

    def triple(m, args):
        args[0].mul_(3)

    module.register_forward_pre_hook(triple)
    y = module(x * 1)
    y.sum().backward()
    assert y.tolist() == [9, 36] and x.grad.tolist() == [18, 36]


def test_a_view_as_output():
    module, x = Apply(lambda x: x.view(2, 1)), leaf(1, 2)
    seen = recorded(module)
    (module(x) * torch.tensor([[1.0], [3.0]])).sum().backward()
    assert seen == [([[1, 3]], [[[1], [3]]])]


def test_the_input_as_output():
    module, x = nn.Identity(), leaf(1, 2)
    seen = recorded(module)
    module(x).sum().backward()
    assert seen == [([[1, 1]], [[1, 1]])]


# What modules return.


def test_a_named_tuple_stays_one():
    Pair = namedtuple("Pair", "a b")
    module, x = Apply(lambda x: Pair(2 * x, 3 * x)), leaf(1)
    seen = recorded(module)
    out = module(x)
    (out.a + 2 * out.b).sum().backward()
    assert type(out) is Pair and seen == [([[8]], [[1], [2]])]


def test_an_output_without_a_gradient_is_none():
    module, x = Apply(lambda x: (2 * x, 3 * x, x.argmax())), leaf(1)
    seen = recorded(module)
    module(x)[0].sum().backward()
    assert seen == [([[2]], [[1], None, None])]


@pytest.mark.parametrize("collect", [list, lambda t: dict(enumerate(t)), lambda t: None])
def test_hooks_are_not_called_for_other_outputs_and_a_warning_says_so(collect):
    module, x = Apply(lambda x: collect((2 * x, 3 * x))), leaf(1)
    seen = recorded(module)
    with pytest.warns(UserWarning, match="(?i)backward hooks"):
        out = module(x)
    if out is not None:
        (out[0] + out[1]).sum().backward()
        assert x.grad.tolist() == [5]
    assert seen == []


def test_keyword_arguments_are_not_among_the_gradients():
    module, x, y = Apply(lambda x, y: x * y), leaf(2), leaf(3)
    seen = recorded(module)
    module(x, y=y).sum().backward()
    assert seen == [([[3]], [[1]])]
    assert y.grad.tolist() == [2]


def test_a_tensor_given_twice():
    module, x = Apply(lambda x, y: x * y), leaf(3)
    seen = recorded(module)
    module(x, x).sum().backward()
    assert seen == [([[3], [3]], [[1]])] and x.grad.tolist() == [6]


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_a_module_without_inputs():
    class Holds(nn.Module):
        def __init__(self):
            super().__init__()
            self.p = nn.Parameter(torch.ones(1))

        def forward(self):
            return self.p

    module = Holds()
    seen = recorded(module)
    out = module()
    out.sum().backward()
    assert out is not module.p and seen == [([], [[1]])] and module.p.grad.tolist() == [1]


@pytest.mark.filterwarnings("ignore:Full backward hook is firing")
def test_no_gradient_can_be_returned_where_no_input_has_one():
    layer = nn.Linear(1, 1)
    layer.register_full_backward_hook(lambda m, gi, go: (torch.ones(1, 1),))
    with pytest.raises(RuntimeError, match="no"):
        layer(torch.ones(1, 1)).sum().backward()


def test_gradients_of_another_shape_are_refused():
    for register in ("register_full_backward_hook", "register_full_backward_pre_hook"):
        module = double()
        getattr(module, register)(lambda m, *grads: (torch.ones(5),))
        with pytest.raises(RuntimeError):
            module(leaf(1)).sum().backward()


# Backward more than once, hooks that come and go.


def test_each_backward_calls_the_hooks():
    module, x = double(), leaf(1)
    seen = recorded(module)
    y = module(x).sum()
    y.backward(retain_graph=True)
    y.backward()
    assert len(seen) == 2 and x.grad.tolist() == [4]


def test_each_call_has_hooks_of_its_own():
    module, x = double(), leaf(1)
    seen = recorded(module)
    module(module(x)).sum().backward()
    assert seen == [([[2]], [[1]]), ([[4]], [[2]])]


def test_a_second_derivative_calls_the_hooks_once():
    module, x = Apply(lambda x: x**3), leaf(2)
    seen = recorded(module)
    (g,) = torch.autograd.grad(module(x).sum(), x, create_graph=True)
    g.sum().backward()
    assert seen == [([[12]], [[1]])] and x.grad.tolist() == [12]


def test_the_hooks_of_a_call_are_those_at_the_call():
    module, x, order = double(), leaf(1), []
    handle = module.register_full_backward_hook(lambda *_: order.append("first"))
    y = module(x)
    handle.remove()
    module.register_full_backward_hook(lambda *_: order.append("late"))
    y.sum().backward()
    assert order == ["first"]


def test_backward_hooks_pass_on_what_they_return():
    module, x = double(), leaf(1)
    module.register_full_backward_pre_hook(lambda m, go: (go[0] * 10,))
    module.register_full_backward_pre_hook(lambda m, go: (go[0] + 1,))
    module.register_full_backward_pre_hook(lambda m, go: (go[0] * 2,), prepend=True)
    module.register_full_backward_hook(lambda m, gi, go: (gi[0] + 1,))
    module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,), prepend=True)
    module(x).sum().backward()
    assert x.grad.tolist() == [(1 * 2 * 10 + 1) * 2 * 10 + 1]


def test_a_hook_may_remove_another_during_the_call():
    module, order = double(), []

    def first(m, args):
        order.append("first")
        second.remove()

    module.register_forward_pre_hook(first)
    second = module.register_forward_pre_hook(lambda m, args: order.append("second"))
    module(leaf(1))
    module(leaf(1))
    assert order == ["first", "second", "first"]  # the call had begun with both


def test_a_hook_added_during_the_call_runs_from_the_next_one():
    module, order = double(), []

    def first(m, args, out):
        order.append("first")
        if len(order) == 1:
            module.register_forward_hook(lambda *_: order.append("second"))

    module.register_forward_hook(first)
    module(leaf(1))
    module(leaf(1))
    assert order == ["first", "first", "second"]


def test_an_error_in_a_backward_hook_reaches_the_caller():
    module = double()

    def fail(*_):
        raise ValueError("mine")

    module.register_full_backward_hook(fail)
    with pytest.raises(ValueError, match="mine"):
        module(leaf(1)).sum().backward()


@pytest.mark.parametrize("where", ["pre-hook", "hook"])
def test_always_called_hooks_run_when_another_hook_fails(where):
    module, seen = double(), []

    def fail(*_):
        raise ValueError("mine")

    if where == "hook":
        module.register_forward_hook(fail)
    else:
        module.register_forward_pre_hook(fail)
    module.register_forward_hook(lambda m, args, out: seen.append(out), always_call=True)
    with pytest.raises(ValueError, match="mine"):
        module(leaf(1))
    assert [None if out is None else out.tolist() for out in seen] == (
        [[2]] if where == "hook" else [None]
    )


def test_the_outer_of_two_modules_with_one_output_comes_first():
    inner = double()
    outer, x, order = nn.Sequential(inner), leaf(1), []
    for name, module in (("outer", outer), ("inner", inner)):
        module.register_full_backward_pre_hook(
            lambda m, go, name=name: (order.append((name, go[0].tolist())), (go[0] + 1,))[1]
        )
        module.register_full_backward_hook(lambda m, gi, go, name=name: order.append(name))
    (10 * outer(x)).sum().backward()
    assert order == [("outer", [10]), ("inner", [11]), "inner", "outer"]
    assert x.grad.tolist() == [24]


@pytest.mark.adjoint_only
def test_a_write_between_two_modules_with_one_output():
    inner = double()
    outer, x = nn.Sequential(inner, nn.Hardtanh(-3, 3, inplace=True)), leaf(1, 2)
    seen_inside, seen_outside = recorded(inner), recorded(outer)
    (10 * outer(x)).sum().backward()
    assert seen_outside == [([[20, 0]], [[10, 10]])]
    assert seen_inside == [([[20, 0]], [[10, 0]])]


# Checkpoints and transforms.


@pytest.mark.parametrize("reentrant", [False, True])
def test_a_checkpointed_module(reentrant):
    module, x = double(), leaf(1)
    seen = recorded(module)
    checkpoint(module, x, use_reentrant=reentrant).sum().backward()
    assert seen == [([[2]], [[1]])] and x.grad.tolist() == [2]


def test_forward_hooks_under_vmap():
    module, shapes = double(), []
    module.register_forward_hook(lambda m, args, out: shapes.append(tuple(out.shape)))
    assert torch.func.vmap(module)(torch.ones(3, 2)).shape == (3, 2)
    assert shapes == [(2,)]


@pytest.mark.adjoint_only
def test_backward_hooks_under_transforms():
    module, x = Apply(lambda x: x**3), torch.tensor([2.0])
    seen = []
    module.register_full_backward_hook(lambda m, gi, go: seen.append(gi[0].shape))
    module.register_full_backward_hook(lambda m, gi, go: (10 * gi[0],))
    grad, jvp, vmap = torch.func.grad, torch.func.jvp, torch.func.vmap

    def slope(x):
        return grad(lambda x: module(x).sum())(x)

    assert slope(x).tolist() == [120]
    assert vmap(slope)(torch.stack([x, x])).tolist() == [[120], [120]]
    assert jvp(slope, (x,), (torch.ones(1),))[1].tolist() == [120]
    assert set(seen) == {(1,)}
    assert jvp(module, (x,), (torch.ones(1),))[1].tolist() == [12]  # no backward, no hooks
