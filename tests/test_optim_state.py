"""Optimizers: saving, resuming, copying, hooks, and classes of one's own."""

import copy
import importlib
import pickle

import pytest
from _backend import assert_same, torch
from _optimizers import OPTIMIZERS, leaf, step

optim = torch.optim
nn = torch.nn


def test_the_layout_of_the_state_dict():
    p, q = leaf(1.0), leaf(2.0)
    optimizer = optim.Adam([{"params": [p]}, {"params": [q], "lr": 0.5}], lr=0.1)
    step(optimizer, [1.0], [1.0])
    state = optimizer.state_dict()
    assert list(state) == ["state", "param_groups"]
    assert list(state["state"]) == [0, 1]
    assert list(state["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
    steps = state["state"][0]["step"]
    assert steps.dtype == torch.float32 and steps.shape == () and steps == 1
    assert [group["params"] for group in state["param_groups"]] == [[0], [1]]
    assert [group["lr"] for group in state["param_groups"]] == [0.1, 0.5]
    assert state["state"][0]["exp_avg"] is optimizer.state[p]["exp_avg"]


KEYS = {
    "sgd": [],
    "momentum": ["momentum_buffer"],
    "adam": ["step", "exp_avg", "exp_avg_sq"],
    "adamw amsgrad": ["step", "exp_avg", "exp_avg_sq", "max_exp_avg_sq"],
    "rmsprop": ["step", "square_avg"],
    "rmsprop all": ["step", "square_avg", "momentum_buffer", "grad_avg"],
}


@pytest.mark.parametrize("name", KEYS)
def test_the_names_in_the_state(name):
    optimizer = OPTIMIZERS[name]([leaf(1.0)])
    step(optimizer, [1.0])
    state = optimizer.state_dict()["state"]
    assert list(state.get(0, {})) == KEYS[name]


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_resumed_optimizer_goes_on_as_if_not_stopped(name):
    p = leaf(1.0, -2.0)
    optimizer = OPTIMIZERS[name]([p])
    step(optimizer, [1.0, 3.0])
    step(optimizer, [0.5, -1.0])
    q = nn.Parameter(p.detach().clone())
    resumed = OPTIMIZERS[name]([q])
    resumed.load_state_dict(copy.deepcopy(optimizer.state_dict()))
    for each in (optimizer, resumed):
        step(each, [2.0, 2.0])
    assert_same(q, p)


@pytest.mark.adjoint_only  # torch shares memory here
def test_loading_copies():
    p, q = leaf(1.0), leaf(1.0)
    optimizer, other = optim.Adam([p]), optim.Adam([q])
    step(optimizer, [1.0])
    other.load_state_dict(optimizer.state_dict())
    step(other, [1.0])
    assert optimizer.state[p]["step"] == 1 and other.state[q]["step"] == 2
    assert optimizer.state[p]["exp_avg"] != other.state[q]["exp_avg"]


def test_loading_casts_to_the_dtype_of_the_parameter_but_not_the_step():
    p, q = leaf(1.0), nn.Parameter(torch.ones(1))
    optimizer, other = optim.Adam([p]), optim.Adam([q])
    step(optimizer, [1.0])
    other.load_state_dict(optimizer.state_dict())
    assert other.state[q]["exp_avg"].dtype == torch.float32
    assert other.state[q]["step"].dtype == torch.float32


def test_loading_takes_over_the_hyperparameters():
    p = leaf(1.0)
    optimizer = optim.SGD([p], lr=0.1)
    optimizer.load_state_dict(optim.SGD([leaf(2.0)], lr=0.7, momentum=0.3).state_dict())
    assert optimizer.param_groups[0]["lr"] == 0.7
    assert optimizer.param_groups[0]["momentum"] == 0.3
    assert optimizer.param_groups[0]["params"][0] is p


def test_loading_from_other_groups_is_an_error():
    optimizer = optim.SGD([leaf(1.0), leaf(2.0)])
    with pytest.raises(ValueError, match="group"):
        optimizer.load_state_dict(optim.SGD([leaf(1.0)]).state_dict())
    two = optim.SGD([{"params": [leaf(1.0)]}, {"params": [leaf(1.0)]}])
    with pytest.raises(ValueError, match="group"):
        optimizer.load_state_dict(two.state_dict())


@pytest.mark.adjoint_only
def test_loading_state_of_another_shape_changes_nothing():
    optimizer, other = optim.Adam([leaf(1.0)]), optim.Adam([leaf(1.0, 2.0)], lr=0.7)
    step(other, [1.0, 1.0])
    with pytest.raises(ValueError, match=r"exp_avg.*\(2,\).*\(1,\)"):
        optimizer.load_state_dict(other.state_dict())
    assert optimizer.param_groups[0]["lr"] == 1e-3 and not optimizer.state


def test_old_files():
    p = leaf(1.0)
    optimizer = optim.AdamW([p])
    old = {
        "state": {0: {"step": 3, "exp_avg": torch.ones(1), "exp_avg_sq": torch.ones(1)}},
        "param_groups": [{"lr": 0.5, "betas": (0.9, 0.99), "eps": 1e-8, "weight_decay": 0.0,
                          "amsgrad": False, "params": [0]}],
    }  # fmt: skip
    optimizer.load_state_dict(old)
    step(optimizer, [1.0])
    assert optimizer.state[p]["step"] == 4
    assert optimizer.param_groups[0]["decoupled_weight_decay"] is True
    sgd = optim.SGD([p], momentum=0.9)
    sgd.load_state_dict({
        "state": {0: {"momentum_buffer": None}},
        "param_groups": [{**sgd.state_dict()["param_groups"][0], "lr": 1.0}],
    })  # fmt: skip
    before = p.item()
    step(sgd, [2.0])
    assert p.item() == before - 2.0


def test_copies():
    model = nn.Linear(2, 1)
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    twin_model, twin = copy.deepcopy((model, optimizer))
    assert twin.param_groups[0]["params"][0] is twin_model.weight
    assert twin.state[twin_model.weight]["step"] == 1
    twin_model(torch.ones(1, 2)).sum().backward()
    twin.step()
    assert optimizer.state[model.weight]["step"] == 1
    assert pickle.loads(pickle.dumps(optimizer)).param_groups[0]["lr"] == 0.1


def test_repr():
    assert repr(optim.SGD([leaf(1.0)], lr=0.1)) == (
        "SGD (\n"
        "Parameter Group 0\n"
        "    dampening: 0\n"
        "    differentiable: False\n"
        "    foreach: None\n"
        "    fused: None\n"
        "    lr: 0.1\n"
        "    maximize: False\n"
        "    momentum: 0\n"
        "    nesterov: False\n"
        "    weight_decay: 0\n"
        ")"
    )


def test_step_hooks():
    p, seen = leaf(1.0), []
    optimizer = optim.SGD([p], lr=0.1)
    handle = optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append(p.item()))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append(p.item()))
    step(optimizer, [1.0])
    assert seen == [1.0, 0.9]
    handle.remove()
    step(optimizer, [0.0])
    assert seen == [1.0, 0.9, 0.9]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError):
        optimizer.step()


