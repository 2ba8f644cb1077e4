"""The Poisson distribution."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.distributions import constraints
from adjoint.distributions.distribution import ExponentialFamily
from adjoint.distributions.utils import broadcast_all


class Poisson(ExponentialFamily):
    """The Poisson distribution of mean `rate`.

    >>> adjoint.distributions.Poisson(2.0).log_prob(adjoint.tensor(0.0))
    tensor(-2.)
    """

    arg_constraints = {"rate": constraints.nonnegative}
    support = constraints.nonnegative_integer

    def __init__(self, rate: Any, validate_args: bool | None = None) -> None:
        (self.rate,) = broadcast_all(rate)
        super().__init__(self.rate.shape, validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.rate

    @property
    def mode(self) -> Tensor:
        return self.rate.floor()

    @property
    def variance(self) -> Tensor:
        return self.rate

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with adjoint.no_grad():
            return adjoint.poisson(self.rate.expand(self._extended_shape(sample_shape)))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        rate, value = broadcast_all(self.rate, value)
        return adjoint.xlogy(value, rate) - rate - (value + 1).lgamma()

    def entropy(self) -> Tensor:
        raise NotImplementedError("the entropy of Poisson has no closed form")

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (adjoint.log(self.rate),)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        return adjoint.exp(natural_params[0])
