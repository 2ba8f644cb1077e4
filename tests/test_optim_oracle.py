"""Schedules and optimizers against torch's, step by step, where torch is installed."""

import copy

import pytest
from _backend import NAME, torch

oracle = pytest.importorskip("torch")
pytestmark = pytest.mark.skipif(NAME == "torch", reason="compares adjoint with torch")

SCHEDULES = {
    "step": lambda s, o, **k: s.StepLR(o, 3, 0.5, **k),
    "multi": lambda s, o, **k: s.MultiStepLR(o, [2, 5, 5], 0.5, **k),
    "constant": lambda s, o, **k: s.ConstantLR(o, 0.3, 4, **k),
    "linear": lambda s, o, **k: s.LinearLR(o, 0.25, 1.0, 6, **k),
    "exponential": lambda s, o, **k: s.ExponentialLR(o, 0.9, **k),
    "polynomial": lambda s, o, **k: s.PolynomialLR(o, 8, 2.0, **k),
    "cosine": lambda s, o, **k: s.CosineAnnealingLR(o, 5, 0.01, **k),
    "lambda": lambda s, o, **k: s.LambdaLR(o, [lambda e: 0.9**e, lambda e: 1 / (e + 1)], **k),
    "multiplicative": lambda s, o, **k: s.MultiplicativeLR(o, lambda e: 0.9, **k),
    "restarts": lambda s, o, **k: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01, **k),
    "cyclic": lambda s, o, **k: s.CyclicLR(o, 0.01, 0.1, 3, 4, mode="triangular2", **k),
    "exp_range": lambda s, o, **k: s.CyclicLR(
        o, 0.01, 0.1, 3, mode="exp_range", gamma=0.95, cycle_momentum=False, **k
    ),
    "one_cycle": lambda s, o, **k: s.OneCycleLR(o, 0.5, total_steps=14, **k),
    "three_phases": lambda s, o, **k: s.OneCycleLR(
        o, [0.5, 0.3], total_steps=14, three_phase=True, anneal_strategy="linear", **k
    ),
}
COMPOSED = {
    "sequential": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9), s.StepLR(o, 2, 0.5)], [3, 7]
    ),
    "warm-up": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.1, 1.0, 3), s.CosineAnnealingLR(o, 6)], [3]
    ),
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9)]),
}


def optimizer(library):
    params = [library.nn.Parameter(library.ones(1)) for _ in range(2)]
    groups = [{"params": params[0], "lr": 0.1}, {"params": params[1], "lr": 0.2}]
    return library.optim.SGD(groups, lr=1.0, momentum=0.9)


def rates(made, scheduler, steps):
    found = []
    for _ in range(steps):
        made.step()
        scheduler.step()
        found += [(group["lr"], group["momentum"]) for group in made.param_groups]
    return found


def close(ours, theirs):
    assert [x for pair in ours for x in pair] == pytest.approx(
        [x for pair in theirs for x in pair], rel=1e-12, abs=1e-15
    )


@pytest.mark.parametrize("make", [*SCHEDULES.values(), *COMPOSED.values()])
def test_rates_step_by_step(make):
    found = []
    for library in (torch, oracle):
        made = optimizer(library)
        scheduler = make(library.optim.lr_scheduler, made)
        found.append([(g["lr"], g["momentum"]) for g in made.param_groups])
        found[-1] += rates(made, scheduler, 13)
    close(*found)


@pytest.mark.parametrize("name", SCHEDULES)
def test_rates_of_a_schedule_resumed_by_its_epoch(name):
    found = []
    for library in (torch, oracle):
        made = optimizer(library)
        for group in made.param_groups:
            group.update(initial_lr=group["lr"], max_lr=0.5, min_lr=0.001)
            group.update(max_momentum=0.9, base_momentum=0.8)
        scheduler = SCHEDULES[name](library.optim.lr_scheduler, made, last_epoch=4)
        found.append(rates(made, scheduler, 4))
    close(*found)