def test_hooks_of_all_optimizers():
    module, seen = importlib.import_module(optim.__name__ + ".optimizer"), []
    handles = [
        module.register_optimizer_step_pre_hook(lambda *_: seen.append("before")),
        module.register_optimizer_step_post_hook(lambda *_: seen.append("after")),
    ]
    step(optim.SGD([leaf(1.0)]), [1.0])
    step(optim.Adam([leaf(1.0)]), [1.0])
    for handle in handles:
        handle.remove()
    assert seen == ["before", "after"] * 2


def test_state_dict_hooks():
    p, seen = leaf(1.0), []
    optimizer = optim.SGD([p])
    optimizer.register_state_dict_pre_hook(lambda o: seen.append("save"))
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "note": 1})
    optimizer.register_load_state_dict_pre_hook(
        lambda o, state: {k: v for k, v in state.items() if k != "note"}
    )
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("loaded"))
    state = optimizer.state_dict()
    assert state["note"] == 1
    optimizer.load_state_dict(state)
    assert seen == ["save", "loaded"]


def test_an_optimizer_of_ones_own():
    class SignDescent(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self, closure=None):
            for group in self.param_groups:
                for p in group["params"]:
                    with torch.no_grad():
                        p -= group["lr"] * p.grad.sign()

    class Loud(SignDescent):
        def step(self, closure=None):
            return super().step(closure)

    p, seen = leaf(1.0, -1.0), []
    optimizer = Loud([p], lr=0.5)
    optimizer.register_step_post_hook(lambda *_: seen.append(1))
    step(optimizer, [7.0, -0.1])
    assert p.tolist() == [0.5, -0.5] and seen == [1]
