"""Distributions against scipy.stats and, where it is installed, torch."""

import math

import numpy as np
import pytest
from scipy import stats

import adjoint as torch

D = torch.distributions


def t(*values):
    return torch.tensor(values, dtype=torch.float64)


# What is made, and the same in scipy.
CONTINUOUS = {
    "Normal": (lambda: D.Normal(t(0.5, -1), t(1, 2)), lambda: stats.norm([0.5, -1], [1, 2])),
    "Laplace": (lambda: D.Laplace(t(0.5, -1), t(1, 2)), lambda: stats.laplace([0.5, -1], [1, 2])),
    "Cauchy": (lambda: D.Cauchy(t(0.5, -1), t(1, 2)), lambda: stats.cauchy([0.5, -1], [1, 2])),
    "Uniform": (lambda: D.Uniform(t(0, -1), t(1, 2)), lambda: stats.uniform([0, -1], [1, 3])),
    "Exponential": (lambda: D.Exponential(t(0.5, 2)), lambda: stats.expon(scale=[2, 0.5])),
    "Gamma": (
        lambda: D.Gamma(t(0.5, 3), t(2, 0.5)),
        lambda: stats.gamma([0.5, 3], scale=[0.5, 2]),
    ),
    "Chi2": (lambda: D.Chi2(t(1, 4)), lambda: stats.chi2([1, 4])),
    "Beta": (lambda: D.Beta(t(0.5, 3), t(2, 2)), lambda: stats.beta([0.5, 3], [2, 2])),
    "StudentT": (
        lambda: D.StudentT(t(3, 10), t(0, 1), t(1, 2)),
        lambda: stats.t([3, 10], [0, 1], [1, 2]),
    ),
    "FisherSnedecor": (
        lambda: D.FisherSnedecor(t(3, 5), t(10, 12)),
        lambda: stats.f([3, 5], [10, 12]),
    ),
    "InverseGamma": (
        lambda: D.InverseGamma(t(3, 5), t(2, 0.5)),
        lambda: stats.invgamma([3, 5], scale=[2, 0.5]),
    ),
    "LogNormal": (
        lambda: D.LogNormal(t(0, 0.5), t(0.5, 1)),
        lambda: stats.lognorm([0.5, 1], scale=np.exp([0, 0.5])),
    ),
    "HalfNormal": (lambda: D.HalfNormal(t(1, 2)), lambda: stats.halfnorm(scale=[1, 2])),
    "HalfCauchy": (lambda: D.HalfCauchy(t(1, 2)), lambda: stats.halfcauchy(scale=[1, 2])),
    "Gumbel": (lambda: D.Gumbel(t(0, 1), t(1, 2)), lambda: stats.gumbel_r([0, 1], [1, 2])),
    "Weibull": (
        lambda: D.Weibull(t(1, 2), t(1.5, 3)),
        lambda: stats.weibull_min([1.5, 3], scale=[1, 2]),
    ),
    "Pareto": (lambda: D.Pareto(t(1, 2), t(3, 5)), lambda: stats.pareto([3, 5], scale=[1, 2])),
}  # fmt: skip
DISCRETE = {
    "Bernoulli": (lambda: D.Bernoulli(t(0.3, 0.8)), lambda: stats.bernoulli([0.3, 0.8])),
    "Binomial": (lambda: D.Binomial(5, t(0.3, 0.8)), lambda: stats.binom(5, [0.3, 0.8])),
    "Geometric": (lambda: D.Geometric(t(0.3, 0.8)), lambda: stats.geom([0.3, 0.8], loc=-1)),
    "Poisson": (lambda: D.Poisson(t(0.5, 4)), lambda: stats.poisson([0.5, 4])),
    "NegativeBinomial": (
        lambda: D.NegativeBinomial(t(2, 5), t(0.3, 0.6)),
        lambda: stats.nbinom([2, 5], [0.7, 0.4]),
    ),
}
NO_ENTROPY = {"FisherSnedecor", "NegativeBinomial", "Poisson"}


