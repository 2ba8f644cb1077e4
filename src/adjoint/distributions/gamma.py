"""The gamma distribution."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor, _core
from adjoint.distributions import constraints
from adjoint.distributions.distribution import ExponentialFamily
from adjoint.distributions.utils import broadcast_all


class Gamma(ExponentialFamily):
    """The gamma distribution of shape `concentration` and rate `rate`.

    Samples can be differentiated by both parameters (implicit reparameterization, Figurnov et
    al., 2018).

    >>> adjoint.distributions.Gamma(4.0, 2.0).mean
    tensor(2.)
    """

    arg_constraints = {"concentration": constraints.positive, "rate": constraints.positive}
    support = constraints.nonnegative
    has_rsample = True
    _mean_carrier_measure = 0.0

    def __init__(self, concentration: Any, rate: Any, validate_args: bool | None = None) -> None:
        self.concentration, self.rate = broadcast_all(concentration, rate)
        super().__init__(self.concentration.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.rate

    @property
    def mode(self) -> Tensor:
        return ((self.concentration - 1) / self.rate).clamp(min=0)

    @property
    def variance(self) -> Tensor:
        return self.concentration / self.rate.pow(2)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        value = _core._standard_gamma(self.concentration.expand(shape)) / self.rate
        return value.clamp(min=adjoint.finfo(value.dtype).tiny)

    def log_prob(self, value: Tensor) -> Tensor:
        value = adjoint.as_tensor(value, dtype=self.rate.dtype)
        if self._validate_args:
            self._validate_sample(value)
        return (
            adjoint.xlogy(self.concentration, self.rate)
            + adjoint.xlogy(self.concentration - 1, value)
            - self.rate * value
            - adjoint.lgamma(self.concentration)
        )

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of at most `value`; differentiable by it and by both parameters.

        >>> adjoint.distributions.Gamma(1.0, 2.0).cdf(adjoint.tensor(0.5))
        tensor(0.6321)
        """
        value = adjoint.as_tensor(value, dtype=self.rate.dtype)
        if self._validate_args:
            self._validate_sample(value)
        return adjoint.igamma(self.concentration, self.rate * value)

    def entropy(self) -> Tensor:
        a = self.concentration
        return a - self.rate.log() + a.lgamma() + (1.0 - a) * a.digamma()

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return self.concentration - 1, -self.rate

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        x, y = natural_params
        return adjoint.lgamma(x + 1) + (x + 1) * adjoint.log(-y.reciprocal())
