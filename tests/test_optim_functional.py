"""The steps of the optimizers as functions of lists, and what they share with the classes."""

from importlib import import_module

import pytest
from _backend import NAME, assert_close, torch

SGD = {"momentum": 0.9, "dampening": 0.1, "nesterov": False}
BETAS = {"beta1": 0.8, "beta2": 0.95}

# For each function: its class, the state in the order of its arguments, hyperparameters that only
# the function takes, and those that both take.
STEPS = {
    "adadelta": ("Adadelta", ["square_avg", "acc_delta", "step"], {}, {"rho": 0.8, "eps": 1e-5}),
    "adagrad": ("Adagrad", ["sum", "step"], {}, {"lr_decay": 0.1, "eps": 1e-9}),
    "adam": ("Adam", ["exp_avg", "exp_avg_sq", "max_exp_avg_sq", "step"], BETAS,
             {"eps": 1e-7, "amsgrad": True}),
    "adamw": ("AdamW", ["exp_avg", "exp_avg_sq", "max_exp_avg_sq", "step"], BETAS,
              {"eps": 1e-7, "amsgrad": True}),
    "adamax": ("Adamax", ["exp_avg", "exp_inf", "step"], BETAS, {"eps": 1e-7}),
    "asgd": ("ASGD", ["ax", "mu", "eta", "step"], {}, {"lambd": 0.1, "t0": 2, "alpha": 0.7}),
    "nadam": ("NAdam", ["exp_avg", "exp_avg_sq", "mu_product", "step"], BETAS,
              {"eps": 1e-7, "momentum_decay": 0.01}),
    "radam": ("RAdam", ["exp_avg", "exp_avg_sq", "step"], BETAS, {"eps": 1e-7}),
    "rmsprop": ("RMSprop", ["square_avg", "grad_avg", "momentum_buffer", "step"], {},
                {"alpha": 0.9, "eps": 1e-7, "momentum": 0.5, "centered": True}),
    "rprop": ("Rprop", ["prev", "step_size", "step"],
              {"etaminus": 0.5, "etaplus": 1.2, "step_size_min": 1e-6, "step_size_max": 50}, {}),
    "sgd": ("SGD", ["momentum_buffer"], {}, SGD),
}  # fmt: skip
CASES = [
    (name, decay, maximize) for name in STEPS for decay, maximize in ((0.0, False), (0.1, True))
]


def step_of(name):
    return getattr(import_module(f"{NAME}.optim.{name}"), name)


def class_with(name, params, decay, maximize):
    cls, _, own, both = STEPS[name]
    hyper = {"lr": 0.05, "weight_decay": decay, "maximize": maximize, **both}
    if "beta1" in own:
        hyper["betas"] = (own["beta1"], own["beta2"])
    if name == "rprop":
        del hyper["weight_decay"]
    return getattr(torch.optim, cls)(params, **hyper)


def gradients(params, t):
    return [(p.detach() * 2 + t).cos() for p in params]


def start():
    return [torch.tensor([0.5, -1.0], dtype=torch.float64), torch.ones(2, 1, dtype=torch.float64)]


@pytest.mark.parametrize(("name", "decay", "maximize"), CASES)
def test_the_step_is_that_of_the_class(name, decay, maximize):
    cls, names, own, both = STEPS[name]
    params = [p.requires_grad_() for p in start()]
    optimizer = class_with(name, params, decay, maximize)
    hyper = {"lr": 0.05, "weight_decay": decay, "maximize": maximize, **own, **both}
    if name == "rprop":
        del hyper["lr"], hyper["weight_decay"]
    function = step_of(name)
    mine, lists = start(), None
    for t in range(4):
        if t == 1:  # the class has made its state by now: the function goes on from it
            mine = [p.detach().clone() for p in params]
            lists = [[optimizer.state[p][key].clone() for p in params] for key in names]
        for p, g in zip(params, gradients(params, t)):
            p.grad = g
        before = [p.detach().clone() for p in params]
        optimizer.step()
        if lists is not None:
            with torch.no_grad():
                function(mine, gradients(before, t), *lists, **hyper)
    for p, q in zip(params, mine):
        assert_close(q, p.detach())
    for key, tensors in zip(names, lists):
        for p, x in zip(params, tensors):
            assert_close(x, optimizer.state[p][key])


