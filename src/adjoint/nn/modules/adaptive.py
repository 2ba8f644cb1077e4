"""The adaptive softmax: cheap for many classes of which few are frequent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import adjoint
from adjoint import Tensor

from .container import ModuleList, Sequential
from .linear import Linear
from .module import Module

__all__ = ["AdaptiveLogSoftmaxWithLoss"]


class _ASMoutput(NamedTuple):
    output: Tensor
    loss: Tensor


class AdaptiveLogSoftmaxWithLoss(Module):
    """Log-probabilities of classes in clusters (Grave et al., "Efficient softmax approximation for
    GPUs", 2017). Classes are ordered by falling frequency; the first ``cutoffs[0]`` have logits of
    their own in the head, next to one logit for each further cluster, in which features are
    projected to ``in_features / div_value**(i + 1)``.

    An input [N, in_features] and targets [N] (or [in_features] and a number) give the target's
    log-probabilities [N] as ``output``, and minus their mean as ``loss``.

    Raises:
        ValueError: cutoffs that are not distinct, increasing, positive integers below
            ``n_classes``.
        RuntimeError: a target that is no class, or shapes that do not match.

    >>> m = adjoint.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], div_value=2.0)
    >>> m(adjoint.zeros(2, 8), adjoint.tensor([0, 15])).output.shape
    torch.Size([2])
    """

    def __init__(
        self,
        in_features: int,
        n_classes: int,
        cutoffs: Sequence[int],
        div_value: float = 4.0,
        head_bias: bool = False,
        device: Any = None,
        dtype: Any = None,
    ) -> None:
        super().__init__()
        cutoffs = list(cutoffs)
        if not cutoffs:
            raise ValueError("cutoffs should be a sequence of length larger than 0")
        if (
            cutoffs != sorted(set(cutoffs))
            or cutoffs[0] <= 0
            or cutoffs[-1] > n_classes - 1
            or any(int(c) != c for c in cutoffs)
        ):
            raise ValueError(
                "cutoffs should be a sequence of unique, positive integers sorted in an increasing "
                f"order, where each value is between 1 and n_classes-1, got {cutoffs} for "
                f"{n_classes} classes"
            )
        self.in_features = in_features
        self.n_classes = n_classes
        self.cutoffs = [*cutoffs, n_classes]
        self.div_value = div_value
        self.head_bias = head_bias
        self.shortlist_size = self.cutoffs[0]
        self.n_clusters = len(self.cutoffs) - 1
        self.head_size = self.shortlist_size + self.n_clusters
        factory: dict[str, Any] = {"device": device, "dtype": dtype}
        self.head = Linear(in_features, self.head_size, bias=head_bias, **factory)
        self.tail = ModuleList()
        for i in range(self.n_clusters):
            hidden = int(in_features // div_value ** (i + 1))
            size = self.cutoffs[i + 1] - self.cutoffs[i]
            self.tail.append(
                Sequential(
                    Linear(in_features, hidden, bias=False, **factory),
                    Linear(hidden, size, bias=False, **factory),
                )
            )

    def reset_parameters(self) -> None:
        """Draws all weights anew."""
        self.head.reset_parameters()
        for projection, out in self.tail:
            projection.reset_parameters()
            out.reset_parameters()

    def forward(self, input: Tensor, target: Tensor) -> _ASMoutput:
        if target.dim() > 1 or input.dim() != target.dim() + 1:
            raise RuntimeError(
                "expected an input [N, in_features] with targets [N], or [in_features] with a 0D "
                f"target, got shapes {list(input.shape)} and {list(target.shape)}"
            )
        single = target.dim() == 0
        if single:
            input, target = input.unsqueeze(0), target.unsqueeze(0)
        if input.shape[0] != target.shape[0]:
            raise RuntimeError(
                "Input and target should have the same size in the batch dimension, got "
                f"{input.shape[0]} and {target.shape[0]}"
            )
        if target.numel() and not 0 <= int(target.min()) <= int(target.max()) < self.n_classes:
            raise RuntimeError(
                f"Target values should be in [0, {self.n_classes - 1}], but values in range "
                f"[{int(target.min())}, {int(target.max())}] were found."
            )
        head = self.head(input).log_softmax(1)
        in_head = target  # a cluster's targets are those of its logit
        parts = []
        for i in range(self.n_clusters):
            low, high = self.cutoffs[i], self.cutoffs[i + 1]
            mask = (target >= low) & (target < high)
            in_head = adjoint.where(mask, self.shortlist_size + i, in_head)
            rows = mask.nonzero().squeeze(1)
            if rows.numel():
                inside = self.tail[i](input.index_select(0, rows)).log_softmax(1)
                own = (target.index_select(0, rows) - low).unsqueeze(1)
                parts.append((rows, inside.gather(1, own).squeeze(1)))
        output = head.gather(1, in_head.unsqueeze(1)).squeeze(1)
        for rows, inside in parts:
            output = output.index_add(0, rows, inside)
        loss = (-output).mean()
        return _ASMoutput(output.squeeze(0) if single else output, loss)

    def log_prob(self, input: Tensor) -> Tensor:
        """Log-probabilities [N, n_classes] of all classes, of an input [N, in_features]."""
        head = self.head(input)
        scores = head.log_softmax(1)
        parts = [scores[:, : self.shortlist_size]]
        for i in range(self.n_clusters):
            cluster = scores[:, self.shortlist_size + i].unsqueeze(1)
            parts.append(self.tail[i](input).log_softmax(1) + cluster)
        return adjoint.cat(parts, dim=1)

    def predict(self, input: Tensor) -> Tensor:
        """The most probable class [N] for each row of an input [N, in_features]."""
        return self.log_prob(input).argmax(1)
