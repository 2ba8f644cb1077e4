"""Mixtures of distributions of one family."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Size, Tensor
from adjoint.distributions import constraints
from adjoint.distributions.categorical import Categorical
from adjoint.distributions.distribution import Distribution


class MixtureSameFamily(Distribution):
    """`component_distribution` [..., k], picked along its last batch dim by a `Categorical`.

    >>> d = adjoint.distributions
    >>> parts = d.Normal(adjoint.tensor([-1.0, 1.0]), 1.0)
    >>> d.MixtureSameFamily(d.Categorical(adjoint.ones(2)), parts).mean
    tensor(0.)
    """

    def __init__(
        self,
        mixture_distribution: Categorical,
        component_distribution: Any,
        validate_args: bool | None = None,
    ) -> None:
        self._mixture_distribution = mixture_distribution
        self._component_distribution = component_distribution
        if not isinstance(mixture_distribution, Categorical):
            raise ValueError(
                "The Mixture distribution needs to be an instance of Categorical, got "
                f"{type(mixture_distribution).__name__}"
            )
        if not isinstance(component_distribution, Distribution):
            raise ValueError(
                "The Component distribution needs to be an instance of Distribution, got "
                f"{type(component_distribution).__name__}"
            )
        batch = component_distribution.batch_shape[:-1]
        for i, j in zip(reversed(mixture_distribution.batch_shape), reversed(batch), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    f"`mixture_distribution.batch_shape` ({mixture_distribution.batch_shape}) "
                    f"is not compatible with `component_distribution.batch_shape` "
                    f"({component_distribution.batch_shape})"
                )
        k = mixture_distribution.logits.shape[-1]
        if k != component_distribution.batch_shape[-1]:
            raise ValueError(
                f"`mixture_distribution component` ({k}) does not equal "
                f"`component_distribution.batch_shape[-1]` "
                f"({component_distribution.batch_shape[-1]})"
            )
        self._num_component = k
        event = component_distribution.event_shape
        self._event_ndims = len(event)
        super().__init__(batch, event, validate_args=validate_args)

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        new = self._copy(_instance)
        batch_shape = Size(batch_shape)
        inner = batch_shape + (self._num_component,)
        new._component_distribution = self._component_distribution.expand(inner)
        new._mixture_distribution = self._mixture_distribution.expand(batch_shape)
        new._batch_shape = batch_shape
        return new

    @constraints.dependent_property
    def support(self) -> Any:
        return constraints.MixtureSameFamilyConstraint(self._component_distribution.support)

    @property
    def mixture_distribution(self) -> Categorical:
        """What picks the component."""
        return self._mixture_distribution

    @property
    def component_distribution(self) -> Any:
        """The components."""
        return self._component_distribution

    def _weights(self) -> Tensor:
        probs = self._mixture_distribution.probs
        return probs.reshape(probs.shape + (1,) * self._event_ndims)

    @property
    def _dim(self) -> int:
        return -1 - self._event_ndims

    @property
    def mean(self) -> Tensor:
        return (self._weights() * self._component_distribution.mean).sum(self._dim)

    @property
    def variance(self) -> Tensor:
        inside = (self._weights() * self._component_distribution.variance).sum(self._dim)
        apart = self._component_distribution.mean - self.mean.unsqueeze(self._dim)
        return inside + (self._weights() * apart.pow(2)).sum(self._dim)

    def cdf(self, x: Tensor) -> Tensor:
        inside = self._component_distribution.cdf(x.unsqueeze(self._dim))
        return (inside * self._mixture_distribution.probs).sum(-1)

    def log_prob(self, value: Tensor) -> Tensor:
        if self._validate_args:
            self._validate_sample(value)
        inside = self._component_distribution.log_prob(value.unsqueeze(self._dim))
        return (inside + self._mixture_distribution.logits).logsumexp(-1)

    def sample(self, sample_shape: Any = ()) -> Tensor:
        with adjoint.no_grad():
            picked = self._mixture_distribution.sample(sample_shape)
            drawn = self._component_distribution.sample(sample_shape)
            index = picked.reshape(picked.shape + (1,) * (self._event_ndims + 1))
            index = index.expand((*picked.shape, 1, *self._event_shape))
            return drawn.gather(self._dim + drawn.dim(), index).squeeze(self._dim)

    def _validate_sample(self, value: Any) -> None:
        if not constraints.is_dependent(self.support):
            inside = self.support.check(value.unsqueeze(self._dim))
            if not bool(inside.all()):
                raise ValueError(
                    f"Expected value argument of shape {tuple(value.shape)} to be within the "
                    f"support ({self.support!r}), but found invalid values:\n{value}"
                )

    def __repr__(self) -> str:
        return (
            f"MixtureSameFamily(\n  {self._mixture_distribution},\n  "
            f"{self._component_distribution})"
        )
