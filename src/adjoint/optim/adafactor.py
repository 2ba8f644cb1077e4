"""Adafactor."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import adjoint
from adjoint import Tensor

from .optimizer import (
    Group,
    Optimizer,
    check_common,
    new_step,
    not_negative,
    run_closure,
    steps_as_tensors,
    with_gradients,
)

__all__ = ["Adafactor"]


class Adafactor(Optimizer):
    """Adafactor (Shazeer, Stern, "Adaptive Learning Rates with Sublinear Memory Cost", 2018).

    Of the squared gradients of a matrix (the last two dimensions) only the means over rows and
    over columns are kept. The step is ``lr`` relative to the size of the parameter.

    Args:
        params: parameters or groups, see :class:`Optimizer`.
        lr: the largest relative step; it is ``1 / sqrt(t)`` where that is less.
        beta2_decay: the averages take in ``t ** beta2_decay`` of the new square.
        eps: bounds from below of the root of the averages (None: the dtype's epsilon), and of the
            size of a parameter.
        d: updates are scaled down to this root mean square.
        weight_decay: multiplies the parameters by ``1 - lr * weight_decay``.
        maximize: go up the gradient.
        foreach: accepted, and changes nothing.

    Raises:
        ValueError: a hyperparameter out of range.

    >>> p = adjoint.nn.Parameter(adjoint.ones(2, 3))
    >>> optimizer = adjoint.optim.Adafactor([p], lr=0.1)
    >>> p.sum().backward()
    >>> optimizer.step()
    >>> p.data[0]
    tensor([0.9000, 0.9000, 0.9000])
    >>> optimizer.state[p]["row_var"].shape, optimizer.state[p]["col_var"].shape
    (torch.Size([2, 1]), torch.Size([1, 3]))
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "beta2_decay": beta2_decay,
            "eps": eps,
            "d": d,
            "weight_decay": weight_decay,
            "foreach": foreach,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def _check_group(self, group: Group) -> None:
        check_common(group)
        for i, eps in enumerate(group["eps"]):
            if eps is not None:
                not_negative({f"epsilon{i + 1}": eps}, f"epsilon{i + 1}")
        if not group["beta2_decay"] <= 0.0:
            raise ValueError(f"beta2_decay should be <= 0, got {group['beta2_decay']}")
        if not group["d"] >= 1.0:
            raise ValueError(f"Clipping threshold d should be >= 1, got {group['d']}")

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        steps_as_tensors(self.state)

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = run_closure(closure)
        with adjoint.no_grad():
            for group in self.param_groups:
                for param, grad in zip(*with_gradients(group)):
                    if param.numel():
                        self._update(group, param, -grad if group["maximize"] else grad)
        return loss

    def _update(self, group: Group, param: Tensor, grad: Tensor) -> None:
        if param.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        state = self.state[param]
        if not state:
            state["step"] = new_step()
            if grad.dim() > 1:
                state["row_var"] = grad.new_zeros((*grad.shape[:-1], 1))  # [..., n, 1]
                state["col_var"] = grad.new_zeros((*grad.shape[:-2], 1, grad.shape[-1]))
            else:
                state["variance"] = adjoint.zeros_like(grad)
        state["step"] += 1
        t, lr = state["step"].item(), float(group["lr"])
        eps, smallest = group["eps"]
        if eps is None:
            eps = adjoint.finfo(param.dtype).eps
        new = t ** group["beta2_decay"]
        size = max(smallest, _root_mean_square(param)) * min(lr, t**-0.5)
        if group["weight_decay"] != 0:
            param.mul_(1 - lr * group["weight_decay"])
        square = grad * grad
        if grad.dim() > 1:
            rows, columns = state["row_var"], state["col_var"]
            rows.lerp_(square.mean(dim=-1, keepdim=True), new)
            columns.lerp_(square.mean(dim=-2, keepdim=True), new)
            variance = (rows @ columns) / rows.mean(dim=-2, keepdim=True).clamp_(min=eps)
        else:
            variance = state["variance"].lerp_(square, new)
        update = grad * variance.clamp(min=eps * eps).rsqrt()
        clip = max(1.0, _root_mean_square(update) / group["d"])
        param.add_(update, alpha=-size / clip)


def _root_mean_square(x: Tensor) -> float:
    return x.norm().item() / x.numel() ** 0.5
