"""The recorded graph as a user sees it: names, edges and metadata of nodes, and long chains."""

import gc
import sys
import threading
import weakref

import pytest
from _backend import NAME, torch

F = torch.nn.functional


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


def write_first_row(x):
    x[0] = 0
    return x


class TestGradFn:
    # Users read these names in errors and print-outs.
    NAMES = {
        "AddBackward0": lambda x: x + 1,
        "SubBackward0": lambda x: x - x,
        "RsubBackward1": lambda x: 1 - x,
        "MulBackward0": lambda x: 2 * x,
        "DivBackward0": lambda x: x / x,
        "PowBackward0": lambda x: x**2,
        "NegBackward0": lambda x: -x,
        "ExpBackward0": lambda x: x.exp(),
        "LogBackward0": lambda x: x.log(),
        "SqrtBackward0": lambda x: x.sqrt(),
        "TanhBackward0": lambda x: x.tanh(),
        "SigmoidBackward0": lambda x: x.sigmoid(),
        "ReluBackward0": lambda x: x.relu(),
        "SumBackward0": lambda x: x.sum(),
        "SumBackward1": lambda x: x.sum(0),
        "MeanBackward0": lambda x: x.mean(),
        "MaxBackward1": lambda x: x.max(),
        "MmBackward0": lambda x: x @ x,
        "DotBackward0": lambda x: x[0].dot(x[0]),
        "MvBackward0": lambda x: x.mv(x[0]),
        "AddmmBackward0": lambda x: F.linear(x, x, x[0]),
        "TBackward0": lambda x: x.t(),
        "TransposeBackward0": lambda x: x.transpose(0, 1),
        "PermuteBackward0": lambda x: x.permute(1, 0),
        "ViewBackward0": lambda x: x.view(4),
        "ExpandBackward0": lambda x: x.expand(3, 2, 2),
        "SelectBackward0": lambda x: x[0],
        "SliceBackward0": lambda x: x[:1],
        "IndexBackward0": lambda x: x[torch.tensor([0, 1])],
        "UnsqueezeBackward0": lambda x: x.unsqueeze(0),
        "CatBackward0": lambda x: torch.cat([x, x]),
        "StackBackward0": lambda x: torch.stack([x, x]),
        "CloneBackward0": lambda x: x.clone(),
        "CopySlices": lambda x: write_first_row(x.clone()),
        "LogSoftmaxBackward0": lambda x: F.log_softmax(x, 1),
        "SoftmaxBackward0": lambda x: F.softmax(x, 1),
        "MseLossBackward0": lambda x: F.mse_loss(x, x.detach()),
        "NllLossBackward0": lambda x: F.cross_entropy(x, torch.tensor([0, 1])),
        "BinaryCrossEntropyWithLogitsBackward0": lambda x: F.binary_cross_entropy_with_logits(
            x, torch.zeros(2, 2)
        ),
    }

    @pytest.mark.parametrize("name", NAMES)
    def test_names(self, name):
        node = self.NAMES[name](torch.ones(2, 2, requires_grad=True)).grad_fn
        assert node.name().endswith(name)  # torch puts its namespace before some of them
        assert type(node).__name__ == name
        assert repr(node).startswith(f"<{name} object at 0x") and str(node) == repr(node)

    def test_next_functions_lead_to_the_leaves(self):
        x, w, c = leaf(1.0), leaf(2.0), torch.ones(1)
        node = ((x * w) + c).grad_fn
        (mul, index), (none, zero) = node.next_functions
        assert mul.name() == "MulBackward0" and index == 0
        assert none is None and zero == 0
        (to_x, _), (to_w, _) = mul.next_functions
        assert type(to_x).__name__ == type(to_w).__name__ == "AccumulateGrad"
        assert to_x.variable is x and to_w.variable is w
        assert to_x.next_functions == ()

    def test_the_number_of_an_output(self):
        x = torch.ones(4, requires_grad=True)
        a, b = x.split(2)
        assert (a * 1).grad_fn.next_functions[0][1] == 0
        assert (b * 1).grad_fn.next_functions[0] == (a.grad_fn, 1)
        assert (a.output_nr, b.output_nr) == (0, 1)

    def test_a_leaf_has_one_accumulating_node(self):
        x = leaf(1.0)
        first, second = (x * 2).grad_fn, (x * 3).grad_fn
        assert first.next_functions[0][0] is second.next_functions[0][0]

    def test_metadata_is_a_dict_of_the_users(self):
        node = (leaf(1.0) * 2).grad_fn
        assert node.metadata == {}
        node.metadata["line"] = 7
        assert node.metadata == {"line": 7}

    def test_grad_fn_cannot_be_assigned(self):
        y = leaf(1.0) * 2
        with pytest.raises(AttributeError):
            y.grad_fn = None


