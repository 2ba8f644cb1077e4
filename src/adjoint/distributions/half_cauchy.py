"""The half-Cauchy distribution."""

from __future__ import annotations

import math
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.distributions import constraints
from adjoint.distributions.cauchy import Cauchy
from adjoint.distributions.transformed_distribution import TransformedDistribution
from adjoint.distributions.transforms import AbsTransform


class HalfCauchy(TransformedDistribution):
    """The distribution of ``|x|`` for x of Cauchy(0, `scale`).

    >>> adjoint.distributions.HalfCauchy(1.0).cdf(adjoint.tensor(1.0))
    tensor(0.5000)
    """

    arg_constraints = {"scale": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True

    def __init__(self, scale: Any, validate_args: bool | None = None) -> None:
        base = Cauchy(0, scale, validate_args=False)
        super().__init__(base, AbsTransform(), validate_args=validate_args)

    @property
    def scale(self) -> Tensor:
        """The half width of x at half the maximum."""
        return self.base_dist.scale

    @property
    def mean(self) -> Tensor:
        return adjoint.full_like(self.scale, math.inf)

    @property
    def mode(self) -> Tensor:
        return adjoint.zeros_like(self.scale)

    @property
    def variance(self) -> Tensor:
        return adjoint.full_like(self.scale, math.inf)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        result = self.base_dist.log_prob(value) + math.log(2)
        return adjoint.where(value >= 0, result, -math.inf)

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return 2 * self.base_dist.cdf(value) - 1

    def icdf(self, value: Tensor) -> Tensor:
        return self.base_dist.icdf((value + 1) / 2)

    def entropy(self) -> Tensor:
        return self.base_dist.entropy() - math.log(2)
