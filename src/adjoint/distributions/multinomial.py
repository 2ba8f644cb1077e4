"""The multinomial distribution."""

from __future__ import annotations

import math
from typing import Any

import adjoint
from adjoint import Size, Tensor
from adjoint.distributions import constraints
from adjoint.distributions.binomial import Binomial
from adjoint.distributions.categorical import Categorical
from adjoint.distributions.distribution import Distribution
from adjoint.distributions.utils import broadcast_all


class Multinomial(Distribution):
    """How often each of n values comes in `total_count` draws of `Categorical(probs)`.

    >>> adjoint.distributions.Multinomial(3, adjoint.tensor([0.0, 1.0])).sample()
    tensor([0., 3.])
    """

    arg_constraints = {"probs": constraints.simplex, "logits": constraints.real_vector}

    def __init__(
        self,
        total_count: int = 1,
        probs: Any = None,
        logits: Any = None,
        validate_args: bool | None = None,
    ) -> None:
        if not isinstance(total_count, int):
            raise NotImplementedError("inhomogeneous total_count is not supported")
        self.total_count = total_count
        self._categorical = Categorical(probs=probs, logits=logits)
        shape = self._categorical.param_shape
        super().__init__(shape[:-1], shape[-1:], validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._copy(_instance)
        new._categorical = self._categorical.expand(batch_shape)
        new._batch_shape = Size(batch_shape)
        return new

    @constraints.dependent_property(is_discrete=True, event_dim=1)
    def support(self) -> Any:
        return constraints.multinomial(self.total_count)

    @property
    def probs(self) -> Tensor:
        """The probabilities, normalized."""
        return self._categorical.probs

    @property
    def logits(self) -> Tensor:
        """The log probabilities, normalized."""
        return self._categorical.logits

    @property
    def param_shape(self) -> Size:
        """Shape of the parameter."""
        return self._categorical.param_shape

    @property
    def mean(self) -> Tensor:
        return self.probs * self.total_count

    @property
    def variance(self) -> Tensor:
        return self.total_count * self.probs * (1 - self.probs)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        drawn = self._categorical.sample((self.total_count, *sample_shape))
        one_hot = adjoint.nn.functional.one_hot(drawn, self.event_shape[0])
        return one_hot.sum(0).to(self.probs.dtype)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        logits, value = broadcast_all(self.logits, value)
        impossible = (value == 0) & (logits == -math.inf)
        terms = (logits.masked_fill(impossible, 0) * value).sum(-1)
        return adjoint.lgamma(value.sum(-1) + 1) - adjoint.lgamma(value + 1).sum(-1) + terms

    def entropy(self) -> Tensor:
        n = adjoint.tensor(float(self.total_count), dtype=self.probs.dtype)
        entropy = self._categorical.entropy()
        counts = Binomial(self.total_count, probs=self.probs)
        values = counts.enumerate_support(expand=False)[1:]
        weighted = adjoint.exp(counts.log_prob(values)) * adjoint.lgamma(values + 1)
        return n * entropy - adjoint.lgamma(n + 1) + weighted.sum((0, -1))
