"""Dropout: random zeros in training, nothing in evaluation."""

from __future__ import annotations

from adjoint import Tensor

from .. import functional as F
from .module import Module

__all__ = ["AlphaDropout", "Dropout", "Dropout1d", "Dropout2d", "Dropout3d", "FeatureAlphaDropout"]


class _DropoutNd(Module):
    p: float
    inplace: bool

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ValueError(f"the dropout probability p must be between 0 and 1, got {p}")
        self.p = p
        self.inplace = inplace

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"


class Dropout(_DropoutNd):
    """In training, zeroes each element with probability ``p`` and scales the rest by
    ``1 / (1 - p)`` (Srivastava et al., JMLR 15, 2014). Any shape.

    Raises:
        ValueError: ``p`` is not between 0 and 1.

    >>> layer = adjoint.nn.Dropout(0.5)
    >>> sorted(set(layer(adjoint.ones(1000)).tolist()))
    [0.0, 2.0]
    >>> layer.eval()(adjoint.ones(3))
    tensor([1., 1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)


class Dropout1d(_DropoutNd):
    """Dropout of whole channels: input [N, C, L] or [C, L].

    >>> adjoint.nn.Dropout1d(1.0)(adjoint.ones(1, 2, 3)).sum()
    tensor(0.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout1d(input, self.p, self.training, self.inplace)


class Dropout2d(_DropoutNd):
    """Dropout of whole channels: input [N, C, H, W]. Others are taken as [N, C, ...], with a
    warning.

    >>> adjoint.nn.Dropout2d(1.0)(adjoint.ones(1, 2, 3, 3)).sum()
    tensor(0.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout2d(input, self.p, self.training, self.inplace)


class Dropout3d(_DropoutNd):
    """Dropout of whole channels: input [N, C, D, H, W] or [C, D, H, W].

    >>> adjoint.nn.Dropout3d(1.0)(adjoint.ones(1, 2, 3, 3, 3)).sum()
    tensor(0.)
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout3d(input, self.p, self.training, self.inplace)


class AlphaDropout(_DropoutNd):
    """Dropout that keeps the mean and variance of self-normalising networks
    (Klambauer et al., NeurIPS 2017): dropped elements get SELU's negative limit, not zero.

    >>> adjoint.nn.AlphaDropout(0.1).eval()(adjoint.ones(2))
    tensor([1., 1.])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.alpha_dropout(input, self.p, self.training, self.inplace)


class FeatureAlphaDropout(_DropoutNd):
    """:class:`AlphaDropout` of whole channels.

    >>> adjoint.nn.FeatureAlphaDropout(0.1).eval()(adjoint.ones(1, 1, 2))
    tensor([[[1., 1.]]])
    """

    def forward(self, input: Tensor) -> Tensor:
        return F.feature_alpha_dropout(input, self.p, self.training, self.inplace)
