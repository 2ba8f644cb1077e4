"""Special functions where it matters: far from the ordinary, and what is not in the matrix."""

import math

import numpy as np
import pytest
import scipy.special as sp
from scipy import stats

import adjoint


def double(*values):
    return adjoint.tensor(values, dtype=adjoint.float64)


def assert_close(actual, expected, rtol):
    np.testing.assert_allclose(actual.detach().numpy(), expected, rtol=rtol, atol=0)


# Values by mpmath, at 50 digits.
@pytest.mark.parametrize(
    "function, a, x, expected",
    [
        (adjoint.igammac, 1e-08, 0.1, 1.822923949088704e-8),
        (adjoint.igamma, 0.5, 0.0001, 0.011283415555849617),
        (adjoint.igamma, 100.0, 20.0, 3.4888786696896532e-37),
        (adjoint.igammac, 100.0, 300.0, 1.4110215102111521e-41),
        (adjoint.igammac, 500.0, 600.0, 1.2255942330622904e-5),
        (adjoint.igamma, 100000.0, 98000.0, 9.6908351581604864e-11),
        (adjoint.igammac, 3.0, 600.0, 4.7866426786913154e-256),
    ],
)
def test_both_incomplete_gamma_functions_are_exact_where_they_are_small(function, a, x, expected):
    # x and log(x) are rounded before they are multiplied by a, which alone loses 1e-14
    assert_close(function(double(a), double(x)), [expected], 5e-14)


def test_large_a_is_no_slower_and_sums_to_one():
    a = double(1e3, 1e6, 1e9, 1e15)
    x = a + a.sqrt()
    p, q = adjoint.igamma(a, x), adjoint.igammac(a, x)
    assert_close(p + q, np.ones(4), 1e-15)
    assert_close(p[3:], [sp.ndtr(1.0)], 1e-7)  # the limit, within 1 / sqrt(a)


def test_edges_of_the_incomplete_gamma_functions():
    inf, nan = math.inf, math.nan
    a, x = double(0, 0, 1, inf, inf, 1, -1, 1), double(0, 1, 0, 1, inf, inf, 1, -1)
    np.testing.assert_equal(adjoint.igamma(a, x).tolist(), [nan, 1, 0, 0, nan, 1, nan, nan])
    np.testing.assert_equal(adjoint.igammac(a, x).tolist(), [nan, 0, 1, 1, nan, 0, nan, nan])


def test_there_is_an_error_for_a_derivative_that_has_no_formula():
    a = double(2.0).requires_grad_()
    y = adjoint.igamma(a, double(1.0)).sum()
    for _ in range(4):
        (y,) = adjoint.autograd.grad(y, a, create_graph=True)
    with pytest.raises(RuntimeError, match="beyond the fourth"):
        adjoint.autograd.grad(y, a, create_graph=True)


def test_the_distribution_function_of_gamma_and_chi2():
    a, rate = double(0.5, 3.0, 40.0), double(1.0, 0.5, 2.0)
    value = double(0.2, 7.0, 21.0)
    gamma = adjoint.distributions.Gamma(a.requires_grad_(), rate.requires_grad_())
    given = [t.detach().numpy() for t in (value, a, rate)]
    assert_close(gamma.cdf(value), stats.gamma.cdf(given[0], given[1], scale=1 / given[2]), 1e-13)
    assert adjoint.autograd.gradcheck(
        lambda a, rate: adjoint.distributions.Gamma(a, rate).cdf(value), (a, rate)
    )
    chi2 = adjoint.distributions.Chi2(double(3.0))
    assert_close(chi2.cdf(double(2.5)), stats.chi2.cdf([2.5], 3), 1e-13)


def test_polygamma_is_a_method_with_the_order_behind():
    x = double(0.5, 3.0)
    assert adjoint.equal(x.polygamma(2), adjoint.polygamma(2, x))
    assert adjoint.equal(x.clone().polygamma_(2), adjoint.polygamma(2, x))
    assert adjoint.equal(x.clone().polygamma_(0), x.digamma())
    with pytest.raises(RuntimeError, match="negative n"):
        x.polygamma_(-1)


def test_polygamma_of_negative_numbers_is_by_reflection():
    """Of cot(pi x), DLMF 5.15.6; a sum from x = -1e9 to 0 would take seconds."""
    for n in (2, 3, 4):
        x = double(-0.25, -1.6, -7.3, -1e9 - 0.25)
        c, s = 1 / np.tan(np.pi * x.numpy()), 1 / np.sin(np.pi * x.numpy())
        cot = {  # pi times the n-th derivative of cot(pi x)
            2: 2 * np.pi**3 * c * s**2,
            3: -2 * np.pi**4 * s**2 * (3 * s**2 - 2),
            4: 8 * np.pi**5 * c * s**2 * (3 * s**2 - 1),
        }[n]
        expected = (-1) ** n * sp.polygamma(n, 1 - x.numpy()) - cot
        assert_close(adjoint.polygamma(n, x)[:3], expected[:3], 1e-11)
        assert_close(adjoint.polygamma(n, x)[3:], expected[3:], 1e-5)  # the angle has 7 digits


SPECIAL = adjoint.special


