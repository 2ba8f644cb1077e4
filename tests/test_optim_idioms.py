"""What optimizers written elsewhere do with the base class."""

import copy
import pickle
from collections import defaultdict

import pytest
from _backend import NAME, torch

nn, optim = torch.nn, torch.optim


def leaf(*values):
    p = nn.Parameter(torch.tensor([float(v) for v in values]))
    p.grad = torch.ones(len(values))
    return p


class Plain(optim.Optimizer):
    def __init__(self, params, lr=0.5):
        super().__init__(params, {"lr": lr})

    def step(self, closure=None):
        for group in self.param_groups:
            for p in group["params"]:
                state = self.state[p]
                state["count"] = state.get("count", 0) + 1
                p.data.add_(p.grad, alpha=-group["lr"])


class Slow(optim.Optimizer):
    """A wrapper of another optimizer, which does not call ``super().__init__``."""

    def __init__(self, optimizer):
        self.optimizer = optimizer
        self.param_groups = optimizer.param_groups
        self.defaults = optimizer.defaults
        self.state = defaultdict(dict)

    def step(self, closure=None):
        loss = self.optimizer.step(closure)
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p].setdefault("slow", p.data.clone())
        return loss


def test_a_wrapper_without_init_steps_and_is_scheduled():
    p = leaf(1, 2)
    slow = Slow(optim.SGD([p], lr=0.5))
    scheduler = optim.lr_scheduler.ExponentialLR(slow, 0.5)
    slow.step()
    scheduler.step()
    assert p.tolist() == [0.5, 1.5] and slow.optimizer.param_groups[0]["lr"] == 0.25
    assert list(slow.state[p]) == ["slow"]
    if NAME == "adjoint":
        assert slow.state_dict()["state"][0]["slow"].tolist() == [0.5, 1.5]


def test_the_decorator_of_steps():
    class Decorated(Plain):
        @optim.Optimizer.profile_hook_step
        def step(self, closure=None):
            self.done = True

    optimizer, seen = Decorated([leaf(1)]), []
    optimizer.register_step_post_hook(lambda *_: seen.append(1))
    optimizer.step()
    assert optimizer.done and Decorated.step.hooked and len(seen) >= 1


def test_hooks_get_the_arguments_with_the_optimizer_first():
    class Scaled(Plain):
        def step(self, closure=None, scale=1.0):
            self.scale = scale

    optimizer, seen = Scaled([leaf(1)]), []
    optimizer.register_step_pre_hook(lambda o, args, kwargs: (args, {"scale": 3.0}))
    optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append((args, kwargs)))
    optimizer.step()
    assert optimizer.scale == 3 and seen == [((optimizer,), {"scale": 3.0})]


def test_state_is_keyed_by_the_parameter_itself():
    p = leaf(1)
    optimizer = Plain([p])
    optimizer.step()
    optimizer.step()
    assert next(iter(optimizer.state)) is p and optimizer.state[p] == {"count": 2}
    assert optimizer.state_dict()["state"] == {0: {"count": 2}}
    other = Plain([q := leaf(1)])
    other.load_state_dict(optimizer.state_dict())
    assert other.state[q] == {"count": 2}


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_have_their_own_parameters(copied):
    p = leaf(1, 2)
    optimizer = optim.Adam([p])
    optimizer.step()
    twin = copied(optimizer)
    (q,) = twin.param_groups[0]["params"]
    assert q is not p and sorted(twin.state[q]) == ["exp_avg", "exp_avg_sq", "step"]


def test_the_callers_group_stays_the_group():
    group = {"params": [leaf(1)]}
    optimizer = optim.SGD([group], lr=0.5)
    group["lr"] = 0.25
    assert optimizer.param_groups[0] is group


def test_old_states_take_new_defaults():
    optimizer = optim.SGD([leaf(1)], lr=0.5, momentum=0.9)
    state = optimizer.state_dict()
    del state["param_groups"][0]["maximize"]
    optimizer.load_state_dict(state)
    optimizer.step()
    assert optimizer.param_groups[0]["maximize"] is False


def test_groups_are_apart_in_the_repr():
    text = repr(Plain([{"params": [leaf(1)]}, {"params": [leaf(2)], "lr": 2}]))
    assert text == "Plain (\nParameter Group 0\n    lr: 0.5\n\nParameter Group 1\n    lr: 2\n)"


@pytest.mark.adjoint_only
def test_a_required_hyperparameter():
    required = optim.optimizer.required
    with pytest.raises(ValueError, match="'lr'"):
        optim.Optimizer([leaf(1)], {"lr": required})
    assert optim.Optimizer([{"params": [leaf(1)], "lr": 1}], {"lr": required}).param_groups


def test_kernels_that_exclude_each_other():
    with pytest.raises(RuntimeError, match="fused"):
        optim.SGD([leaf(1)], fused=True, foreach=True)
    with pytest.raises(RuntimeError, match="fused"):
        optim.Adam([leaf(1)], fused=True, differentiable=True)
