"""The inverse gamma distribution."""

from __future__ import annotations

import math
from typing import Any

from adjoint import Tensor
from adjoint.distributions import constraints
from adjoint.distributions.gamma import Gamma
from adjoint.distributions.transformed_distribution import TransformedDistribution
from adjoint.distributions.transforms import PowerTransform


class InverseGamma(TransformedDistribution):
    """The distribution of ``1 / x`` for x of Gamma(`concentration`, `rate`).

    >>> adjoint.distributions.InverseGamma(3.0, 4.0).mean
    tensor(2.)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.positive
    has_rsample = True

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        base = Gamma(concentration, rate, validate_args=validate_args)
        power = PowerTransform(-base.rate.new_ones(()))
        super().__init__(base, power, validate_args=validate_args)

    @property
    def concentration(self) -> Tensor:
        """The shape parameter."""
        return self.base_dist.concentration

    @property
    def rate(self) -> Tensor:
        """The rate of the gamma distribution."""
        return self.base_dist.rate

    @property
    def mean(self) -> Tensor:
        finite = self.rate / (self.concentration - 1)
        return finite.masked_fill(self.concentration <= 1, math.inf)

    @property
    def mode(self) -> Tensor:
        return self.rate / (self.concentration + 1)

    @property
    def variance(self) -> Tensor:
        a = self.concentration
        finite = self.rate.pow(2) / ((a - 1).pow(2) * (a - 2))
        return finite.masked_fill(a <= 2, math.inf)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a + self.rate.log() + a.lgamma() - (1 + a) * a.digamma()
