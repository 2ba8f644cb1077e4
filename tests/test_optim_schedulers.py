"""Learning rate schedules: by hand, chained, resumed, and against torch."""

import importlib
import math

import pytest
from _backend import NAME, torch

optim = torch.optim
lr = torch.optim.lr_scheduler


def sgd(rate=1.0, library=torch, **kwargs):
    params = [library.nn.Parameter(library.ones(1)) for _ in range(2)]
    groups = [{"params": params[:1]}, {"params": params[1:], "lr": rate / 10}]
    return library.optim.SGD(groups, lr=rate, **kwargs)


def rates(optimizer, scheduler, n, metrics=None):
    """The rates of all groups in force at each of n epochs."""
    found = []
    for i in range(n):
        found.append([float(group["lr"]) for group in optimizer.param_groups])
        assert [float(x) for x in scheduler.get_last_lr()] == found[-1]
        optimizer.step()
        scheduler.step() if metrics is None else scheduler.step(metrics[i])
    return found


def first(optimizer, scheduler, n):
    return [pytest.approx(group[0], rel=1e-12) for group in rates(optimizer, scheduler, n)]


def test_step():
    optimizer = sgd()
    assert first(optimizer, lr.StepLR(optimizer, 2, 0.5), 5) == [1, 1, 0.5, 0.5, 0.25]


def test_milestones():
    optimizer = sgd()
    scheduler = lr.MultiStepLR(optimizer, [1, 3, 3], 0.5)
    assert first(optimizer, scheduler, 5) == [1, 0.5, 0.5, 0.125, 0.125]


def test_exponential():
    optimizer = sgd()
    assert first(optimizer, lr.ExponentialLR(optimizer, 0.5), 3) == [1, 0.5, 0.25]


def test_lambda():
    optimizer = sgd()
    scheduler = lr.LambdaLR(optimizer, [lambda epoch: 1 / (1 + epoch), lambda epoch: epoch])
    assert rates(optimizer, scheduler, 3) == [[1, 0], [0.5, 0.1], [pytest.approx(1 / 3), 0.2]]


def test_multiplicative():
    optimizer = sgd()
    scheduler = lr.MultiplicativeLR(optimizer, lambda epoch: 0.5)
    assert first(optimizer, scheduler, 3) == [1, 0.5, 0.25]


def test_constant_and_linear():
    optimizer = sgd()
    assert first(optimizer, lr.ConstantLR(optimizer, 0.5, 2), 4) == [0.5, 0.5, 1, 1]
    optimizer = sgd()
    scheduler = lr.LinearLR(optimizer, 0.2, 1.0, 4)
    assert first(optimizer, scheduler, 6) == [0.2, 0.4, 0.6, 0.8, 1, 1]


def test_polynomial():
    optimizer = sgd()
    scheduler = lr.PolynomialLR(optimizer, 4, 2.0)
    assert first(optimizer, scheduler, 6) == [1, 0.5625, 0.25, 0.0625, 0, 0]


def test_cosine():
    optimizer = sgd()
    scheduler = lr.CosineAnnealingLR(optimizer, 4, eta_min=0.2)
    expected = [0.2 + 0.8 * (1 + math.cos(math.pi * t / 4)) / 2 for t in range(10)]
    assert first(optimizer, scheduler, 10) == expected  # down, and up again after 4


def test_warm_restarts():
    optimizer = sgd()
    scheduler = lr.CosineAnnealingWarmRestarts(optimizer, 2, T_mult=2)
    cycles = [0, 1 / 2, 0, 1 / 4, 2 / 4, 3 / 4, 0, 1 / 8]
    assert first(optimizer, scheduler, 8) == [(1 + math.cos(math.pi * x)) / 2 for x in cycles]
    scheduler.step(2.5)
    assert scheduler.get_last_lr()[0] == pytest.approx((1 + math.cos(math.pi * 0.125)) / 2)


def test_one_cycle():
    optimizer = sgd(momentum=0.9)
    scheduler = lr.OneCycleLR(
        optimizer, [1.0, 2.0], 11, pct_start=6 / 11, anneal_strategy="linear", div_factor=10,
        final_div_factor=1,
    )  # fmt: skip
    found = []
    for i in range(11):
        found.append([optimizer.param_groups[0]["lr"], optimizer.param_groups[0]["momentum"]])
        assert optimizer.param_groups[1]["lr"] == pytest.approx(2 * found[-1][0])
        optimizer.step()
        if i < 10:
            scheduler.step()
    up = [0.1 + 0.18 * i for i in range(6)]
    assert [x for x, _ in found] == [pytest.approx(x) for x in up + up[-2::-1]]
    momentum = [0.95 - 0.02 * i for i in range(6)]
    assert [m for _, m in found] == [pytest.approx(x) for x in momentum + momentum[-2::-1]]
    scheduler.step()
    with pytest.raises(ValueError, match="11"):
        scheduler.step()