def value(x):
    return x.detach().numpy()


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous_ones_agree_with_scipy(name):
    make, reference = CONTINUOUS[name]
    d, s = make(), reference()
    q = np.array([[0.1], [0.4], [0.9]])
    x = torch.from_numpy(s.ppf(q))
    # The special functions of both sides agree to about 1e-10.
    np.testing.assert_allclose(value(d.log_prob(x)), s.logpdf(value(x)), rtol=1e-8)
    if name not in ("Cauchy", "HalfCauchy"):
        np.testing.assert_allclose(value(d.mean), s.mean(), rtol=1e-8)
        np.testing.assert_allclose(value(d.variance), s.var(), rtol=1e-8)
    if name not in NO_ENTROPY:
        np.testing.assert_allclose(value(d.entropy()), s.entropy(), rtol=1e-7)
    for function, expected in ((d.cdf, q), (d.icdf, value(x))):
        argument = x if function == d.cdf else torch.from_numpy(q).expand(3, 2)
        try:
            found = function(argument)
        except NotImplementedError:
            continue
        np.testing.assert_allclose(value(found), np.broadcast_to(expected, (3, 2)), rtol=1e-7)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_samples_follow_their_distribution(name):
    make, reference = CONTINUOUS[name]
    torch.manual_seed(5)
    x = make().sample((4000,))
    assert x.shape == (4000, 2)
    for k in range(2):
        one = reference()
        cdf = lambda v, one=one, k=k: one.cdf(np.stack([v, v], -1))[..., k]
        # With the seed fixed this passes or fails for good; by chance 1 in 10,000 would fail.
        assert stats.kstest(value(x[:, k]), cdf).pvalue > 1e-4


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete_ones_agree_with_scipy(name):
    make, reference = DISCRETE[name]
    d, s = make(), reference()
    k = torch.tensor([[0.0], [1.0]], dtype=torch.float64).expand(2, 2)
    np.testing.assert_allclose(value(d.log_prob(k)), s.logpmf(value(k)), rtol=1e-9)
    np.testing.assert_allclose(value(d.mean), s.mean(), rtol=1e-9)
    np.testing.assert_allclose(value(d.variance), s.var(), rtol=1e-9)
    if name not in NO_ENTROPY:
        np.testing.assert_allclose(value(d.entropy()), s.entropy(), rtol=1e-7)
    torch.manual_seed(1)
    x = d.sample((4000,))
    # Five standard deviations of the mean of 4,000 draws.
    error = 5 * np.sqrt(s.var() / 4000)
    assert np.all(np.abs(value(x.mean(0)) - s.mean()) < error)


@pytest.mark.parametrize("name", [n for n in CONTINUOUS if n not in ("Cauchy", "HalfCauchy")])
def test_the_mean_of_samples_has_the_gradient_of_the_mean(name):
    make, _ = CONTINUOUS[name]
    torch.manual_seed(2)
    d = make()
    params = [v.requires_grad_() for v in made_from(d)]
    d = type(d)(*params)
    (sum_of_means,) = (d.rsample((60000,)).mean(0).sum(),)
    found = torch.autograd.grad(sum_of_means, params, allow_unused=True, materialize_grads=True)
    d = type(d)(*params)
    if not d.mean.requires_grad:
        return
    expected = torch.autograd.grad(d.mean.sum(), params, allow_unused=True, materialize_grads=True)
    for f, e in zip(found, expected, strict=True):
        # A Monte-Carlo mean over 60,000 draws of heavy-tailed slopes.
        np.testing.assert_allclose(value(f), value(e), rtol=0.15, atol=0.03)


def made_from(d):
    order = {
        "Uniform": ("low", "high"), "Pareto": ("scale", "alpha"),
        "Weibull": ("scale", "concentration"),
    }.get(type(d).__name__, tuple(d.arg_constraints))  # fmt: skip
    return [getattr(d, name).detach().clone() for name in order]


def test_categorical():
    d = D.Categorical(t(1, 2, 1))
    assert torch.allclose(d.probs, t(0.25, 0.5, 0.25))
    assert torch.allclose(d.log_prob(torch.tensor([1, 0])).exp(), t(0.5, 0.25))
    assert d.entropy().item() == pytest.approx(1.5 * math.log(2))
    torch.manual_seed(0)
    counts = torch.bincount(d.sample((4000,)), minlength=3) / 4000
    assert torch.allclose(counts.double(), d.probs, atol=0.04)
    assert D.Categorical(logits=torch.zeros(2, 3)).sample((5,)).shape == (5, 2)
    with pytest.raises(ValueError, match="not both"):
        D.Categorical(probs=t(1, 1), logits=t(0, 0))
    with pytest.raises(ValueError, match="support"):
        d.log_prob(torch.tensor(3))


def test_log_prob_is_differentiable_by_its_parameters():
    logits = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    D.Categorical(logits=logits).log_prob(torch.tensor(1)).backward()
    assert torch.allclose(logits.grad, t(-1 / 3, 2 / 3, -1 / 3))


