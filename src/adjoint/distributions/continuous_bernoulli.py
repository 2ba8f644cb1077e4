"""The continuous Bernoulli distribution."""

from __future__ import annotations

import math
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.distributions import constraints
from adjoint.distributions.distribution import Distribution
from adjoint.distributions.utils import (
    broadcast_all,
    clamp_probs,
    lazy_property,
    logits_to_probs,
    probs_to_logits,
)


class ContinuousBernoulli(Distribution):
    """The distribution on [0, 1] of density proportional to ``p ** x (1 - p) ** (1 - x)``.

    Loaiza-Ganem and Cunningham, "The continuous Bernoulli: fixing a pervasive error in
    variational autoencoders", 2019. Within `lims` of p = 1/2 a Taylor series is used.

    >>> adjoint.distributions.ContinuousBernoulli(0.5).mean
    tensor(0.5000)
    """

    arg_constraints = {"probs": constraints.unit_interval, "logits": constraints.real}
    support = constraints.unit_interval
    has_rsample = True

    def __init__(
        self,
        probs: Any = None,
        logits: Any = None,
        lims: tuple[float, float] = (0.499, 0.501),
        validate_args: bool | None = None,
    ) -> None:
        if (probs is None) == (logits is None):
            raise ValueError("Either `probs` or `logits` must be specified, but not both.")

        if probs is not None:
            self.probs = clamp_probs(broadcast_all(probs)[0])
        else:
            (self.logits,) = broadcast_all(logits)
        self._lims = lims
        shape = (self.probs if probs is not None else self.logits).shape
        super().__init__(shape, validate_args=validate_args)

    @lazy_property
    def logits(self) -> Tensor:
        """The log odds of p."""
        return probs_to_logits(self.probs, is_binary=True)

    @lazy_property
    def probs(self) -> Tensor:
        """The parameter p."""
        return clamp_probs(logits_to_probs(self.logits, is_binary=True))

    def _outside(self) -> Tensor:
        return (self.probs <= self._lims[0]) | (self.probs > self._lims[1])

    def _safe(self) -> Tensor:
        return adjoint.where(self._outside(), self.probs, self._lims[0])

    def _log_norm(self) -> Tensor:
        p = self._safe()
        exact = (adjoint.log1p(-p) - p.log()).abs().log() - (1 - 2 * p).abs().log()
        x = (self.probs - 0.5).pow(2)
        return adjoint.where(self._outside(), exact, math.log(2.0) + (4 / 3 + 104 / 45 * x) * x)

    @property
    def mean(self) -> Tensor:
        p = self._safe()
        exact = p / (2 * p - 1) + 1 / (adjoint.log1p(-p) - p.log())
        x = self.probs - 0.5
        return adjoint.where(self._outside(), exact, 0.5 + (1 / 3 + 16 / 45 * x.pow(2)) * x)

    @property
    def variance(self) -> Tensor:
        p = self._safe()
        exact = p * (p - 1) / (1 - 2 * p).pow(2) + (adjoint.log1p(-p) - p.log()).pow(-2)
        x = (self.probs - 0.5).pow(2)
        return adjoint.where(self._outside(), exact, 1 / 12 - (1 / 15 - 128 / 945 * x) * x)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        u = adjoint.rand(self._extended_shape(sample_shape), dtype=self.probs.dtype)
        return self.icdf(clamp_probs(u))

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        bce = adjoint.nn.functional.binary_cross_entropy_with_logits
        return -bce(logits, value, reduction="none") + self._log_norm()

    def cdf(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        p = self._safe()
        exact = (p.pow(value) * (1 - p).pow(1 - value) + p - 1) / (2 * p - 1)
        return adjoint.where(self._outside(), exact, value).clamp(min=0, max=1)

    def icdf(self, value: Tensor) -> Tensor:
        p = self._safe()
        exact = (adjoint.log1p(-p + value * (2 * p - 1)) - adjoint.log1p(-p)) / (
            p.log() - adjoint.log1p(-p)
        )
        return adjoint.where(self._outside(), exact, value)

    def entropy(self) -> Tensor:
        low, high = adjoint.log1p(-self.probs), self.probs.log()
        return self.mean * (low - high) - self._log_norm() - low
