"""Hooks on tensors, leaves and nodes: what they see, what they change, in which order they run."""

import pytest
from _backend import torch


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


class TestTensorHooks:
    def test_sees_the_gradient_once(self):
        seen = []
        x = leaf(1.0, 2.0)
        y = x * 3
        y.register_hook(seen.append)
        (y * y).sum().backward()
        assert [g.tolist() for g in seen] == [[6, 12]]

    @pytest.mark.parametrize("on_leaf", [True, False])
    def test_a_result_replaces_the_gradient(self, on_leaf):
        x = leaf(1.0, 2.0)
        y = x * 1
        (x if on_leaf else y).register_hook(lambda g: g * 10)
        y.sum().backward()
        assert x.grad.tolist() == [10, 10]

    def test_run_in_the_order_of_registration_each_seeing_the_last(self):
        x = leaf(1.0)
        x.register_hook(lambda g: g + 1)
        x.register_hook(lambda g: None)
        x.register_hook(lambda g: g * 10)
        (x * 2).backward()
        assert x.grad.tolist() == [30]

    def test_handles_remove(self):
        x = leaf(1.0)
        first = x.register_hook(lambda g: g * 2)
        with x.register_hook(lambda g: g * 100):
            (x * 1).backward()
        assert x.grad.tolist() == [200]
        (x * 1).backward()
        assert x.grad.tolist() == [202]
        first.remove()
        first.remove()  # again does nothing
        (x * 1).backward()
        assert x.grad.tolist() == [203]

    def test_only_on_what_requires_grad(self):
        with pytest.raises(RuntimeError, match="requires? gra"):
            torch.ones(1).register_hook(print)

    def test_also_from_autograd_grad(self):
        x = leaf(1.0)
        y = x * 2
        y.register_hook(lambda g: g * 5)
        x.register_hook(lambda g: g + 1)
        assert torch.autograd.grad(y * 3, x)[0].item() == 31
        assert torch.autograd.grad(x * 3, x)[0].item() == 4

    def test_a_captured_gradient_has_been_through_the_hooks(self):
        x = leaf(1.0)
        y = x * 2
        y.register_hook(lambda g: g * 5)
        assert torch.autograd.grad(y * 3, y)[0].item() == 15

    def test_do_not_run_where_no_gradient_flows(self):
        seen = []
        x = leaf(1.0)
        unused = x * 5
        unused.register_hook(seen.append)
        (x * 2).backward()
        assert not seen

    def test_see_the_recorded_gradient_under_create_graph(self):
        seen = []
        x = leaf(3.0)
        y = x * 1
        y.register_hook(lambda g: seen.append(g.requires_grad))
        (y**2).backward(create_graph=True)
        (g,) = torch.autograd.grad((x * 1) ** 2, x, create_graph=True)
        assert seen == [True] and g.requires_grad
        x.grad = None

    def test_a_replacement_takes_part_in_the_double_backward(self):
        x = leaf(3.0)
        y = x * 1
        y.register_hook(lambda g: g * g)
        (g,) = torch.autograd.grad(y**2, x, create_graph=True)  # (2 y)^2
        (h,) = torch.autograd.grad(g, x)  # d(4 y^2), through the same hook when it runs again
        assert g.item() == 36 and h.item() == 24**2

    def test_a_wrong_replacement_is_an_error(self):
        for bad, error in [("text", TypeError), (torch.ones(3), RuntimeError)]:
            x = leaf(1.0, 2.0)
            y = x * 1
            y.register_hook(lambda g, bad=bad: bad)
            with pytest.raises(error):
                y.sum().backward()
            assert x.grad is None

    def test_an_exception_passes_through(self):
        x = leaf(1.0)
        y = x * 1

        def hook(g):
            raise KeyError("mine")

        y.register_hook(hook)
        with pytest.raises(KeyError, match="mine"):
            y.backward()
        assert x.grad is None and torch.is_grad_enabled()

    def test_after_an_in_place_write_hooks_stay_with_the_earlier_value(self):
        seen = []
        x = leaf(1.0)
        y = x * 2
        y.register_hook(lambda g: seen.append(("before", g.item())))
        y.mul_(10)
        y.register_hook(lambda g: seen.append(("after", g.item())))
        (y * 3).backward()
        assert seen == [("after", 3), ("before", 30)]
        assert x.grad.tolist() == [60]


class TestRetainGrad:
    def test_keeps_what_the_hooks_left(self):
        x = leaf(1.0)
        y = x * 2
        y.retain_grad()
        y.register_hook(lambda g: g * 10)  # registered later, and still before it is kept
        (y * 1).backward()
        assert y.grad.tolist() == [10] and x.grad.tolist() == [20]

    def test_follows_an_in_place_write(self):
        x = leaf(1.0)
        y = x * 2
        y.retain_grad()
        y.mul_(5)
        (y * 3).backward()
        assert y.grad.tolist() == [3] and x.grad.tolist() == [30]


