"""Mixed precision: which operators autocast lowers, and the scaler of gradients."""

import pytest

import adjoint as torch

F = torch.nn.functional


def test_products_are_lowered_and_losses_are_not():
    x, w = torch.randn(3, 4), torch.randn(2, 4)
    with torch.autocast("cpu"):
        y = F.linear(x, w)
        assert y.dtype == torch.bfloat16
        assert (x @ w.t()).dtype == torch.bfloat16
        assert (y + 1).dtype == torch.bfloat16  # follows from its arguments
        assert y.softmax(1).dtype == torch.float32
        assert F.cross_entropy(y, torch.tensor([0, 1, 0])).dtype == torch.float32
        assert torch.cat([y, torch.zeros(1, 2)]).dtype == torch.float32
        assert (x.double() @ w.double().t()).dtype == torch.float64
    assert F.linear(x, w).dtype == torch.float32


def test_gradients_have_the_dtype_of_their_parameters():
    net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.ReLU(), torch.nn.Linear(8, 2))
    x = torch.randn(5, 4)
    F.cross_entropy(net(x), torch.zeros(5, dtype=torch.int64)).backward()
    full = [p.grad.clone() for p in net.parameters()]
    net.zero_grad()
    with torch.autocast("cpu"):
        loss = F.cross_entropy(net(x), torch.zeros(5, dtype=torch.int64))
    loss.backward()
    for p, g in zip(net.parameters(), full, strict=True):
        assert p.grad.dtype == torch.float32
        # bfloat16 keeps 8 bits: 0.4 % an operation
        assert torch.allclose(p.grad, g, rtol=0.05, atol=0.01)


def test_nesting_and_switches():
    x = torch.randn(2, 2)
    with torch.autocast("cpu", dtype=torch.float16):
        assert torch.is_autocast_enabled("cpu") and torch.get_autocast_dtype() == torch.float16
        with torch.autocast("cpu", enabled=False):
            assert not torch.is_autocast_enabled()
            assert (x @ x).dtype == torch.float32
        assert (x @ x).dtype == torch.float16
    assert not torch.is_autocast_enabled()

    @torch.autocast("cpu")
    def f(x):
        return x @ x

    assert f(x).dtype == torch.bfloat16


def test_devices_that_are_absent():
    x = torch.randn(2, 2)
    with pytest.warns(UserWarning, match="'cuda', which is not available"):
        mode = torch.autocast("cuda")
    with mode:
        assert (x @ x).dtype == torch.float32
    with torch.autocast("cuda", enabled=False):
        pass
    with pytest.warns(UserWarning, match="target dtype"):
        torch.autocast("cpu", dtype=torch.float64)


def test_functions_keep_the_mode_of_their_forward():
    seen = []

    class Product(torch.autograd.Function):
        @staticmethod
        @torch.amp.custom_fwd(device_type="cpu")
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x @ x

        @staticmethod
        @torch.amp.custom_bwd(device_type="cpu")
        def backward(ctx, g):
            seen.append(torch.is_autocast_enabled())
            (x,) = ctx.saved_tensors
            return (g @ x.t() + x.t() @ g).to(x.dtype)

    x = torch.randn(2, 2, requires_grad=True)
    with torch.autocast("cpu"):
        y = Product.apply(x).float().sum()
    y.backward()
    assert seen == [True]


def scaled_step(scaler, optimizer, w, value):
    optimizer.zero_grad()
    scaler.scale((w * value).sum()).backward()
    scaler.step(optimizer)
    scaler.update()


def test_scaler_skips_steps_that_overflow():
    w = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scaler = torch.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
    scaled_step(scaler, optimizer, w, 1.0)
    assert torch.allclose(w.detach(), torch.full((2,), 0.9)) and scaler.get_scale() == 8.0
    scaled_step(scaler, optimizer, w, 1.0)
    assert scaler.get_scale() == 16.0
    before = w.detach().clone()
    scaled_step(scaler, optimizer, w, float("inf"))
    assert torch.equal(w.detach(), before) and scaler.get_scale() == 8.0
    other = torch.amp.GradScaler("cpu")
    other.load_state_dict(scaler.state_dict())
    assert other.state_dict() == scaler.state_dict()


def test_scaler_wants_its_calls_in_order():
    w = torch.ones(2, requires_grad=True)
    optimizer = torch.optim.SGD([w], lr=0.1)
    scaler = torch.amp.GradScaler("cpu")
    with pytest.raises(AssertionError, match="No inf checks"):
        scaler.update()
    scaler.scale(w.sum()).backward()
    scaler.unscale_(optimizer)
    assert torch.equal(w.grad, torch.ones(2))
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.unscale_(optimizer)
    scaler.step(optimizer)
    with pytest.raises(RuntimeError, match="already been called"):
        scaler.step(optimizer)
    off = torch.amp.GradScaler("cpu", enabled=False)
    assert off.scale(w) is w and off.get_scale() == 1.0 and off.state_dict() == {}


def test_older_names():
    from adjoint.cpu.amp import autocast

    with autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with pytest.warns(UserWarning, match="not available"):
        scaler = torch.cuda.amp.GradScaler()
    assert not scaler.is_enabled()
    with pytest.warns(UserWarning, match="not available"), torch.cuda.amp.autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32
