"""Optimizers: formulas, groups, closures, errors."""

import numpy as np
import pytest
from _backend import NAME, assert_close, assert_same, torch
from _optimizers import KERNELS, OPTIMIZERS, leaf, step

optim = torch.optim
nn = torch.nn


def test_sgd_by_hand():
    p = leaf(1.0)
    optimizer = optim.SGD([p], lr=0.1, momentum=0.5, dampening=0.2, weight_decay=0.1)
    step(optimizer, [1.0])
    b = 1.0 + 0.1 * 1.0
    x = 1.0 - 0.1 * b
    assert_close(p, [x])
    step(optimizer, [2.0])
    b = 0.5 * b + 0.8 * (2.0 + 0.1 * x)
    assert_close(p, [x - 0.1 * b])
    assert_close(optimizer.state[p]["momentum_buffer"], [b])


def test_nesterov_by_hand():
    p = leaf(1.0)
    optimizer = optim.SGD([p], lr=0.1, momentum=0.5, nesterov=True)
    step(optimizer, [1.0])
    step(optimizer, [1.0])
    assert_close(p, [1 - 0.1 * (1 + 0.5 * 1.0) - 0.1 * (1 + 0.5 * 1.5)])


@pytest.mark.parametrize("decoupled", [False, True])
def test_adam_by_hand(decoupled):
    p = leaf(1.0)
    make = optim.AdamW if decoupled else optim.Adam
    optimizer = make([p], lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.5)
    x, m, v = 1.0, 0.0, 0.0
    for t, grad in enumerate([3.0, -1.0, 0.5], start=1):
        step(optimizer, [grad])
        g = grad if decoupled else grad + 0.5 * x
        x = x * (1 - 0.1 * 0.5) if decoupled else x
        m, v = 0.8 * m + 0.2 * g, 0.9 * v + 0.1 * g * g
        x -= 0.1 * (m / (1 - 0.8**t)) / ((v / (1 - 0.9**t)) ** 0.5 + 1e-3)
        assert_close(p, [x])
    assert optimizer.state[p]["step"] == 3


def test_amsgrad_divides_by_the_largest_average():
    p, q = leaf(1.0), leaf(1.0)
    plain, largest = optim.Adam([p]), optim.Adam([q], amsgrad=True)
    for optimizer in (plain, largest):
        for grad in (10.0, 0.1, 0.1):
            step(optimizer, [grad])
    state = largest.state[q]
    assert_close(state["max_exp_avg_sq"], [0.001 * 100])
    assert state["exp_avg_sq"] < state["max_exp_avg_sq"]
    assert p < q


def test_rmsprop_by_hand():
    p = leaf(1.0)
    optimizer = optim.RMSprop([p], lr=0.1, alpha=0.8, eps=1e-3, momentum=0.5, centered=True)
    x, v, a, b = 1.0, 0.0, 0.0, 0.0
    for g in [3.0, -1.0, 0.5]:
        step(optimizer, [g])
        v, a = 0.8 * v + 0.2 * g * g, 0.8 * a + 0.2 * g
        b = 0.5 * b + g / ((v - a * a) ** 0.5 + 1e-3)
        x -= 0.1 * b
        assert_close(p, [x])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_step_equals_the_reference(name, monkeypatch):
    if NAME != "adjoint":
        pytest.skip("the kernels are adjoint's")
    import _optim_reference as reference

    def train():
        torch.manual_seed(0)
        params = [
            nn.Parameter(torch.randn(3, 5, dtype=torch.float64)),
            nn.Parameter(torch.randn(4, dtype=torch.float64)),
            nn.Parameter(torch.randn(())),  # float32 in the same group
            nn.Parameter(torch.randn(0, 3, dtype=torch.float64)),
            nn.Parameter(torch.randn(5, 3, dtype=torch.float64).t()),
        ]
        optimizer = OPTIMIZERS[name](params)
        for _ in range(4):
            for p in params:
                # of other strides than the parameter
                p.grad = torch.randn(tuple(p.shape)[::-1], dtype=p.dtype).permute(
                    tuple(range(p.dim()))[::-1]
                )
            optimizer.step()
        return params, optimizer

    params, optimizer = train()
    for kernel in KERNELS:
        monkeypatch.setattr(torch.optim._kernels, f"{kernel}_", getattr(reference, f"{kernel}_"))
    expected, expected_optimizer = train()
    for p, q in zip(params, expected):
        # formulas written in another order: a few roundings of each dtype apart
        rtol = 1e-11 if p.dtype == torch.float64 else 2e-5
        assert_close(p, q, rtol=rtol, atol=rtol)
        state, expected_state = optimizer.state[p], expected_optimizer.state[q]
        assert list(state) == list(expected_state)
        for key in state:
            assert_close(state[key], expected_state[key], rtol=rtol, atol=rtol)