class TestPostAccumulateGradHooks:
    def test_run_when_grad_is_complete(self):
        seen = []
        x = leaf(2.0)
        x.register_post_accumulate_grad_hook(lambda p: seen.append((p is x, p.grad.item())))
        (x * x + x).backward()
        (x * 1).backward()
        assert seen == [(True, 5), (True, 6)]

    def test_may_step_and_free_the_gradient(self):
        x = leaf(2.0)

        def step(p):
            with torch.no_grad():
                p -= 0.25 * p.grad
            p.grad = None

        handle = x.register_post_accumulate_grad_hook(step)
        (x * 4).backward()
        assert x.tolist() == [1] and x.grad is None
        handle.remove()
        (x * 4).backward()
        assert x.tolist() == [1] and x.grad.tolist() == [4]

    def test_not_from_autograd_grad(self):
        seen = []
        x = leaf(2.0)
        x.register_post_accumulate_grad_hook(seen.append)
        torch.autograd.grad(x * 2, x)
        assert not seen

    def test_only_on_leaves(self):
        with pytest.raises(RuntimeError, match="leaf"):
            (leaf(1.0) * 2).register_post_accumulate_grad_hook(print)

    def test_come_after_tensor_hooks(self):
        order = []
        x = leaf(1.0)
        x.register_post_accumulate_grad_hook(lambda p: order.append("accumulated"))
        x.register_hook(lambda g: order.append("gradient"))
        (x * 2).backward()
        assert order == ["gradient", "accumulated"]


class TestNodeHooks:
    def test_sees_the_gradients_of_inputs_and_of_outputs(self):
        seen = []
        x, w = leaf(2.0), leaf(5.0)
        y = x * w
        y.grad_fn.register_hook(lambda *grads: seen.append(grads))
        (y * 3).backward()
        ((inputs, outputs),) = seen
        assert [g.item() for g in inputs] == [15, 6]
        assert [g.item() for g in outputs] == [3]

    def test_what_has_no_gradient_is_none(self):
        seen = []
        x = leaf(2.0)
        y = x * torch.ones(1)
        y.grad_fn.register_hook(lambda inputs, outputs: seen.append(inputs))
        y.backward()
        assert seen[0][1] is None and seen[0][0].item() == 1

    def test_may_replace_the_gradients_of_inputs(self):
        x = leaf(2.0)
        y = x * torch.tensor([4.0])
        handle = y.grad_fn.register_hook(lambda inputs, outputs: (inputs[0] * 10, None))
        y.backward(retain_graph=True)
        assert x.grad.tolist() == [40]
        handle.remove()
        y.backward()
        assert x.grad.tolist() == [44]

    def test_a_prehook_may_replace_the_gradients_of_outputs(self):
        x = leaf(2.0)
        y = x * 4
        handle = y.grad_fn.register_prehook(lambda outputs: (outputs[0] * 10,))
        y.backward(retain_graph=True)
        handle.remove()
        y.backward()
        assert x.grad.tolist() == [44]

    def test_order(self):
        order = []
        x = leaf(1.0)
        y = x * 2
        y.grad_fn.register_hook(lambda i, o: order.append("node"))
        y.grad_fn.register_prehook(lambda o: order.append("before the node"))
        y.register_hook(lambda g: order.append("tensor"))
        x.register_hook(lambda g: order.append("leaf"))
        y.backward()
        assert order == ["tensor", "before the node", "node", "leaf"]

    def test_of_an_accumulating_node(self):
        seen = []
        x = leaf(2.0)
        node = (x * 1).grad_fn.next_functions[0][0]
        node.register_hook(lambda inputs, outputs: seen.append((x.grad.item(), outputs[0].item())))
        (x * 3).backward()
        assert seen == [(3, 3)]

    def test_a_wrong_number_of_gradients_is_an_error(self):
        y = leaf(2.0) * leaf(3.0)
        y.grad_fn.register_hook(lambda inputs, outputs: inputs[:1])
        with pytest.raises(RuntimeError):
            y.backward()

    def test_of_a_node_with_several_outputs(self):
        seen = []
        a, b = torch.ones(4, requires_grad=True).split(2)
        a.grad_fn.register_hook(lambda inputs, outputs: seen.append(outputs))
        (a * 3).sum().backward()
        assert seen[0][0].tolist() == [3, 3] and seen[0][1] is None


class TestAnswersOfHooks:
    """What a hook returns must fit what it was given."""

    @pytest.mark.parametrize(
        "answer, says", [(torch.ones(3), "size"), (torch.ones(2).double(), "type")]
    )
    def test_of_a_tensor(self, answer, says):
        x = leaf(1.0, 2.0)
        y = x * 2
        y.register_hook(lambda g: answer)
        with pytest.raises(RuntimeError, match=f"has changed the {says} of value"):
            y.sum().backward()

    def test_of_a_node(self):
        x = leaf(1.0, 2.0)
        y = x * 2
        y.grad_fn.register_prehook(lambda grads: (torch.ones(3),))
        with pytest.raises(RuntimeError, match="has changed the size of value"):
            y.sum().backward()

    def test_none_for_a_gradient_ends_its_way(self):
        x = leaf(1.0, 2.0)
        y = x * 2
        y.grad_fn.register_prehook(lambda grads: (None,))
        y.sum().backward()
        assert x.grad is None

    def test_of_a_hook_behind_the_accumulation(self):
        x = leaf(1.0, 2.0)
        x.register_post_accumulate_grad_hook(lambda p: p.grad)
        with pytest.raises(RuntimeError, match="should return None"):
            x.sum().backward()


def test_hooks_around_the_accumulation_into_a_leaf():
    x = leaf(1.0)
    y = x * 2
    order = []
    accumulator = y.grad_fn.next_functions[0][0]
    accumulator.register_hook(lambda *_: order.append("node"))
    accumulator.register_prehook(lambda *_: order.append("before the node"))
    x.register_hook(lambda g: order.append("tensor"))
    x.register_post_accumulate_grad_hook(lambda p: order.append("accumulated"))
    y.backward()
    assert order == ["tensor", "before the node", "accumulated", "node"]