@pytest.mark.parametrize(
    "function, x, expected",
    [
        (SPECIAL.erfcx, [-26.0, 0.5, 30.0, 1e10], sp.erfcx),
        (SPECIAL.log_ndtr, [-1e5, -40.0, -1.0, 3.0, 30.0], sp.log_ndtr),
        (SPECIAL.ndtri, [1e-300, 1e-10, 0.3, 1 - 1e-12], sp.ndtri),
        (adjoint.i0, [1e-9, 7.999, 8.001, -50.0, 700.0], sp.i0),
        (SPECIAL.i1, [1e-9, 7.999, 8.001, -50.0, 700.0], sp.i1),
        (SPECIAL.i0e, [0.0, 8.5, 1e8], sp.i0e),
        (SPECIAL.i1e, [0.0, 8.5, -1e8], sp.i1e),
        (SPECIAL.modified_bessel_k0, [1e-9, 1.999, 2.001, 600.0], sp.k0),
        (SPECIAL.modified_bessel_k1, [1e-9, 1.999, 2.001, 600.0], sp.k1),
        (SPECIAL.scaled_modified_bessel_k0, [1e-9, 3.0, 1e8], sp.k0e),
        (SPECIAL.scaled_modified_bessel_k1, [1e-9, 3.0, 1e8], sp.k1e),
        (SPECIAL.airy_ai, [-2.999, -3.001, 0.0, 1.999, 2.001, 50.0], lambda x: sp.airy(x)[0]),
    ],
)
def test_values_are_exact_on_both_sides_of_each_seam(function, x, expected):
    # a few units in the last place, and those of the exponent where it is large
    assert_close(function(double(*x)), expected(np.array(x)), 2e-13)


@pytest.mark.parametrize(
    "function",
    [SPECIAL.bessel_j0, SPECIAL.bessel_j1, SPECIAL.i1, SPECIAL.spherical_bessel_j0, SPECIAL.erfcx],
    ids=lambda f: f.__name__,
)
def test_derivatives_at_zero_are_right_up_to_the_second(function):
    x = double(0.0).requires_grad_()
    assert adjoint.autograd.gradcheck(function, x)
    assert adjoint.autograd.gradgradcheck(function, x)


def test_polynomials_of_large_degree():
    """cos(n t) and its kin; the error of the recurrence grows with the degree."""
    t = np.array([0.1, 1.0, 2.5])
    x = adjoint.from_numpy(np.cos(t))
    y = SPECIAL.chebyshev_polynomial_t(x, 1000)
    np.testing.assert_allclose(y.numpy(), np.cos(1000 * t), atol=1e-11)
    y = SPECIAL.legendre_polynomial_p(x, 1000)
    np.testing.assert_allclose(y.numpy(), sp.eval_legendre(1000, np.cos(t)), atol=1e-11)


def test_polynomials_have_derivatives_up_to_the_seventh():
    x = double(0.3).requires_grad_()
    y = SPECIAL.hermite_polynomial_h(x, 7).sum()
    for _ in range(7):
        (y,) = adjoint.autograd.grad(y, x, create_graph=True)
    assert_close(y, [2.0**7 * math.factorial(7)], 1e-13)
    with pytest.raises(RuntimeError, match="beyond the 7th"):
        adjoint.autograd.grad(y, x, create_graph=True)


def test_ldexp_and_frexp_are_exact_at_the_ends_of_the_range():
    least = 5e-324
    x = double(least, -1.5, 1.7e308, 0.0, math.inf)
    mantissa, exponent = adjoint.frexp(x)
    assert exponent.dtype == adjoint.int32
    assert exponent.tolist() == [-1073, 1, 1024, 0, 0]
    assert adjoint.ldexp(mantissa, exponent).tolist() == x.tolist()
    assert adjoint.ldexp(double(least), double(2000)).tolist() == [math.ldexp(least, 2000)]
    small = adjoint.tensor([1e-45]).frexp()
    assert (small.mantissa.item(), small.exponent.item()) == (0.5, -148)


def test_common_divisors_of_every_integer_dtype():
    for dtype in (adjoint.uint8, adjoint.int8, adjoint.int16, adjoint.int32, adjoint.int64):
        x, y = adjoint.tensor([12, 0, 7], dtype=dtype), adjoint.tensor([18, 5, 0], dtype=dtype)
        assert adjoint.gcd(x, y).tolist() == [6, 5, 7]
        assert adjoint.lcm(x, y).tolist() == [36, 0, 0]
        assert x.gcd_(y).tolist() == [6, 5, 7]
    assert adjoint.gcd(adjoint.tensor([-(2**63)]), adjoint.tensor([6])).item() == 2
    with pytest.raises(NotImplementedError):
        adjoint.gcd(adjoint.tensor([True]), adjoint.tensor([True]))


@pytest.mark.parametrize("name", ["zeta_slope", "gammainc_slope"])
def test_derivatives_of_orders_that_are_not_there(name):
    slope = adjoint._core._namespaces["_nodes"][name]
    x = adjoint.tensor([1.5, 2.5])
    assert slope(x + 1, x, -1).tolist() == [0, 0]
    for order in (6, 1 << 40):
        with pytest.raises(RuntimeError, match="order"):
            slope(x + 1, x, order)
