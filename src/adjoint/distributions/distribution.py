"""The interface of all distributions."""

from __future__ import annotations

import warnings
from typing import Any, ClassVar

import adjoint
from adjoint import Size, Tensor
from adjoint.distributions import constraints
from adjoint.distributions.utils import lazy_property

__all__ = ["Distribution", "ExponentialFamily"]


class Distribution:
    """A family of distributions: parameters of `batch_shape`, each giving events of `event_shape`.

    Args:
        batch_shape: of independent distributions side by side.
        event_shape: of one draw.
        validate_args: check parameters, and values given to `log_prob`; by default on, unless
            Python runs with ``-O``.
    """

    has_rsample = False
    has_enumerate_support = False
    arg_constraints: ClassVar[Any] = {}
    _validate_args = __debug__

    def __init__(
        self,
        batch_shape: Any = (),
        event_shape: Any = (),
        validate_args: bool | None = None,
    ) -> None:
        self._batch_shape, self._event_shape = Size(batch_shape), Size(event_shape)
        if validate_args is not None:
            self._validate_args = validate_args
        if not self._validate_args:
            return
        for name, constraint in self.arg_constraints.items():
            computed = isinstance(getattr(type(self), name, None), lazy_property)
            derived = computed and name not in self.__dict__
            if constraints.is_dependent(constraint) or derived:
                continue
            value = getattr(self, name)
            inside = constraint.check(value)
            if not bool(inside.all()):
                raise ValueError(
                    f"Expected parameter {name} ({type(value).__name__} of shape "
                    f"{tuple(value.shape)}) of distribution {type(self).__name__} to satisfy the "
                    f"constraint {constraint!r}, but found invalid values:\n{value}"
                )

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether arguments are checked where a call does not say."""
        if value not in (True, False):
            raise ValueError(f"expected True or False, got {value!r}")
        Distribution._validate_args = value

    @property
    def batch_shape(self) -> Size:
        """Shape of the parameters."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """Shape of one draw."""
        return self._event_shape

    @property
    def support(self) -> Any:
        """The constraint that samples satisfy."""
        raise NotImplementedError

    @property
    def mean(self) -> Tensor:
        """The mean."""
        raise NotImplementedError

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        raise NotImplementedError(f"{type(self)} does not implement mode")

    @property
    def variance(self) -> Tensor:
        """The variance."""
        raise NotImplementedError

    @property
    def stddev(self) -> Tensor:
        """The standard deviation."""
        return self.variance.sqrt()

    def sample(self, sample_shape: Any = ()) -> Tensor:
        """Draws of shape ``sample_shape + batch_shape + event_shape``, without a gradient."""
        with adjoint.no_grad():
            return self.rsample(sample_shape)

    def rsample(self, sample_shape: Any = ()) -> Tensor:
        """The same, differentiable by the parameters (where `has_rsample`)."""
        raise NotImplementedError(f"{type(self).__name__} has no reparameterized samples (rsample)")

    def sample_n(self, n: int) -> Tensor:
        """`n` draws; use ``sample((n,))``."""
        warnings.warn("sample_n(n) will be deprecated: use sample((n,))", UserWarning, stacklevel=2)
        return self.sample((n,))

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the density, or of the probability, of each event."""
        raise NotImplementedError

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of at most `value`."""
        raise NotImplementedError

    def icdf(self, value: Tensor) -> Tensor:
        """The quantile of probability `value`."""
        raise NotImplementedError

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All values of a discrete distribution, along a new first dim."""
        raise NotImplementedError

    def entropy(self) -> Tensor:
        """The entropy, in nats."""
        raise NotImplementedError

    def perplexity(self) -> Tensor:
        """e to the entropy."""
        return adjoint.exp(self.entropy())

    def expand(self, batch_shape: Any, _instance: Any = None) -> Any:
        """The same distribution with its parameters expanded to `batch_shape`."""
        new = self._copy(_instance)
        batch_shape = Size(batch_shape)
        for name, constraint in self._parameters().items():
            event = self._event_dims(name, constraint)
            value = self.__dict__[name]
            own = value.shape[value.dim() - event :] if event else ()
            new.__dict__[name] = value.expand((*batch_shape, *own))
        new._batch_shape, new._event_shape = batch_shape, self._event_shape
        return new

    def _get_checked_instance(self, cls: Any, _instance: Any = None) -> Any:
        """A new one, not yet filled, for the `expand` of `cls`.

        Raises:
            NotImplementedError: of a subclass with an `__init__` of its own, which must define
                `expand` too.
        """
        if _instance is not None:
            return _instance
        if type(self).__init__ is not cls.__init__:
            raise NotImplementedError(
                f"{type(self).__name__}, a subclass of {cls.__name__}, defines __init__: it must "
                "define expand also"
            )
        return type(self).__new__(type(self))

    def _parameters(self) -> dict[str, Any]:
        """The parameters that this one was made from, which are what `expand` expands."""
        return {k: c for k, c in self.arg_constraints.items() if k in self.__dict__}

    def _event_dims(self, name: str, constraint: Any) -> int:
        return 0 if constraints.is_dependent(constraint) else int(constraint.event_dim)

    def _copy(self, instance: Any = None) -> Any:
        new = type(self).__new__(type(self)) if instance is None else instance
        lazy = {
            name for kind in type(self).__mro__ for name, value in vars(kind).items()
            if type(value).__name__ == "lazy_property"
        }  # fmt: skip
        kept = self._parameters()
        new.__dict__.update({k: v for k, v in self.__dict__.items() if k in kept or k not in lazy})
        return new

    def _extended_shape(self, sample_shape: Any = ()) -> Size:
        return Size((*sample_shape, *self._batch_shape, *self._event_shape))

    def _validate_sample(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise ValueError("The value argument to log_prob must be a Tensor")
        event = len(self._event_shape)
        if tuple(value.shape[value.dim() - event :]) != tuple(self._event_shape):
            raise ValueError(
                "The right-most size of value must match event_shape: "
                f"{tuple(value.shape)} vs {tuple(self._event_shape)}."
            )
        mine = tuple(self._batch_shape) + tuple(self._event_shape)
        for i, j in zip(reversed(value.shape), reversed(mine), strict=False):
            if i != 1 and j != 1 and i != j:
                raise ValueError(
                    "Value is not broadcastable with batch_shape+event_shape: "
                    f"{tuple(value.shape)} vs {mine}."
                )
        try:
            support = self.support
        except NotImplementedError:
            return
        if constraints.is_dependent(support):
            return
        if not bool(support.check(value).all()):
            raise ValueError(
                f"Expected value argument ({type(value).__name__} of shape {tuple(value.shape)}) "
                f"to be within the support ({support!r}) of the distribution {self!r}, but found "
                f"invalid values:\n{value}"
            )

    def __repr__(self) -> str:
        def text(value: Any) -> str:
            if isinstance(value, Tensor) and value.numel() != 1:
                return str(value.size())
            return f"{value}"

        args = ", ".join(f"{k}: {text(self.__dict__[k])}" for k in self._parameters())
        return f"{type(self).__name__}({args})"


class ExponentialFamily(Distribution):
    """Distributions of density ``h(x) exp(eta . T(x) - A(eta))``, with A the log normalizer.

    The entropy follows from A and its gradient by the natural parameters eta (Nielsen and Nock,
    "Entropies and cross-entropies of exponential families", 2010), where it has no form of its own.
    """

    @property
    def _natural_params(self) -> tuple[Tensor, ...]:
        raise NotImplementedError

    def _log_normalizer(self, *natural_params: Tensor) -> Tensor:
        raise NotImplementedError

    @property
    def _mean_carrier_measure(self) -> float:
        raise NotImplementedError

    def entropy(self) -> Tensor:
        params = [p.detach().requires_grad_() for p in self._natural_params]
        with adjoint.enable_grad():
            normalizer = self._log_normalizer(*params)
            grads = adjoint.autograd.grad(normalizer.sum(), params, create_graph=True)
        result = normalizer - self._mean_carrier_measure
        for p, g in zip(params, grads, strict=True):
            extra = p.dim() - result.dim()
            product = p * g
            result = result - (product.flatten(-extra).sum(-1) if extra else product)
        return result
