"""The Wishart distribution."""

from __future__ import annotations

import math
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.distributions import constraints
from adjoint.distributions.distribution import ExponentialFamily
from adjoint.distributions.multivariate_normal import _precision_to_scale_tril
from adjoint.distributions.utils import lazy_property


class Wishart(ExponentialFamily):
    """The Wishart distribution of positive definite matrices [n, n].

    ``X^T X`` is so distributed for X of `df` rows, each normal of mean 0 and the given covariance;
    `df` may be any number above n - 1. The covariance is given by one of `covariance_matrix`,
    `precision_matrix` and `scale_tril`, each [..., n, n].

    >>> adjoint.distributions.Wishart(3.0, adjoint.eye(2)).mean
    tensor([[3., 0.],
            [0., 3.]])
    """

    arg_constraints = {
        "covariance_matrix": constraints.positive_definite,
        "precision_matrix": constraints.positive_definite,
        "scale_tril": constraints.lower_cholesky,
        "df": constraints.greater_than(0),
    }
    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0.0

    def __init__(
        self,
        df: Tensor | float,
        covariance_matrix: Tensor | None = None,
        precision_matrix: Tensor | None = None,
        scale_tril: Tensor | None = None,
        validate_args: bool | None = None,
    ) -> None:
        given = {
            "covariance_matrix": covariance_matrix,
            "precision_matrix": precision_matrix,
            "scale_tril": scale_tril,
        }
        names = [name for name, value in given.items() if value is not None]
        if len(names) != 1:
            raise ValueError(
                "Exactly one of covariance_matrix or precision_matrix or scale_tril may be "
                f"specified, got {names or 'none'}."
            )
        (name,) = names
        matrix: Any = given[name]
        if matrix.dim() < 2:
            raise ValueError(
                f"{name} must be at least two-dimensional, with optional leading batch dimensions"
            )
        count = adjoint.as_tensor(df, dtype=matrix.dtype)
        n = matrix.shape[-1]
        batch = adjoint.broadcast_shapes(matrix.shape[:-2], count.shape)
        if bool((count <= n - 1).any()):
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {n - 1}.")
        self.df = count.expand(batch)
        self.__dict__[name] = matrix.expand((*batch, n, n))
        super().__init__(batch, (n, n), validate_args=validate_args)
        if name == "scale_tril":
            self._unbroadcasted_scale_tril = matrix
        elif name == "covariance_matrix":
            self._unbroadcasted_scale_tril = adjoint.linalg.cholesky(matrix)
        else:
            self._unbroadcasted_scale_tril = _precision_to_scale_tril(matrix)

    @lazy_property
    def scale_tril(self) -> Tensor:
        """The lower Cholesky factor of the covariance."""
        return self._unbroadcasted_scale_tril.expand(self._batch_shape + self._event_shape)

    @lazy_property
    def covariance_matrix(self) -> Tensor:
        """The covariance of the rows."""
        return (self._unbroadcasted_scale_tril @ self._unbroadcasted_scale_tril.mT).expand(
            self._batch_shape + self._event_shape
        )

    @lazy_property
    def precision_matrix(self) -> Tensor:
        """The inverse of the covariance."""
        inverse = adjoint.cholesky_inverse(self._unbroadcasted_scale_tril)
        return inverse.expand(self._batch_shape + self._event_shape)

    @property
    def mean(self) -> Tensor:
        return self.df[..., None, None] * self.covariance_matrix

    @property
    def mode(self) -> Tensor:
        """The most probable matrix; NaN where `df` is at most n + 1."""
        factor = self.df - self._event_shape[-1] - 1
        factor = adjoint.where(factor > 0, factor, math.nan)
        return factor[..., None, None] * self.covariance_matrix

    @property
    def variance(self) -> Tensor:
        v = self.covariance_matrix
        diagonal = v.diagonal(dim1=-2, dim2=-1)
        crossed = diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2)
        return self.df[..., None, None] * (v.pow(2) + crossed)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """Draws by Bartlett's decomposition, differentiable by `df` and the covariance."""
        shape = self._extended_shape(sample_shape)
        half = 0.5 * self._degrees().expand(shape[:-1])  # [..., n]
        tiny = adjoint.finfo(half.dtype).tiny
        chi = (2 * adjoint._core._standard_gamma(half).clamp(min=tiny)).sqrt()
        noise = adjoint.randn(shape, dtype=half.dtype).tril(-1) + adjoint.diag_embed(chi)
        root = self._unbroadcasted_scale_tril @ noise
        return root @ root.mT

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        n = self._event_shape[-1]
        weighted = adjoint.cholesky_solve(value, self._spread(value))
        trace = weighted.diagonal(dim1=-2, dim2=-1).sum(-1)
        log_det = adjoint.linalg.slogdet(value).logabsdet
        return 0.5 * ((self.df - n - 1) * log_det - trace) - self._log_constant()

    def entropy(self) -> Tensor:
        n = self._event_shape[-1]
        expected = self._expected_log_det()
        half = 0.5 * (self.df * n - (self.df - n - 1) * expected)
        return (half + self._log_constant()).expand(self._batch_shape)

    def _degrees(self) -> Tensor:
        """Degrees of freedom of the rows: df, df - 1, ..., df - n + 1."""
        return self.df.unsqueeze(-1) - adjoint.arange(self._event_shape[-1], dtype=self.df.dtype)

    def _half_log_det(self) -> Tensor:
        return self._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)

    def _log_constant(self) -> Tensor:
        n = self._event_shape[-1]
        gammas = adjoint.mvlgamma(0.5 * self.df, n)
        return self.df * (self._half_log_det() + 0.5 * n * math.log(2)) + gammas

    def _expected_log_det(self) -> Tensor:
        n = self._event_shape[-1]
        slopes = adjoint.digamma(0.5 * self._degrees()).sum(-1)
        return slopes + n * math.log(2) + 2 * self._half_log_det()

    def _spread(self, value: Tensor) -> Tensor:
        batch = adjoint.broadcast_shapes(
            self._unbroadcasted_scale_tril.shape[:-2], value.shape[:-2]
        )
        return self._unbroadcasted_scale_tril.expand((*batch, *self._event_shape))

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return 0.5 * self.df, -0.5 * self.precision_matrix

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        n = y.shape[-1]
        return x * (n * math.log(2) - adjoint.linalg.slogdet(-2 * y).logabsdet) + (
            adjoint.mvlgamma(x, n)
        )
