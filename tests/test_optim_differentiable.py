"""differentiable=True: gradients of what is computed from stepped parameters."""

import pytest
from _backend import assert_close, check_gradient, torch

optim = torch.optim

OPTIMIZERS = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.5, "maximize": True}),
    ("Adam", {"lr": 0.1, "weight_decay": 0.1}),
    ("Adam", {"lr": 0.1, "amsgrad": True}),
    ("AdamW", {"lr": 0.1, "maximize": True}),
    ("NAdam", {"lr": 0.1, "weight_decay": 0.1}),
    ("NAdam", {"lr": 0.1, "decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RAdam", {"lr": 0.1, "betas": (0.9, 0.9), "weight_decay": 0.1}),
    ("Adamax", {"lr": 0.1, "weight_decay": 0.1}),
    ("RMSprop", {"lr": 0.1, "momentum": 0.9, "centered": True, "weight_decay": 0.1}),
    ("Adadelta", {"lr": 0.5, "weight_decay": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1}),
    ("ASGD", {"lr": 0.1, "lambd": 0.1, "t0": 1.0, "weight_decay": 0.1}),
    ("Rprop", {"lr": 0.1}),
]
each = pytest.mark.parametrize(("name", "options"), OPTIMIZERS)


def stepped(start, scale, name, options, steps=3):
    """The parameter after some steps down a loss of which ``scale`` is a part."""
    p = start.clone()
    optimizer = getattr(optim, name)([p], differentiable=True, **options)
    for _ in range(steps):
        q = p.clone()  # the loss reads a copy, so that the step may write p
        loss = (scale * q.sin() + q**2 * scale).sum()
        (p.grad,) = torch.autograd.grad(loss, q, create_graph=True)
        optimizer.step()
    return p


@pytest.mark.adjoint_only  # torch overwrites state that its own backward needs
@each
def test_the_gradient_through_the_steps(name, options):
    start = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    scale = torch.tensor([1.0, 2.0, 0.7], dtype=torch.float64)
    check_gradient(lambda *xs: stepped(*xs, name, options), start, scale, order=1)


@pytest.mark.adjoint_only
@each
def test_recorded_steps_are_the_steps(name, options):
    start = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    scale = torch.tensor([1.0, 2.0, 0.7], dtype=torch.float64)
    recorded = stepped(start.clone().requires_grad_(), scale, name, options, steps=6)
    p = start.clone().requires_grad_()
    optimizer = getattr(optim, name)([p], **options)
    for _ in range(6):
        optimizer.zero_grad()
        (scale * p.sin() + p**2 * scale).sum().backward()
        optimizer.step()
    # state of one number each (step, mu_product) is float32 in both
    assert_close(recorded, p, rtol=1e-7)


@pytest.mark.parametrize("name", ["SGD", "Adam"])
def test_the_gradient_by_the_learning_rate(name):
    def final(lr):
        start = torch.tensor([0.5, -1.0], dtype=torch.float64, requires_grad=True)
        return stepped(start, torch.ones(2, dtype=torch.float64), name, {"lr": lr})

    check_gradient(final, torch.tensor(0.1, dtype=torch.float64), order=1)


def test_a_leaf_cannot_be_stepped_with_recording():
    p = torch.ones(2, requires_grad=True)
    p.grad = torch.ones(2)
    with pytest.raises(RuntimeError, match="leaf"):
        optim.SGD([p], differentiable=True).step()


def test_without_it_a_result_cannot_be_optimized():
    p = torch.ones(2, requires_grad=True) * 1
    with pytest.raises(ValueError, match="non-leaf"):
        optim.SGD([p])
    optim.SGD([p], differentiable=True)