def test_one_cycle_moves_the_first_beta():
    optimizer = optim.Adam([torch.nn.Parameter(torch.ones(1))])
    lr.OneCycleLR(optimizer, 1.0, epochs=2, steps_per_epoch=5)
    assert optimizer.param_groups[0]["betas"] == (0.95, 0.999)


def test_plateau():
    optimizer = sgd()
    scheduler = lr.ReduceLROnPlateau(optimizer, patience=1, factor=0.5, cooldown=1, min_lr=0.2)
    losses = [3, 2, 2, 2, 2, 2, 2, 2, 2, 2]
    found = [group[0] for group in rates(optimizer, scheduler, 10, losses)]
    # two bad epochs reduce; the epoch after that is not counted; then two bad ones again
    assert found == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25]
    scheduler = lr.ReduceLROnPlateau(sgd(), mode="max", patience=0)
    for accuracy in (torch.tensor(0.5), 0.6, 0.7):
        scheduler.step(accuracy)
    assert scheduler.get_last_lr()[0] == 1
    scheduler.step(0.7)
    assert scheduler.get_last_lr()[0] == pytest.approx(0.1)


def test_one_after_the_other():
    optimizer = sgd()
    schedulers = [lr.ConstantLR(optimizer, 0.1, 9), lr.ExponentialLR(optimizer, 0.5)]
    scheduler = lr.SequentialLR(optimizer, schedulers, [2])
    assert first(optimizer, scheduler, 5) == [0.1, 0.1, 1, 0.5, 0.25]


def test_factors_multiply_from_where_they_take_over():
    optimizer = sgd()
    schedulers = [lr.ConstantLR(optimizer, 0.1, 9), lr.MultiplicativeLR(optimizer, lambda _: 0.5)]
    scheduler = lr.SequentialLR(optimizer, schedulers, [2])
    assert first(optimizer, scheduler, 4) == [0.1, 0.1, 0.05, 0.025]


def test_several_at_once():
    optimizer = sgd()
    scheduler = lr.ChainedScheduler(
        [lr.ConstantLR(optimizer, 0.5, 2), lr.ExponentialLR(optimizer, 0.1)]
    )
    assert first(optimizer, scheduler, 4) == [0.5, 0.05, 0.01, 0.001]


def test_chaining_without_a_scheduler_for_it():
    optimizer = sgd()
    decay, step = lr.ExponentialLR(optimizer, 0.5), lr.StepLR(optimizer, 2, 0.1)
    for _ in range(2):
        optimizer.step()
        decay.step()
        step.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.025)


def test_schedules_in_turn_leave_the_initial_rate_alone():
    optimizer = optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=torch.tensor(0.5))
    parts = [lr.ConstantLR(optimizer, 0.1, 3), lr.ExponentialLR(optimizer, 0.5)]
    scheduler = lr.SequentialLR(optimizer, parts, [2])
    found = [group[0] for group in rates(optimizer, scheduler, 4)]
    assert found == pytest.approx([0.05, 0.05, 0.5, 0.25])
    assert float(optimizer.param_groups[0]["initial_lr"]) == 0.5


def test_a_rate_that_is_a_tensor_is_written_in_place():
    rate = torch.tensor(1.0)
    optimizer = optim.SGD([torch.nn.Parameter(torch.ones(1))], lr=rate)
    scheduler = lr.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    scheduler.step()
    assert optimizer.param_groups[0]["lr"] is rate and rate == 0.5


def test_stepping_the_scheduler_first_warns():
    optimizer = sgd()
    scheduler = lr.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match="optimizer.step"):
        scheduler.step()


def test_the_epoch_argument_jumps_and_warns():
    optimizer = sgd()
    scheduler = lr.ExponentialLR(optimizer, 0.5)
    optimizer.step()
    with pytest.warns(UserWarning, match="deprecated"):
        scheduler.step(3)
    assert optimizer.param_groups[0]["lr"] == 0.125


