"""The Dirichlet distribution."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor, _core
from adjoint.distributions import constraints
from adjoint.distributions.distribution import ExponentialFamily


class Dirichlet(ExponentialFamily):
    """The Dirichlet distribution of `concentration` [..., n] on the simplex of n.

    >>> adjoint.distributions.Dirichlet(adjoint.tensor([1.0, 3.0])).mean
    tensor([0.2500, 0.7500])
    """

    arg_constraints = {"concentration": constraints.independent(constraints.positive, 1)}
    support = constraints.simplex
    has_rsample = True
    _mean_carrier_measure = 0.0

    def __init__(self, concentration: Tensor, validate_args: bool | None = None) -> None:
        if concentration.dim() < 1:
            raise ValueError("`concentration` parameter must be at least one-dimensional.")
        self.concentration = concentration
        shape = concentration.shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    @property
    def mean(self) -> Tensor:
        return self.concentration / self.concentration.sum(-1, True)

    @property
    def mode(self) -> Tensor:
        less = (self.concentration - 1).clamp(min=0.0)
        mode = less / less.sum(-1, True)
        below = (self.concentration < 1).all(-1, keepdim=True)
        index = self.concentration.argmax(-1)
        corner = adjoint.nn.functional.one_hot(index, less.shape[-1]).to(mode.dtype)
        return adjoint.where(below, corner, mode)

    @property
    def variance(self) -> Tensor:
        total = self.concentration.sum(-1, True)
        return self.concentration * (total - self.concentration) / (total.pow(2) * (total + 1))

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        shape = self._extended_shape(sample_shape)
        tiny = adjoint.finfo(self.concentration.dtype).tiny
        gammas = _core._standard_gamma(self.concentration.expand(shape)).clamp(min=tiny)
        return gammas / gammas.sum(-1, True)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        return (
            adjoint.xlogy(self.concentration - 1.0, value).sum(-1)
            + adjoint.lgamma(self.concentration.sum(-1))
            - adjoint.lgamma(self.concentration).sum(-1)
        )

    def entropy(self) -> Tensor:
        a = self.concentration
        total = a.sum(-1)
        return (
            adjoint.lgamma(a).sum(-1)
            - adjoint.lgamma(total)
            - (a.size(-1) - total) * adjoint.digamma(total)
            - ((a - 1.0) * adjoint.digamma(a)).sum(-1)
        )

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        return (self.concentration,)

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        (x,) = natural_params
        return x.lgamma().sum(-1) - adjoint.lgamma(x.sum(-1))