@pytest.mark.parametrize("name", [*SCHEDULES, *COMPOSED])
def test_a_state_dict_resumes_where_it_was(name):
    make = {**SCHEDULES, **COMPOSED}[name]
    schedulers = torch.optim.lr_scheduler
    made, again = optimizer(torch), optimizer(torch)
    scheduler, resumed = make(schedulers, made), make(schedulers, again)
    rates(made, scheduler, 5)
    again.load_state_dict(copy.deepcopy(made.state_dict()))
    resumed.load_state_dict(copy.deepcopy(scheduler.state_dict()))
    assert rates(again, resumed, 6) == rates(made, scheduler, 6)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("threshold_mode", ["rel", "abs"])
def test_plateaus(mode, threshold_mode):
    found = []
    for library in (torch, oracle):
        made = optimizer(library)
        scheduler = library.optim.lr_scheduler.ReduceLROnPlateau(
            made,
            mode,
            0.5,
            1,
            threshold=0.1,
            threshold_mode=threshold_mode,
            cooldown=1,
            min_lr=[0.01, 0.05],
        )
        seen = []
        for value in (1, 0.95, 0.9, 0.9, 0.9, 1.2, 1.2, 1.2, 0.5, 0.5, 0.5, 0.5, 0.5, 2, 2, 2):
            scheduler.step(value)
            seen += [(group["lr"], scheduler.num_bad_epochs) for group in made.param_groups]
        found.append(seen)
    close(*found)


def test_lbfgs():
    found = []
    for library in (torch, oracle):
        for search in (None, "strong_wolfe"):
            p = library.tensor([3.0, -4.0], dtype=library.float64, requires_grad=True)
            made = library.optim.LBFGS([p], lr=0.25, max_iter=6, line_search_fn=search)

            def closure(p=p, made=made):
                made.zero_grad()
                loss = ((p - 1) ** 4).sum() + (p**2).sum()
                loss.backward()
                return loss

            for _ in range(4):
                made.step(closure)
            found.append([*p.tolist(), made.state[p]["func_evals"], made.state[p]["n_iter"]])
    assert found[0] == pytest.approx(found[2], rel=1e-9)
    assert found[1] == pytest.approx(found[3], rel=1e-9)


def test_muon():
    found = []
    for library in (torch, oracle):
        p = library.nn.Parameter(library.arange(6.0).view(2, 3).sin())
        made = library.optim.Muon([p], lr=0.1, weight_decay=0.1)
        for i in range(3):
            p.grad = (library.arange(6.0).view(2, 3) * (i + 1)).cos()
            made.step()
        found.append(p.detach().flatten().tolist())
    # the orthogonalisation is done in bfloat16, which keeps 8 bits
    assert found[0] == pytest.approx(found[1], abs=5e-3)


def test_averaged_models():
    found = []
    for library in (torch, oracle):
        utils = library.optim.swa_utils
        model = library.nn.Sequential(library.nn.BatchNorm1d(2))
        swa = utils.AveragedModel(model)
        ema = utils.AveragedModel(
            model, multi_avg_fn=utils.get_ema_multi_avg_fn(0.9), use_buffers=True
        )
        for i in range(3):
            with library.no_grad():
                model[0].weight.fill_(float(i))
                model[0].running_mean.fill_(2.0 * i)
            swa.update_parameters(model)
            ema.update_parameters(model)
        batches = [
            library.tensor([[1.0, 2.0], [3.0, 5.0]]),
            library.tensor([[0.0, 2.0], [3.0, 1.0]]),
        ]
        utils.update_bn(batches, swa)
        found.append(
            [
                *swa.module[0].weight.tolist(),
                *swa.module[0].running_mean.tolist(),
                *swa.module[0].running_var.tolist(),
                *ema.module[0].weight.tolist(),
                *ema.module[0].running_mean.tolist(),
                int(swa.n_averaged),
            ]
        )
    assert found[0] == pytest.approx(found[1], rel=1e-6)
