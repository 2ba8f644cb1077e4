"""Student's t distribution."""

from __future__ import annotations

import math
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.distributions import constraints
from adjoint.distributions.chi2 import Chi2
from adjoint.distributions.distribution import Distribution
from adjoint.distributions.utils import broadcast_all


class StudentT(Distribution):
    """Student's t distribution of `df` degrees of freedom, moved by `loc` and scaled by `scale`.

    >>> adjoint.distributions.StudentT(3.0).variance
    tensor(3.)
    """

    arg_constraints = {
        "df": constraints.positive,
        "loc": constraints.real,
        "scale": constraints.positive,
    }
    support = constraints.real
    has_rsample = True

    def __init__(
        self, df: Any, loc: Any = 0.0, scale: Any = 1.0, validate_args: bool | None = None
    ) -> None:
        self.df, self.loc, self.scale = broadcast_all(df, loc, scale)
        self._chi2 = Chi2(self.df, validate_args=validate_args)
        super().__init__(self.df.shape, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = super().expand(batch_shape, _instance)
        new._chi2 = self._chi2.expand(batch_shape)
        return new

    @property
    def mean(self) -> Tensor:
        return self.loc.masked_fill(self.df <= 1, math.nan)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        finite = self.scale.pow(2) * self.df / (self.df - 2)
        return finite.masked_fill(self.df <= 2, math.inf).masked_fill(self.df <= 1, math.nan)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        x = adjoint.randn(shape, dtype=self.df.dtype)
        z = self._chi2.rsample(sample_shape)
        return self.loc + self.scale * x * adjoint.rsqrt(z / self.df)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        y = (value - self.loc) / self.scale
        normalizer = (
            self.scale.log()
            + 0.5 * self.df.log()
            + 0.5 * math.log(math.pi)
            + adjoint.lgamma(0.5 * self.df)
            - adjoint.lgamma(0.5 * (self.df + 1.0))
        )
        return -0.5 * (self.df + 1.0) * adjoint.log1p(y * y / self.df) - normalizer

    def entropy(self) -> Tensor:
        beta = (
            adjoint.lgamma(0.5 * self.df) + math.lgamma(0.5) - adjoint.lgamma(0.5 * (self.df + 1))
        )
        half = 0.5 * (self.df + 1)
        rest = half * (adjoint.digamma(half) - adjoint.digamma(0.5 * self.df))
        return self.scale.log() + rest + 0.5 * self.df.log() + beta
