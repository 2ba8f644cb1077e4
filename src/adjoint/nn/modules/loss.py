"""Losses: each is its function in :mod:`adjoint.nn.functional`, with the arguments kept.

``reduction`` is ``"mean"``, ``"sum"`` or ``"none"`` everywhere. ``size_average`` and ``reduce`` are
its deprecated forms: False for the first means ``"sum"``, False for the second ``"none"``.
"""

from __future__ import annotations

import warnings
from typing import Any

from adjoint import Tensor

from .. import functional as F
from .._reduction import legacy_get_string
from .module import Module

__all__ = [
    "BCELoss",
    "BCEWithLogitsLoss",
    "CTCLoss",
    "CrossEntropyLoss",
    "GaussianNLLLoss",
    "HuberLoss",
    "KLDivLoss",
    "L1Loss",
    "MSELoss",
    "NLLLoss",
    "NLLLoss2d",
    "PoissonNLLLoss",
    "SmoothL1Loss",
]


class _Loss(Module):
    reduction: str

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__()
        if size_average is not None or reduce is not None:
            reduction = legacy_get_string(size_average, reduce, emit_warning=False)
            warnings.warn(
                f"size_average and reduce are deprecated, use reduction={reduction!r}",
                stacklevel=3,
            )
        self.reduction = reduction


class _WeightedLoss(_Loss):
    """A loss with a rescaling weight, which is a buffer."""

    weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.register_buffer("weight", weight)


class L1Loss(_Loss):
    """``|input - target|``: both [...].

    >>> adjoint.nn.L1Loss()(adjoint.zeros(2), adjoint.tensor([1.0, 3.0]))
    tensor(2.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.l1_loss(input, target, reduction=self.reduction)


class MSELoss(_Loss):
    """``(input - target)^2``: both [...].

    >>> adjoint.nn.MSELoss()(adjoint.zeros(2), adjoint.tensor([1.0, 3.0]))
    tensor(5.)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.mse_loss(input, target, reduction=self.reduction)


class SmoothL1Loss(_Loss):
    """``d^2 / (2 beta)`` where ``d = |input - target| < beta``, else ``d - beta / 2``
    (Girshick, "Fast R-CNN", 2015).

    >>> adjoint.nn.SmoothL1Loss()(adjoint.zeros(2), adjoint.tensor([1.0, 3.0]))
    tensor(1.5000)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        beta: float = 1.0,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


class HuberLoss(_Loss):
    """``d^2 / 2`` where ``d = |input - target| < delta``, else ``delta * (d - delta / 2)``
    (Huber, 1964).

    >>> adjoint.nn.HuberLoss()(adjoint.zeros(2), adjoint.tensor([1.0, 3.0]))
    tensor(1.5000)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        if not isinstance(delta, (float, int)):
            raise TypeError(f"delta must be a float or int, got: {type(delta)}")
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.huber_loss(input, target, reduction=self.reduction, delta=self.delta)


