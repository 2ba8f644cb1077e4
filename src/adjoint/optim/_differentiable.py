"""Steps that are recorded (``differentiable=True``): the formulas of the kernels, as operations.

Each rule gives a parameter's next value from its present one ``p``, the gradient ``g`` and its
state, whose tensors it replaces. Rates and factors may be tensors, which then get gradients too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor

from ._helpers import _get_scalar_dtype

State = dict[str, Any]
Group = dict[str, Any]


def recorded_step(optimizer: Any, group: Group) -> None:
    """Step the parameters of ``group`` in place, as operations that autograd records.

    The parameters must not be leaves that require gradients: clones of those, say.
    """
    rule = next(_RULES[cls.__name__] for cls in type(optimizer).__mro__ if cls.__name__ in _RULES)
    for p in group["params"]:
        g = p.grad
        if g is None:
            continue
        with adjoint.enable_grad():
            new = rule(group, p, -g if group["maximize"] else g, optimizer.state[p])
            p.copy_(new)


def recorded_update(
    name: str, group: Group, params: list[Tensor], grads: list[Tensor], state: dict[str, Any]
) -> None:
    """The same for lists: of parameters, gradients, and of each part of the state (None if unused),
    all of which are written in place."""
    for i, (p, g) in enumerate(zip(params, grads, strict=True)):
        before = {key: tensors[i] for key, tensors in state.items() if tensors is not None}
        after = dict(before)
        with adjoint.enable_grad():
            p.copy_(_RULES[name](group, p, -g if group["maximize"] else g, after))
            for key, tensor in before.items():
                tensor.copy_(after[key])


def _count(state: State) -> float:
    """Count a step; the new count."""
    state["step"] = (state["step"].detach() if "step" in state else _scalar(0.0)) + 1
    return float(state["step"])


def _scalar(value: Any) -> Tensor:
    return adjoint.tensor(float(value), dtype=_get_scalar_dtype())


def _decayed(group: Group, p: Tensor, g: Tensor) -> Tensor:
    decay = group["weight_decay"]
    return g + decay * p if isinstance(decay, Tensor) or decay != 0 else g


def _averaged(old: Any, new: Tensor, beta: Any) -> Tensor:
    return beta * old + (1 - beta) * new


def _start(state: State, p: Tensor, *names: str) -> None:
    for name in names:
        if name not in state:
            state[name] = adjoint.zeros_like(p)


def _sgd(group: Group, p: Tensor, g: Tensor, state: State) -> Tensor:
    g, momentum = _decayed(group, p, g), group["momentum"]
    if isinstance(momentum, Tensor) or momentum != 0:
        old = state.get("momentum_buffer")
        b = g.clone() if old is None else momentum * old + (1 - group["dampening"]) * g
        state["momentum_buffer"] = b
        g = g + momentum * b if group["nesterov"] else b
    return p - group["lr"] * g


def _moments(group: Group, p: Tensor, g: Tensor, state: State) -> tuple[Tensor, Tensor, Tensor]:
    """The decayed p, its gradient's mean (with the decay, if not decoupled) and that gradient."""
    _start(state, p, "exp_avg", "exp_avg_sq")
    beta1, beta2 = group["betas"]
    if group["decoupled_weight_decay"]:
        p = p * (1 - group["lr"] * group["weight_decay"])
    else:
        g = _decayed(group, p, g)
    state["exp_avg"] = _averaged(state["exp_avg"], g, beta1)
    state["exp_avg_sq"] = _averaged(state["exp_avg_sq"], g * g, beta2)
    return p, state["exp_avg"], g


def _adam(group: Group, p: Tensor, g: Tensor, state: State) -> Tensor:
    t = _count(state)
    p, m, _ = _moments(group, p, g, state)
    beta1, beta2 = group["betas"]
    v = state["exp_avg_sq"]
    if group["amsgrad"]:
        _start(state, p, "max_exp_avg_sq")
        v = state["max_exp_avg_sq"] = adjoint.maximum(state["max_exp_avg_sq"], v)
    root = v.sqrt() / (1 - beta2**t) ** 0.5
    return p - group["lr"] / (1 - beta1**t) * m / (root + group["eps"])


def _nadam(group: Group, p: Tensor, g: Tensor, state: State) -> Tensor:
    t = _count(state)
    p, m, g = _moments(group, p, g, state)
    beta1, beta2 = group["betas"]
    decay = group["momentum_decay"]
    mu, following = (beta1 * (1 - 0.5 * 0.96 ** (n * decay)) for n in (t, t + 1))
    before = float(state.get("mu_product", 1.0)) * mu
    state["mu_product"] = _scalar(before)
    product = float(state["mu_product"])  # as its dtype keeps it
    d = (1 - mu) / (1 - product) * g + following / (1 - product * following) * m
    return p - group["lr"] * d / ((state["exp_avg_sq"] / (1 - beta2**t)).sqrt() + group["eps"])