SCHEDULES = {
    "LambdaLR": ((lambda epoch: 0.9**epoch,), {}),
    "MultiplicativeLR": ((lambda epoch: 0.9,), {}),
    "StepLR": ((3,), {}),
    "MultiStepLR": (([2, 5, 5],), {"gamma": 0.3}),
    "ConstantLR": ((), {}),
    "LinearLR": ((), {"end_factor": 0.8}),
    "ExponentialLR": ((0.7,), {}),
    "PolynomialLR": ((), {"power": 1.5}),
    "CosineAnnealingLR": ((5,), {"eta_min": 0.01}),
    "CosineAnnealingWarmRestarts": ((3,), {"T_mult": 2}),
    "OneCycleLR": ((2.0, 20), {}),
}


def make(name, optimizer, library=torch):
    args, kwargs = SCHEDULES[name]
    return getattr(library.optim.lr_scheduler, name)(optimizer, *args, **kwargs)


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_resumed_schedule_goes_on(name):
    optimizer = sgd(momentum=0.9)
    scheduler = make(name, optimizer)
    rates(optimizer, scheduler, 4)
    state, optimizer_state = scheduler.state_dict(), optimizer.state_dict()
    assert "optimizer" not in state
    resumed_optimizer = sgd(momentum=0.9)
    resumed = make(name, resumed_optimizer)
    resumed_optimizer.load_state_dict(optimizer_state)
    resumed.load_state_dict(state)
    assert rates(resumed_optimizer, resumed, 8) == rates(optimizer, scheduler, 8)


def test_composed_schedules_are_resumed_with_their_parts():
    def compose(optimizer):
        parts = [lr.LinearLR(optimizer), lr.CosineAnnealingLR(optimizer, 5)]
        return lr.SequentialLR(optimizer, parts, [3])

    optimizer = sgd()
    scheduler = compose(optimizer)
    rates(optimizer, scheduler, 5)
    resumed_optimizer = sgd()
    resumed = compose(resumed_optimizer)
    resumed_optimizer.load_state_dict(optimizer.state_dict())
    resumed.load_state_dict(scheduler.state_dict())
    assert rates(resumed_optimizer, resumed, 5) == rates(optimizer, scheduler, 5)


@pytest.mark.parametrize("name", ["StepLR", "CosineAnnealingLR", "ExponentialLR"])
def test_resuming_by_last_epoch(name):
    optimizer = sgd()
    with pytest.raises(KeyError, match="initial_lr"):
        getattr(lr, name)(optimizer, *SCHEDULES[name][0], last_epoch=3)
    scheduler = make(name, optimizer)
    rates(optimizer, scheduler, 4)
    args, kwargs = SCHEDULES[name]
    again = getattr(lr, name)(optimizer, *args, **kwargs, last_epoch=scheduler.last_epoch - 1)
    assert again.last_epoch == scheduler.last_epoch


@pytest.mark.parametrize(
    "wrong",
    [
        lambda o: lr.LambdaLR(o, [lambda e: 1.0]),
        lambda o: lr.ConstantLR(o, factor=1.5),
        lambda o: lr.ConstantLR(o, factor=-0.5),
        lambda o: lr.LinearLR(o, start_factor=0.0),
        lambda o: lr.LinearLR(o, end_factor=1.5),
        lambda o: lr.CosineAnnealingWarmRestarts(o, 0),
        lambda o: lr.CosineAnnealingWarmRestarts(o, 2, T_mult=0),
        lambda o: lr.CosineAnnealingWarmRestarts(o, 2).step(-1),
        lambda o: lr.ReduceLROnPlateau(o, factor=1.0),
        lambda o: lr.ReduceLROnPlateau(o, mode="best"),
        lambda o: lr.ReduceLROnPlateau(o, threshold_mode="some"),
        lambda o: lr.ReduceLROnPlateau(o, min_lr=[0.1]),
        lambda o: lr.OneCycleLR(o, 1.0),
        lambda o: lr.OneCycleLR(o, 1.0, 0),
        lambda o: lr.OneCycleLR(o, 1.0, 10, pct_start=2.0),
        lambda o: lr.OneCycleLR(o, 1.0, 10, anneal_strategy="jump"),
        lambda o: lr.OneCycleLR(o, [1.0], 10),
        lambda o: lr.SequentialLR(o, [], []),
        lambda o: lr.SequentialLR(o, [lr.ConstantLR(o)], [3]),
        lambda o: lr.SequentialLR(o, [lr.ConstantLR(sgd())], []),
        lambda o: lr.ChainedScheduler([lr.ConstantLR(o), lr.ConstantLR(sgd())]),
        lambda o: lr.ChainedScheduler([]),
    ],
)
def test_wrong_arguments(wrong):
    with pytest.raises(ValueError):
        wrong(sgd(momentum=0.9))


