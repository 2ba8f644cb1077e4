"""Distances and similarities of vectors."""

from __future__ import annotations

from adjoint import Tensor

from .. import functional as F
from .module import Module

__all__ = ["CosineSimilarity", "PairwiseDistance"]


class PairwiseDistance(Module):
    """The p-norm of ``x1 - x2 + eps`` over the last dim: of [N, D] and [N, D], [N].

    >>> x, y = adjoint.tensor([[0.0, 0.0]]), adjoint.tensor([[3.0, 4.0]])
    >>> adjoint.nn.PairwiseDistance()(x, y)
    tensor([5.0000])
    """

    def __init__(self, p: float = 2.0, eps: float = 1e-6, keepdim: bool = False) -> None:
        super().__init__()
        self.norm = p
        self.eps = eps
        self.keepdim = keepdim

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.pairwise_distance(x1, x2, self.norm, self.eps, self.keepdim)


class CosineSimilarity(Module):
    """The cosine of the angle between the vectors of ``x1`` and ``x2`` along ``dim``.

    >>> x, y = adjoint.tensor([[1.0, 0.0]]), adjoint.tensor([[0.0, 2.0]])
    >>> adjoint.nn.CosineSimilarity()(x, y)
    tensor([0.])
    """

    def __init__(self, dim: int = 1, eps: float = 1e-8) -> None:
        super().__init__()
        self.dim = dim
        self.eps = eps

    def forward(self, x1: Tensor, x2: Tensor) -> Tensor:
        return F.cosine_similarity(x1, x2, self.dim, self.eps)
