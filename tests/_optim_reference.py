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


@torch.no_grad()
def adadelta_(
    params, grads, square_avgs, acc_deltas, steps, *, lr, rho, eps, weight_decay, maximize
):
    _check(params, grads, square_avgs, acc_deltas)
    for i, p in enumerate(params):
        g = _gradient(p, grads[i], weight_decay, maximize)
        steps[i].add_(1)
        v, u = square_avgs[i], acc_deltas[i]
        v.copy_(rho * v + (1 - rho) * g * g)
        d = (u + eps).sqrt() / (v + eps).sqrt() * g
        u.copy_(rho * u + (1 - rho) * d * d)
        p.sub_(lr * d)


@torch.no_grad()
def adagrad_(params, grads, sums, steps, *, lr, lr_decay, eps, weight_decay, maximize):
    _check(params, grads, sums)
    for i, p in enumerate(params):
        g = _gradient(p, grads[i], weight_decay, maximize)
        t = steps[i].add_(1).item()
        sums[i].add_(g * g)
        p.sub_(lr / (1 + (t - 1) * lr_decay) * g / (sums[i].sqrt() + eps))


@torch.no_grad()
def adamax_(
    params, grads, exp_avgs, exp_infs, steps, *, lr, beta1, beta2, eps, weight_decay, maximize
):
    _check(params, grads, exp_avgs, exp_infs)
    for i, p in enumerate(params):
        g = _gradient(p, grads[i], weight_decay, maximize)
        t = steps[i].add_(1).item()
        exp_avgs[i].add_((1 - beta1) * (g - exp_avgs[i]))
        exp_infs[i].copy_(torch.maximum(beta2 * exp_infs[i], g.abs() + eps))
        p.sub_(lr / (1 - beta1**t) * exp_avgs[i] / exp_infs[i])


@torch.no_grad()
def asgd_(params, grads, axs, steps, etas, mus, *, lr, lambd, alpha, t0, weight_decay, maximize):
    _check(params, grads, axs)
    for i, p in enumerate(params):
        g = _gradient(p, grads[i], weight_decay, maximize)
        t = steps[i].add_(1).item()
        eta, mu = etas[i].item(), mus[i].item()
        p.copy_((1 - lambd * eta) * p - eta * g)
        axs[i].copy_(p if mu == 1 else axs[i] + mu * (p - axs[i]))
        etas[i].fill_(lr / (1 + lambd * lr * t) ** alpha)
        mus[i].fill_(1 / max(1, t - t0))


def _averages(params, grads, firsts, seconds, i, lr, beta1, beta2, weight_decay, decoupled, up):
    p = params[i]
    g = _gradient(p, grads[i], 0 if decoupled else weight_decay, up)
    if decoupled:
        p.mul_(1 - lr * weight_decay)
    firsts[i].add_((1 - beta1) * (g - firsts[i]))
    seconds[i].copy_(beta2 * seconds[i] + (1 - beta2) * g * g)
    return g, firsts[i], seconds[i]


@torch.no_grad()
def nadam_(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
    steps,
    mu_products,
    *,
    lr,
    beta1,
    beta2,
    eps,
    weight_decay,
    momentum_decay,
    decoupled,
    maximize,
):
    _check(params, grads, exp_avgs, exp_avg_sqs)
    decay = weight_decay, decoupled, maximize
    for i, p in enumerate(params):
        t = steps[i].add_(1).item()
        g, m, v = _averages(params, grads, exp_avgs, exp_avg_sqs, i, lr, beta1, beta2, *decay)
        mu, following = (beta1 * (1 - 0.96 ** (n * momentum_decay) / 2) for n in (t, t + 1))
        product = mu_products[i].fill_(mu_products[i].item() * mu).item()
        d = (1 - mu) / (1 - product) * g + following / (1 - product * following) * m
        p.sub_(lr * d / ((v / (1 - beta2**t)).sqrt() + eps))


@torch.no_grad()
def radam_(
    params,
    grads,
    exp_avgs,
    exp_avg_sqs,
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
    _check(params, grads, exp_avgs, exp_avg_sqs)
    decay = weight_decay, decoupled, maximize
    for i, p in enumerate(params):
        t = steps[i].add_(1).item()
        _, m, v = _averages(params, grads, exp_avgs, exp_avg_sqs, i, lr, beta1, beta2, *decay)
        update = m / (1 - beta1**t)
        q = 2 / (1 - beta2) - 1
        r = q - 2 * t * beta2**t / (1 - beta2**t)
        if r > 5:
            rectified = ((r - 4) * (r - 2) * q / ((q - 4) * (q - 2) * r)) ** 0.5
            update = update * rectified * (1 - beta2**t) ** 0.5 / (v.sqrt() + eps)
        p.sub_(lr * update)


@torch.no_grad()
def rprop_(
    params, grads, prevs, step_sizes, steps, *, eta_minus, eta_plus, smallest, largest, maximize
):
    _check(params, grads, prevs, step_sizes)
    for i, p in enumerate(params):
        g = _gradient(p, grads[i], 0, maximize)
        steps[i].add_(1)
        turn = g * prevs[i]
        one = torch.ones_like(g)
        factor = torch.where(turn > 0, eta_plus * one, torch.where(turn < 0, eta_minus * one, one))
        step_sizes[i].mul_(factor).clamp_(smallest, largest)
        prevs[i].copy_(torch.where(turn < 0, 0 * one, g))
        p.sub_(step_sizes[i] * prevs[i].sign())