def test_one_cycle_needs_momentum_to_move():
    class Plain(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {"lr": 1.0})

    with pytest.raises(ValueError, match="momentum"):
        lr.OneCycleLR(Plain([torch.nn.Parameter(torch.ones(1))]), 1.0, 10)


def test_a_scheduler_needs_an_optimizer():
    for name in ("StepLR", "OneCycleLR", "ReduceLROnPlateau"):
        with pytest.raises(TypeError, match="Optimizer"):
            getattr(lr, name)("sgd", 1.0)


def theirs():
    if NAME != "adjoint":
        pytest.skip("compares adjoint with torch")
    pytest.importorskip("torch")
    return importlib.import_module("torch")


@pytest.mark.parametrize("name", SCHEDULES)
def test_the_same_as_torch(name):
    oracle = theirs()
    found = []
    for library in (torch, oracle):
        optimizer = sgd(0.3, library, momentum=0.9)
        scheduler = make(name, optimizer, library)
        found.append(rates(optimizer, scheduler, 17))
        found.append([group.get("momentum") for group in optimizer.param_groups])
        found.append(set(scheduler.state_dict()))
    assert found[0] == [pytest.approx(group, rel=1e-12) for group in found[3]]
    assert found[1] == pytest.approx(found[4], rel=1e-12)
    assert found[2] <= found[5]


@pytest.mark.parametrize("second", ["CosineAnnealingLR", "StepLR", "CosineAnnealingWarmRestarts"])
def test_sequences_the_same_as_torch(second):
    oracle = theirs()
    found = []
    for library in (torch, oracle):
        optimizer = sgd(0.3, library)
        parts = [make(name, optimizer, library) for name in ("LinearLR", second, "ExponentialLR")]
        scheduler = library.optim.lr_scheduler.SequentialLR(optimizer, parts, [4, 9])
        found.append(rates(optimizer, scheduler, 14))
    assert found[0] == [pytest.approx(group, rel=1e-12) for group in found[1]]


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_plateaus_the_same_as_torch(mode, threshold_mode):
    oracle = theirs()
    torch.manual_seed(0)
    metrics = torch.rand(40).tolist()
    found = []
    for library in (torch, oracle):
        optimizer = sgd(0.3, library)
        scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, mode, patience=2, cooldown=1, threshold=0.1, threshold_mode=threshold_mode
        )
        found.append(rates(optimizer, scheduler, 40, metrics))
    assert found[0] == [pytest.approx(group, rel=1e-12) for group in found[1]]


@pytest.mark.parametrize("name", [*SCHEDULES, "ReduceLROnPlateau"])
def test_the_state_has_the_entries_of_torchs(name):
    oracle = theirs()
    states = []
    for library in (torch, oracle):
        optimizer = sgd(0.3, library, momentum=0.9)
        if name == "ReduceLROnPlateau":
            scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=1)
            scheduler.step(1.0)
        else:
            scheduler = make(name, optimizer, library)
            optimizer.step()
            scheduler.step()
        states.append(scheduler.state_dict())
    ours, others = states
    assert set(ours) == set(others)
    plain = [key for key, value in others.items() if isinstance(value, (int, float, str, list))]
    for key in plain:
        if key not in ("lr_lambdas", "_schedule_phases"):
            assert ours[key] == pytest.approx(others[key]), key


def test_get_lr_can_tell_that_step_calls_it():
    class Told(torch.optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            assert self._get_lr_called_within_step
            seen.append(self._is_initial)
            return list(self.base_lrs)

    seen = []
    optimizer = sgd()
    scheduler = Told(optimizer)
    optimizer.step()
    scheduler.step()
    assert seen == [True, False] and not scheduler._get_lr_called_within_step


def test_the_least_rate_of_a_plateau_holds_for_groups_added_later():
    optimizer = sgd(1.0)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, min_lr=0.5)
    optimizer.add_param_group({"params": [torch.nn.Parameter(torch.ones(1))], "lr": 1.0})
    scheduler.step(1.0)
    scheduler.step(1.0)
    assert scheduler.min_lrs == [0.5] * 3 and optimizer.param_groups[2]["lr"] == 0.5
    scheduler._reset()
    assert scheduler.best == float("inf") and scheduler.num_bad_epochs == 0
