"""Hooks around forward, in backward, of all modules, and of registration."""

import copy

import pytest
from _backend import torch

nn = torch.nn


class Double(nn.Module):
    def forward(self, x, scale=2.0):
        if scale is None:
            raise ValueError("no scale")
        return x * scale


def test_a_pre_hook_sees_and_replaces_the_inputs():
    module, seen = Double(), []
    module.register_forward_pre_hook(lambda m, args: seen.append((m, args)))
    module.register_forward_pre_hook(lambda m, args: args[0] + 1)
    assert module(torch.ones(1)).tolist() == [4]
    assert seen[0][0] is module and seen[0][1][0].tolist() == [1]


def test_a_pre_hook_with_kwargs():
    module = Double()
    module.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {**kwargs, "scale": 5.0}), with_kwargs=True
    )
    assert module(torch.ones(1), scale=3.0).tolist() == [5]


def test_a_pre_hook_with_kwargs_must_return_a_pair():
    module = Double()
    module.register_forward_pre_hook(lambda m, args, kwargs: args, with_kwargs=True)
    with pytest.raises(RuntimeError):
        module(torch.ones(1))


def test_a_hook_sees_and_replaces_the_output():
    module, seen = Double(), []
    module.register_forward_hook(lambda m, args, out: seen.append(out.tolist()))
    module.register_forward_hook(lambda m, args, out: out + 1)
    assert module(torch.ones(1)).tolist() == [3]
    assert seen == [[2]]


def test_a_hook_with_kwargs():
    module, seen = Double(), []
    module.register_forward_hook(
        lambda m, args, kwargs, out: seen.append((len(args), kwargs)), with_kwargs=True
    )
    module(torch.ones(1), scale=3.0)
    assert seen == [(1, {"scale": 3.0})]


def test_prepend_puts_a_hook_first():
    module, order = Double(), []
    module.register_forward_hook(lambda *_: order.append("first registered"))
    module.register_forward_hook(lambda *_: order.append("prepended"), prepend=True)
    module(torch.ones(1))
    assert order == ["prepended", "first registered"]


def test_always_call_runs_in_spite_of_an_error():
    module, called = Double(), []
    module.register_forward_hook(lambda *_: called.append("plain"))
    module.register_forward_hook(lambda *_: called.append("always"), always_call=True)
    with pytest.raises(ValueError, match="no scale"):
        module(torch.ones(1), scale=None)
    assert called == ["always"]
    module(torch.ones(1))
    assert called == ["always", "plain", "always"]


def test_an_error_in_an_always_call_hook_does_not_hide_the_first():
    module = Double()

    def fail(*_):
        raise RuntimeError("second")

    module.register_forward_hook(fail, always_call=True)
    with pytest.warns(UserWarning, match="second"), pytest.raises(ValueError, match="no scale"):
        module(torch.ones(1), scale=None)


def test_a_handle_removes_its_hook():
    module = Double()
    with module.register_forward_hook(lambda m, args, out: out + 1):
        assert module(torch.ones(1)).tolist() == [3]
    assert module(torch.ones(1)).tolist() == [2]
    handle = module.register_forward_pre_hook(lambda m, args, kwargs: None, with_kwargs=True)
    handle.remove()
    handle.remove()
    assert module(torch.ones(1)).tolist() == [2]


def test_a_hook_may_remove_itself():
    module, calls = Double(), []

    def once(m, args, out):
        calls.append(1)
        handle.remove()

    handle = module.register_forward_hook(once)
    module(torch.ones(1))
    module(torch.ones(1))
    assert calls == [1]


def test_hooks_are_copied_with_the_module():
    module = Double()
    module.handle = module.register_forward_hook(lambda m, args, out: out + 1)
    twin = copy.deepcopy(module)
    twin.handle.remove()
    assert twin(torch.ones(1)).tolist() == [2]
    assert module(torch.ones(1)).tolist() == [3]


@pytest.mark.adjoint_only
def test_a_hook_must_be_callable():
    with pytest.raises(TypeError, match="callable"):
        Double().register_forward_hook("no")


def test_a_backward_hook_sees_both_gradients():
    module, seen = Double(), []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x = torch.ones(3, requires_grad=True)
    module(x).sum().backward()
    ((grad_input, grad_output),) = seen
    assert grad_input[0].tolist() == [2, 2, 2]
    assert grad_output[0].tolist() == [1, 1, 1]
    assert x.grad.tolist() == [2, 2, 2]