@pytest.mark.parametrize(
    "name",
    [name for name in OPTIMIZERS if name.split()[0] in KERNELS and name not in ("sgd", "sgd up")],
)
@pytest.mark.adjoint_only
def test_a_kernel_checks_everything_before_it_writes(name):
    p, q = leaf(1.0), leaf(2.0)
    optimizer = OPTIMIZERS[name]([p, q])
    step(optimizer, [1.0], [1.0])
    before = [p.item(), q.item(), optimizer.state[p].get("step", torch.zeros(())).item()]
    key = list(optimizer.state[q])[-1]
    for bad in (torch.ones(3, dtype=torch.float64), torch.ones(1, dtype=torch.int64)):
        optimizer.state[q][key] = bad
        with pytest.raises(RuntimeError, match="1"):  # the number of the parameter, at least
            step(optimizer, [1.0], [1.0])
    after = [p.item(), q.item(), optimizer.state[p].get("step", torch.zeros(())).item()]
    assert after == before


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_training_reduces_the_loss(name):
    p = nn.Parameter(torch.tensor([2.0, -3.0]))
    optimizer = OPTIMIZERS[name]([p])
    sign = -1 if optimizer.defaults["maximize"] else 1
    first = (p**2).sum().item()
    for _ in range(20):
        optimizer.zero_grad()
        (sign * (p**2).sum()).backward()
        optimizer.step()
    assert (p**2).sum().item() < 0.8 * first
    assert p.is_leaf and p.requires_grad


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_only_parameters_with_gradients_move(name):
    p, q = leaf(1.0, 2.0), leaf(3.0)
    optimizer = OPTIMIZERS[name]([p, q])
    step(optimizer, [1.0, 1.0], None)
    assert q.tolist() == [3.0] and not optimizer.state[q].get("step")
    assert p.tolist() != [1.0, 2.0]
    alone, together = leaf(3.0), q
    single = OPTIMIZERS[name]([alone])
    step(single, [2.0])
    step(optimizer, [0.5, 0.5], [2.0])  # the second starts here, while the first goes on
    assert_same(together, alone)
    step(single, [1.0])
    step(optimizer, None, [1.0])
    assert_same(together, alone)


def test_no_gradients_at_all():
    for make in OPTIMIZERS.values():
        p = leaf(1.0)
        make([p]).step()
        assert p.tolist() == [1.0]


def test_groups_have_their_own_settings():
    p, q = leaf(1.0), leaf(1.0)
    optimizer = optim.SGD([{"params": [p], "lr": 0.5}, {"params": q}], lr=0.1)
    step(optimizer, [1.0], [1.0])
    assert p.tolist() == [0.5] and q.tolist() == [0.9]
    optimizer.param_groups[1]["lr"] = 1.0
    step(optimizer, [0.0], [0.9])
    assert q.tolist() == [0.0]


def test_a_group_stays_the_callers_dictionary():
    p, q = leaf(1.0), leaf(1.0)
    group = {"params": [q]}
    optimizer = optim.SGD([p], lr=0.1)
    optimizer.add_param_group(group)
    group["lr"] = 0.25
    step(optimizer, [1.0], [1.0])
    assert q.tolist() == [0.75]


def test_a_learning_rate_may_be_a_tensor():
    p = leaf(1.0)
    optimizer = optim.SGD([p], lr=torch.tensor(0.5))
    step(optimizer, [1.0])
    assert p.tolist() == [0.5]


