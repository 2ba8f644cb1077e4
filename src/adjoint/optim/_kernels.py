"""The multi-tensor kernels of the core: one call steps all parameters of a group.

What holds for all of them:

- ``params``, ``grads`` and each list of state have the same length; entry ``i`` of each has the
  shape, dtype and device of ``params[i]``. Strides are free; different entries may differ in dtype.
- They work below autograd: nothing is recorded, leaves that require grad may be written, gradients
  are only read. The version counters of all that is written are bumped.
- All arguments are checked before anything is written; a mismatch is a RuntimeError that says which
  entry it is.
- ``steps`` are 0-d float32 or float64 tensors, one a parameter, that the kernel increments before
  it uses them; parameters of one group may be at different steps.
- Hyperparameters are Python numbers. Where a parameter is float32, scalars that do not depend on
  elements (bias corrections, lr / correction) are computed in double.
- ``maximize`` negates the gradient. ``weight_decay`` adds ``weight_decay * param`` to it, unless it
  is decoupled. A parameter without elements is passed over (its step still counts).

- Complex parameters are stepped as their real views: by the real and imaginary parts.
- ``mu_products``, ``etas`` and ``mus`` are such tensors too, one a parameter, that the kernel reads
  and then moves on.

In the formulas ``p`` is the parameter, ``g`` its gradient after these two, ``t`` the step.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import adjoint
from adjoint import Tensor, _core

Tensors = Sequence[Tensor]


def _of_views(kernel: Any) -> Any:
    """The kernel, which refuses complex parameters; with them it is called again for real views."""

    @functools.wraps(kernel)
    def call(params: Tensors, *lists: Tensors | None, **hyperparameters: Any) -> None:
        try:
            kernel(params, *lists, **hyperparameters)
        except RuntimeError:
            if not any(p.is_complex() for p in params):
                raise
            views = [None if x is None else list(map(_real, x)) for x in (params, *lists)]
            kernel(*views, **hyperparameters)

    return call


def _real(x: Tensor) -> Tensor:
    return adjoint.view_as_real(x.detach()) if x.is_complex() else x


@_of_views
def sgd_(
    params: Tensors,
    grads: Tensors,
    momentum_buffers: Tensors | None,
    *,
    lr: float,
    momentum: float,
    dampening: float,
    weight_decay: float,
    nesterov: bool,
    maximize: bool,
    first_step: bool,
) -> None:
    """One step of stochastic gradient descent.

    ``b = g`` if ``first_step`` (the buffers' old content is not read), else
    ``b = momentum * b + (1 - dampening) * g``; ``d = g + momentum * b`` if ``nesterov`` else ``b``;
    ``p -= lr * d``. Without buffers (``momentum`` is 0 then) ``p -= lr * g``.
    """
    _core._fused_sgd_(
        params,
        grads,
        momentum_buffers,
        lr=lr,
        momentum=momentum,
        dampening=dampening,
        weight_decay=weight_decay,
        nesterov=nesterov,
        maximize=maximize,
        first_step=first_step,
    )


@_of_views
def adam_(
    params: Tensors,
    grads: Tensors,
    exp_avgs: Tensors,
    exp_avg_sqs: Tensors,
    max_exp_avg_sqs: Tensors | None,
    steps: Tensors,
    *,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    weight_decay: float,
    decoupled: bool,
    maximize: bool,
) -> None:
    """One step of Adam (Kingma, Ba, 2014), or of AdamW (Loshchilov, Hutter, 2017) if ``decoupled``.

    ``p *= 1 - lr * weight_decay`` first if decoupled; ``m += (1 - beta1) * (g - m)``;
    ``v = beta2 * v + (1 - beta2) * g * g``; with ``max_exp_avg_sqs`` (AMSGrad) ``v`` is replaced
    below by the running maximum of ``v``;
    ``p -= lr / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + eps)``.
    """
    _core._fused_adam_(
        params,
        grads,
        exp_avgs,
        exp_avg_sqs,
        max_exp_avg_sqs,
        steps,
        lr=lr,
        beta1=beta1,
        beta2=beta2,
        eps=eps,
        weight_decay=weight_decay,
        decoupled=decoupled,
        maximize=maximize,
    )


@_of_views
def rmsprop_(
    params: Tensors,
    grads: Tensors,
    square_avgs: Tensors,
    grad_avgs: Tensors | None,
    momentum_buffers: Tensors | None,
    steps: Tensors,
    *,
    lr: float,
    alpha: float,
    eps: float,
    weight_decay: float,
    momentum: float,
    centered: bool,
    maximize: bool,
) -> None:
    """One step of RMSprop (Hinton, 2012; centered: Graves, 2013).

    ``v = alpha * v + (1 - alpha) * g * g``; if ``centered`` (``grad_avgs`` is given then)
    ``a += (1 - alpha) * (g - a)`` and ``s = sqrt(v - a * a)``, else ``s = sqrt(v)``;
    with buffers (``momentum`` > 0) ``b = momentum * b + g / (s + eps)`` and ``p -= lr * b``, else
    ``p -= lr * g / (s + eps)``.
    """
    _core._fused_rmsprop_(
        params,
        grads,
        square_avgs,
        grad_avgs,
        momentum_buffers,
        steps,
        lr=lr,
        alpha=alpha,
        eps=eps,
        weight_decay=weight_decay,
        momentum=momentum,
        centered=centered,
        maximize=maximize,
    )


# Kernels of one formula, which stands with the optimizer of that name; the core states the
# arguments: (params, grads, buffers..., steps, scalars...; hyperparameters by name).
adadelta_ = _of_views(_core._fused_adadelta_)
adagrad_ = _of_views(_core._fused_adagrad_)
adamax_ = _of_views(_core._fused_adamax_)
asgd_ = _of_views(_core._fused_asgd_)
nadam_ = _of_views(_core._fused_nadam_)
radam_ = _of_views(_core._fused_radam_)
rprop_ = _of_views(_core._fused_rprop_)
