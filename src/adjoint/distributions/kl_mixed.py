"""Divergences ``-H(p) - E_p[log q]`` between different families, and between matrices."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.distributions.bernoulli import Bernoulli
from adjoint.distributions.beta import Beta
from adjoint.distributions.binomial import Binomial
from adjoint.distributions.cauchy import Cauchy
from adjoint.distributions.continuous_bernoulli import ContinuousBernoulli
from adjoint.distributions.exponential import Exponential
from adjoint.distributions.gamma import Gamma
from adjoint.distributions.gumbel import Gumbel
from adjoint.distributions.kl import register_kl
from adjoint.distributions.laplace import Laplace
from adjoint.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from adjoint.distributions.multivariate_normal import MultivariateNormal, _batch_mahalanobis
from adjoint.distributions.normal import Normal
from adjoint.distributions.pareto import Pareto
from adjoint.distributions.poisson import Poisson
from adjoint.distributions.uniform import Uniform
from adjoint.distributions.wishart import Wishart

_EULER = 0.57721566490153286060  # Euler's constant


def _register_many(p_types: tuple[type, ...], q_type: type) -> Callable[[Any], Any]:
    def register(rule: Any) -> Any:
        for p_type in p_types:
            register_kl(p_type, q_type)(rule)
        return rule

    return register


def _infinite(p: Any, q: Any) -> Tensor:
    """p has values that q never takes."""
    shape = adjoint.broadcast_shapes(p.batch_shape, q.batch_shape)
    return adjoint.full(shape, math.inf, dtype=p.mean.dtype)


# What reaches beyond the unit interval, below zero, or beyond a bound.
for _q in (Beta, ContinuousBernoulli, Uniform):
    _register_many((Exponential, Gamma, Gumbel, Laplace, Normal, Pareto), _q)(_infinite)
_register_many((Gumbel, Laplace, Normal), Exponential)(_infinite)
_register_many((Gumbel, Laplace, Normal), Gamma)(_infinite)
_register_many((Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Normal), Pareto)(
    _infinite
)
_register_many((Poisson,), Bernoulli)(_infinite)
_register_many((Poisson,), Binomial)(_infinite)


def _within(p: Any, low: Any, high: Any, divergence: Tensor) -> Tensor:
    """Infinite where the uniform p reaches out of the bounds."""
    return adjoint.where((p.low >= low) & (p.high <= high), divergence, math.inf)


def _mean_log(p: Any) -> Tensor:
    """E_p[log x]."""
    if isinstance(p, Beta):
        a, b = p.concentration1, p.concentration0
        return a.digamma() - (a + b).digamma()
    if isinstance(p, Exponential):
        return -_EULER - p.rate.log()
    if isinstance(p, Pareto):
        return p.scale.log() + p.alpha.reciprocal()
    return (adjoint.xlogy(p.high, p.high) - adjoint.xlogy(p.low, p.low)) / (p.high - p.low) - 1


@_register_many((Beta, ContinuousBernoulli, Exponential, Gamma, Gumbel, Laplace, Pareto), Normal)
def _kl_normal(p: Any, q: Normal) -> Tensor:
    square = (p.variance + (p.mean - q.loc).pow(2)) / q.scale.pow(2)
    return 0.5 * square + q.scale.log() + 0.5 * math.log(2 * math.pi) - p.entropy()


@_register_many((Beta, ContinuousBernoulli, Gamma, Pareto, Uniform), Exponential)
def _kl_exponential(p: Any, q: Exponential) -> Tensor:
    divergence = q.rate * p.mean - q.rate.log() - p.entropy()
    return _within(p, 0, math.inf, divergence) if isinstance(p, Uniform) else divergence


@_register_many((Beta, Exponential, Pareto, Uniform), Gamma)
def _kl_gamma(p: Any, q: Gamma) -> Tensor:
    a, b = q.concentration, q.rate
    mean_log_q = adjoint.xlogy(a, b) - a.lgamma() + (a - 1) * _mean_log(p) - b * p.mean
    divergence = -mean_log_q - p.entropy()
    return _within(p, 0, math.inf, divergence) if isinstance(p, Uniform) else divergence


@_register_many((Beta, ContinuousBernoulli), Uniform)
def _kl_uniform(p: Any, q: Uniform) -> Tensor:
    divergence = (q.high - q.low).log() - p.entropy()
    return adjoint.where((q.low <= 0) & (q.high >= 1), divergence, math.inf)


@_register_many((Beta, ContinuousBernoulli, Uniform), ContinuousBernoulli)
def _kl_continuous_bernoulli(p: Any, q: ContinuousBernoulli) -> Tensor:
    at_zero = q.log_prob(adjoint.zeros_like(q.probs))
    divergence = -q.logits * p.mean - at_zero - p.entropy()
    return _within(p, 0, 1, divergence) if isinstance(p, Uniform) else divergence


@register_kl(Uniform, Beta)
def _kl_uniform_beta(p: Uniform, q: Beta) -> Tensor:
    a, b = q.concentration1, q.concentration0
    mirrored = Uniform(1 - p.high, 1 - p.low, validate_args=False)
    log_norm = a.lgamma() + b.lgamma() - (a + b).lgamma()
    mean_log_q = (a - 1) * _mean_log(p) + (b - 1) * _mean_log(mirrored) - log_norm
    return _within(p, 0, 1, -mean_log_q - p.entropy())


@register_kl(Uniform, Pareto)
def _kl_uniform_pareto(p: Uniform, q: Pareto) -> Tensor:
    mean_log_q = q.alpha.log() + q.alpha * q.scale.log() - (q.alpha + 1) * _mean_log(p)
    return _within(p, q.scale, math.inf, -mean_log_q - p.entropy())


@register_kl(Pareto, Pareto)
def _kl_pareto(p: Pareto, q: Pareto) -> Tensor:
    ratio = q.alpha / p.alpha
    divergence = q.alpha * (p.scale / q.scale).log() - ratio.log() + ratio - 1
    return adjoint.where(p.scale >= q.scale, divergence, math.inf)


@register_kl(Cauchy, Cauchy)
def _kl_cauchy(p: Cauchy, q: Cauchy) -> Tensor:
    """Chyzak and Nielsen, 2019."""
    apart = (p.scale + q.scale).pow(2) + (p.loc - q.loc).pow(2)
    return apart.log() - (4 * p.scale * q.scale).log()


def _laplace_transform(p: Any, t: Tensor) -> Tensor:
    """The logarithm of E_p[exp(-t x)]."""
    if isinstance(p, Exponential):
        return -adjoint.log1p(t / p.rate)
    if isinstance(p, Gamma):
        return -p.concentration * adjoint.log1p(t / p.rate)
    if isinstance(p, Normal):
        return -t * p.loc + 0.5 * (t * p.scale).pow(2)
    width = t * (p.high - p.low)
    return -t * p.low + (-adjoint.expm1(-width) / width).log()


@_register_many((Exponential, Gamma, Normal, Uniform), Gumbel)
def _kl_gumbel(p: Any, q: Gumbel) -> Tensor:
    inner = (q.loc / q.scale + _laplace_transform(p, q.scale.reciprocal())).exp()
    return q.scale.log() + (p.mean - q.loc) / q.scale + inner - p.entropy()


@register_kl(Normal, Laplace)
def _kl_normal_laplace(p: Normal, q: Laplace) -> Tensor:
    d = (p.loc - q.loc) / (p.scale * math.sqrt(2))
    # The mean distance of a normal variable from a point (the mean of a folded normal).
    away = p.scale * math.sqrt(2) * ((-d * d).exp() / math.sqrt(math.pi) + d * d.erf())
    return (2 * q.scale).log() + away / q.scale - p.entropy()


@register_kl(Bernoulli, Poisson)
def _kl_bernoulli_poisson(p: Bernoulli, q: Poisson) -> Tensor:
    return q.rate - adjoint.xlogy(p.probs, q.rate) - p.entropy()


@register_kl(Wishart, Wishart)
def _kl_wishart(p: Wishart, q: Wishart) -> Tensor:
    n = p.event_shape[-1]
    if p.event_shape != q.event_shape:
        raise ValueError(f"matrices of {n} rows and of {q.event_shape[-1]} have no divergence")
    trace = _trace(q._unbroadcasted_scale_tril, p._unbroadcasted_scale_tril)
    mean_log_q = 0.5 * ((q.df - n - 1) * p._expected_log_det() - p.df * trace) - q._log_constant()
    return -mean_log_q - p.entropy()


def _trace(q_factor: Tensor, p_columns: Tensor) -> Tensor:
    """The trace of ``(Q Q^T)^-1 P P^T``: the sum of squares of ``Q^-1 P``."""
    batch = adjoint.broadcast_shapes(q_factor.shape[:-2], p_columns.shape[:-2])
    inner = adjoint.linalg.solve_triangular(
        q_factor.expand((*batch, *q_factor.shape[-2:])),
        p_columns.expand((*batch, *p_columns.shape[-2:])),
        upper=False,
    )
    return inner.pow(2).sum((-2, -1))


def _log_det(d: Any) -> Tensor:
    if isinstance(d, LowRankMultivariateNormal):
        return d._log_det()
    return 2 * d._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)


@register_kl(LowRankMultivariateNormal, LowRankMultivariateNormal)
@register_kl(LowRankMultivariateNormal, MultivariateNormal)
@register_kl(MultivariateNormal, LowRankMultivariateNormal)
def _kl_low_rank(p: Any, q: Any) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Low Rank Multivariate Normals with different event shapes "
            f"cannot be computed: {tuple(p.event_shape)} and {tuple(q.event_shape)}"
        )
    apart = q.loc - p.loc
    roots: tuple[Tensor, ...]
    if isinstance(p, LowRankMultivariateNormal):
        factor, diag = p._small
        roots = (factor, adjoint.diag_embed(diag.sqrt()))
    else:
        roots = (p._unbroadcasted_scale_tril,)
    if isinstance(q, LowRankMultivariateNormal):
        square = q._square(apart)
        trace = sum(q._square(root.mT.movedim(-2, 0)).sum(0) for root in roots)
    else:
        square = _batch_mahalanobis(q._unbroadcasted_scale_tril, apart)
        trace = sum(_trace(q._unbroadcasted_scale_tril, root) for root in roots)
    return 0.5 * (_log_det(q) - _log_det(p) + trace + square - p.event_shape[0])
