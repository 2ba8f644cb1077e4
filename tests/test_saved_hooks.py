"""What the graph keeps: saved_tensors_hooks, checkpointing, hooks on several gradients."""

import gc
import weakref

import pytest

import adjoint as torch
from adjoint.autograd import graph
from adjoint.utils.checkpoint import CheckpointError, checkpoint, checkpoint_sequential


def test_a_packed_tensor_is_unpacked_for_backward():
    packed = []

    def pack(x):
        packed.append(x.clone())
        return len(packed) - 1

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    with graph.saved_tensors_hooks(pack, lambda i: packed[i]):
        y = (x.exp() * x).sum()
    assert len(packed) == 3  # exp saves its result, mul both operands
    y.backward()
    assert torch.allclose(x.grad, (x.exp() * (1 + x)).detach())


def test_hooks_see_what_was_saved_itself():
    x = torch.nn.Parameter(torch.ones(2))
    y = x * 2
    seen = []
    with graph.saved_tensors_hooks(lambda t: seen.append(t) or t, lambda t: t):
        z = (x * y).exp()
    assert seen[0] is y or seen[1] is y
    assert seen[0] is x or seen[1] is x
    result = seen[2]  # exp saves its result
    assert result.grad_fn is z.grad_fn and result.grad_fn.name() == "ExpBackward0"
    z.sum().backward()
    assert torch.allclose(x.grad, 4 * torch.ones(2).mul(2).exp())


def test_a_graph_whose_results_were_kept_by_hooks_is_collected():
    x = torch.ones(2, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t, lambda t: t):
        y = x.exp()
    node = weakref.ref(y.grad_fn)
    del y
    gc.collect()
    assert node() is None


def test_hooks_may_not_write():
    x = torch.ones(2, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t.add_(1), lambda t: t):
        with pytest.raises(RuntimeError, match="in place"):
            (x * 1).sin()


def test_the_innermost_hooks_are_used():
    x = torch.ones(2, requires_grad=True)
    calls = []
    outer = graph.saved_tensors_hooks(lambda t: calls.append("outer") or t, lambda t: t)
    inner = graph.saved_tensors_hooks(lambda t: calls.append("inner") or t, lambda t: t)
    with outer:
        with inner:
            x.sin()
        x.cos()
    x.sin()
    assert calls == ["inner", "outer"]


def test_double_backward_through_packed_tensors():
    x = torch.tensor([0.3, 0.7], dtype=torch.float64, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t.detach().numpy().copy(), torch.from_numpy):
        y = (x * x.sin()).sum()
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g.sum(), x)
    assert torch.allclose(h, (2 * x.cos() - x * x.sin()).detach())


def test_an_in_place_write_saves_what_was_there_before():
    x = torch.tensor([2.0], requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t.clone(), lambda t: t):
        y = x * 1
        y.mul_(y)
    y.backward()
    assert x.grad.item() == 4.0


def test_custom_functions_use_the_hooks():
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * x * g

    x = torch.tensor(3.0, requires_grad=True)
    with graph.saved_tensors_hooks(lambda t: t.item(), torch.tensor):
        y = Square.apply(x)
    y.backward()
    assert x.grad.item() == 6.0


def test_what_hooks_keep_is_freed_with_the_graph():
    class Kept:
        def __init__(self, x):
            self.x = x

    alive = []

    def pack(x):
        kept = Kept(x)
        alive.append(weakref.ref(kept))
        return kept

    x = torch.ones(2, requires_grad=True)
    with graph.saved_tensors_hooks(pack, lambda kept: kept.x):
        y = x.exp().sum()
    assert alive and alive[0]() is not None
    y.backward()
    del y
    gc.collect()
    assert alive[0]() is None


def test_an_error_in_a_hook_arrives():
    def broken(_):
        raise OSError("disk full")

    x = torch.ones(2, requires_grad=True)
    with graph.saved_tensors_hooks(broken, lambda t: t), pytest.raises(OSError, match="disk full"):
        x.exp()
    with graph.saved_tensors_hooks(lambda t: t, broken):
        y = x.exp().sum()
    with pytest.raises(OSError, match="disk full"):
        y.backward()
    with graph.saved_tensors_hooks(lambda t: t, lambda t: 3):
        y = x.exp().sum()
    with pytest.raises(TypeError, match="must return a Tensor, not int"):
        y.backward()


