"""Reverse mode: what is recorded, and how backward runs.

(The graph itself is in test_graph.py, the gradients of everyday expressions in test_gradients.py.)
"""

import pytest
from _backend import assert_close, assert_same, f64, rand64, torch

grad = torch.autograd.grad


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


class TestRequiresGrad:
    def test_off_by_default_and_settable_on_leaves(self):
        x = torch.ones(2)
        assert not x.requires_grad
        assert x.requires_grad_() is x and x.requires_grad
        x.requires_grad = False
        assert not x.requires_grad
        assert not x.requires_grad_(False).requires_grad

    def test_a_result_requires_grad_if_any_input_does(self):
        x, c = leaf(1.0), torch.ones(1)
        assert (x + c).requires_grad and (c + x).requires_grad
        assert not (c + c).requires_grad
        assert torch.cat([c, c, x]).requires_grad

    def test_leaves(self):
        x, c = leaf(1.0), torch.ones(1)
        y = x + c
        assert x.is_leaf and c.is_leaf and (c + c).is_leaf  # without history everything is a leaf
        assert not y.is_leaf and y.detach().is_leaf
        assert leaf(1.0).grad is None and x.grad_fn is None

    def test_cannot_be_switched_off_in_the_middle_of_a_graph(self):
        y = leaf(1.0) * 2
        with pytest.raises(RuntimeError, match="leaf"):
            y.requires_grad = False
        y.requires_grad_(True)  # says what is so already
        assert y.requires_grad

    @pytest.mark.parametrize("dtype", ["bool", "uint8", "int8", "int16", "int32", "int64"])
    def test_integers_have_no_gradient(self, dtype):
        dtype = getattr(torch, dtype)
        x = torch.ones(2, dtype=dtype)
        with pytest.raises(RuntimeError, match="floating point"):
            x.requires_grad_()
        with pytest.raises(RuntimeError, match="floating point"):
            torch.ones(2, dtype=dtype, requires_grad=True)
        assert not x.requires_grad
        assert not leaf(1.5).to(dtype).requires_grad

    @pytest.mark.parametrize("op", ["eq", "lt", "ge", "argmax", "argsort", "isnan", "sign"])
    def test_results_without_a_derivative(self, op):
        x = leaf(1.0, 2.0)
        y = getattr(torch, op)(x, x) if op in ("eq", "lt", "ge") else getattr(torch, op)(x)
        assert y.requires_grad == (op == "sign")  # 0 almost everywhere, yet a float function
        if y.requires_grad:
            assert_same(grad(y.sum(), x)[0], [0, 0])


class TestDetach:
    def test_shares_memory_and_not_history(self):
        x = leaf(1.0, 2.0)
        y = x * 3
        d = y.detach()
        assert not d.requires_grad and d.grad_fn is None and d.is_leaf
        assert d.data_ptr() == y.data_ptr()
        (y * d).sum().backward()
        assert x.grad.tolist() == [9, 18]

    def test_in_place(self):
        x = leaf(1.0, 2.0)
        y = x * 3
        assert y.detach_() is y
        assert not y.requires_grad and y.grad_fn is None

    def test_a_view_cannot_be_detached_in_place_from_its_base(self):
        view = (leaf(1.0, 2.0) * 3).view(2, 1)[0]
        other = torch.chunk(leaf(1.0, 2.0) * 3, 2)[0]
        for x in (view, other):
            with pytest.raises(RuntimeError, match="view"):
                x.detach_()

    def test_data(self):
        x = leaf(1.0, 2.0)
        assert not x.data.requires_grad and x.data.data_ptr() == x.data_ptr()
        x.data = torch.tensor([5.0])
        assert x.requires_grad and x.tolist() == [5]


