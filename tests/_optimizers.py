"""The optimizers that the tests step, and how they step them."""

from _backend import torch

optim = torch.optim

OPTIMIZERS = {
    "sgd": lambda p: optim.SGD(p, lr=0.1),
    "momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9),
    "dampening": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3),
    "nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.1),
    "sgd up": lambda p: optim.SGD(p, lr=0.1, maximize=True, weight_decay=0.1),
    "adam": lambda p: optim.Adam(p, lr=0.1),
    "adam all": lambda p: optim.Adam(
        p, lr=0.1, betas=(0.7, 0.9), eps=1e-3, weight_decay=0.1, amsgrad=True, maximize=True
    ),
    "adamw": lambda p: optim.AdamW(p, lr=0.1, weight_decay=0.1),
    "adamw amsgrad": lambda p: optim.AdamW(p, lr=0.1, amsgrad=True),
    "rmsprop": lambda p: optim.RMSprop(p, lr=0.1),
    "rmsprop all": lambda p: optim.RMSprop(
        p, lr=0.1, alpha=0.8, eps=1e-3, weight_decay=0.1, momentum=0.9, centered=True
    ),
    "rmsprop up": lambda p: optim.RMSprop(p, lr=0.1, maximize=True),
}


def leaf(*values):
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))


def step(optimizer, *grads):
    """One step with the given gradients of the parameters of all groups."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for p, grad in zip(params, grads):
        p.grad = None if grad is None else torch.tensor(grad, dtype=p.dtype).reshape(p.shape)
    optimizer.step()
