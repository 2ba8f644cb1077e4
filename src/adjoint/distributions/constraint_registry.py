"""Transforms from unconstrained numbers into a constraint: `biject_to` and `transform_to`.

>>> adjoint.distributions.biject_to(adjoint.distributions.constraints.positive)
ExpTransform()
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint.distributions import constraints, transforms
from adjoint.distributions.transforms import Transform

__all__ = ["ConstraintRegistry", "biject_to", "transform_to"]


class ConstraintRegistry:
    """Factories of transforms by the type of the constraint that they lead into."""

    def __init__(self) -> None:
        self._registry: dict[type, Callable[[Any], Transform]] = {}

    def register(self, constraint: Any, factory: Any = None) -> Any:
        """Registers a factory for a constraint (or its class); a decorator without `factory`."""
        if factory is None:
            return lambda f: self.register(constraint, f)
        kind = constraint if isinstance(constraint, type) else type(constraint)
        if not issubclass(kind, constraints.Constraint):
            raise TypeError(
                f"Expected constraint to be either a Constraint subclass or instance, but got "
                f"{constraint}"
            )
        self._registry[kind] = factory
        return factory

    def __call__(self, constraint: Any) -> Transform:
        try:
            factory = self._registry[type(constraint)]
        except KeyError:
            raise NotImplementedError(
                f"Cannot transform {type(constraint).__name__} constraints"
            ) from None
        return factory(constraint)


biject_to = ConstraintRegistry()
transform_to = ConstraintRegistry()


def _both(kind: Any) -> Any:
    def register(factory: Callable[[Any], Transform]) -> Callable[[Any], Transform]:
        biject_to.register(kind, factory)
        transform_to.register(kind, factory)
        return factory

    return register


@_both(constraints.real)
def _real(_: Any) -> Transform:
    return transforms.identity_transform


@_both(constraints.greater_than)
@_both(constraints.greater_than_eq)
def _above(c: Any) -> Transform:
    exp = transforms.ExpTransform()
    if isinstance(c.lower_bound, (int, float)) and c.lower_bound == 0:
        return exp
    return transforms.ComposeTransform([exp, transforms.AffineTransform(c.lower_bound, 1)])


@_both(constraints.less_than)
def _below(c: Any) -> Transform:
    flip = transforms.AffineTransform(c.upper_bound, -1)
    return transforms.ComposeTransform([transforms.ExpTransform(), flip])


@_both(constraints.interval)
@_both(constraints.half_open_interval)
def _between(c: Any) -> Transform:
    sigmoid = transforms.SigmoidTransform()
    low, high = c.lower_bound, c.upper_bound
    if isinstance(low, (int, float)) and isinstance(high, (int, float)) and (low, high) == (0, 1):
        return sigmoid
    return transforms.ComposeTransform([sigmoid, transforms.AffineTransform(low, high - low)])


@biject_to.register(constraints.simplex)
def _simplex_bijection(_: Any) -> Transform:
    return transforms.StickBreakingTransform()


@transform_to.register(constraints.simplex)
def _simplex(_: Any) -> Transform:
    return transforms.SoftmaxTransform()


@_both(constraints.lower_cholesky)
def _lower_cholesky(_: Any) -> Transform:
    return transforms.LowerCholeskyTransform()


@_both(constraints.positive_definite)
@_both(constraints.positive_semidefinite)
def _positive_definite(_: Any) -> Transform:
    return transforms.PositiveDefiniteTransform()


@_both(constraints.corr_cholesky)
def _corr_cholesky(_: Any) -> Transform:
    return transforms.CorrCholeskyTransform()


@biject_to.register(constraints.independent)
def _independent_bijection(c: Any) -> Transform:
    base = biject_to(c.base_constraint)
    return transforms.IndependentTransform(base, c.reinterpreted_batch_ndims)


@transform_to.register(constraints.independent)
def _independent(c: Any) -> Transform:
    base = transform_to(c.base_constraint)
    return transforms.IndependentTransform(base, c.reinterpreted_batch_ndims)


@biject_to.register(constraints.cat)
def _cat_bijection(c: Any) -> Transform:
    return transforms.CatTransform([biject_to(x) for x in c.cseq], c.dim, c.lengths)


@transform_to.register(constraints.cat)
def _cat(c: Any) -> Transform:
    return transforms.CatTransform([transform_to(x) for x in c.cseq], c.dim, c.lengths)


@biject_to.register(constraints.stack)
def _stack_bijection(c: Any) -> Transform:
    return transforms.StackTransform([biject_to(x) for x in c.cseq], c.dim)


@transform_to.register(constraints.stack)
def _stack(c: Any) -> Transform:
    return transforms.StackTransform([transform_to(x) for x in c.cseq], c.dim)