def test_disabled_hooks():
    with graph.disable_saved_tensors_hooks("no hooks here"):
        with pytest.raises(RuntimeError, match="no hooks here"), graph.save_on_cpu():
            pass
    with graph.save_on_cpu(), pytest.raises(RuntimeError, match="none inside"):
        with graph.disable_saved_tensors_hooks("none inside"):
            pass


def network():
    torch.manual_seed(0)
    return torch.nn.Sequential(
        torch.nn.Linear(4, 16), torch.nn.Tanh(), torch.nn.Dropout(0.5), torch.nn.Linear(16, 1)
    )


@pytest.mark.parametrize("reentrant", [True, False, None])
def test_checkpoint_gives_the_same_gradients(reentrant):
    net, x = network(), torch.randn(8, 4, requires_grad=True)
    torch.manual_seed(1)
    net(x).sum().backward()
    expected = [p.grad.clone() for p in net.parameters()] + [x.grad.clone()]
    net.zero_grad()
    x.grad = None
    torch.manual_seed(1)
    checkpoint(net, x, use_reentrant=reentrant).sum().backward()
    for g, e in zip([*(p.grad for p in net.parameters()), x.grad], expected, strict=True):
        assert torch.equal(g, e)


def test_checkpoint_keeps_the_arguments_only():
    kept = []

    def f(x):
        y = x.exp()
        kept.append(weakref.ref(y))
        return y.sin().sum()

    x = torch.ones(3, requires_grad=True)
    y = checkpoint(f, x)
    assert kept[0]() is None
    y.backward()
    assert len(kept) == 2  # f ran again
    assert torch.allclose(x.grad, (x.exp() * x.exp().cos()).detach())


def test_checkpoint_can_be_differentiated_twice_and_nested():
    x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)

    def inner(x):
        return x.sin() * x

    def outer(x):
        return checkpoint(inner, x).exp()

    y = checkpoint(outer, x)
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g, x)
    x2 = x.detach().requires_grad_()
    (g2,) = torch.autograd.grad(outer(x2), x2, create_graph=True)
    (h2,) = torch.autograd.grad(g2, x2)
    assert torch.allclose(g, g2) and torch.allclose(h, h2)


def test_checkpoint_backward_twice_with_retain_graph():
    x = torch.tensor(0.5, requires_grad=True)
    y = checkpoint(lambda x: x.sin().exp(), x)
    y.backward(retain_graph=True)
    first = x.grad.clone()
    y.backward()
    assert torch.equal(x.grad, 2 * first)


def test_checkpoint_notices_that_the_function_changed():
    state = {"calls": 0}

    def f(x):
        state["calls"] += 1
        y = x.exp()
        return y.sum() if state["calls"] == 1 else y[:2].sin().cos().sum()

    def g(x):
        state["calls"] += 1
        return (x if state["calls"] == 1 else x[:2]).sin().sum()

    x = torch.ones(3, requires_grad=True)
    y = checkpoint(f, x, early_stop=False)
    with pytest.raises(CheckpointError, match="different number of tensors"):
        y.backward()
    state["calls"] = 0
    y = checkpoint(g, x)
    with pytest.raises(CheckpointError, match=r"shape \(3,\).*shape \(2,\)"):
        y.backward()


def test_checkpoint_sequential_matches_the_plain_run():
    net, x = network().eval(), torch.randn(8, 4)
    net(x).sum().backward()
    expected = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    checkpoint_sequential(net, 2, x).sum().backward()
    for p, e in zip(net.parameters(), expected, strict=True):
        assert torch.equal(p.grad, e)
    with pytest.raises(ValueError, match="Unexpected keyword"):
        checkpoint_sequential(net, 2, x, colour="red")


def test_multi_grad_hook_waits_for_all_that_arrive():
    a, b, c = (torch.ones(2, requires_grad=True) for _ in range(3))
    seen = []
    handle = graph.register_multi_grad_hook([a, b, c], seen.append)
    (a * b).sum().backward()
    assert [g is not None for g in seen[0]] == [True, True, False]
    (a * b * c).sum().backward()
    assert [g is not None for g in seen[1]] == [True, True, True]
    handle.remove()
    (a * b).sum().backward()
    assert len(seen) == 2


def test_multi_grad_hook_of_any():
    a, b = torch.ones(2, requires_grad=True), torch.ones(2, requires_grad=True)
    seen = []
    graph.register_multi_grad_hook([a, b], seen.append, mode="any")
    for _ in range(2):
        (a * b).sum().backward()
    assert len(seen) == 2
    with pytest.raises(ValueError, match="mode"):
        graph.register_multi_grad_hook([a], seen.append, mode="most")
