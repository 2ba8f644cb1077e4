"""The multivariate normal distribution whose covariance is a diagonal and a part of low rank."""

from __future__ import annotations

import math
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.distributions import constraints
from adjoint.distributions.distribution import Distribution
from adjoint.distributions.multivariate_normal import _batch_mahalanobis
from adjoint.distributions.utils import lazy_property


class LowRankMultivariateNormal(Distribution):
    """The normal distribution of vectors of covariance ``W W^T + diag(D)``.

    Args:
        loc: the mean [..., n].
        cov_factor: W [..., n, rank].
        cov_diag: D [..., n], positive.

    Densities and entropies take ``rank^3`` operations instead of ``n^3``, by the matrix inversion
    lemma and the matrix determinant lemma.

    >>> d = adjoint.distributions.LowRankMultivariateNormal(
    ...     adjoint.zeros(2), adjoint.ones(2, 1), adjoint.ones(2)
    ... )
    >>> d.covariance_matrix
    tensor([[2., 1.],
            [1., 2.]])
    """

    arg_constraints = {
        "loc": constraints.real_vector,
        "cov_factor": constraints.independent(constraints.real, 2),
        "cov_diag": constraints.independent(constraints.positive, 1),
    }
    support = constraints.real_vector
    has_rsample = True

    def __init__(
        self,
        loc: Tensor,
        cov_factor: Tensor,
        cov_diag: Tensor,
        validate_args: bool | None = None,
    ) -> None:
        if loc.dim() < 1:
            raise ValueError("loc must be at least one-dimensional.")
        n = loc.shape[-1]
        if cov_factor.dim() < 2:
            raise ValueError(
                "cov_factor must be at least two-dimensional, with optional leading batch "
                "dimensions"
            )
        if cov_factor.shape[-2] != n:
            raise ValueError(
                f"cov_factor must be a batch of matrices with shape {n} x m, got "
                f"{tuple(cov_factor.shape)}"
            )
        if cov_diag.dim() < 1 or cov_diag.shape[-1] != n:
            raise ValueError(
                f"cov_diag must be a batch of vectors with shape ({n},), got "
                f"{tuple(cov_diag.shape)}"
            )
        try:
            batch = adjoint.broadcast_shapes(
                loc.shape[:-1], cov_factor.shape[:-2], cov_diag.shape[:-1]
            )
        except RuntimeError as error:
            raise ValueError(
                f"Incompatible batch shapes: loc {tuple(loc.shape)}, cov_factor "
                f"{tuple(cov_factor.shape)}, cov_diag {tuple(cov_diag.shape)}"
            ) from error
        self.loc = loc.expand((*batch, n))
        self.cov_factor = cov_factor.expand((*batch, *cov_factor.shape[-2:]))
        self.cov_diag = cov_diag.expand((*batch, n))
        self._small = cov_factor, cov_diag  # as small as they were given
        self._core_factor = _core_factor(cov_factor, cov_diag)
        super().__init__(batch, (n,), validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.loc

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        factor, diag = self._small
        return (factor.pow(2).sum(-1) + diag).expand(self._batch_shape + self._event_shape)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance [..., n, n]."""
        factor, diag = self._small
        n = self._event_shape[0]
        return (factor @ factor.mT + adjoint.diag_embed(diag)).expand((*self._batch_shape, n, n))

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of the covariance [..., n, n]."""
        return adjoint.linalg.cholesky(self.covariance_matrix)

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance [..., n, n]."""
        factor, diag = self._small
        scaled = factor / diag.unsqueeze(-1)
        n = self._event_shape[0]
        inner = adjoint.cholesky_solve(scaled.mT, self._core_factor)
        return (adjoint.diag_embed(diag.reciprocal()) - scaled @ inner).expand(
            (*self._batch_shape, n, n)
        )

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        factor, diag = self._small
        eps_w = adjoint.randn((*shape[:-1], factor.shape[-1], 1), dtype=self.loc.dtype)
        eps_d = adjoint.randn(shape, dtype=self.loc.dtype)
        return self.loc + (factor @ eps_w).squeeze(-1) + diag.sqrt() * eps_d

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self._event_shape[0]
        square = self._square(value - self.loc)
        return -0.5 * (n * math.log(2 * math.pi) + self._log_det() + square)

    def entropy(self) -> Tensor:
        n = self._event_shape[0]
        h = 0.5 * (n * (1.0 + math.log(2 * math.pi)) + self._log_det())
        return h.expand(self._batch_shape)

    def _log_det(self) -> Tensor:
        """log det of the covariance, by the determinant lemma."""
        core = self._core_factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        return 2 * core + self._small[1].log().sum(-1)

    def _square(self, x: Tensor) -> Tensor:
        """``x^T covariance^-1 x`` for x [..., n], by the inversion lemma."""
        factor, diag = self._small
        scaled = (factor.mT @ (x / diag).unsqueeze(-1)).squeeze(-1)  # [..., rank]
        return (x.pow(2) / diag).sum(-1) - _batch_mahalanobis(self._core_factor, scaled)


def _core_factor(factor: Tensor, diag: Tensor) -> Tensor:
    """The Cholesky factor of ``I + W^T D^-1 W`` [..., rank, rank]."""
    weighted = factor.mT @ (factor / diag.unsqueeze(-1))
    return adjoint.linalg.cholesky(weighted + adjoint.eye(factor.shape[-1], dtype=factor.dtype))
