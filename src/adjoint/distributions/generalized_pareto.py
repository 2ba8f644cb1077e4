"""The generalized Pareto distribution."""

from __future__ import annotations

import math
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.distributions import constraints
from adjoint.distributions.distribution import Distribution
from adjoint.distributions.utils import broadcast_all


class GeneralizedPareto(Distribution):
    """Excesses over `loc`, of scale `scale` and tail index `concentration` (which may be negative).

    With ``z = (x - loc) / scale``, values above x have probability ``(1 + c z)^(-1/c)``, which for
    c = 0 is ``exp(-z)``.

    >>> adjoint.distributions.GeneralizedPareto(0.0, 1.0, 0.5).mean
    tensor(2.)
    """

    arg_constraints = {
        "loc": constraints.real,
        "scale": constraints.positive,
        "concentration": constraints.real,
    }
    has_rsample = True

    def __init__(
        self, loc: Any, scale: Any, concentration: Any, validate_args: bool | None = None
    ) -> None:
        self.loc, self.scale, self.concentration = broadcast_all(loc, scale, concentration)
        super().__init__(self.loc.shape, validate_args=validate_args)

    @constraints.dependent_property(is_discrete=False, event_dim=0)
    def support(self) -> Any:
        end = self.loc - self.scale / self.concentration
        upper = adjoint.where(self.concentration < 0, end, math.inf)
        return constraints.interval(self.loc, upper)

    @property
    def mean(self) -> Tensor:
        """The mean; infinite for a concentration of 1 and above."""
        c = self.concentration
        return adjoint.where(c < 1, self.loc + self.scale / (1 - c), math.inf)

    @property
    def mode(self) -> Tensor:
        return self.loc

    @property
    def variance(self) -> Tensor:
        """The variance; infinite for a concentration of 1/2 and above."""
        c = self.concentration
        return adjoint.where(c < 0.5, self.scale**2 / ((1 - c) ** 2 * (1 - 2 * c)), math.inf)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        return self.icdf(adjoint.rand(shape, dtype=self.loc.dtype))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        zero, c = self._split()
        tail = -(1 / c + 1) * adjoint.log1p(c * z)
        return adjoint.where(zero, -z, tail) - self.scale.log()

    def log_survival_function(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of more than `value`."""
        if self._validate_args:
            self._validate_sample(value)
        z = self._z(value)
        zero, c = self._split()
        return adjoint.where(zero, -z, -adjoint.log1p(c * z) / c)

    def log_cdf(self, value: Tensor) -> Tensor:
        """The logarithm of the probability of at most `value`."""
        return adjoint.log1p(-self.log_survival_function(value).exp())

    def cdf(self, value: Tensor) -> Tensor:
        return -self.log_survival_function(value).expm1()

    def icdf(self, value: Tensor) -> Tensor:
        zero, c = self._split()
        log_above = adjoint.log1p(-value)
        z = adjoint.where(zero, -log_above, adjoint.expm1(-c * log_above) / c)
        return self.loc + self.scale * z

    def entropy(self) -> Tensor:
        return self.scale.log() + self.concentration + 1

    def _z(self, value: Tensor) -> Tensor:
        return (value - self.loc) / self.scale

    def _split(self) -> tuple[Tensor, Tensor]:
        """Where the concentration is 0 to rounding, and one that can be divided by."""
        c = self.concentration
        zero = c.abs() < adjoint.finfo(c.dtype).tiny
        return zero, adjoint.where(zero, adjoint.ones_like(c), c)
