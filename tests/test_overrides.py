"""`__torch_function__`: subclasses of Tensor, other classes and modes that take calls over."""

import pytest
from _backend import torch


class Plain(torch.Tensor):
    """A subclass with what Tensor does by default."""


class Seen(torch.Tensor):
    calls = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.calls.append(getattr(func, "__name__", "?"))
        return super().__torch_function__(func, types, args, kwargs)


class Diagonal:
    """A matrix that knows only the value on its diagonal."""

    handled = {}

    def __init__(self, n, value):
        self.n, self.value = n, value

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func not in cls.handled or not all(issubclass(t, (torch.Tensor, cls)) for t in types):
            return NotImplemented
        return cls.handled[func](*args, **(kwargs or {}))


Diagonal.handled[torch.mean] = lambda x: x.value / x.n
Diagonal.handled[torch.add] = lambda x, y, alpha=1: Diagonal(x.n, x.value + alpha * y.value)
Diagonal.handled[torch.cat] = lambda xs, dim=0: len(xs)
Diagonal.handled[torch.Tensor.add] = lambda x, y: "method"
Diagonal.handled[torch.nn.functional.linear] = lambda x, w: "linear"


def plain(*values, **options):
    return torch.tensor(values, **options).as_subclass(Plain)


class TestSubclass:
    @pytest.mark.parametrize(
        "make",
        [
            lambda x: x + 1,
            lambda x: 1 - x,
            lambda x: torch.ones(2) * x,
            lambda x: x[0],
            lambda x: x.sum(),
            lambda x: torch.exp(x),
            lambda x: x.reshape(1, 2).T,
            lambda x: x.reshape(2, 1),
            lambda x: torch.stack([torch.ones(2), x]),
            lambda x: x.max(0).values,
            lambda x: x.split(1)[0],
            lambda x: x.to(torch.float64),
            lambda x: x.detach(),
            lambda x: x > 1,
            lambda x: -x,
            lambda x: torch.nn.functional.linear(x, torch.nn.Parameter(torch.ones(3, 2))),
        ],
    )
    def test_results_are_of_the_subclass(self, make):
        assert type(make(plain(1.0, 2.0))) is Plain

    def test_results_that_are_no_tensors(self):
        x = plain(1.0, 2.0)
        assert x.shape == (2,) and x.tolist() == [1.0, 2.0] and len(x) == 2
        assert float(x[0]) == 1.0 and bool(x[0]) and x.dtype is torch.float32

    def test_in_place(self):
        x = plain(1.0, 2.0)
        y = x
        y += 1
        y[0] = 5
        assert y is x and x.tolist() == [5.0, 3.0] and type(x.mul_(2)) is Plain

    def test_history_passes(self):
        a = torch.tensor([1.0, 2.0], requires_grad=True)
        y = (a.as_subclass(Plain) ** 2).sum()
        assert type(y) is Plain and y.requires_grad
        y.backward()
        assert a.grad.tolist() == [2.0, 4.0] and type(a.grad) is torch.Tensor

    def test_gradient_of_a_leaf(self):
        x = plain(1.0, 2.0).requires_grad_()
        (3 * x).sum().backward()
        assert x.grad.tolist() == [3.0, 3.0]

    def test_repr(self):
        assert repr(plain(1.0, 2.0)) == "Plain([1., 2.])"

    def test_the_deeper_subclass_wins(self):
        class Deeper(Plain):
            pass

        x = torch.ones(2)
        assert type(x.as_subclass(Plain) + x.as_subclass(Deeper)) is Deeper

    def test_strangers_do_not_mix(self):
        class Other(torch.Tensor):
            pass

        with pytest.raises(TypeError):
            plain(1.0) + torch.ones(1).as_subclass(Other)

    def test_parameters_are_plain(self):
        p = torch.nn.Parameter(torch.ones(2))
        assert type(p + 1) is torch.Tensor

    def test_what_is_seen(self):
        x = torch.ones(2).as_subclass(Seen)
        Seen.calls.clear()
        x + 1
        torch.add(x, 1)
        x.mul_(2)
        x[0]
        x.shape
        torch.nn.functional.softmax(x, -1)
        assert Seen.calls == ["add", "add", "mul_", "__getitem__", "__get__", "softmax"]

    def test_super_runs_plainly(self):
        class Doubling(torch.Tensor):
            @classmethod
            def __torch_function__(cls, func, types, args=(), kwargs=None):
                result = super().__torch_function__(func, types, args, kwargs)
                if func is torch.Tensor.add:
                    with torch._C.DisableTorchFunctionSubclass():
                        result = result * 2
                return result

        assert (torch.ones(1).as_subclass(Doubling) + 1).tolist() == [4.0]

    def test_disabled_by_the_class(self):
        class Quiet(torch.Tensor):
            __torch_function__ = torch._C._disabled_torch_function_impl

        assert type(torch.ones(1).as_subclass(Quiet) + 1) is torch.Tensor

    def test_as_subclass_wants_a_subclass(self):
        with pytest.raises((TypeError, RuntimeError)):
            torch.ones(1).as_subclass(int)