def test_sgd_makes_the_buffers_that_are_none():
    params, grads, buffers = start(), gradients(start(), 0), [None, torch.ones(2, 1).double()]
    hyper = {"lr": 1.0, "weight_decay": 0.0, "maximize": False, **SGD, "dampening": 0.0}
    step_of("sgd")(params, grads, buffers, **hyper)
    assert_close(buffers[0], grads[0])
    assert_close(buffers[1], 0.9 + grads[1])
    assert_close(params[0], start()[0] - grads[0])


def test_state_steps_are_tensors():
    hyper = {"lr": 0.1, "lr_decay": 0.0, "eps": 1e-9, "weight_decay": 0.0, "maximize": False}
    params = start()
    with pytest.raises(RuntimeError, match="`state_steps` argument must contain a list of"):
        step_of("adagrad")(params, start(), start(), [1, 1], **hyper)
    assert_close(params[0], start()[0])


@pytest.mark.adjoint_only
def test_a_recorded_step():
    g = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
    p = torch.ones(1, dtype=torch.float64).requires_grad_()
    moved, total, steps = p.clone(), torch.zeros(1, dtype=torch.float64), [torch.tensor(0.0)]
    hyper = {"lr": 0.1, "lr_decay": 0.0, "eps": 0.0, "weight_decay": 0.0, "maximize": False}
    step_of("adagrad")([moved], [g * p], [total], steps, differentiable=True, **hyper)
    assert steps[0] == 1
    moved.sum().backward()  # 1 - 0.1 * sign(g p)
    assert_close(p.grad, [1.0])
    assert_close(g.grad, [0.0])


NAMES = ["SGD", "Adam", "AdamW", "NAdam", "RMSprop", "Adagrad", "Adadelta", "Adamax", "ASGD",
         "RAdam", "Rprop"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_complex_parameters_are_stepped_by_their_parts(name):
    z = torch.tensor([1 + 2j, -0.5j], dtype=torch.complex128, requires_grad=True)
    parts = torch.view_as_real(z.detach()).clone().requires_grad_()
    one, two = (getattr(torch.optim, name)([x], lr=0.1) for x in (z, parts))
    for _ in range(3):
        z.grad, parts.grad = None, None
        (z.abs() ** 2).sum().backward()
        (parts**2).sum().backward()
        one.step()
        two.step()
    assert_close(torch.view_as_real(z.detach()), parts.detach())


@pytest.mark.parametrize("name", ["Adam", "NAdam", "ASGD", "RMSprop", "Adafactor"])
def test_single_numbers_of_the_state_take_a_wide_default_dtype(name):
    torch.set_default_dtype(torch.float64)
    try:
        p = torch.ones(2, requires_grad=True)
        optimizer = getattr(torch.optim, name)([p], lr=0.1)
        p.grad = torch.ones(2)
        optimizer.step()
        state = optimizer.state[p]
        numbers = [key for key in ("step", "mu_product", "eta", "mu") if key in state]
        assert {state[key].dtype for key in numbers} == {torch.float64}
        again = getattr(torch.optim, name)([p], lr=0.1)
        again.load_state_dict(optimizer.state_dict())
        assert {again.state[p][key].dtype for key in numbers} == {torch.float64}
    finally:
        torch.set_default_dtype(torch.float32)
    assert getattr(torch.optim, name)([p]).state == {}


def test_helpers_of_optimizers_written_elsewhere():
    module = import_module(f"{NAME}.optim.optimizer")

    class Plain(module.Optimizer):
        def __init__(self, params, lr, differentiable=False):
            super().__init__(params, {"lr": lr, "differentiable": differentiable})

        @module._use_grad_for_differentiable
        def step(self, closure=None):
            self._accelerator_graph_capture_health_check()
            assert torch.is_grad_enabled() == self.defaults["differentiable"]
            for group in self.param_groups:
                for p in group["params"]:
                    p.add_(p.grad, alpha=-module._get_value(group["lr"]))

    p = torch.ones(2, requires_grad=True)
    p.grad = torch.ones(2)
    Plain([p], torch.tensor(0.5)).step()
    assert p.tolist() == [0.5, 0.5]
    assert module._get_scalar_dtype() == torch.float32
    assert module._to_scalar(torch.tensor([0.5])).dim() == 0
    lists = [[torch.ones(1), torch.ones(2).double(), torch.ones(3)], [None, None, torch.ones(3)]]
    groups = module.Optimizer._group_tensors_by_device_and_dtype(lists, with_indices=True)
    found = {dtype: indices for (_, dtype), (_, indices) in groups.items()}
    assert found == {torch.float32: [0, 2], torch.float64: [1]}
