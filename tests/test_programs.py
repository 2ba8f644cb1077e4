"""Small whole programs, as a user writes them, with the results that they must have."""

import pytest
from _backend import assert_close, check_gradient, f64, rand64, torch

F = torch.nn.functional
Variable = torch.autograd.Variable


class TestOneLayer:
    """A linear layer and a loss."""

    def setup_method(self):
        self.x = torch.ones(5)
        self.y = torch.zeros(3)
        self.w = torch.randn(5, 3, requires_grad=True)
        self.b = torch.randn(3, requires_grad=True)
        self.z = torch.matmul(self.x, self.w) + self.b
        self.loss = F.binary_cross_entropy_with_logits(self.z, self.y)

    def test_the_results_name_the_functions_that_made_them(self):
        assert repr(self.z.grad_fn).startswith("<AddBackward0 object at 0x")
        assert self.loss.grad_fn.name() == "BinaryCrossEntropyWithLogitsBackward0"

    def test_gradients(self):
        self.loss.backward()
        expected = torch.sigmoid(self.z.detach()) / 3
        assert_close(self.b.grad, expected, rtol=1e-6)
        for row in self.w.grad:
            assert_close(row, expected, rtol=1e-6)

    def test_the_constants_have_none(self):
        self.loss.backward()
        assert self.x.grad is None and self.y.grad is None
        assert not self.x.requires_grad and self.z.requires_grad

    def test_no_grad_and_detach(self):
        with torch.no_grad():
            z = torch.matmul(self.x, self.w) + self.b
        assert not z.requires_grad
        assert not self.z.detach().requires_grad
        assert self.z.requires_grad


def test_backward_of_a_matrix_twice():
    inp = torch.eye(5, requires_grad=True)
    out = (inp + 1).pow(2)
    once = 2 * torch.ones(5, 5) + 2 * torch.eye(5)  # 4 on the diagonal, 2 elsewhere

    out.backward(torch.ones_like(inp), retain_graph=True)
    assert torch.equal(inp.grad, once)
    out.backward(torch.ones_like(inp), retain_graph=True)
    assert torch.equal(inp.grad, 2 * once)
    inp.grad.zero_()
    out.backward(torch.ones_like(inp))
    assert torch.equal(inp.grad, once)

    with pytest.raises(RuntimeError, match="retain_graph=True"):
        out.backward(torch.ones_like(inp))
    assert torch.equal(inp.grad, once)


def test_a_scalar_by_hand(capsys):
    x = torch.tensor(3.0, requires_grad=True)
    y = x**2 + 2 * x + 1
    print(y.grad_fn)
    loss = y**2
    loss.backward()
    assert x.grad == 256  # 2 (x + 1)^2 * 2 (x + 1)
    assert capsys.readouterr().out.startswith("<AddBackward0 object at 0x")