def test_multivariate_normal():
    loc = t(1, -1)
    cov = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    s = stats.multivariate_normal(loc.numpy(), cov.numpy())
    x = torch.randn(4, 2, dtype=torch.float64)
    for given in (
        {"covariance_matrix": cov},
        {"precision_matrix": torch.linalg.inv(cov)},
        {"scale_tril": torch.linalg.cholesky(cov)},
    ):
        d = D.MultivariateNormal(loc, **given)
        np.testing.assert_allclose(value(d.log_prob(x)), s.logpdf(value(x)), rtol=1e-10)
        np.testing.assert_allclose(value(d.entropy()), s.entropy(), rtol=1e-10)
        assert torch.allclose(d.covariance_matrix, cov)
        assert torch.allclose(d.precision_matrix @ cov, torch.eye(2, dtype=torch.float64))
    torch.manual_seed(0)
    drawn = d.sample((5000,))
    assert torch.allclose(torch.from_numpy(np.cov(drawn.numpy().T)), cov, atol=0.15)
    with pytest.raises(ValueError, match="Exactly one"):
        D.MultivariateNormal(loc)
    with pytest.raises(ValueError, match="PositiveDefinite"):
        D.MultivariateNormal(loc, -cov)


def test_dirichlet_and_multinomial():
    a = t(0.5, 2, 3)
    d = D.Dirichlet(a)
    x = d.sample((3,))
    assert torch.allclose(x.sum(-1), torch.ones(3, dtype=torch.float64))
    for row in x:
        assert d.log_prob(row).item() == pytest.approx(
            stats.dirichlet(a.numpy()).logpdf(row.numpy())
        )
    m = D.Multinomial(4, t(0.2, 0.3, 0.5))
    counts = t(1, 1, 2)
    expected = stats.multinomial(4, [0.2, 0.3, 0.5])
    assert m.log_prob(counts).item() == pytest.approx(expected.logpmf([1, 1, 2]))
    assert m.entropy().item() == pytest.approx(float(expected.entropy()))
    assert m.sample().sum() == 4


def test_mixture_and_independent():
    parts = D.Normal(t(-2, 2), t(1, 0.5))
    d = D.MixtureSameFamily(D.Categorical(t(1, 3)), parts)
    x = t(0.3)[0]
    expected = 0.25 * stats.norm(-2, 1).pdf(0.3) + 0.75 * stats.norm(2, 0.5).pdf(0.3)
    assert d.log_prob(x).exp().item() == pytest.approx(expected)
    assert d.mean.item() == pytest.approx(1.0)
    assert d.sample((6,)).shape == (6,)
    i = D.Independent(D.Normal(torch.zeros(3, 2), 1.0), 1)
    assert i.batch_shape == (3,) and i.event_shape == (2,)
    assert i.log_prob(torch.zeros(3, 2)).shape == (3,)


TRANSFORMS = [
    D.ExpTransform(), D.SigmoidTransform(), D.TanhTransform(), D.SoftplusTransform(),
    D.AffineTransform(0.5, -2.0), D.PowerTransform(torch.tensor(3.0, dtype=torch.float64)),
    D.ComposeTransform([D.AffineTransform(1.0, 0.5), D.ExpTransform()]),
]  # fmt: skip


@pytest.mark.parametrize("transform", TRANSFORMS, ids=lambda x: type(x).__name__)
def test_log_determinants_are_those_of_the_derivative(transform):
    x = t(0.2, 0.7, 1.3)
    y, slope = torch.autograd.functional.jvp(transform, x, torch.ones_like(x))
    assert torch.allclose(transform.inv(y), x)
    assert torch.allclose(transform.log_abs_det_jacobian(x, y), slope.abs().log())
    assert transform.inv.inv is transform


@pytest.mark.parametrize("transform", [D.StickBreakingTransform(), D.CorrCholeskyTransform()],
                         ids=lambda x: type(x).__name__)  # fmt: skip
def test_vector_transforms(transform):
    x = t(0.2, -0.7, 1.3)
    y = transform(x)
    assert transform.codomain.check(y).all() and y.shape == transform.forward_shape(x.shape)
    assert torch.allclose(transform.inv(y), x)
    jacobian = torch.autograd.functional.jacobian(transform, x)
    if isinstance(transform, D.StickBreakingTransform):
        free = jacobian[:-1]
    else:
        free = torch.stack([jacobian[1, 0], jacobian[2, 0], jacobian[2, 1]])
    found = transform.log_abs_det_jacobian(x, y)
    assert torch.allclose(found, torch.linalg.slogdet(free).logabsdet)