def test_replaced_state_is_used():
    p = leaf(0.0)
    optimizer = optim.SGD([p], lr=1.0, momentum=1.0)
    step(optimizer, [1.0])
    optimizer.state[p]["momentum_buffer"] = torch.tensor([10.0], dtype=torch.float64)
    step(optimizer, [0.0])
    assert p.tolist() == [-11.0]
    optimizer.state.clear()
    step(optimizer, [1.0])
    assert p.tolist() == [-12.0]


def test_a_closure_is_called_with_recording():
    p = leaf(2.0)
    optimizer = optim.SGD([p], lr=0.1)

    def closure():
        optimizer.zero_grad()
        loss = (p**2).sum()
        loss.backward()
        return loss

    with torch.no_grad():
        loss = optimizer.step(closure)
    assert loss == 4 and p.tolist() == [1.6]
    assert optimizer.step() is None


def test_zero_grad():
    p = leaf(1.0)
    optimizer = optim.SGD([p], lr=0.1)
    (p * 2).sum().backward()
    optimizer.zero_grad(set_to_none=False)
    assert p.grad.tolist() == [0]
    optimizer.zero_grad()
    assert p.grad is None


def test_a_step_is_seen_by_backward():
    p = leaf(1.0)
    loss = (p**2).sum()
    p.grad = torch.ones(1, dtype=torch.float64)
    optim.SGD([p], lr=0.1).step()
    with pytest.raises(RuntimeError, match="(?i)in-?place|overwritten|modified"):
        loss.backward()


WRONG = [
    (optim.SGD, {"lr": -1.0}),
    (optim.SGD, {"momentum": -0.1}),
    (optim.SGD, {"weight_decay": -0.1}),
    (optim.SGD, {"nesterov": True}),
    (optim.SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
    (optim.SGD, {"lr": torch.tensor([0.1, 0.2])}),
    (optim.Adam, {"lr": -1.0}),
    (optim.Adam, {"eps": -1e-8}),
    (optim.Adam, {"betas": (1.0, 0.9)}),
    (optim.Adam, {"betas": (0.9, -0.1)}),
    (optim.Adam, {"weight_decay": -1}),
    (optim.AdamW, {"betas": (0.9, 1.0)}),
    (optim.RMSprop, {"alpha": -0.1}),
    (optim.RMSprop, {"momentum": -0.1}),
    (optim.RMSprop, {"eps": -0.1}),
    (optim.Adadelta, {"rho": 1.5}),
    (optim.Adagrad, {"lr_decay": -0.1}),
    (optim.Adamax, {"betas": (0.9, 1.0)}),
    (optim.NAdam, {"momentum_decay": -0.1}),
    (optim.RAdam, {"eps": -0.1}),
    (optim.Rprop, {"etas": (1.5, 1.2)}),
    (optim.ASGD, {"weight_decay": -0.1}),
    (optim.Adafactor, {"beta2_decay": 0.5}),
    (optim.Adafactor, {"d": 0.5}),
]


@pytest.mark.parametrize(("make", "kwargs"), WRONG)
def test_hyperparameters_out_of_range(make, kwargs):
    with pytest.raises(ValueError):
        make([leaf(1.0)], **kwargs)


@pytest.mark.adjoint_only
@pytest.mark.parametrize(("make", "kwargs"), WRONG)
def test_hyperparameters_of_a_group_out_of_range(make, kwargs):
    optimizer = make([leaf(1.0)])
    with pytest.raises(ValueError):
        optimizer.add_param_group({"params": [leaf(2.0)], **kwargs})
    assert len(optimizer.param_groups) == 1


@pytest.mark.adjoint_only
def test_a_rate_that_is_not_a_number_is_out_of_range():
    with pytest.raises(ValueError, match="nan"):
        optim.SGD([leaf(1.0)], lr=float("nan"))


def test_flags_for_the_choice_of_a_kernel_are_accepted():
    for flags in ({"foreach": True}, {"foreach": False}):
        for make in (optim.SGD, optim.Adam, optim.AdamW, optim.RMSprop):
            p = leaf(1.0)
            step(make([p], lr=0.1, **flags), [1.0])
            assert p < 1


def test_parameters_must_be_an_iterable_of_leaf_tensors():
    with pytest.raises(TypeError, match="Tensor"):
        optim.SGD(leaf(1.0))
    with pytest.raises(ValueError, match="empty"):
        optim.SGD([])
    with pytest.raises(TypeError):
        optim.SGD([1.0])
    with pytest.raises(ValueError, match="non-leaf"):
        optim.SGD([leaf(1.0) * 2])
    with pytest.raises(TypeError):
        optim.SGD([{"params": {leaf(1.0)}}])
    p = leaf(1.0)
    with pytest.raises(ValueError, match="more than one"):
        optim.SGD([{"params": [p]}, {"params": [p]}])
    with pytest.raises(TypeError):
        optim.SGD([p]).add_param_group([p])
    with pytest.warns(UserWarning):
        optim.SGD([p, p])


def test_generators_of_parameters():
    model = nn.Linear(2, 2)
    assert len(optim.SGD(model.parameters()).param_groups[0]["params"]) == 2


def test_named_parameters():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.named_parameters(), lr=0.1)
    group = optimizer.state_dict()["param_groups"][0]
    assert group["param_names"] == ["weight", "bias"] and group["params"] == [0, 1]
    with pytest.raises(ValueError, match="name"):
        optimizer.add_param_group({"params": [leaf(1.0)]})
    with pytest.raises((ValueError, TypeError), match="name"):
        optim.SGD([("a", leaf(1.0)), leaf(1.0)])


