"""The incomplete gamma functions, the zeta function, and their kin."""

import numpy as np
import scipy.special as sp
import scipy.stats

import adjoint
from ops.case import S, case

WORD = [(S(adjoint.ones(2), "x"), TypeError)]


def numbers(low, high):
    """A matrix and a tensor without dims, of values between these."""
    return lambda r: [S(r.uniform(low, high, 3, 4)), S(r.uniform(low, high))]


def positive_pairs(r):
    """Both sides of `a`, where the formulas change: small ones, and one large `a`."""
    return [
        S(r.uniform(0.05, 5, 3, 4), r.uniform(0.05, 9, 3, 4)),
        S(r.uniform(20, 25, 2, 3), r.uniform(15, 30, 3)),
        S(r.uniform(150, 160, 3), r.uniform(140, 170, 3)),
    ]


# Here the derivative by the first operand exists, where torch has an error.
NO_SLOPE = "torch has no derivative by input"
for name, of in {"igamma": sp.gammainc, "igammac": sp.gammaincc}.items():
    case(
        name,
        positive_pairs,
        reference=of,
        torch_grad=NO_SLOPE,
        torch_rtol=1e-8,  # where both are near 20
        special="torch's are good to 1e-9 only, and 0 or 1 for some NaN",
        bad=WORD,
    )
case(
    "_nodes.gamma_density",
    positive_pairs,
    reference=lambda a, x: scipy.stats.gamma.pdf(x, a),
    rtol=1e-9,  # that of scipy at large a
)


def slope_of_p(a, x, n):
    """A central difference of SciPy's function, of fourth order in its step."""
    if n > 1:  # (f(a + h) - f(a - h)) / 2h of the derivative before
        h = 1e-3
        f = [slope_of_p(a + k * h, x, n - 1) for k in (-2, -1, 1, 2)]
    else:
        h = 1e-3
        f = [sp.gammainc(a + k * h, x) for k in (-2, -1, 1, 2)]
    return (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h)


case(
    "_nodes.gammainc_slope",
    lambda r: [S(r.uniform(1, 5, 3, 4), r.uniform(0.5, 9, 3, 4), n) for n in (1, 2)],
    reference=slope_of_p,
    rtol=1e-6,  # of the difference
    atol=1e-8,
    bad=[(S(adjoint.ones(2), adjoint.ones(2), 5), RuntimeError)],
)
case(
    "special.zeta",
    lambda r: [
        S(r.uniform(1.5, 9, 3, 4), r.uniform(0.2, 30, 3, 4)),
        S(r.uniform(2, 5, 3), 1),
        S(2.5, r.positive(3)),
    ],
    reference=sp.zeta,
    torch_grad=NO_SLOPE,
    special="torch has infinity for zeta(nan, 0)",
    bad=WORD,
)
case(
    "_nodes.zeta_slope",
    lambda r: [S(r.uniform(2, 5, 3, 4), r.uniform(0.5, 3, 3, 4), n) for n in (1, 2)],
    reference=lambda s, q, n: np.vectorize(
        lambda s, q: (
            sum((-np.log(q + k)) ** n * (q + k) ** -s for k in range(3000))
            + tail_of_zeta(s, q + 3000, n)
        )
    )(s, q),
    rtol=1e-6,
    bad=[(S(adjoint.ones(2), adjoint.ones(2), 5), RuntimeError)],
)


def tail_of_zeta(s, q, n):
    """The integral of (-log x)^n x^-s from q on, and half of the first term."""
    log, power = np.log(q), q ** (1 - s)
    whole = {
        1: -power * (log / (s - 1) + 1 / (s - 1) ** 2),
        2: power * (log**2 / (s - 1) + 2 * log / (s - 1) ** 2 + 2 / (s - 1) ** 3),
    }
    return whole[n] + (-log) ** n * q**-s / 2


case(
    "mvlgamma",
    lambda r: [S(r.uniform(1.6, 5, 3, 4), 4), S(r.positive(3), 1)],
    reference=lambda x, p: np.vectorize(lambda a: sp.multigammaln(a, p))(x),
    bad=[(S(adjoint.ones(2), 0), RuntimeError)],
)
case(
    "_nodes.mvpolygamma",
    lambda r: [S(r.uniform(1.6, 5, 3, 4), 4, order) for order in (1, 2)],
    reference=lambda x, p, order: sum(sp.polygamma(order - 1, x - j / 2) for j in range(p)),
)

# The error function and the normal distribution.

case("special.ndtr", numbers(-4, 4), reference=sp.ndtr)
case(
    "special.log_ndtr",
    numbers(-6, 3),
    reference=sp.log_ndtr,
    torch_rtol=1e-6,  # of its derivative far below 0
    special="torch has NaN for the derivative at minus infinity",
)
case("special.ndtri", numbers(0.02, 0.98), reference=sp.ndtri)
case("special.erfcx", numbers(-2, 5), reference=sp.erfcx)
case("special.entr", numbers(0.1, 3), reference=sp.entr)
case(
    "special.xlog1py",
    lambda r: [S(r.normal(3, 4), r.positive(3, 4)), S(r.normal(3), 0.5), S(2.0, r.positive(3))],
    reference=sp.xlog1py,
    masks=True,
    bad=WORD,
)

# Bessel functions. torch has no derivatives of most of them.

NONE = "torch has no derivative"
DIFFERENT = "torch gives NaN at infinity"
for name, of in {
    "i0": sp.i0,
    "special.i0e": sp.i0e,
    "special.i1": sp.i1,
    "special.i1e": sp.i1e,
}.items():
    case(name, numbers(-12, 12), reference=of, special=DIFFERENT)
for name, of in {
    "bessel_j0": sp.j0,
    "bessel_j1": sp.j1,
    "modified_bessel_i0": sp.i0,
    "modified_bessel_i1": sp.i1,
    "spherical_bessel_j0": lambda x: sp.spherical_jn(0, x),
    "airy_ai": lambda x: sp.airy(x)[0],
}.items():
    case(
        f"special.{name}",
        numbers(-9, 9),
        reference=of,
        torch_rtol=2e-5,  # its coefficients are those of single precision
        special=DIFFERENT,
        torch_grad=NONE,
    )
for name, of in {
    "bessel_y0": sp.y0,
    "bessel_y1": sp.y1,
    "modified_bessel_k0": sp.k0,
    "modified_bessel_k1": sp.k1,
    "scaled_modified_bessel_k0": sp.k0e,
    "scaled_modified_bessel_k1": sp.k1e,
}.items():
    case(
        f"special.{name}",
        numbers(0.3, 9),
        reference=of,
        torch_rtol=2e-5,
        special=DIFFERENT,
        torch_grad=NONE,
    )
case("_nodes.spherical_j1", numbers(-5, 5), reference=lambda x: -sp.spherical_jn(0, x, True))
case("_nodes.airy_ai_prime", numbers(-5, 5), reference=lambda x: sp.airy(x)[1])
