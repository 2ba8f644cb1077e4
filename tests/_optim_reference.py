"""What the optimizer kernels compute, in ordinary tensor operations, one parameter at a time.

These are the formulas of adjoint/optim/_kernels.py; the kernels of the core are compared with them.
"""

from _backend import torch


def _check(params, *lists):
    """Everything is checked before anything is written."""
    for tensors in lists:
        for i, (p, x) in enumerate(zip(params, tensors or [], strict=False)):
            if x.shape != p.shape or x.dtype != p.dtype:
                raise RuntimeError(
                    f"parameter {i}: got {x.dtype} {x.shape} for {p.dtype} {p.shape}"
                )


def _gradient(p, g, weight_decay, maximize):
    g = -g if maximize else g
    return g + weight_decay * p if weight_decay != 0 else g


@torch.no_grad()
def sgd_(
    params,
    grads,
    momentum_buffers,
    *,
    lr,
    momentum,
    dampening,
    weight_decay,
    nesterov,
    maximize,
    first_step,
):
    _check(params, grads, momentum_buffers)
    for i, p in enumerate(params):
        g = _gradient(p, grads[i], weight_decay, maximize)
        if momentum_buffers is not None:
            b = momentum_buffers[i]
            b.copy_(g if first_step else momentum * b + (1 - dampening) * g)
            g = g + momentum * b if nesterov else b
        p.sub_(lr * g)


@torch.no_grad()
def adam_(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    max_exp_avg_sqs,
    steps,
    *,
    lr,
    beta1,
    beta2,
    eps,
    weight_decay,
    decoupled,
    maximize,
):
    _check(params, grads, exp_avgs, exp_avg_sqs, max_exp_avg_sqs)
    for i, p in enumerate(params):
        g = _gradient(p, grads[i], 0 if decoupled else weight_decay, maximize)
        if decoupled:
            p.mul_(1 - lr * weight_decay)
        m, v = exp_avgs[i], exp_avg_sqs[i]
        steps[i].add_(1)
        t = steps[i].item()
        m.add_((1 - beta1) * (g - m))
        v.mul_(beta2).add_((1 - beta2) * g * g)
        if max_exp_avg_sqs is not None:
            v = max_exp_avg_sqs[i].copy_(torch.maximum(max_exp_avg_sqs[i], v))
        root = v.sqrt() / (1 - beta2**t) ** 0.5
        p.sub_(lr / (1 - beta1**t) * m / (root + eps))


@torch.no_grad()
def rmsprop_(
    params,
    grads,
    square_avgs,
    grad_avgs,
    momentum_buffers,
    steps,
    *,
    lr,
    alpha,
    eps,
    weight_decay,
    momentum,
    centered,
    maximize,
):
    _check(params, grads, square_avgs, grad_avgs, momentum_buffers)
    for i, p in enumerate(params):
        g = _gradient(p, grads[i], weight_decay, maximize)
        steps[i].add_(1)
        v = square_avgs[i]
        v.mul_(alpha).add_((1 - alpha) * g * g)
        if centered:
            a = grad_avgs[i]
            a.add_((1 - alpha) * (g - a))
            v = v - a * a
        update = g / (v.sqrt() + eps)
        if momentum_buffers is not None:
            update = momentum_buffers[i].mul_(momentum).add_(update)
        p.sub_(lr * update)