def _radam(group: Group, p: Tensor, g: Tensor, state: State) -> Tensor:
    t = _count(state)
    p, m, _ = _moments(group, p, g, state)
    beta1, beta2 = group["betas"]
    update = m / (1 - beta1**t)
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * t * beta2**t / (1 - beta2**t)
    if length > 5:
        rectified = (length - 4) * (length - 2) * longest
        rectified = (rectified / ((longest - 4) * (longest - 2) * length)) ** 0.5
        root = state["exp_avg_sq"].sqrt() + group["eps"]
        update = update * rectified * (1 - beta2**t) ** 0.5 / root
    return p - group["lr"] * update


def _adamax(group: Group, p: Tensor, g: Tensor, state: State) -> Tensor:
    t = _count(state)
    _start(state, p, "exp_avg", "exp_inf")
    g = _decayed(group, p, g)
    beta1, beta2 = group["betas"]
    state["exp_avg"] = _averaged(state["exp_avg"], g, beta1)
    state["exp_inf"] = adjoint.maximum(beta2 * state["exp_inf"], g.abs() + group["eps"])
    return p - group["lr"] / (1 - beta1**t) * state["exp_avg"] / state["exp_inf"]


def _rmsprop(group: Group, p: Tensor, g: Tensor, state: State) -> Tensor:
    _count(state)
    _start(state, p, "square_avg")
    g, alpha = _decayed(group, p, g), group["alpha"]
    v = state["square_avg"] = _averaged(state["square_avg"], g * g, alpha)
    if group["centered"]:
        _start(state, p, "grad_avg")
        state["grad_avg"] = _averaged(state["grad_avg"], g, alpha)
        v = v - state["grad_avg"] ** 2
    update = g / (v.sqrt() + group["eps"])
    if group["momentum"] > 0:
        _start(state, p, "momentum_buffer")
        state["momentum_buffer"] = update = group["momentum"] * state["momentum_buffer"] + update
    return p - group["lr"] * update


def _adadelta(group: Group, p: Tensor, g: Tensor, state: State) -> Tensor:
    _count(state)
    _start(state, p, "square_avg", "acc_delta")
    g, rho, eps = _decayed(group, p, g), group["rho"], group["eps"]
    v = state["square_avg"] = _averaged(state["square_avg"], g * g, rho)
    d = (state["acc_delta"] + eps).sqrt() / (v + eps).sqrt() * g
    state["acc_delta"] = _averaged(state["acc_delta"], d * d, rho)
    return p - group["lr"] * d


def _adagrad(group: Group, p: Tensor, g: Tensor, state: State) -> Tensor:
    t = _count(state)
    g = _decayed(group, p, g)
    total = state["sum"] if "sum" in state else group["initial_accumulator_value"]
    state["sum"] = total + g * g
    rate = group["lr"] / (1 + (t - 1) * group["lr_decay"])
    return p - rate * g / (state["sum"].sqrt() + group["eps"])


def _asgd(group: Group, p: Tensor, g: Tensor, state: State) -> Tensor:
    t = _count(state)
    g, lr, lambd = _decayed(group, p, g), group["lr"], group["lambd"]
    eta, mu = state.get("eta", lr), float(state.get("mu", 1.0))
    p = (1 - lambd * eta) * p - eta * g
    state["ax"] = p.clone() if mu == 1 else _averaged(state["ax"], p, 1 - mu)
    eta = lr / (1 + lambd * lr * t) ** group["alpha"]
    state["eta"] = eta if isinstance(eta, Tensor) else _scalar(eta)
    state["mu"] = _scalar(1 / max(1, t - group["t0"]))
    return p


def _rprop(group: Group, p: Tensor, g: Tensor, state: State) -> Tensor:
    _count(state)
    _start(state, p, "prev")
    size = state.get("step_size", adjoint.ones_like(p) * group["lr"])
    turn = (g * state["prev"]).detach().sign()
    shrink, grow = group["etas"]
    one = adjoint.ones_like(p)
    factor = adjoint.where(turn > 0, grow * one, adjoint.where(turn < 0, shrink * one, one))
    state["step_size"] = (size * factor).clamp(*group["step_sizes"])
    state["prev"] = adjoint.where(turn < 0, adjoint.zeros_like(g), g)
    return p - state["step_size"] * state["prev"].sign()


_RULES: dict[str, Callable[[Group, Tensor, Tensor, State], Tensor]] = {
    "ASGD": _asgd,
    "Adadelta": _adadelta,
    "Adagrad": _adagrad,
    "Adam": _adam,
    "Adamax": _adamax,
    "NAdam": _nadam,
    "RAdam": _radam,
    "RMSprop": _rmsprop,
    "Rprop": _rprop,
    "SGD": _sgd,
}