class TestGradAttribute:
    def test_accumulates(self):
        x = leaf(1.0, 2.0)
        for factor in (1, 2, 3):
            (x * factor).sum().backward()
        assert x.grad.tolist() == [6, 6]

    def test_accumulates_in_place(self):
        x = leaf(1.0)
        (x * 2).sum().backward()
        first = x.grad
        (x * 3).sum().backward()
        assert x.grad is first and first.item() == 5

    def test_with_create_graph_out_of_place(self):
        x = leaf(1.0)
        (x * 2).sum().backward()
        first = x.grad
        (x**2).sum().backward(create_graph=True)
        assert first.item() == 2 and x.grad.item() == 4 and x.grad.requires_grad
        x.grad = None

    def test_does_not_require_grad(self):
        x = leaf(1.0)
        (x**2).sum().backward()
        assert not x.grad.requires_grad and x.grad.is_leaf

    def test_is_not_the_callers_tensor(self):
        x = leaf(1.0, 2.0)
        g = torch.ones(2)
        (x + 0).backward(g)
        x.grad.mul_(5)
        assert g.tolist() == [1, 1]

    def test_assignment_is_checked(self):
        x = leaf(1.0, 2.0)
        x.grad = torch.ones(2)
        (x * 2).sum().backward()
        assert x.grad.tolist() == [3, 3]
        for bad, error in [
            (torch.ones(3), RuntimeError),
            (torch.ones(2, dtype=torch.float64), RuntimeError),
            (1.0, TypeError),
            (x, RuntimeError),
        ]:
            with pytest.raises(error):
                x.grad = bad
        assert x.grad.tolist() == [3, 3]
        del x.grad
        assert x.grad is None

    def test_of_a_result_is_none_and_reading_it_warns(self):
        x = leaf(1.0)
        y = x * 2
        y.sum().backward()
        with pytest.warns(UserWarning, match="retain_grad"):
            assert y.grad is None
        assert x.grad is not None

    def test_retain_grad(self):
        x = leaf(3.0)
        y = x * 2
        assert not y.retains_grad
        y.retain_grad()
        y.retain_grad()  # again is the same
        assert y.retains_grad
        z = y * y
        z.sum().backward()
        assert y.grad.tolist() == [12] and x.grad.tolist() == [24]
        x.retain_grad()  # of a leaf: nothing to do
        with pytest.raises(RuntimeError, match="requires_grad=False"):
            torch.ones(1).retain_grad()

    def test_zeroing(self):
        x = leaf(1.0)
        (x * 2).sum().backward()
        kept = x.grad
        x.grad.zero_()
        (x * 5).sum().backward()
        assert kept.tolist() == [5]


