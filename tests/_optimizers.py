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
    "adadelta": lambda p: optim.Adadelta(p, lr=10.0),
    "adadelta all": lambda p: optim.Adadelta(
        p, lr=0.5, rho=0.8, eps=1e-3, weight_decay=0.1, maximize=True
    ),
    "adagrad": lambda p: optim.Adagrad(p, lr=0.1),
    "adagrad all": lambda p: optim.Adagrad(
        p, 0.1, lr_decay=0.2, weight_decay=0.1, initial_accumulator_value=0.5, maximize=True
    ),
    "adamax": lambda p: optim.Adamax(p, lr=0.1),
    "adamax all": lambda p: optim.Adamax(
        p, lr=0.1, betas=(0.7, 0.8), eps=1e-3, weight_decay=0.1, maximize=True
    ),
    "nadam": lambda p: optim.NAdam(p, lr=0.1),
    "nadam all": lambda p: optim.NAdam(
        p, 0.1, (0.7, 0.8), 1e-3, weight_decay=0.1, momentum_decay=0.1, maximize=True
    ),
    "nadam decoupled": lambda p: optim.NAdam(
        p, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True
    ),
    "radam": lambda p: optim.RAdam(p, lr=0.1),
    "radam all": lambda p: optim.RAdam(
        p, lr=0.1, betas=(0.7, 0.99), eps=1e-3, weight_decay=0.1, maximize=True
    ),
    "radam decoupled": lambda p: optim.RAdam(
        p, lr=0.1, weight_decay=0.1, decoupled_weight_decay=True
    ),
    "rprop": lambda p: optim.Rprop(p, lr=0.1),
    "rprop all": lambda p: optim.Rprop(
        p, lr=0.1, etas=(0.3, 1.5), step_sizes=(0.05, 0.12), maximize=True
    ),
    "asgd": lambda p: optim.ASGD(p, lr=0.1),
    "asgd all": lambda p: optim.ASGD(
        p, lr=0.1, lambd=0.1, alpha=0.6, t0=1, weight_decay=0.1, maximize=True
    ),
    "adafactor": lambda p: optim.Adafactor(p, lr=0.1),
    "adafactor all": lambda p: optim.Adafactor(
        p, lr=0.5, beta2_decay=-0.5, eps=(1e-4, 1e-2), d=1.5, weight_decay=0.1, maximize=True
    ),
}

# Those whose kernel is one call with lists of tensors.
KERNELS = ("sgd", "adam", "rmsprop", "adadelta", "adagrad", "adamax", "nadam", "radam", "rprop")
KERNELS += ("asgd",)


def leaf(*values):
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))


def step(optimizer, *grads):
    """One step with the given gradients of the parameters of all groups."""
    params = [p for group in optimizer.param_groups for p in group["params"]]
    for p, grad in zip(params, grads):
        p.grad = None if grad is None else torch.tensor(grad, dtype=p.dtype).reshape(p.shape)
    optimizer.step()
