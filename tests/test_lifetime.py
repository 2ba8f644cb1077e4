"""How long objects live: one Python object per tensor, freed once nothing refers to it: no leak."""

import gc
import sys
import weakref

import numpy as np
import pytest
from _backend import NAME, torch


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


@pytest.fixture(autouse=True)
def no_collection():
    """Cycles are collected only where a test says so."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


class TestIdentity:
    def test_of_gradients(self):
        x = leaf(1.0)
        (x * 2).backward()
        assert x.grad is x.grad
        x.grad.note = "kept"
        assert x.grad.note == "kept"
        kept = x.grad
        (x * 2).backward()
        assert x.grad is kept and kept.item() == 4
        g = torch.ones(1)
        x.grad = g
        assert x.grad is g

    def test_of_nodes(self):
        y = leaf(1.0) * 2
        assert y.grad_fn is y.grad_fn
        assert y.grad_fn.next_functions[0][0] is y.grad_fn.next_functions[0][0]
        y.grad_fn.metadata["note"] = "kept"
        gc.collect()
        assert y.grad_fn.metadata["note"] == "kept"

    def test_of_a_leaf_that_only_the_graph_holds(self):
        x = leaf(1.0)
        x.note = "kept"
        number = id(x)
        y = x * 2
        del x
        gc.collect()
        x = y.grad_fn.next_functions[0][0].variable
        assert id(x) == number and x.note == "kept"
        assert x is y.grad_fn.next_functions[0][0].variable

    def test_of_a_parameter_and_its_subclass(self):
        class Weight(torch.nn.Parameter):
            pass

        w = Weight(torch.ones(2))
        w.note = "kept"
        y = (w * 2).sum()
        del w
        gc.collect()
        mul = y.grad_fn.next_functions[0][0]
        w = mul.next_functions[0][0].variable
        assert type(w) is Weight and isinstance(w, torch.nn.Parameter) and w.note == "kept"
        y.backward()
        assert w.grad.tolist() == [2, 2]

    def test_of_a_tensor_through_the_core(self):
        x = torch.ones(2)
        assert x.add_(1) is x and x.requires_grad_() is x and x.contiguous() is x
        assert x.to(torch.float32) is x and x.float() is x and x.cpu() is x
        assert x.t() is not x and x[:] is not x and x.view(2) is not x and x.data is not x

    def test_attributes_are_each_tensors_own(self):
        x = torch.ones(2)
        x.note = [1]
        assert not hasattr(x.clone(), "note") and not hasattr(x[:], "note")
        assert vars(x) == {"note": [1]}
        del x.note
        assert not hasattr(x, "note")


class TestPromptRelease:
    """By reference counts alone; the cycle collector is off."""

    def gone(self, make):
        """Whether what `make` returns dies when it is dropped."""
        thing = make()
        ref = weakref.ref(thing)
        del thing
        return ref() is None

    def test_plain_tensors(self):
        assert self.gone(lambda: torch.ones(3))
        assert self.gone(lambda: torch.ones(3)[1:])

    def test_results(self):
        x = leaf(1.0)
        assert self.gone(lambda: (x * 2).exp())
        assert self.gone(lambda: torch.cat([x, x]).split(1)[0])

    def test_leaves_once_their_graph_is_gone(self):
        x = leaf(1.0)
        ref = weakref.ref(x)
        y = (x * 2).exp()
        del x
        assert ref() is not None
        del y
        assert ref() is None

    def test_after_backward(self):
        x = leaf(1.0)
        y = x.exp()
        ref = weakref.ref(y)
        z = y * y
        del y
        z.backward()
        assert ref() is None

    def test_a_result_that_its_own_node_saves(self):
        x = leaf(1.0)
        for op in ("exp", "tanh", "sqrt", "sigmoid"):
            assert self.gone(lambda op=op: getattr(x, op)())

    def test_a_gradient(self):
        x = leaf(1.0)
        x.exp().backward()
        ref = weakref.ref(x.grad)
        x.grad = None
        assert ref() is None

    def test_after_an_in_place_write(self):
        def make():
            y = leaf(1.0, 2.0) * 1
            y[0] = 3
            y.mul_(2)
            return y

        assert self.gone(make)

    def test_a_view_keeps_the_memory_and_not_the_object(self):
        base = torch.arange(4.0)
        view = base[2:]
        ref = weakref.ref(base)
        memory = base.untyped_storage().data_ptr()
        del base
        assert view.tolist() == [2, 3] and view.untyped_storage().data_ptr() == memory
        del view
        assert ref() is None

    def test_a_custom_function(self):
        class Double(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.save_for_backward(x)
                return x * 2

            @staticmethod
            def backward(ctx, g):
                return 2 * g

        assert self.gone(lambda: Double.apply(leaf(1.0)))

    def test_a_hook_is_freed_with_its_tensor(self):
        def hook(g):
            return g

        ref = weakref.ref(hook)
        x = leaf(1.0)
        x.register_hook(hook)
        (x * 2).register_hook(hook)
        del hook
        assert ref() is not None
        del x
        assert ref() is None

    def test_numpy_and_tensor_keep_each_other_alive(self):
        array = torch.arange(3).numpy()
        assert array.tolist() == [0, 1, 2]
        source = np.ones(3)
        ref = weakref.ref(source)
        x = torch.from_numpy(source)
        del source
        assert ref() is not None and x.tolist() == [1, 1, 1]
        del x
        assert ref() is None


class TestCycles:
    """What refers to itself is garbage for the collector."""

    def collected(self, make):
        ref = make()
        assert ref() is not None  # a cycle indeed: nobody holds it, and it lives
        gc.collect()
        return ref() is None

    def test_through_an_attribute(self):
        def make():
            x = torch.ones(1)
            x.itself = [x]
            return weakref.ref(x)

        assert self.collected(make)

    @pytest.mark.adjoint_only
    def test_backward_with_create_graph(self):
        def make():  # x -> x.grad -> its graph -> x
            x = leaf(2.0)
            (x**3).backward(create_graph=True)
            return weakref.ref(x)

        assert self.collected(make)

    @pytest.mark.adjoint_only
    def test_a_model_after_backward_with_create_graph(self):
        def make():
            net = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1))
            net(torch.ones(1, 2)).pow(2).sum().backward(create_graph=True)
            return weakref.ref(net[0].weight)

        assert self.collected(make)

    @pytest.mark.adjoint_only
    def test_a_function_that_keeps_its_output_on_ctx(self):
        class Exp(torch.autograd.Function):
            @staticmethod
            def forward(ctx, x):
                ctx.result = x.exp()
                return ctx.result

            @staticmethod
            def backward(ctx, g):
                return g * ctx.result

        def make():
            y = Exp.apply(leaf(1.0))
            return weakref.ref(y)

        assert self.collected(make)

    @pytest.mark.parametrize("on_leaf", [True, False])
    @pytest.mark.adjoint_only
    def test_a_hook_that_closes_over_its_tensor(self, on_leaf):
        def make():
            x = leaf(1.0)
            y = x * 2
            target = x if on_leaf else y
            target.register_hook(lambda g: g * target.detach())
            return weakref.ref(target)

        assert self.collected(make)

    @pytest.mark.adjoint_only
    @pytest.mark.parametrize(
        "register",
        [
            lambda y: y.grad_fn.register_hook(lambda i, o: print(y)),
            lambda y: y.grad_fn.register_prehook(lambda o: print(y)),
            lambda y: y.grad_fn.metadata.__setitem__("tensor", y),
            lambda y: y.detach().requires_grad_().register_post_accumulate_grad_hook(lambda p: y),
        ],
        ids=["hook", "prehook", "metadata", "other"],
    )
    def test_a_node_that_refers_to_its_tensor(self, register):
        def make():
            y = leaf(1.0) * 2
            register(y)
            y.itself = y
            return weakref.ref(y)

        assert self.collected(make)

    @pytest.mark.adjoint_only
    def test_a_cycle_through_saved_tensors_and_attributes(self):
        def make():
            x = leaf(1.0)
            w = torch.ones(1)
            y = x * w  # saves w
            w.result = y
            return weakref.ref(y)

        assert self.collected(make)

    def test_what_is_still_in_use_is_not_collected(self):
        x = leaf(2.0)
        y = x * 3
        x.note = y
        y.register_hook(lambda g: g * 10)
        gc.collect()
        y.backward()
        assert x.grad.tolist() == [30] and x.note is y

    def test_a_graph_whose_objects_python_forgot_is_not_collected(self):
        x = leaf(2.0)
        y = x
        for _ in range(10):
            y = (y * 1.5).clone()
        gc.collect()
        y.backward()
        assert x.grad.item() == 1.5**10


@pytest.mark.resident
class TestMemoryOfLoops:
    """The resident set after many more steps than it takes to fill caches."""

    STEPS = 2000 if NAME == "adjoint" else 500  # torch is slow enough for fewer
    GROWTH = STEPS * 1000  # bytes: noise is below it, and the loss of one array a step above

    def grows(self, step):
        if sys.platform != "linux":
            pytest.skip("reads /proc/self/statm")
        sizes = []
        for i in range(self.STEPS + 101):
            step()
            if i in (100, self.STEPS + 100):
                gc.collect()
                with open("/proc/self/statm") as f:
                    sizes.append(int(f.read().split()[1]) * 4096)
        return sizes[1] - sizes[0]

    def test_training(self):
        net = torch.nn.Sequential(torch.nn.Linear(64, 32), torch.nn.Tanh(), torch.nn.Linear(32, 4))
        optimizer = torch.optim.SGD(net.parameters(), lr=0.01)
        x = torch.randn(32, 64)

        def step():
            optimizer.zero_grad()
            net(x).pow(2).mean().backward()
            optimizer.step()

        assert self.grows(step) < self.GROWTH

    def test_graphs_that_are_dropped(self):
        x = torch.ones(1024, requires_grad=True)

        def step():
            y = x.exp()
            y.register_hook(lambda g: g)
            y[:10] = 0
            y.view(32, 32).t().mul_(2)

        assert self.grows(step) < self.GROWTH

    def test_errors(self):
        x = torch.ones(1024, requires_grad=True)

        def step():
            y = x.exp()
            z = y.sin().sum()
            y.zero_()
            with pytest.raises(RuntimeError):
                z.backward()
            with pytest.raises(RuntimeError):
                x + torch.ones(7)
            with pytest.raises(IndexError):
                x[2000]

        assert self.grows(step) < self.GROWTH

    def test_conversions(self):
        def step():
            x = torch.ones(1024)
            torch.from_numpy(x.numpy()).tolist()
            torch.tensor(x[:100].tolist())
            torch.from_dlpack(x)
            x[torch.arange(500)]

        assert self.grows(step) < self.GROWTH

    @pytest.mark.adjoint_only
    def test_cycles(self):
        def step():
            x = torch.ones(1024, requires_grad=True)
            (x**3).sum().backward(create_graph=True)

        gc.enable()
        assert self.grows(step) < 4 * self.GROWTH  # the collector comes when it comes
