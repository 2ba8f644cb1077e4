"""The steps of the optimizers as functions of lists: `adam(params, grads, exp_avgs, ...)`.

Each steps the parameters in place, and their state with them, as the class of its name does, for
programs that keep parameters and state themselves. The lists have an entry for each parameter;
`state_steps` are 0-d tensors that are counted up first. Hyperparameters are given by name. With
`differentiable=True` the step is recorded; `foreach`, `fused`, `capturable`, `has_complex` and
`has_sparse_grad` change nothing.

>>> p, steps = adjoint.tensor([1.0]), [adjoint.tensor(0.0)]
>>> averages = [adjoint.zeros(1)], [adjoint.zeros(1)]
>>> rates = {"lr": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0.0}
>>> adjoint.optim.adam.adam(
...     [p], [adjoint.ones(1)], *averages, [], steps, amsgrad=False, maximize=False, **rates)
>>> p, steps
(tensor([0.9000]), [tensor(1.)])
"""

from __future__ import annotations

from typing import Any, TypeAlias

import adjoint
from adjoint import Tensor

from ._differentiable import recorded_update

__all__ = ["adadelta", "adagrad", "adam", "adamax", "adamw", "asgd", "nadam", "radam", "rmsprop",
           "rprop", "sgd"]  # fmt: skip

Tensors: TypeAlias = list[Tensor]
Rate: TypeAlias = "float | Tensor"


def _step(
    name: str,
    params: Tensors,
    grads: Tensors,
    state: dict[str, Any],
    differentiable: bool,
    group: dict[str, Any],
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
) -> None:
    """Step by the class `name`; `state` is in the order of the lists that its kernel takes, None
    or empty where the hyperparameters make it unused."""
    if grad_scale is not None or found_inf is not None:
        raise RuntimeError("grad_scale and found_inf must be None: unscale the gradients before")
    for i, step in enumerate(state.get("step", ())):
        if not isinstance(step, Tensor):
            raise RuntimeError(
                "API has changed, `state_steps` argument must contain a list of singleton tensors: "
                f"entry {i} is of type {type(step).__name__}"
            )
    if not params:
        return
    if differentiable:
        recorded_update(name, group, params, grads, state)
    else:
        getattr(adjoint.optim, name)._update(group, params, grads, *state.values())