class TestBackward:
    def test_needs_a_gradient_for_more_than_one_element(self):
        y = leaf(1.0, 2.0) * 2
        with pytest.raises(RuntimeError, match="scalar"):
            y.backward()
        with pytest.raises(RuntimeError, match="scalar"):
            grad(y, y)
        leaf(1.0).reshape(1, 1).backward()  # one element in any number of dims

    def test_needs_a_history(self):
        with pytest.raises(RuntimeError, match="does not require grad"):
            torch.ones(1).backward()
        with pytest.raises(RuntimeError, match="does not require grad"):
            grad(torch.ones(1), leaf(1.0))

    def test_of_a_leaf(self):
        x = leaf(1.0)
        x.backward()
        x.backward(torch.tensor([4.0]))
        assert x.grad.tolist() == [5]

    @pytest.mark.parametrize("shape", [(3,), (1,), (2, 2), ()])
    def test_the_gradient_has_the_shape_of_the_tensor(self, shape):
        x = leaf(1.0, 2.0)
        with pytest.raises(RuntimeError, match=r"shape.*\[2\]"):
            (x * 2).backward(torch.ones(shape))
        assert x.grad is None

    def test_of_several_tensors_at_once(self):
        x = leaf(1.0)
        y, z = x * 2, x * 3
        torch.autograd.backward([y, z, x], [None, torch.tensor([10.0]), torch.tensor([100.0])])
        assert x.grad.tolist() == [132]
        torch.autograd.backward((x * 2).sum())
        assert x.grad.tolist() == [134]
        with pytest.raises(RuntimeError, match=r"2 tensors .*1 grad"):
            torch.autograd.backward([x * 2, x * 2], [torch.ones(1)])

    def test_into_the_named_inputs_alone(self):
        x, w = leaf(1.0), leaf(2.0)
        h = x * w
        (h * w).sum().backward(inputs=[w], retain_graph=True)
        assert x.grad is None and w.grad.tolist() == [4]
        h.retain_grad()
        (h * h).sum().backward(inputs=h)
        assert h.grad.tolist() == [4] and x.grad is None
        with pytest.raises(RuntimeError, match="inputs.* empty"):
            (x * w).backward(inputs=[])

    def test_frees_what_was_saved(self):
        x = leaf(2.0)
        y = x**3
        y.backward(retain_graph=True)
        y.backward()
        assert x.grad.tolist() == [24]
        with pytest.raises(RuntimeError, match="second time.*retain_graph=True"):
            y.backward()
        with pytest.raises(RuntimeError, match="second time.*retain_graph=True"):
            grad(y, x)
        assert x.grad.tolist() == [24]

    def test_nothing_saved_means_nothing_freed(self):
        x = leaf(2.0)
        y = (x + 1).sum()
        y.backward()
        y.backward()
        assert x.grad.tolist() == [2]

    def test_a_part_that_two_graphs_share_is_freed_by_either(self):
        x = leaf(2.0)
        shared = x.exp()
        (shared * 2).backward()
        with pytest.raises(RuntimeError, match="second time"):
            (shared * 3).backward()

    def test_of_a_diamond_adds_before_going_on(self):
        calls = []
        x = leaf(2.0)
        y = x * 3
        y.register_hook(lambda g: calls.append(g.item()))
        (y * y + y).sum().backward()
        assert calls == [13] and x.grad.tolist() == [39]

    def test_within_a_backward(self):
        class Nested(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x**3

            @staticmethod
            def backward(ctx, g):
                with torch.enable_grad():
                    (x,) = ctx.saved_tensors
                    x = x.detach().requires_grad_()
                    (x**3).sum().backward()
                return g * x.grad

        x = rand64(3)
        Nested.apply(Nested.apply(x)).sum().backward()
        assert_close(x.grad, 9 * x**8)

    def test_under_no_grad(self):
        x = leaf(2.0)
        y = x**2
        with torch.no_grad():
            y.backward()
        assert x.grad.tolist() == [4]

    def test_into_another_dtype(self):
        p = torch.ones(3, requires_grad=True)
        data = torch.full((3,), 0.1, dtype=torch.float64)
        loss = (p * data).sum()
        assert loss.dtype == torch.float64
        loss.backward()
        assert p.grad.dtype == torch.float32
        d = p.double()
        d.retain_grad()
        (d * 2).sum().backward()
        assert d.grad.dtype == torch.float64

    def test_no_contribution_is_not_zero(self):
        x, unused = leaf(1.0), leaf(1.0)
        (x * 2).backward()
        assert unused.grad is None


class TestGrad:
    def test_changes_no_grad_attribute(self):
        x = leaf(2.0)
        (g,) = grad(x**2, x)
        assert g.tolist() == [4] and x.grad is None

    def test_of_intermediate_results(self):
        x = leaf(2.0)
        y = x * 3
        gx, gy = grad(y**2, [x, y])
        assert gx.tolist() == [36] and gy.tolist() == [12]
        z = y * 1
        (one,) = grad(z, z)
        assert one.tolist() == [1]

    def test_the_same_input_twice(self):
        x = leaf(2.0)
        a, b = grad(x**2, [x, x])
        assert a.tolist() == b.tolist() == [4]

    def test_grad_outputs(self):
        x = leaf(1.0, 2.0)
        y, z = x**2, x**3
        (g,) = grad([y, z], x, [torch.tensor([1.0, 10.0]), torch.tensor([100.0, 0.0])])
        assert g.tolist() == [302, 40]
        (g,) = grad((x * 2).sum(), x, grad_outputs=torch.tensor(3.0))
        assert g.tolist() == [6, 6]

    def test_unused_inputs(self):
        x, w = leaf(1.0), leaf(2.0)
        with pytest.raises(RuntimeError, match="allow_unused=True"):
            grad(x * 2, w)
        assert grad(x * 2, [x, w], allow_unused=True)[1] is None
        zero = grad(x * 2, [w], materialize_grads=True)[0]
        assert_same(zero, torch.zeros(1))
        with pytest.raises(ValueError, match="materialize_grads"):
            grad(x * 2, w, allow_unused=False, materialize_grads=True)
        with pytest.raises(RuntimeError, match="does not require grad"):
            grad(x * 2, torch.ones(1))

    def test_create_graph(self):
        x = f64(2.0)
        y = x**5
        for expected in (80, 160, 240, 240, 120):
            (y,) = grad(y, x, create_graph=True)
            assert_close(y, expected)
        (last,) = grad(y, x, allow_unused=True)
        assert last is None or last == 0

    def test_without_create_graph_the_gradient_is_constant(self):
        x = leaf(2.0)
        (g,) = grad(x**2, x, retain_graph=True)
        assert not g.requires_grad

    def test_batched_gradients(self):
        x = rand64(3)
        y = x.sin() * x.sum()
        (jacobian,) = grad(y, x, torch.eye(3, dtype=torch.float64), is_grads_batched=True)
        s = x.detach()
        assert_close(jacobian, torch.eye(3) * (s.cos() * s.sum()) + s.sin()[:, None])

    def test_inputs_as_a_dict(self):
        x, w = leaf(2.0), leaf(5.0)
        grads = grad(x * w, {"x": x, "w": w})
        assert {name: g.item() for name, g in grads.items()} == {"x": 5, "w": 2}


class TestModes:
    MODES = [torch.no_grad, torch.inference_mode, lambda: torch.set_grad_enabled(False)]

    @pytest.mark.parametrize("mode", MODES)
    def test_nothing_is_recorded(self, mode):
        x = leaf(1.0)
        with mode():
            assert not torch.is_grad_enabled()
            y = x * 2
            assert not y.requires_grad and y.is_leaf
            assert torch.ones(1, requires_grad=True).requires_grad
        assert torch.is_grad_enabled() and (x * 2).requires_grad

    @pytest.mark.parametrize("mode", MODES)
    def test_an_exception_leaves_the_mode(self, mode):
        with pytest.raises(ZeroDivisionError), mode():
            1 / 0
        assert torch.is_grad_enabled()

    def test_they_nest(self):
        states = []
        with torch.no_grad():
            with torch.enable_grad():
                states.append(torch.is_grad_enabled())
                with torch.set_grad_enabled(False):
                    states.append(torch.is_grad_enabled())
                states.append(torch.is_grad_enabled())
            states.append(torch.is_grad_enabled())
        assert states == [True, False, True, False]

    def test_set_grad_enabled_is_also_a_function(self):
        torch.set_grad_enabled(False)
        assert not torch.is_grad_enabled()
        torch.set_grad_enabled(True)

    @pytest.mark.parametrize("decorate", [torch.no_grad(), torch.no_grad, torch.inference_mode()])
    def test_as_a_decorator(self, decorate):
        @decorate
        def double(x):
            """Doc."""
            return x * 2

        assert not double(leaf(1.0)).requires_grad
        assert double.__name__ == "double" and double.__doc__ == "Doc."
        assert torch.is_grad_enabled()

    def test_as_a_decorator_of_a_generator(self):
        @torch.no_grad()
        def several(x):
            for i in range(3):
                yield x * i, torch.is_grad_enabled()

        for y, enabled in several(leaf(1.0)):
            assert not y.requires_grad and not enabled
            assert torch.is_grad_enabled()  # between two values the caller's mode holds

    def test_inference_tensors_stay_outside_autograd(self):
        with torch.inference_mode():
            x = torch.ones(2)
            assert torch.is_inference_mode_enabled()
            x.add_(1)
        assert x.is_inference() and not torch.ones(2).is_inference()
        with pytest.raises(RuntimeError, match="[Ii]nference"):
            x.add_(1)
        with pytest.raises(RuntimeError, match="[Ii]nference"):
            x.requires_grad_()
        with pytest.raises(RuntimeError, match="[Ii]nference"):
            leaf(1.0, 2.0) * x
        assert (leaf(1.0, 2.0) * x.clone()).requires_grad
        with torch.inference_mode(False):
            assert torch.is_grad_enabled()