def test_a_backward_hook_replaces_the_gradient_of_the_input():
    module = Double()
    module.register_full_backward_hook(lambda m, gi, go: (gi[0] * 10,))
    x = torch.ones(1, requires_grad=True)
    module(x).backward()
    assert x.grad.tolist() == [20]


def test_a_backward_pre_hook_replaces_the_gradient_of_the_output():
    layer = nn.Linear(1, 1, bias=False)
    seen = []
    layer.register_full_backward_pre_hook(lambda m, go: (go[0] * 3,))
    layer.register_full_backward_hook(lambda m, gi, go: seen.append(go[0].tolist()))
    x = torch.ones(1, 1, requires_grad=True)
    layer(x).sum().backward()
    assert seen == [[[3.0]]]
    assert layer.weight.grad.tolist() == [[3.0]]


def test_what_is_not_a_tensor_has_no_gradient():
    class Mixed(nn.Module):
        def forward(self, x, n, y):
            return x * n, "note", y + 1, 2 * x

    module, seen = Mixed(), []
    module.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go)))
    x, y = torch.ones(1, requires_grad=True), torch.ones(2)
    out, note, other, unused = module(x, 3, y)
    assert note == "note" and not other.requires_grad and unused.requires_grad
    out.backward()
    ((grad_input, grad_output),) = seen
    assert [g if g is None else g.tolist() for g in grad_input] == [[3], None, [0, 0]]
    assert [g if g is None else g.tolist() for g in grad_output] == [[1], None, None, None]


def test_a_backward_hook_where_no_input_requires_gradients():
    layer = nn.Linear(2, 1)
    seen = []
    layer.register_full_backward_hook(lambda m, gi, go: seen.append((gi, go[0].tolist())))
    with_grad = layer(torch.ones(1, 2))
    if torch.__name__ == "torch":  # which also warns here
        with pytest.warns(UserWarning):
            with_grad.sum().backward()
    else:
        with_grad.sum().backward()
    assert seen == [((None,), [[1.0]])]
    assert layer.weight.grad is not None


def test_a_wrong_number_of_gradients_is_an_error():
    module = Double()
    module.register_full_backward_hook(lambda m, gi, go: (gi[0], gi[0]))
    with pytest.raises(RuntimeError, match="2"):
        module(torch.ones(1, requires_grad=True)).backward()


def test_backward_hooks_are_differentiated_through():
    module = Double()
    module.register_full_backward_hook(lambda m, gi, go: (gi[0] * go[0],))
    x = torch.tensor([3.0], requires_grad=True)
    y = module(x) ** 2  # go = 2 * 2x, gi = 2 go, so the gradient is 2 go^2 = 32 x^2
    (g,) = torch.autograd.grad(y.sum(), x, create_graph=True)
    assert g.tolist() == [288]


def test_no_backward_hooks_without_recording():
    module = Double()
    module.register_full_backward_hook(lambda *_: None)
    with torch.no_grad():
        assert not module(torch.ones(1, requires_grad=True)).requires_grad


def test_hooks_of_all_modules():
    modules = nn.modules.module
    seen = []
    handles = [
        modules.register_module_forward_pre_hook(lambda m, a: seen.append("pre")),
        modules.register_module_forward_hook(lambda m, a, o: seen.append("forward")),
        modules.register_module_full_backward_pre_hook(lambda m, go: seen.append("backward pre")),
        modules.register_module_full_backward_hook(lambda m, gi, go: seen.append("backward")),
    ]
    module = Double()
    module.register_forward_hook(lambda *_: seen.append("own"))
    module(torch.ones(1, requires_grad=True)).backward()
    assert seen == ["pre", "forward", "own", "backward pre", "backward"]
    for handle in handles:
        handle.remove()
    seen.clear()
    module(torch.ones(1))
    assert seen == ["own"]


def test_hooks_of_registration():
    modules = nn.modules.module
    seen = []
    handles = [
        modules.register_module_parameter_registration_hook(lambda m, n, p: seen.append(n)),
        modules.register_module_buffer_registration_hook(lambda m, n, b: seen.append(n)),
        modules.register_module_module_registration_hook(lambda m, n, c: seen.append(n)),
    ]
    try:
        module = nn.Module()
        module.p = nn.Parameter(torch.ones(1))
        module.register_buffer("b", torch.ones(1))
        module.m = nn.ReLU()
    finally:
        for handle in handles:
            handle.remove()
    assert seen == ["p", "b", "m"]
