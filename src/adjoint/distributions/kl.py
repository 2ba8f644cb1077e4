"""Kullback-Leibler divergences ``KL(p || q) = E_p[log p - log q]`` in closed form.

>>> d = adjoint.distributions
>>> d.kl_divergence(d.Normal(0.0, 1.0), d.Normal(1.0, 1.0))
tensor(0.5000)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.distributions.bernoulli import Bernoulli
from adjoint.distributions.beta import Beta
from adjoint.distributions.binomial import Binomial
from adjoint.distributions.categorical import Categorical
from adjoint.distributions.dirichlet import Dirichlet
from adjoint.distributions.distribution import Distribution, ExponentialFamily
from adjoint.distributions.exponential import Exponential
from adjoint.distributions.gamma import Gamma
from adjoint.distributions.geometric import Geometric
from adjoint.distributions.gumbel import Gumbel
from adjoint.distributions.half_normal import HalfNormal
from adjoint.distributions.independent import Independent
from adjoint.distributions.laplace import Laplace
from adjoint.distributions.multivariate_normal import MultivariateNormal, _batch_mahalanobis
from adjoint.distributions.normal import Normal
from adjoint.distributions.one_hot_categorical import OneHotCategorical
from adjoint.distributions.poisson import Poisson
from adjoint.distributions.transformed_distribution import TransformedDistribution
from adjoint.distributions.uniform import Uniform
from adjoint.distributions.utils import _sum_rightmost

__all__ = ["kl_divergence", "register_kl"]

_Rule = Callable[[Any, Any], Tensor]
_KL_REGISTRY: dict[tuple[type, type], _Rule] = {}


def register_kl(type_p: type, type_q: type) -> Callable[[_Rule], _Rule]:
    """A decorator that makes a function the divergence of these two families."""
    for kind in (type_p, type_q):
        if not (isinstance(kind, type) and issubclass(kind, Distribution)):
            raise TypeError(f"Expected a Distribution subclass but got {kind}")

    def register(rule: _Rule) -> _Rule:
        _KL_REGISTRY[type_p, type_q] = rule
        return rule

    return register


def _dispatch_kl(type_p: type, type_q: type) -> _Rule | None:
    """The rule of the nearest classes, those of p counting first."""
    for p in type_p.__mro__:
        for q in type_q.__mro__:
            if (p, q) in _KL_REGISTRY:
                return _KL_REGISTRY[p, q]
    return None


def kl_divergence(p: Distribution, q: Distribution) -> Tensor:
    """KL(p || q), of the broadcast batch shape; a NotImplementedError if no rule is known."""
    rule = _dispatch_kl(type(p), type(q))
    if rule is None or (rule is _kl_families and type(p) is not type(q)):
        raise NotImplementedError(
            f"No KL(p || q) is implemented for p type {type(p).__name__} and q type "
            f"{type(q).__name__}"
        )
    return rule(p, q)


def _infinite_like(x: Tensor) -> Tensor:
    return adjoint.full_like(x, math.inf)


@register_kl(ExponentialFamily, ExponentialFamily)
def _kl_families(p: Any, q: Any) -> Tensor:
    """By the Bregman divergence of the log normalizer (Nielsen and Nock, 2010)."""
    p_params = [x.detach().requires_grad_() for x in p._natural_params]
    q_params = q._natural_params
    with adjoint.enable_grad():
        normalizer = p._log_normalizer(*p_params)
        grads = adjoint.autograd.grad(normalizer.sum(), p_params, create_graph=True)
    result = q._log_normalizer(*q_params) - normalizer
    for x, y, g in zip(p_params, q_params, grads, strict=True):
        result = result - _sum_rightmost((y - x) * g, len(q.event_shape))
    return result


@register_kl(Normal, Normal)
def _kl_normal(p: Normal, q: Normal) -> Tensor:
    ratio = (p.scale / q.scale).pow(2)
    apart = ((p.loc - q.loc) / q.scale).pow(2)
    return 0.5 * (ratio + apart - 1 - ratio.log())


@register_kl(HalfNormal, HalfNormal)
def _kl_half_normal(p: HalfNormal, q: HalfNormal) -> Tensor:
    return _kl_normal(p.base_dist, q.base_dist)


@register_kl(Laplace, Laplace)
def _kl_laplace(p: Laplace, q: Laplace) -> Tensor:
    ratio = p.scale / q.scale
    apart = (p.loc - q.loc).abs()
    return -ratio.log() + apart / q.scale + ratio * (-apart / p.scale).exp() - 1


@register_kl(Gumbel, Gumbel)
def _kl_gumbel(p: Gumbel, q: Gumbel) -> Tensor:
    euler = 0.57721566490153286060
    ratio = p.scale / q.scale
    p_loc, q_loc = p.loc / q.scale, q.loc / q.scale
    t1 = -ratio.log() - q_loc + p_loc
    t2 = ratio * euler
    t3 = adjoint.exp(q_loc + (1 + ratio).lgamma() - p_loc)
    return t1 + t2 + t3 - (1 + euler)


@register_kl(Exponential, Exponential)
def _kl_exponential(p: Exponential, q: Exponential) -> Tensor:
    ratio = q.rate / p.rate
    return -ratio.log() + ratio - 1


@register_kl(Gamma, Gamma)
def _kl_gamma(p: Gamma, q: Gamma) -> Tensor:
    return (
        q.concentration * (p.rate / q.rate).log()
        + adjoint.lgamma(q.concentration)
        - adjoint.lgamma(p.concentration)
        + (p.concentration - q.concentration) * adjoint.digamma(p.concentration)
        + (q.rate - p.rate) * (p.concentration / p.rate)
    )


@register_kl(Beta, Beta)
def _kl_beta(p: Beta, q: Beta) -> Tensor:
    return _kl_dirichlet(p._dirichlet, q._dirichlet)


@register_kl(Dirichlet, Dirichlet)
def _kl_dirichlet(p: Dirichlet, q: Dirichlet) -> Tensor:
    p_total, q_total = p.concentration.sum(-1), q.concentration.sum(-1)
    t1 = p_total.lgamma() - q_total.lgamma()
    t2 = (p.concentration.lgamma() - q.concentration.lgamma()).sum(-1)
    slope = p.concentration.digamma() - p_total.digamma().unsqueeze(-1)
    return t1 - t2 + ((p.concentration - q.concentration) * slope).sum(-1)


@register_kl(Bernoulli, Bernoulli)
def _kl_bernoulli(p: Bernoulli, q: Bernoulli) -> Tensor:
    softplus = adjoint.nn.functional.softplus
    one = p.probs * (softplus(-q.logits) - softplus(-p.logits))
    one = adjoint.where(q.probs == 0, math.inf, one)
    one = adjoint.where(p.probs == 0, 0.0, one)
    zero = (1 - p.probs) * (softplus(q.logits) - softplus(p.logits))
    zero = adjoint.where(q.probs == 1, math.inf, zero)
    zero = adjoint.where(p.probs == 1, 0.0, zero)
    return one + zero


@register_kl(Binomial, Binomial)
def _kl_binomial(p: Binomial, q: Binomial) -> Tensor:
    if bool((p.total_count > q.total_count).any()):
        return _infinite_like(p.probs)
    if bool((p.total_count != q.total_count).any()):
        raise NotImplementedError(
            "KL between Binomials where q.total_count > p.total_count is not implemented"
        )
    return p.total_count * _kl_bernoulli(
        Bernoulli(p.probs, validate_args=False), Bernoulli(q.probs, validate_args=False)
    )


@register_kl(Geometric, Geometric)
def _kl_geometric(p: Geometric, q: Geometric) -> Tensor:
    return -p.entropy() - adjoint.log1p(-q.probs) / p.probs - q.logits


@register_kl(Poisson, Poisson)
def _kl_poisson(p: Poisson, q: Poisson) -> Tensor:
    return adjoint.xlogy(p.rate, p.rate / q.rate) - (p.rate - q.rate)


@register_kl(Categorical, Categorical)
def _kl_categorical(p: Categorical, q: Categorical) -> Tensor:
    t = p.probs * (p.logits - q.logits)
    t = adjoint.where(q.probs == 0, math.inf, t)
    return adjoint.where(p.probs == 0, 0.0, t).sum(-1)


@register_kl(OneHotCategorical, OneHotCategorical)
def _kl_one_hot(p: OneHotCategorical, q: OneHotCategorical) -> Tensor:
    return _kl_categorical(p._categorical, q._categorical)


@register_kl(Uniform, Uniform)
def _kl_uniform(p: Uniform, q: Uniform) -> Tensor:
    inside = (q.low <= p.low) & (p.high <= q.high)
    return adjoint.where(inside, ((q.high - q.low) / (p.high - p.low)).log(), math.inf)


@register_kl(Uniform, Normal)
def _kl_uniform_normal(p: Uniform, q: Normal) -> Tensor:
    width = p.high - p.low
    t1 = (math.sqrt(math.pi * 2) * q.scale / width).log()
    t2 = width.pow(2) / 12 + ((p.high + p.low - 2 * q.loc) / 2).pow(2)
    return t1 + 0.5 * t2 / q.scale.pow(2)


@register_kl(MultivariateNormal, MultivariateNormal)
def _kl_multivariate_normal(p: MultivariateNormal, q: MultivariateNormal) -> Tensor:
    if p.event_shape != q.event_shape:
        raise ValueError(
            "KL-divergence between two Multivariate Normals with different event shapes cannot "
            f"be computed: {p.event_shape} and {q.event_shape}"
        )
    n = p.event_shape[0]
    half = q._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(
        -1
    ) - p._unbroadcasted_scale_tril.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    batch = adjoint.broadcast_shapes(
        p._unbroadcasted_scale_tril.shape[:-2], q._unbroadcasted_scale_tril.shape[:-2]
    )
    inner = adjoint.linalg.solve_triangular(
        q._unbroadcasted_scale_tril.expand((*batch, n, n)),
        p._unbroadcasted_scale_tril.expand((*batch, n, n)),
        upper=False,
    )
    trace = inner.pow(2).sum((-2, -1))
    return half + 0.5 * (trace + _batch_mahalanobis(q._unbroadcasted_scale_tril, q.loc - p.loc) - n)


@register_kl(Independent, Independent)
def _kl_independent(p: Independent, q: Independent) -> Tensor:
    if p.reinterpreted_batch_ndims != q.reinterpreted_batch_ndims:
        raise NotImplementedError(
            "KL of Independent distributions with different reinterpreted_batch_ndims"
        )
    return _sum_rightmost(kl_divergence(p.base_dist, q.base_dist), p.reinterpreted_batch_ndims)


@register_kl(TransformedDistribution, TransformedDistribution)
def _kl_transformed(p: TransformedDistribution, q: TransformedDistribution) -> Tensor:
    if p.transforms != q.transforms or p.event_shape != q.event_shape:
        raise NotImplementedError("KL of distributions mapped by different transforms")
    return kl_divergence(p.base_dist, q.base_dist)
