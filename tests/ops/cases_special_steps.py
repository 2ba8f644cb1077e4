"""Steps, neighbours, exponents and common divisors."""

import numpy as np

import adjoint
from ops.case import S, case

WHOLE = lambda r: [S(r.integers(-40, 41, 3, 4), r.integers(-40, 41, 3, 4))]
BOOLS = [(S(adjoint.ones(2).bool(), adjoint.ones(2).bool()), NotImplementedError)]

case("gcd", WHOLE, reference=np.gcd, bad=BOOLS)
case("lcm", WHOLE, reference=np.lcm, bad=BOOLS)
case(
    "heaviside",
    lambda r: [
        S(adjoint.tensor([-1.5, 0.0, 2.0]).double(), r.normal(3)),
        S(r.integers(-1, 2, 3, 4), r.integers(5, 9, 4)),
    ],
    reference=np.heaviside,
    bad=[(S(adjoint.ones(2), adjoint.ones(2).double()), RuntimeError)],
)
case(
    "nextafter",
    lambda r: [S(r.normal(3, 4), r.normal(3, 4))],
    reference=np.nextafter,
    rtol=0,
    atol=0,
    dtypes="torch has it of bfloat16",
    bad=[(S(adjoint.ones(2).long(), adjoint.ones(2).long()), NotImplementedError)],
)
case(
    "ldexp",
    lambda r: [S(r.normal(3, 4), r.integers(-5, 6, 3, 4)), S(r.normal(3, 4), r.normal(3, 4))],
    reference=lambda x, n: x * 2.0**n,
    torch_grad="torch's is cut down to whole numbers where `other` is whole",
    dtypes="torch warns, or fails, where `input` has no dims and `other` has",
    special="0 * 2**inf is 0 of a large finite exponent, where torch has NaN",
)
case(
    "frexp",
    lambda r: [S(r.normal(3, 4) * 100)],
    reference=lambda x: np.frexp(x),
    bad=[(S(adjoint.ones(2).long()), RuntimeError)],
)
case(
    "_nodes.binary_exponent",
    lambda r: [S(r.normal(3, 4) * 100)],
    reference=lambda x: np.frexp(x)[1].astype(float),
    bad=[(S(adjoint.ones(2).long()), RuntimeError)],
)