@pytest.mark.parametrize("constraint", [
    D.constraints.positive, D.constraints.unit_interval, D.constraints.interval(-2.0, 3.0),
    D.constraints.simplex, D.constraints.less_than(1.0), D.constraints.real_vector,
    D.constraints.greater_than(2.0),
], ids=repr)  # fmt: skip
def test_bijections_lead_into_their_constraint(constraint):
    x = torch.randn(5, 4, dtype=torch.float64)
    for registry in (D.biject_to, D.transform_to):
        y = registry(constraint)(x)
        assert constraint.check(y).all()
    assert torch.allclose(D.biject_to(constraint).inv(D.biject_to(constraint)(x)), x)


KL = {
    "Normal": [(0.5, 1.0), (-0.5, 2.0)],
    "Laplace": [(0.5, 1.0), (-0.5, 2.0)],
    "Gamma": [(2.0, 1.0), (1.5, 0.5)],
    "Beta": [(2.0, 1.5), (1.0, 3.0)],
    "Exponential": [(0.5,), (2.0,)],
    "Gumbel": [(0.5, 1.0), (0.0, 2.0)],
    "Bernoulli": [(0.3,), (0.6,)],
    "Geometric": [(0.3,), (0.6,)],
    "LogNormal": [(0.5, 1.0), (-0.5, 2.0)],
}


@pytest.mark.parametrize("name", KL)
def test_divergences_are_means_of_the_difference_of_logs(name):
    p, q = (getattr(D, name)(*(torch.tensor(v, dtype=torch.float64) for v in a)) for a in KL[name])
    torch.manual_seed(0)
    x = p.sample((100000,))
    # The standard error of the mean of 100,000 draws is a few thousandths.
    estimate = (p.log_prob(x) - q.log_prob(x)).mean().item()
    assert D.kl_divergence(p, q).item() == pytest.approx(estimate, abs=0.02)
    assert D.kl_divergence(p, p).item() == pytest.approx(0, abs=1e-12)


def test_divergences_of_vectors():
    cov = torch.tensor([[2.0, 0.5], [0.5, 1.0]], dtype=torch.float64)
    p, q = D.MultivariateNormal(t(1, 0), cov), D.MultivariateNormal(t(0, 0), torch.eye(2).double())
    expected = 0.5 * (cov.trace() + 1 - 2 - torch.linalg.slogdet(cov).logabsdet)
    assert torch.allclose(D.kl_divergence(p, q), expected)
    i = [D.Independent(D.Normal(t(a, 0), 1.0), 1) for a in (0.0, 2.0)]
    assert D.kl_divergence(*i).item() == pytest.approx(2.0)
    with pytest.raises(NotImplementedError, match="Normal and q type Cauchy"):
        D.kl_divergence(D.Normal(0.0, 1.0), D.Cauchy(1.0, 1.0))


def test_relaxed_samples_are_differentiable():
    logits = torch.zeros(3, requires_grad=True)
    x = D.RelaxedOneHotCategorical(0.5, logits=logits).rsample()
    assert x.sum().item() == pytest.approx(1, abs=1e-6)
    x[0].backward()
    assert logits.grad.abs().sum() > 0
    assert D.RelaxedBernoulli(0.5, torch.tensor(0.3)).rsample((4,)).shape == (4,)
    hard = D.OneHotCategoricalStraightThrough(logits=logits).rsample()
    assert hard.requires_grad and hard.sum().item() == 1


def test_expand_and_repr():
    d = D.Normal(0.0, torch.tensor([1.0, 2.0])).expand((3, 2))
    assert d.batch_shape == (3, 2) and d.sample().shape == (3, 2)
    assert repr(D.Normal(0.0, 1.0)) == "Normal(loc: 0.0, scale: 1.0)"
    assert repr(d) == "Normal(loc: torch.Size([3, 2]), scale: torch.Size([3, 2]))"
    for make, _ in [*CONTINUOUS.values(), *DISCRETE.values()]:
        wide = make().expand((4, 2))
        assert wide.batch_shape == (4, 2) and wide.sample((3,)).shape == (3, 4, 2)


@pytest.mark.parametrize("family", [D.HalfCauchy, D.HalfNormal])
def test_parameters_that_are_properties_are_checked(family):
    with pytest.raises(ValueError, match="scale"):
        family(-1.0, validate_args=True)