def test_the_same_as_torch():
    oracle = pytest.importorskip("torch")
    if NAME != "adjoint":
        pytest.skip("compares adjoint with torch")
    values = [[0.3, -0.7], [1.1], [[0.5, 1.5, -2.0], [0.1, -0.2, 0.9]]]
    random = np.random.default_rng(0)
    for name in OPTIMIZERS:
        mine = [leaf(*v) for v in values]
        optimizer = OPTIMIZERS[name](mine)
        theirs = [oracle.nn.Parameter(oracle.tensor(v, dtype=oracle.float64)) for v in values]
        kind = type(optimizer).__name__
        skip = ("decoupled_weight_decay",) if kind in ("Adam", "AdamW") else ()
        kwargs = {k: v for k, v in optimizer.defaults.items() if k not in skip}
        expected = getattr(oracle.optim, kind)(theirs, **kwargs)
        assert repr(expected) == repr(optimizer)
        for _ in range(10):
            grads = [random.normal(size=np.shape(v)) for v in values]
            step(optimizer, *(grad.tolist() for grad in grads))
            for p, grad in zip(theirs, grads):
                p.grad = oracle.tensor(grad)
            expected.step()
        state, expected_state = optimizer.state_dict(), expected.state_dict()
        assert state["param_groups"] == expected_state["param_groups"]
        assert list(state["state"]) == list(expected_state["state"])
        # the scalars eta and mu_product are float32, and torch rounds some of them more often
        rtol = 1e-6 if kind in ("NAdam", "ASGD") else 1e-10
        for p, q in zip(mine, theirs):
            assert_close(p, q.tolist(), rtol=rtol)
            assert list(optimizer.state[p]) == list(expected.state[q])
            for key, value in expected.state[q].items():
                assert_close(optimizer.state[p][key], value.tolist(), rtol=rtol)
        # torch's state loads and goes on as torch does
        again = OPTIMIZERS[name]([leaf(*p.tolist()) for p in theirs])
        again.load_state_dict(
            {
                "state": {
                    i: {k: torch.tensor(v.tolist(), dtype=torch.float64) for k, v in s.items()}
                    for i, s in expected_state["state"].items()
                },
                "param_groups": expected_state["param_groups"],
            }
        )
        for o in (again, expected):
            for p, v in zip(o.param_groups[0]["params"], values):
                p.grad = (torch if o is again else oracle).tensor(v).to(p.dtype)
            o.step()
        for p, q in zip(again.param_groups[0]["params"], theirs):
            # the values passed through Python exactly, the gradients through float32
            assert_close(p, q.tolist(), rtol=1e-6)