class NLLLoss(_WeightedLoss):
    """``-weight[target] * input[target]``, the mean over the weights.

    input log-probabilities [N, C] or [N, C, d1, ...], target class indices [N] or [N, d1, ...];
    targets equal to ``ignore_index`` count for nothing.

    >>> log_p = adjoint.tensor([[-0.5, -1.0]])
    >>> adjoint.nn.NLLLoss()(log_p, adjoint.tensor([1]))
    tensor(1.)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.nll_loss(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
        )


class CrossEntropyLoss(_WeightedLoss):
    """Negative log-likelihood of the softmax of the input.

    input logits [N, C] or [N, C, d1, ...], target class indices [N] or [N, d1, ...], or class
    probabilities of the input's shape. ``label_smoothing`` mixes the target with the uniform
    distribution (Szegedy et al., 2015).

    >>> loss = adjoint.nn.CrossEntropyLoss()
    >>> loss(adjoint.zeros(1, 4), adjoint.tensor([2]))
    tensor(1.3863)
    """

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        ignore_index: int = -100,
        reduce: bool | None = None,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.ignore_index = ignore_index
        self.label_smoothing = label_smoothing

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.cross_entropy(
            input,
            target,
            weight=self.weight,
            ignore_index=self.ignore_index,
            reduction=self.reduction,
            label_smoothing=self.label_smoothing,
        )


class BCELoss(_WeightedLoss):
    """``-(t log p + (1 - t) log(1 - p))``: probabilities and targets, both [...].

    >>> adjoint.nn.BCELoss()(adjoint.tensor([0.5]), adjoint.tensor([1.0]))
    tensor(0.6931)
    """

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy(input, target, weight=self.weight, reduction=self.reduction)


class BCEWithLogitsLoss(_WeightedLoss):
    """:class:`BCELoss` of ``sigmoid(input)``, computed without overflow.

    ``pos_weight`` multiplies the loss of positive targets and broadcasts with them.

    >>> adjoint.nn.BCEWithLogitsLoss()(adjoint.zeros(1), adjoint.ones(1))
    tensor(0.6931)
    """

    pos_weight: Tensor | None

    def __init__(
        self,
        weight: Tensor | None = None,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        pos_weight: Tensor | None = None,
    ) -> None:
        super().__init__(weight, size_average, reduce, reduction)
        self.register_buffer("pos_weight", pos_weight)

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.binary_cross_entropy_with_logits(
            input,
            target,
            self.weight,
            pos_weight=self.pos_weight,
            reduction=self.reduction,
        )


class KLDivLoss(_Loss):
    """``target * (log(target) - input)``: the input is log-probabilities, and so is the target
    if ``log_target``. ``reduction="batchmean"`` is the divergence per row of a batch.

    >>> loss = adjoint.nn.KLDivLoss(reduction="batchmean")
    >>> half = adjoint.tensor([[0.5, 0.5]])
    >>> loss(half.log(), half)
    tensor(0.)
    """

    def __init__(
        self,
        size_average: bool | None = None,
        reduce: bool | None = None,
        reduction: str = "mean",
        log_target: bool = False,
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Tensor) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)


class PoissonNLLLoss(_Loss):
    """``exp(input) - target * input``, or ``input - target * log(input + eps)`` if not
    ``log_input``; ``full`` adds Stirling's approximation of ``log(target!)``.

    >>> adjoint.nn.PoissonNLLLoss()(adjoint.zeros(1), adjoint.ones(1))
    tensor(1.)
    """

    def __init__(
        self,
        log_input: bool = True,
        full: bool = False,
        size_average: bool | None = None,
        eps: float = 1e-8,
        reduce: bool | None = None,
        reduction: str = "mean",
    ) -> None:
        super().__init__(size_average, reduce, reduction)
        self.log_input = log_input
        self.full = full
        self.eps = eps

    def forward(self, log_input: Tensor, target: Tensor) -> Tensor:
        return F.poisson_nll_loss(
            log_input,
            target,
            log_input=self.log_input,
            full=self.full,
            eps=self.eps,
            reduction=self.reduction,
        )


class GaussianNLLLoss(_Loss):
    """``(log(var) + (input - target)^2 / var) / 2`` with ``var`` at least ``eps``; ``full`` adds
    ``log(2 pi) / 2``.

    >>> zero, one = adjoint.zeros(1), adjoint.ones(1)
    >>> adjoint.nn.GaussianNLLLoss()(zero, one, one)
    tensor(0.5000)
    """

    def __init__(self, *, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)
        self.full = full
        self.eps = eps

    def forward(self, input: Tensor, target: Tensor, var: Tensor | float) -> Tensor:
        return F.gaussian_nll_loss(
            input, target, var, full=self.full, eps=self.eps, reduction=self.reduction
        )


class NLLLoss2d(NLLLoss):
    """The former name of :class:`NLLLoss` for inputs [N, C, H, W]."""


class CTCLoss(_Loss):
    """Connectionist temporal classification: see ``functional.ctc_loss``.

    >>> x = adjoint.zeros(2, 1, 2).log_softmax(2)
    >>> adjoint.nn.CTCLoss()(x, adjoint.tensor([[1]]), (2,), (1,))
    tensor(0.2877)
    """

    def __init__(
        self, blank: int = 0, reduction: str = "mean", zero_infinity: bool = False
    ) -> None:
        super().__init__(reduction=reduction)
        self.blank = blank
        self.zero_infinity = zero_infinity

    def forward(
        self, log_probs: Tensor, targets: Tensor, input_lengths: Any, target_lengths: Any
    ) -> Tensor:
        return F.ctc_loss(
            log_probs,
            targets,
            input_lengths,
            target_lengths,
            self.blank,
            self.reduction,
            self.zero_infinity,
        )
