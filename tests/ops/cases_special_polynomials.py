"""The orthogonal polynomials of `special`."""

import functools

import scipy.special as sp

import adjoint
from ops.case import S, case


def third(n, x):
    """By DLMF 18.7.5; sp.eval_chebyu is 0 for n = -1."""
    return sp.eval_chebyu(n, x) - sp.eval_chebyu(n - 1, x)


def fourth(n, x):
    return sp.eval_chebyu(n, x) + sp.eval_chebyu(n - 1, x)


def shifted(of, n, x):
    return of(n, 2 * x - 1)


CHEBYSHEV = {"t": sp.eval_chebyt, "u": sp.eval_chebyu, "v": third, "w": fourth}
POLYNOMIALS = {
    **{f"chebyshev_polynomial_{k}": of for k, of in CHEBYSHEV.items()},
    **{
        f"shifted_chebyshev_polynomial_{k}": functools.partial(shifted, of)
        for k, of in CHEBYSHEV.items()
    },
    "hermite_polynomial_h": sp.eval_hermite,
    "hermite_polynomial_he": sp.eval_hermitenorm,
    "laguerre_polynomial_l": sp.eval_laguerre,
    "legendre_polynomial_p": sp.eval_legendre,
}


def calls(r):
    """Degrees 0 and 1, where the recurrences start, and one tensor of several degrees."""
    x = r.uniform(-0.9, 0.9, 3, 4)
    return [S(x, r.integers(2, 9, 3, 4)), S(r.normal(2, 3), 5), S(x, 0), S(x, 1), S(0.5, x.long())]


for name, of in POLYNOMIALS.items():
    case(
        f"special.{name}",
        calls,
        reference=lambda x, n, of=of: of(n, x),
        torch_rtol=1e-8,
        torch_grad="torch has no derivative",
        bad=[(S(adjoint.ones(2), "x"), TypeError)],
    )


def derivative(x, n, family, order):
    """The `order`-th one of T (family 0) and of the Legendre polynomial (11)."""
    if family == 11:
        return sp.legendre(n).deriv(order)(x)
    return sp.chebyt(n).deriv(order)(x)


case(
    "_nodes.orthogonal",
    lambda r: [S(r.normal(3, 4), 6, 0, 1), S(r.normal(3), 5, 11, 2)],
    reference=derivative,
    rtol=1e-9,  # SciPy has the coefficients by eigenvalues
    bad=[(S(adjoint.ones(2), 3, 0, 8), RuntimeError)],
)