LONG = 1_000_000 if NAME == "adjoint" else 50_000  # torch takes seconds for a million


class TestLongChains:
    """A graph as deep as memory allows: neither running nor freeing it may overflow a stack."""

    def chain(self, x, n=LONG):
        y = x
        for _ in range(n):
            y = y + 1.0
        return y

    def test_backward(self):
        x = leaf(1.0)
        y = self.chain(x)
        y.backward()
        assert y.item() == LONG + 1 and x.grad.tolist() == [1]

    def test_freed_without_backward(self):
        x = leaf(1.0)
        y = self.chain(x)
        gone = weakref.ref(x)
        del x
        assert gone() is not None  # the graph holds it
        del y
        assert gone() is None

    @pytest.mark.adjoint_only
    def test_freed_by_the_cycle_collector(self):
        x = leaf(1.0)
        y = self.chain(x, LONG // 10)
        x.itself = y  # x -> y -> its graph -> x
        gone = weakref.ref(x)
        del x, y
        gc.collect()
        assert gone() is None

    def test_in_place(self):
        x = leaf(1.0)
        y = x * 1
        for _ in range(LONG // 10):
            y.add_(1.0)
        y.backward()
        assert x.grad.tolist() == [1]

    @pytest.mark.skipif(sys.platform != "linux", reason="resource limits")
    def test_on_a_small_stack(self):
        """In a thread with 256 KB of stack, where recursion ends after a few thousand frames."""
        results = []

        def run():
            x = leaf(1.0)
            y = self.chain(x, 20_000)
            y.backward()
            del y
            results.append(x.grad.item())

        before = threading.stack_size(256 * 1024)
        try:
            thread = threading.Thread(target=run)
            thread.start()
            thread.join()
        finally:
            threading.stack_size(before)
        assert results == [1]


class TestGradientEdge:
    def test_stands_for_its_tensor(self):
        edge_of = torch.autograd.graph.get_gradient_edge
        x = leaf(3.0)
        y = x * 2
        z = y * y
        (by_edge,) = torch.autograd.grad(z, edge_of(y), retain_graph=True)
        assert by_edge.tolist() == [12]
        one = torch.ones(1)
        (from_edge,) = torch.autograd.grad(edge_of(z), x, grad_outputs=one, retain_graph=True)
        assert from_edge.tolist() == [24]
        torch.autograd.backward(z, inputs=[edge_of(x)])
        assert x.grad.tolist() == [24]


def test_a_node_can_be_called():
    x = leaf(1.0, 2.0)
    y = x.exp()
    assert torch.equal(y.grad_fn(torch.ones(2)), y.detach())
    with pytest.raises(TypeError):
        y.grad_fn(torch.ones(2), torch.ones(2))


def test_what_a_node_saved_can_be_looked_at():
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    square, product, scaled, power = x.pow(2), x * w, x * 2, x.exp()
    assert square.grad_fn._saved_self is x
    assert product.grad_fn._saved_self is x and product.grad_fn._saved_other is w
    assert scaled.grad_fn._saved_self is None
    result = power.grad_fn._saved_result
    assert torch.equal(result, power) and result.grad_fn is power.grad_fn
    with pytest.raises(AttributeError, match="_saved_nothing"):
        power.grad_fn._saved_nothing
    product.sum().backward()
    with pytest.raises(RuntimeError, match="second time"):
        product.grad_fn._saved_self
    with torch.autograd.graph.saved_tensors_hooks(lambda t: [t.clone()], lambda p: 2 * p[0]):
        sine = x.sin()
    assert sine.grad_fn._saved_self.tolist() == [2, 4]
    y = x * 1
    sine = y.sin()
    y.add_(1)
    with pytest.raises(RuntimeError, match="inplace operation"):
        sine.grad_fn._saved_self
