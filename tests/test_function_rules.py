"""autograd.Function: what is checked of its methods, and of what they mark, save and return."""

import pytest
from _backend import torch

Function = torch.autograd.Function


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


def function(forward, backward=None, **names):
    """A Function of these methods."""
    methods = {"forward": staticmethod(forward)}
    if backward is not None:
        methods["backward"] = staticmethod(backward)
    return type("F", (Function,), methods | names)


def double(ctx, x):
    return x * 2


class TestDefinition:
    def test_each_missing_method_is_named(self):
        with pytest.raises(NotImplementedError, match="implement the forward function"):
            function(lambda ctx: 0).mro()[1].apply(leaf(1.0))
        with pytest.raises(NotImplementedError, match="backward or vjp"):
            function(double).apply(leaf(1.0)).backward()

    def test_backward_and_vjp_are_one_method(self):
        def pull(ctx, g):
            return g * 2

        x = leaf(1.0)
        function(double, vjp=staticmethod(pull)).apply(x).backward()
        assert x.grad.tolist() == [2]
        both = function(double, pull, vjp=staticmethod(pull))
        with pytest.raises(RuntimeError, match="both|Implementing both"):
            both.apply(leaf(1.0)).backward()

    def test_an_instance_is_warned_about(self):
        with pytest.warns(DeprecationWarning, match="should not be instantiated"):
            function(double)()

    def test_apply_takes_the_arguments_of_forward_by_name(self):
        def scale(ctx, x, n=3):
            ctx.n = n
            return x * n

        f = function(scale, lambda ctx, g: (g * ctx.n, None))
        for call, n in [(lambda x: f.apply(x, n=5), 5), (lambda x: f.apply(x=x, n=4), 4)]:
            x = leaf(1.0)
            call(x).backward()
            assert x.grad.tolist() == [n]
        with pytest.raises(TypeError):
            f.apply(leaf(1.0), m=2)


class TestMarks:
    def test_only_tensors_can_be_marked(self):
        def dirty(ctx, x):
            ctx.mark_dirty([x])
            return x

        def constant(ctx, x):
            ctx.mark_non_differentiable(3)
            return x * 2

        for forward in (dirty, constant):
            with pytest.raises(RuntimeError, match="only accept"):
                function(forward, lambda ctx, g: g).apply(leaf(1.0).clone())

    def test_what_is_marked_dirty_must_be_returned(self):
        def forward(ctx, x):
            ctx.mark_dirty(x.add_(1))
            return x * 2

        with pytest.raises(RuntimeError, match="must all be outputs of the Function"):
            function(forward, lambda ctx, g: g).apply(leaf(1.0).clone())

    def test_marking_what_is_no_input_warns(self):
        def forward(ctx, x):
            y = x * 2
            ctx.mark_dirty(y)
            return y

        with pytest.warns(UserWarning, match="not an input"):
            function(forward, lambda ctx, g: g).apply(leaf(1.0))

    def test_backward_is_given_zeros_for_results_without_a_derivative(self):
        seen = []

        def forward(ctx, x):
            positive, constant = x > 0, x * 2
            ctx.mark_non_differentiable(positive, constant)
            return positive, constant, x * 3

        def backward(ctx, *grads):
            seen.extend(grads)
            return grads[2] * 3

        *_, y = function(forward, backward).apply(leaf(1.0, -1.0))
        y.sum().backward()
        assert [g.tolist() for g in seen] == [[False, False], [0, 0], [1, 1]]
        assert seen[0].dtype is torch.bool


class TestSavedTensors:
    def test_the_old_name(self):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        def backward(ctx, g):
            with pytest.warns(DeprecationWarning, match="saved_tensors"):
                (x,) = ctx.saved_variables
            return g * 2 * x

        x = leaf(3.0)
        function(forward, backward).apply(x).backward()
        assert x.grad.tolist() == [6]

    def test_may_be_read_once_if_the_function_says_so(self):
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            with pytest.raises(RuntimeError, match="only be accessed once"):
                _ = ctx.saved_tensors
            return g * 2 * x

        x = leaf(3.0)
        y = function(forward, backward, clear_saved_tensors_on_access=True).apply(x)
        y.backward()
        assert x.grad.tolist() == [6]


class TestViews:
    def test_a_write_to_the_base_of_a_view_that_forward_returned(self):
        x = leaf(1.0, 2.0)
        base = x.clone()
        view = function(lambda ctx, x: x[:1], lambda ctx, g: g.expand(2)).apply(base)
        base.mul_(2)
        with pytest.raises(RuntimeError, match="custom Function"):
            view.sum()


def test_the_name_in_the_graph():
    y = function(double, lambda ctx, g: g).apply(leaf(1.0))
    assert type(y.grad_fn).__name__ == "FBackward"
    assert isinstance(y.grad_fn, torch.autograd.graph.Node)