def test_bad_arguments():
    with pytest.raises(ValueError, match="parameter scale .* to satisfy the constraint"):
        D.Normal(0.0, -1.0)
    with pytest.raises(ValueError, match="parameter low .* LessThan"):
        D.Uniform(1.0, 0.0)
    with pytest.raises(ValueError, match="within the support"):
        D.Exponential(1.0).log_prob(torch.tensor(-1.0))
    with pytest.raises(ValueError, match="must be a Tensor"):
        D.Normal(0.0, 1.0).log_prob(1.0)
    D.Normal(0.0, -1.0, validate_args=False)
    with pytest.raises(NotImplementedError, match="rsample"):
        D.Bernoulli(0.5).rsample()


def test_against_torch():
    other = pytest.importorskip("torch").distributions
    import torch as oracle

    for name, (make, _) in {**CONTINUOUS, **DISCRETE}.items():
        d = make()
        if name == "Binomial":
            o = other.Binomial(5, oracle.from_numpy(d.probs.numpy()))
        else:
            params = [oracle.from_numpy(v.numpy().copy()) for v in made_from(d) if v is not None]
            count = {"Bernoulli": 1, "Geometric": 1, "NegativeBinomial": 2}.get(name, len(params))
            o = getattr(other, name)(*params[:count])
        x = d.sample((3,))
        expected = o.log_prob(oracle.from_numpy(x.numpy().copy())).numpy()
        np.testing.assert_allclose(value(d.log_prob(x)), expected, rtol=1e-6)
        try:
            mode = o.mode.numpy()
        except NotImplementedError:
            continue
        np.testing.assert_allclose(value(d.mode), mode, rtol=1e-6, err_msg=name)


def test_constraints_print_as_torchs():
    c = D.constraints
    texts = {
        c.positive: "GreaterThan(lower_bound=0.0)",
        c.nonnegative: "GreaterThanEq(lower_bound=0.0)",
        c.unit_interval: "Interval(lower_bound=0.0, upper_bound=1.0)",
        c.positive_integer: "IntegerGreaterThan(lower_bound=1)",
        c.integer_interval(0, 5): "IntegerInterval(lower_bound=0, upper_bound=5)",
        c.half_open_interval(0, 1): "HalfOpenInterval(lower_bound=0, upper_bound=1)",
        c.less_than(1): "LessThan(upper_bound=1)",
        c.real_vector: "IndependentConstraint(Real(), 1)",
        c.multinomial(3): "Multinomial()",
        c.stack([c.real]): "Stack()",
        c.MixtureSameFamilyConstraint(c.real): "MixtureSameFamilyConstraint(Real())",
        D.Uniform.support: "DependentProperty()",
    }
    for constraint, text in texts.items():
        assert repr(constraint) == text


def test_a_support_that_depends_on_parameters_says_so_of_the_class():
    c = D.constraints
    for cls, discrete, event in ((D.Binomial, True, 0), (D.Multinomial, True, 1),
                                 (D.Pareto, False, 0), (D.Uniform, False, 0)):  # fmt: skip
        assert c.is_dependent(cls.support)
        assert (cls.support.is_discrete, cls.support.event_dim) == (discrete, event)
    with pytest.raises(NotImplementedError, match="event_dim"):
        D.Independent.support.event_dim
    uniform = D.Uniform(t(1), t(3))
    assert (
        repr(uniform.arg_constraints["low"])
        == "LessThan(upper_bound=tensor([3.], dtype=torch.float64))"
    )
    assert uniform.expand((4,)).low.shape == (4,)


def test_the_support_of_a_mixture_is_that_of_its_components():
    parts = D.Uniform(t(0, 5), t(1, 6))
    mixture = D.MixtureSameFamily(D.Categorical(torch.ones(2)), parts)
    assert mixture.support.check(t(0.5, 5.5)).tolist() == [False, False]  # not in both of them
    with pytest.raises(AssertionError, match="Constraint"):
        D.constraints.MixtureSameFamilyConstraint(3)


def test_expand_of_a_distribution_written_elsewhere():
    class Shifted(D.Normal):
        def expand(self, batch_shape, _instance=None):
            new = self._get_checked_instance(Shifted, _instance)
            new.loc, new.scale = self.loc.expand(batch_shape), self.scale.expand(batch_shape)
            D.Distribution.__init__(new, torch.Size(batch_shape), validate_args=False)
            return new

    class Own(Shifted):
        def __init__(self):
            super().__init__(0.0, 1.0)

    assert Shifted(0.0, 1.0).expand((3,)).sample().shape == (3,)
    with pytest.raises(NotImplementedError, match="defines __init__"):
        Own().expand((3,))
