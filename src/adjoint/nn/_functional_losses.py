"""Losses and samples of :mod:`adjoint.nn.functional` that put several operators together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor, _core

__all__ = [
    "gumbel_softmax",
    "linear_cross_entropy",
    "rrelu",
    "rrelu_",
    "triplet_margin_with_distance_loss",
]

_F = _core._namespaces["nn.functional"]


def gumbel_softmax(
    logits: Tensor, tau: float = 1, hard: bool = False, eps: float = 1e-10, dim: int = -1
) -> Tensor:
    """A sample, differentiable in the logits, of the distribution that they give: the softmax over
    ``dim`` of ``(logits + Gumbel noise) / tau`` (Jang et al., ICLR 2017). ``hard`` makes it
    one-hot, with the gradient of the soft one. ``eps`` is not used.

    >>> adjoint.nn.functional.gumbel_softmax(adjoint.tensor([[0., 1000.]]), hard=True)
    tensor([[0., 1.]])
    """
    noise = -adjoint.empty_like(logits).exponential_().log()
    soft = ((logits + noise) / tau).softmax(dim)
    if not hard:
        return soft
    index = soft.argmax(dim, keepdim=True)
    one_hot = adjoint.zeros_like(logits).scatter(dim, index, 1.0)
    return one_hot - soft.detach() + soft


def rrelu(
    input: Tensor,
    lower: float = 1 / 8,
    upper: float = 1 / 3,
    training: bool = False,
    inplace: bool = False,
) -> Tensor:
    """``x`` where it is positive, else ``a x``: in training with ``a`` uniform in [lower, upper]
    for each element, otherwise with their mean (Xu et al., 2015).

    >>> adjoint.nn.functional.rrelu(adjoint.tensor([-1., 2.]), 0.25, 0.75)
    tensor([-0.5000,  2.0000])
    """
    if lower > upper:
        raise RuntimeError(f"Lower bound should be less than or equal to the upper bound, got "
                           f"{lower} and {upper}")  # fmt: skip
    if not training:
        result = _F["leaky_relu"](input, (lower + upper) / 2)
        return input.copy_(result) if inplace else result
    with adjoint.no_grad():
        noise = adjoint.empty_like(input).uniform_(lower, upper)
        slope = adjoint.where(input > 0, adjoint.ones_like(noise), noise)
    return input.mul_(slope) if inplace else input * slope


def rrelu_(
    input: Tensor, lower: float = 1 / 8, upper: float = 1 / 3, training: bool = False
) -> Tensor:
    """`rrelu`, written into the input.

    >>> adjoint.nn.functional.rrelu_(adjoint.tensor([-1., 2.]), 0.25, 0.75)
    tensor([-0.5000,  2.0000])
    """
    return rrelu(input, lower, upper, training, inplace=True)


def triplet_margin_with_distance_loss(
    anchor: Tensor,
    positive: Tensor,
    negative: Tensor,
    *,
    distance_function: Callable[[Tensor, Tensor], Tensor] | None = None,
    margin: float = 1.0,
    swap: bool = False,
    reduction: str = "mean",
) -> Tensor:
    """`triplet_margin_loss` with a distance of one's own (`pairwise_distance` if None).

    Raises:
        ValueError: another reduction than 'none', 'mean', 'sum', or a margin that is not positive.

    >>> a, b = adjoint.zeros(1, 2), adjoint.tensor([[3., 4.]])
    >>> f = adjoint.nn.functional.triplet_margin_with_distance_loss
    >>> f(a, a, b, distance_function=lambda x, y: (x - y).abs().sum(-1), margin=8.0)
    tensor(1.)
    """
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")
    if margin <= 0:
        raise ValueError(f"margin must be greater than 0, got {margin}")
    distance = distance_function or _F["pairwise_distance"]
    if not anchor.dim() == positive.dim() == negative.dim():
        raise RuntimeError(
            "The anchor, positive, and negative tensors are expected to have the same number of "
            f"dimensions, but got: anchor {anchor.dim()}D, positive {positive.dim()}D, and "
            f"negative {negative.dim()}D inputs"
        )
    near, far = distance(anchor, positive), distance(anchor, negative)
    if swap:
        far = adjoint.minimum(far, distance(positive, negative))
    each = (near - far + margin).clamp_min(0)
    return each.mean() if reduction == "mean" else each.sum() if reduction == "sum" else each


def linear_cross_entropy(
    input: Tensor,
    linear_weight: Tensor,
    target: Tensor,
    *,
    linear_bias: Tensor | None = None,
    weight: Tensor | None = None,
    reduction: str = "mean",
    ignore_index: int | None = None,
    label_smoothing: float = 0.0,
    options: Any = None,
) -> Tensor:
    """The cross-entropy of ``linear(input, linear_weight, linear_bias)``.

    Args:
        input: [F] or [N, F].
        linear_weight: [C, F], or [C, d1, d2, ..., F] for a target [N, d1, d2, ...].
        target: class indices [N, d1, ...], or probabilities [N, C, d1, ...].
        linear_bias: [C, d1, ...].
        weight: a factor for each class [C].
        ignore_index: a class that does not count; -100 if None.
        options: accepted, and not acted on.

    >>> x, w = adjoint.zeros(2, 3), adjoint.ones(4, 3)
    >>> adjoint.nn.functional.linear_cross_entropy(x, w, adjoint.tensor([0, 3]))
    tensor(1.3863)
    """
    shape = linear_weight.shape[:-1]  # [C, d1, ...]
    if input.shape[-1:] != linear_weight.shape[-1:]:
        raise RuntimeError(
            "expected equal input and linear_weight last dimensions (in_features), got "
            f"{input.shape[-1]} and {linear_weight.shape[-1]}, respectively"
        )
    if weight is not None and weight.shape != shape[:1]:
        raise RuntimeError(
            f"expected weight shape to be {tuple(shape[:1])}, got {tuple(weight.shape)}"
        )
    if not 0 <= label_smoothing <= 1:
        raise RuntimeError(f"expected label_smoothing to be in range [0, 1], got {label_smoothing}")
    bias = None if linear_bias is None else linear_bias.reshape(-1)
    logits = _F["linear"](input, linear_weight.reshape(-1, linear_weight.shape[-1]), bias)
    return _F["cross_entropy"](
        logits.reshape(*input.shape[:-1], *shape),
        target,
        weight=weight,
        reduction=reduction,
        ignore_index=-100 if ignore_index is None else ignore_index,
        label_smoothing=label_smoothing,
    )