class TestRecurrentCellByHand:
    def cell(self, W_x, W_h, x, h):
        return (W_x @ x.t() + W_h @ h.t()).tanh().sum()

    def inputs(self):
        return torch.randn(1, 10), torch.randn(1, 20), torch.randn(20, 20), torch.randn(20, 10)

    @pytest.mark.parametrize("wrap", [Variable, lambda t, requires_grad: t.requires_grad_()])
    def test_gradients(self, wrap):
        x, h, W_h, W_x = (wrap(t, requires_grad=True) for t in self.inputs())
        self.cell(W_x, W_h, x, h).backward()
        slope = 1 - torch.tanh(W_x @ x.t() + W_h @ h.t()) ** 2  # [20, 1]
        assert_close(W_x.grad, slope @ x, rtol=1e-4, atol=1e-6)
        assert_close(W_h.grad, slope @ h, rtol=1e-4, atol=1e-6)
        assert_close(x.grad, slope.t() @ W_x, rtol=1e-4, atol=1e-5)
        assert_close(h.grad, slope.t() @ W_h, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("wrap", [Variable, lambda t: t])
    def test_when_nothing_requires_grad_backward_is_an_error(self, wrap):
        x, h, W_h, W_x = (wrap(t) for t in self.inputs())
        with pytest.raises(RuntimeError, match="does not require grad and does not have a grad_fn"):
            self.cell(W_x, W_h, x, h).backward()

    def test_a_variable_is_a_tensor(self):
        t = torch.randn(2)
        v = Variable(t)
        assert isinstance(v, torch.Tensor) and isinstance(v, Variable)
        assert v.data_ptr() == t.data_ptr()
        assert Variable(t, requires_grad=True).requires_grad
        assert not t.requires_grad


@pytest.mark.parametrize("shape", [(), (4,), (2, 3)])
@pytest.mark.parametrize("a_shape", [(), "same"])
def test_a_small_diamond_against_its_closed_form(shape, a_shape):
    a = rand64(*(shape if a_shape == "same" else a_shape))
    x1, x2, x3, x4 = (rand64(*shape) for _ in range(4))
    L = (10 - (x3 * (x1 * a) + x4 * (x2 * a))).sum()
    L.backward()
    assert_close(L, (10 - a * (x1 * x3 + x2 * x4)).sum())
    assert_close(x1.grad, -x3 * a)
    assert_close(x2.grad, -x4 * a)
    assert_close(x3.grad, -x1 * a)
    assert_close(x4.grad, -x2 * a)
    da = -(x1 * x3 + x2 * x4)
    assert_close(a.grad, da if a_shape == "same" else da.sum())


class TestControlFlow:
    """The graph is whatever ran: loops, branches and shapes may differ each time."""

    def test_depth_and_shape_change_at_each_iteration(self):
        grow = rand64(3, 2)

        def program(x, depth):
            h = x
            for i in range(depth):
                h = torch.tanh(h @ grow.detach()[: h.shape[-1]])
                h = torch.cat([h, x[:, :1]], dim=1) if i % 2 == 0 else h[:, :1]
                if h.sum() > 1:
                    h = h * 0.5
            return h.sum(dim=0)

        for depth in range(5):
            check_gradient(lambda x, depth=depth: program(x, depth), rand64(2, 3), order=1)

    def test_a_loop_that_stops_by_value(self):
        x = f64(1.5)
        y, steps = x, 0
        while y < 100:
            y, steps = y * y, steps + 1
        y.backward()
        assert steps == 4
        assert_close(x.grad, 2**steps * 1.5 ** (2**steps - 1))

    def test_a_branch_per_element_and_recursion(self):
        def power(x, n):
            if n == 0:
                return torch.ones_like(x)
            half = power(x, n // 2)
            return half * half if n % 2 == 0 else half * half * x

        x = rand64(4)
        (g,) = torch.autograd.grad(power(x, 11).sum(), x)
        assert_close(g, 11 * x.detach() ** 10)

    def test_a_network_with_a_random_number_of_shared_layers(self):
        first, shared, last = (torch.nn.Linear(*s) for s in [(3, 5), (5, 5), (5, 1)])
        layers = torch.nn.ModuleList([first, shared, last])
        optimizer = torch.optim.SGD(layers.parameters(), lr=0.05, momentum=0.9)
        x = torch.randn(16, 3)
        y = x.sum(dim=1, keepdim=True).sin()
        losses = []
        for step in range(60):
            h = torch.tanh(first(x))
            for _ in range(step % 4):
                h = torch.tanh(shared(h))
            loss = F.mse_loss(last(h), y)
            optimizer.zero_grad()
            loss.backward()
            assert (shared.weight.grad is None) == (step % 4 == 0)  # not used: no gradient
            optimizer.step()
            losses.append(loss.item())
        assert sum(losses[-4:]) < 0.7 * sum(losses[:4])


def net():
    return torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))


def batch():
    x = torch.randn(32, 4)
    return x, (x[:, 0] > 0).long() + (x[:, 1] > 0.5).long()


def test_frozen_parameters_do_not_move():
    model = net()
    for p in model[0].parameters():
        p.requires_grad = False
    before = [p.detach().clone() for p in model.parameters()]
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.5)
    x, y = batch()
    F.cross_entropy(model(x), y).backward()
    optimizer.step()
    same = [torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True)]
    assert same == [True, True, False, False]
    assert [p.grad is None for p in model.parameters()] == [True, True, False, False]