class TestOtherClasses:
    def test_functions(self):
        d = Diagonal(2, 6.0)
        assert torch.mean(d) == 3.0
        assert torch.add(d, Diagonal(2, 1.0), alpha=2).value == 8.0
        assert torch.cat([torch.ones(1), d]) == 2
        assert torch.nn.functional.linear(d, torch.ones(1)) == "linear"

    def test_operators(self):
        assert torch.ones(2) + Diagonal(2, 1.0) == "method"

    def test_all_decline(self):
        with pytest.raises(TypeError, match="returned NotImplemented"):
            torch.mul(Diagonal(2, 1.0), 2)
        with pytest.raises(TypeError, match="unsupported operand"):
            torch.ones(2) * Diagonal(2, 1.0)

    def test_without_it(self):
        with pytest.raises(TypeError, match="must be Tensor"):
            torch.mean(object())


class TestModes:
    def test_calls_are_seen(self):
        class Names(torch.overrides.TorchFunctionMode):
            def __init__(self):
                super().__init__()
                self.names = []

            def __torch_function__(self, func, types, args=(), kwargs=None):
                self.names.append(func.__name__)
                return func(*args, **(kwargs or {}))

        with Names() as mode:
            x = torch.ones(2)
            y = x * 2 + x.sum()
        torch.ones(1) + 1
        assert mode.names == ["ones", "mul", "sum", "add"] and y.tolist() == [4.0, 4.0]

    def test_the_inner_mode_first(self):
        order = []

        class Mode(torch.overrides.TorchFunctionMode):
            def __init__(self, name):
                super().__init__()
                self.name = name

            def __torch_function__(self, func, types, args=(), kwargs=None):
                order.append(self.name)
                return func(*args, **(kwargs or {}))

        with Mode("outer"), Mode("inner"):
            torch.ones(1)
        assert order == ["inner", "outer"]

    def test_an_error_leaves_no_mode_behind(self):
        class Fails(torch.overrides.TorchFunctionMode):
            def __torch_function__(self, func, types, args=(), kwargs=None):
                raise KeyError("no")

        with pytest.raises(KeyError), Fails():
            torch.ones(1)
        assert torch.ones(1).tolist() == [1.0]


class TestHelpers:
    def test_questions(self):
        overrides = torch.overrides
        assert not overrides.has_torch_function((torch.ones(1), 2))
        assert overrides.has_torch_function((plain(1.0),))
        assert overrides.is_tensor_like(Diagonal(1, 1.0)) and not overrides.is_tensor_like(1)
        assert overrides.is_tensor_method_or_property(torch.Tensor.add)

    def test_functions_of_ones_own(self):
        @torch.overrides.wrap_torch_function(lambda x: (x,))
        def size(x):
            return "plain"

        Diagonal.handled[size] = lambda x: x.n
        assert size(torch.ones(2)) == "plain" and size(Diagonal(4, 1.0)) == 4

    def test_handle_torch_function(self):
        d = Diagonal(2, 6.0)
        assert torch.overrides.handle_torch_function(torch.mean, (d,), d) == 3.0

    def test_names(self):
        assert torch.overrides.resolve_name(torch.add) == "torch.add"
        assert torch.overrides.resolve_name(torch.Tensor.add) == "torch.Tensor.add"
        shape = torch.Tensor.shape.__get__
        assert torch.overrides.resolve_name(shape) == "torch.Tensor.shape.__get__"
        assert torch.add in torch.overrides.get_overridable_functions()[torch]