def adadelta(
    params: Tensors,
    grads: Tensors,
    square_avgs: Tensors,
    acc_deltas: Tensors,
    state_steps: Tensors,
    capturable: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    lr: Rate,
    rho: float,
    eps: float,
    weight_decay: float,
    maximize: bool,
) -> None:
    """A step of :class:`adjoint.optim.Adadelta`."""
    state = {"square_avg": square_avgs, "acc_delta": acc_deltas, "step": state_steps}
    group = {"lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize}
    _step("Adadelta", params, grads, state, differentiable, group)


def adagrad(
    params: Tensors,
    grads: Tensors,
    state_sums: Tensors,
    state_steps: Tensors,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    lr: Rate,
    weight_decay: float,
    lr_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """A step of :class:`adjoint.optim.Adagrad`."""
    state = {"sum": state_sums, "step": state_steps}
    group = {
        "lr": lr,
        "lr_decay": lr_decay,
        "eps": eps,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    _step("Adagrad", params, grads, state, differentiable, group, grad_scale, found_inf)


def adam(
    params: Tensors,
    grads: Tensors,
    exp_avgs: Tensors,
    exp_avg_sqs: Tensors,
    max_exp_avg_sqs: Tensors,
    state_steps: Tensors,
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_complex: bool = False,
    decoupled_weight_decay: bool = False,
    *,
    amsgrad: bool,
    beta1: Rate,
    beta2: Rate,
    lr: Rate,
    weight_decay: float,
    eps: float,
    maximize: bool,
) -> None:
    """A step of :class:`adjoint.optim.Adam`; `max_exp_avg_sqs` counts with `amsgrad` alone."""
    state = {
        "exp_avg": exp_avgs,
        "exp_avg_sq": exp_avg_sqs,
        "max_exp_avg_sq": max_exp_avg_sqs if amsgrad else None,
        "step": state_steps,
    }
    group = {
        "lr": lr,
        "betas": (beta1, beta2),
        "eps": eps,
        "weight_decay": weight_decay,
        "amsgrad": amsgrad,
        "decoupled_weight_decay": decoupled_weight_decay,
        "maximize": maximize,
    }
    _step("Adam", params, grads, state, differentiable, group, grad_scale, found_inf)


def adamw(
    params: Tensors,
    grads: Tensors,
    exp_avgs: Tensors,
    exp_avg_sqs: Tensors,
    max_exp_avg_sqs: Tensors,
    state_steps: Tensors,
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    has_complex: bool = False,
    **hyperparameters: Any,
) -> None:
    """A step of :class:`adjoint.optim.AdamW`: :func:`adam` with `decoupled_weight_decay`."""
    adam(
        params,
        grads,
        exp_avgs,
        exp_avg_sqs,
        max_exp_avg_sqs,
        state_steps,
        differentiable=differentiable,
        grad_scale=grad_scale,
        found_inf=found_inf,
        decoupled_weight_decay=True,
        **hyperparameters,
    )


def adamax(
    params: Tensors,
    grads: Tensors,
    exp_avgs: Tensors,
    exp_infs: Tensors,
    state_steps: Tensors,
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    eps: float,
    beta1: float,
    beta2: float,
    lr: Rate,
    weight_decay: float,
) -> None:
    """A step of :class:`adjoint.optim.Adamax`."""
    state = {"exp_avg": exp_avgs, "exp_inf": exp_infs, "step": state_steps}
    group = {
        "lr": lr,
        "betas": (beta1, beta2),
        "eps": eps,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    _step("Adamax", params, grads, state, differentiable, group)


def asgd(
    params: Tensors,
    grads: Tensors,
    axs: Tensors,
    mus: Tensors,
    etas: Tensors,
    state_steps: Tensors,
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    lambd: float,
    lr: Rate,
    t0: float,
    alpha: float,
    weight_decay: float,
) -> None:
    """A step of :class:`adjoint.optim.ASGD`."""
    state = {"ax": axs, "step": state_steps, "eta": etas, "mu": mus}
    group = {
        "lr": lr,
        "lambd": lambd,
        "alpha": alpha,
        "t0": t0,
        "weight_decay": weight_decay,
        "maximize": maximize,
    }
    _step("ASGD", params, grads, state, differentiable, group)


def nadam(
    params: Tensors,
    grads: Tensors,
    exp_avgs: Tensors,
    exp_avg_sqs: Tensors,
    mu_products: Tensors,
    state_steps: Tensors,
    decoupled_weight_decay: bool = False,
    foreach: bool | None = None,
    capturable: bool = False,
    differentiable: bool = False,
    has_complex: bool = False,
    maximize: bool = False,
    *,
    beta1: float,
    beta2: float,
    lr: Rate,
    weight_decay: float,
    momentum_decay: float,
    eps: float,
) -> None:
    """A step of :class:`adjoint.optim.NAdam`."""
    state = {
        "exp_avg": exp_avgs,
        "exp_avg_sq": exp_avg_sqs,
        "step": state_steps,
        "mu_product": mu_products,
    }
    group = {
        "lr": lr,
        "betas": (beta1, beta2),
        "eps": eps,
        "weight_decay": weight_decay,
        "momentum_decay": momentum_decay,
        "decoupled_weight_decay": decoupled_weight_decay,
        "maximize": maximize,
    }
    _step("NAdam", params, grads, state, differentiable, group)


def radam(
    params: Tensors,
    grads: Tensors,
    exp_avgs: Tensors,
    exp_avg_sqs: Tensors,
    state_steps: Tensors,
    decoupled_weight_decay: bool = False,
    foreach: bool | None = None,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    maximize: bool = False,
    *,
    beta1: float,
    beta2: float,
    lr: Rate,
    weight_decay: float,
    eps: float,
) -> None:
    """A step of :class:`adjoint.optim.RAdam`."""
    state = {"exp_avg": exp_avgs, "exp_avg_sq": exp_avg_sqs, "step": state_steps}
    group = {
        "lr": lr,
        "betas": (beta1, beta2),
        "eps": eps,
        "weight_decay": weight_decay,
        "decoupled_weight_decay": decoupled_weight_decay,
        "maximize": maximize,
    }
    _step("RAdam", params, grads, state, differentiable, group)


def rmsprop(
    params: Tensors,
    grads: Tensors,
    square_avgs: Tensors,
    grad_avgs: Tensors,
    momentum_buffer_list: Tensors,
    state_steps: Tensors,
    foreach: bool | None = None,
    maximize: bool = False,
    differentiable: bool = False,
    capturable: bool = False,
    has_complex: bool = False,
    *,
    lr: Rate,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
) -> None:
    """A step of :class:`adjoint.optim.RMSprop`; `grad_avgs` counts where `centered`, the momentum's
    buffers where there is one."""
    state = {
        "square_avg": square_avgs,
        "grad_avg": grad_avgs if centered else None,
        "momentum_buffer": momentum_buffer_list if momentum > 0 else None,
        "step": state_steps,
    }
    group = {
        "lr": lr,
        "alpha": alpha,
        "eps": eps,
        "weight_decay": weight_decay,
        "momentum": momentum,
        "centered": centered,
        "maximize": maximize,
    }
    _step("RMSprop", params, grads, state, differentiable, group)


def rprop(
    params: Tensors,
    grads: Tensors,
    prevs: Tensors,
    step_sizes: Tensors,
    state_steps: Tensors,
    foreach: bool | None = None,
    capturable: bool = False,
    maximize: bool = False,
    differentiable: bool = False,
    has_complex: bool = False,
    *,
    step_size_min: float,
    step_size_max: float,
    etaminus: float,
    etaplus: float,
) -> None:
    """A step of :class:`adjoint.optim.Rprop`."""
    state = {"prev": prevs, "step_size": step_sizes, "step": state_steps}
    group = {
        "lr": 0.0,
        "etas": (etaminus, etaplus),
        "step_sizes": (step_size_min, step_size_max),
        "maximize": maximize,
    }
    _step("Rprop", params, grads, state, differentiable, group)


def sgd(
    params: Tensors,
    d_p_list: Tensors,
    momentum_buffer_list: list[Tensor | None],
    has_sparse_grad: bool = False,
    foreach: bool | None = None,
    fused: bool | None = None,
    grad_scale: Tensor | None = None,
    found_inf: Tensor | None = None,
    *,
    weight_decay: float,
    momentum: float,
    lr: Rate,
    dampening: float,
    nesterov: bool,
    maximize: bool,
) -> None:
    """A step of :class:`adjoint.optim.SGD`; a buffer that is None is made and put in."""
    group = {
        "lr": lr,
        "momentum": momentum,
        "dampening": dampening,
        "weight_decay": weight_decay,
        "nesterov": nesterov,
        "maximize": maximize,
    }
    state = {"momentum_buffer": momentum_buffer_list}
    _step("SGD", params, d_p_list, state, False, group, grad_scale, found_inf)