OPTIMIZERS = {
    "SGD": {"lr": 0.5},
    "SGD with momentum": {"lr": 0.1, "momentum": 0.9},
    "SGD with Nesterov momentum": {"lr": 0.1, "momentum": 0.9, "nesterov": True},
    "SGD with weight decay": {"lr": 0.5, "weight_decay": 1e-3},
    "Adam": {"lr": 0.02},
    "AdamW": {"lr": 0.02, "weight_decay": 1e-2},
    "RMSprop": {"lr": 0.01},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_lowers_the_loss(name):
    model = net()
    make = getattr(torch.optim, name.split()[0])
    optimizer = make(model.parameters(), **OPTIMIZERS[name])
    x, y = batch()
    losses = []
    for _ in range(60):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    assert (model(x).argmax(dim=1) == y).float().mean() > 0.8


class TestClipping:
    def gradients(self):
        w = torch.nn.Parameter(torch.zeros(3))
        b = torch.nn.Parameter(torch.zeros(()))
        (w * torch.tensor([2.0, -6.0, 0.0]) + 3 * b).sum().backward()
        assert w.grad.tolist() == [2, -6, 0] and b.grad == 9
        return w, b

    def test_by_norm(self):
        w, b = self.gradients()
        norm = torch.nn.utils.clip_grad_norm_([w, b], max_norm=1.1)
        assert norm == 11  # sqrt(4 + 36 + 81)
        assert_close(w.grad, [0.2, -0.6, 0], rtol=1e-5)
        assert_close(b.grad, 0.9, rtol=1e-5)
        assert_close(torch.nn.utils.clip_grad_norm_([w, b], max_norm=5.0), 1.1, rtol=1e-5)
        assert_close(b.grad, 0.9, rtol=1e-5)  # short enough already

    def test_by_value(self):
        w, b = self.gradients()
        torch.nn.utils.clip_grad_value_([w, b], 2.5)
        assert w.grad.tolist() == [2, -2.5, 0] and b.grad == 2.5


def test_learning_to_learn_differentiates_through_the_inner_steps():
    """MAML: the gradient of the loss after gradient steps; for a quadratic it has a closed form."""
    w = f64(0.7)
    lr = 0.1

    def loss(w, task):
        return ((w - task) ** 2).mean()

    train, test = f64(1.0, 3.0, grad=False), f64(2.0, -1.0, grad=False)
    fast = w
    for _ in range(3):
        (g,) = torch.autograd.grad(loss(fast, train), fast, create_graph=True)
        fast = fast - lr * g
    loss(fast, test).backward()

    shrink = (1 - 2 * lr) ** 3  # each inner step is w -> w - 2 lr (w - mean)
    after = 2.0 + shrink * (0.7 - 2.0)
    assert_close(fast, after)
    assert_close(w.grad, 2 * (after - 0.5) * shrink)


def test_learning_to_learn_with_a_network():
    """The outer loss falls, and first-order MAML (no create_graph) has other gradients."""
    xs = torch.randn(2, 16, 4)
    ys = torch.randn(2, 16, 3)
    model = net()
    names, params = zip(*model.named_parameters(), strict=True)

    def loss(params, x, y):
        out = torch.func.functional_call(model, dict(zip(names, params, strict=True)), (x,))
        return F.mse_loss(out, y)

    def after_one_step(create_graph):
        grads = torch.autograd.grad(loss(params, xs[0], ys[0]), params, create_graph=create_graph)
        return loss([p - 0.5 * g for p, g in zip(params, grads, strict=True)], xs[1], ys[1])

    full = torch.autograd.grad(after_one_step(True), params)
    first_order = torch.autograd.grad(after_one_step(False), params)
    assert not torch.allclose(full[0], first_order[0])

    optimizer = torch.optim.Adam(params, lr=0.03)
    start = after_one_step(False).item()
    for _ in range(20):
        optimizer.zero_grad()
        after_one_step(True).backward()
        optimizer.step()
    assert after_one_step(False).item() < start


def test_hessian_vector_product_against_the_hessian():
    A, v = rand64(4, 4, grad=False), rand64(4, grad=False)

    def f(x):
        return torch.tanh(A @ x).pow(2).sum() + (x**3).sum()

    x = rand64(4)
    (g,) = torch.autograd.grad(f(x), x, create_graph=True)
    (hvp,) = torch.autograd.grad((g * v).sum(), x)
    hessian = torch.func.hessian(f)(x.detach())
    assert_close(hvp, hessian @ v)
    assert_close(hessian, hessian.t())
    assert_close(torch.autograd.functional.hvp(f, x.detach(), v)[1], hvp)
    _, forward_over_reverse = torch.func.jvp(torch.func.grad(f), (x.detach(),), (v,))
    assert_close(forward_over_reverse, hvp)


def test_a_gradient_penalty_trains():
    """Double backward inside an ordinary training step."""
    model = net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    x = torch.randn(16, 4, requires_grad=True)
    penalties = []
    for _ in range(30):
        optimizer.zero_grad()
        (g,) = torch.autograd.grad(model(x).sum(), x, create_graph=True)
        penalty = (g.norm(dim=1) - 1).pow(2).mean()
        penalty.backward()
        optimizer.step()
        penalties.append(penalty.item())
    assert penalties[-1] < 0.3 * penalties[0]
