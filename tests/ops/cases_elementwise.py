"""Operators that act on each element alone: arithmetic and the functions of mathematics."""

import functools

import numpy as np
import scipy.special as sp

import adjoint
from ops.case import S, alias, case
from ops.matrix import torch


def one(draw="normal", *args):
    """A matrix and a tensor without dims, of values in the function's domain."""
    return lambda r: [S(getattr(r, draw)(*args, 3, 4)), S(getattr(r, draw)(*args))]


def two(first="normal", second="normal"):
    return lambda r: [
        S(getattr(r, first)(3, 4), getattr(r, second)(3, 4)),
        S(getattr(r, first)(2, 3), getattr(r, second)(3)),
    ]


def two_or_number(first="normal", second="normal", number=1.5):
    return lambda r: [*two(first, second)(r), S(getattr(r, first)(3), number)]


def whole(low=-5, high=6, then=None):
    """Pairs of whole numbers; the second from 1 on if `then`."""
    return lambda r: [S(r.integers(low, high, 3, 4), r.integers(then or low, high, 3, 4))]


OTHER = [(S(adjoint.ones(2), "x"), TypeError), (S(adjoint.ones(2)), TypeError)]
BOOLS = adjoint.tensor([True, False])

# Sums and products.

case("add", two_or_number(), reference=np.add, bad=OTHER)
case("sub", two_or_number(), reference=np.subtract, bad=[*OTHER, (S(BOOLS, BOOLS), RuntimeError)])
case("mul", two_or_number(), reference=np.multiply, bad=OTHER)
case("div", two_or_number(second="positive"), reference=np.divide, bad=OTHER)
case("neg", one(), reference=np.negative, bad=[(S(BOOLS), RuntimeError)])
case("reciprocal", one("positive"), reference=np.reciprocal)
case("square", one(), reference=np.square, dtypes="torch turns bool into int64")
for name, sign in [("add:alpha", 1), ("sub:alpha", -1), ("subtract:alpha", -1)]:
    case(
        name,
        lambda r: [S(r.normal(3, 4), r.normal(3, 4), alpha=2), S(r.normal(3), 2.5, alpha=0.5)],
        reference=lambda x, y, alpha, sign=sign: x + sign * alpha * y,
        bad=[(S(adjoint.ones(2).long(), 1, alpha=0.5), RuntimeError)],
    )
case(
    "rsub",
    lambda r: [S(r.normal(3, 4), r.normal(3, 4)), S(r.normal(3), 2, alpha=3)],
    reference=lambda x, y, alpha=1: y - alpha * x,
)
case(
    "addcmul",
    lambda r: [
        S(r.normal(3, 4), r.normal(3, 4), r.normal(3, 4)),
        S(r.normal(3), r.normal(2, 1), r.normal(3), value=0.5),
    ],
    reference=lambda x, a, b, value=1: x + value * a * b,
    dtypes="of bools torch has no kernel, and value= is cast differently",
)
case(
    "addcdiv",
    lambda r: [
        S(r.normal(3, 4), r.normal(3, 4), r.positive(3, 4)),
        S(r.normal(3), r.normal(2, 1), r.positive(3), value=0.5),
    ],
    reference=lambda x, a, b, value=1: x + value * a / b,
    bad=[(S(adjoint.ones(2), adjoint.tensor([1]), adjoint.tensor([2])), RuntimeError)],
)
case(
    "lerp",
    lambda r: [
        S(r.normal(3, 4), r.normal(3, 4), r.uniform(0.6, 1, 3, 4)),
        S(r.normal(3), r.normal(3), 0.25),
        S(r.normal(3), r.normal(3), 0.75),
    ],
    reference=lambda x, y, w: x + w * (y - x),
)

# Division with remainder.

ZERO_DIVISION = [
    (S(adjoint.tensor([1, 2]), adjoint.tensor([1, 0])), RuntimeError),
    (S(adjoint.tensor([1, 2]), 0), RuntimeError),
]


def divisions(r):
    return [*whole(then=1)(r), *two_or_number(second="positive")(r)]


case(
    "floor_divide",
    divisions,
    reference=np.floor_divide,
    bad=ZERO_DIVISION,
    torch_name=torch and functools.partial(torch.div, rounding_mode="floor"),
)
case("remainder", divisions, reference=np.remainder, bad=ZERO_DIVISION)
case("fmod", divisions, reference=np.fmod, bad=ZERO_DIVISION)
case("_nodes.div", divisions, reference=lambda x, y: np.trunc(x / y), bad=ZERO_DIVISION)
ROUNDINGS = {"floor": np.floor_divide, "trunc": lambda x, y: np.trunc(x / y), None: np.divide}
for name in ("div:rounding", "divide:rounding"):
    case(
        name,
        lambda r: [
            S(r.normal(3, 4), r.positive(3, 4), rounding_mode="floor"),
            S(r.normal(3, 4), 0.3, rounding_mode="trunc"),
            S(r.normal(3, 4), r.positive(4), rounding_mode=None),
            S(r.integers(-9, 9, 3), r.integers(1, 4, 3), rounding_mode="trunc"),
        ],
        reference=lambda x, y, rounding_mode: ROUNDINGS[rounding_mode](x, y),
        bad=[
            (S(adjoint.ones(2), 2, rounding_mode="up"), RuntimeError),
            (S(adjoint.tensor([1]), 0, rounding_mode="floor"), RuntimeError),
        ],
    )

# Powers.

case(
    "pow",
    lambda r: [
        S(r.positive(3, 4), r.normal(3, 4)),
        *(S(r.positive(3, 4), n) for n in (2, 3, 0.5, -0.5, -1, -2, 1, 0, 4, 1.7)),
        S(r.normal(3), 3),
        S(2.5, r.normal(3)),
    ],
    reference=np.power,
    bad=[(S(adjoint.tensor([1, 2]), -1), RuntimeError)],
)
case(
    "float_power",
    lambda r: [
        S(r.positive(3, 4), r.normal(3, 4)),
        S(r.integers(1, 9, 3), -2),
        S(2.5, r.normal(3)),
    ],
    reference=np.float_power,
)
case("sqrt", one("positive"), reference=np.sqrt)
case("rsqrt", one("positive"), reference=lambda x: 1 / np.sqrt(x))
case("hypot", two(), reference=np.hypot)

# Signs and rounding.

case("abs", one(), reference=np.abs)
case("sign", one(), reference=np.sign)
case("floor", one("uniform", -5, 5), reference=np.floor)
case("ceil", one("uniform", -5, 5), reference=np.ceil)
case("trunc", one("uniform", -5, 5), reference=np.trunc)
case("round", one("uniform", -5, 5), reference=np.round)
case("frac", one("uniform", -5, 5), reference=lambda x: np.modf(x)[0])
case(
    "round:decimals",
    lambda r: [S(r.normal(3, 4), decimals=1), S(r.uniform(-999, 999, 3), decimals=-2)],
    reference=np.round,
)
case(
    "_nodes.round",
    lambda r: [S(r.normal(3, 4), 10.0, 1.0), S(r.normal(3), 1.0, 10.0)],
    reference=lambda x, up, down: np.round(x * up / down) / up * down,
    grad=True,
)
case("copysign", two_or_number(number=-1.5), reference=np.copysign)

# The greater and the lesser, and bounds.

for name in ("maximum", "minimum", "fmax", "fmin"):
    case(name, two(), reference=getattr(np, name), masks=True)
case("clamp_min", two_or_number(number=0.5), reference=np.maximum, masks=True)
case("clamp_max", two_or_number(number=0.5), reference=np.minimum, masks=True)
case(
    "_nodes.clamp",
    lambda r: [S(r.normal(3, 4), r.uniform(-1, 0, 3, 4), r.uniform(0, 1, 3, 4))],
    reference=np.clip,
    torch_name="clamp",
    masks=True,
)
for name in ("clamp", "clip"):
    case(
        name,
        lambda r: [
            S(r.normal(3, 4), -0.5, 1),
            S(r.normal(3, 4), min=0.1),
            S(r.normal(3, 4), None, 0.1),
            S(r.normal(3, 4), r.uniform(-1, 0, 3, 4), r.uniform(0, 1, 4)),
            S(r.normal(3, 4), max=r.normal(4)),
            S(r.integers(-5, 5, 4), -2, 2),
        ],
        reference=lambda x, min=None, max=None: np.clip(x, min, max),
        bad=[(S(adjoint.ones(2)), RuntimeError)],
    )

# Exponentials and logarithms.

for name in ("exp", "exp2", "expm1", "log1p"):
    draw = one() if name != "log1p" else one("positive")
    case(name, draw, reference=getattr(np, name))
for name in ("log", "log2", "log10"):
    case(name, one("positive"), reference=getattr(np, name))
case("logaddexp", two(), reference=np.logaddexp)
case("logaddexp2", two(), reference=np.logaddexp2)
case("xlogy", two_or_number(second="positive"), reference=sp.xlogy)
case("sigmoid", one(), reference=sp.expit)
case("_nodes.log_sigmoid", one(), reference=sp.log_expit)
case("logit", lambda r: [S(r.uniform(0.1, 0.9, 3, 4)), S(r.uniform(0.01, 0.99, 9), 0.2)])
case(
    "_nodes.logit",
    lambda r: [S(r.uniform(0.1, 0.9, 3, 4), -1.0), S(r.uniform(0.01, 0.99, 9), 0.2)],
)

# Trigonometric and hyperbolic functions.

for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "deg2rad", "rad2deg", "sinc"):
    case(name, one(), reference=getattr(np, name))
for name in ("asin", "acos", "atan", "asinh", "atanh", "acosh"):
    draw = one("uniform", 1.1, 3) if name == "acosh" else one("uniform", -0.9, 0.9)
    case(name, draw, reference=getattr(np, name.replace("a", "arc", 1)))
case("atan2", two(), reference=np.arctan2)

# The error function, the gamma function, and their kin.

case("erf", one(), reference=sp.erf)
case("erfc", one(), reference=sp.erfc)
case("erfinv", one("uniform", -0.9, 0.9), reference=sp.erfinv)
case("lgamma", one("uniform", 0.1, 9), reference=sp.gammaln)
case(
    "digamma",
    one("uniform", 0.1, 9),
    reference=sp.digamma,
    torch_rtol=1e-8,
    special="torch's trigamma is finite at its poles",
)
case(
    "polygamma",
    lambda r: [S(n, r.positive(3, 4)) for n in (0, 1, 2, 3)],
    reference=sp.polygamma,
    torch_rtol=1e-8,  # its trigamma is good to 1e-9
    bad=[(S(-1, adjoint.ones(2)), RuntimeError)],
)
case(
    "_nodes.polygamma",
    lambda r: [S(r.positive(3, 4), n) for n in (1, 2)],
    reference=lambda x, n: sp.polygamma(n, x),
)

# Comparisons and tests.

for name, ufunc in {"eq": "equal", "ne": "not_equal", "lt": "less", "le": "less_equal",
                    "gt": "greater", "ge": "greater_equal"}.items():  # fmt: skip
    case(
        name,
        lambda r: [S(r.integers(0, 3, 3, 4), r.integers(0, 3, 3, 4)), S(r.normal(3), 0.5)],
        reference=getattr(np, ufunc),
    )


def unusual(r):
    values = [0.0, -0.0, 1.5, float("inf"), -float("inf"), float("nan")]
    return [S(adjoint.tensor(values, dtype=adjoint.float64)), S(r.integers(-2, 3, 4))]


for name in ("isnan", "isinf", "isfinite", "signbit"):
    case(name, unusual, reference=getattr(np, name))
case("isposinf", unusual, reference=lambda x: np.isinf(x) & (x > 0))
case("isneginf", unusual, reference=lambda x: np.isinf(x) & (x < 0))
for name in ("logical_and", "logical_or", "logical_xor"):
    case(name, whole(0, 3), reference=getattr(np, name))
case("logical_not", lambda r: [S(r.integers(0, 2, 3, 4)), S(r.normal(3))], reference=np.logical_not)
case(
    "isclose",
    lambda r: [
        S(r.integers(0, 3, 9).double(), r.integers(0, 3, 9).double() + 1e-7),
        S(r.normal(9), r.normal(9), rtol=0.5, atol=0.5),
        S(unusual(r)[0].args[0], unusual(r)[0].args[0], equal_nan=True),
        S(r.integers(0, 5, 9), r.integers(0, 5, 9), atol=1),
    ],
    reference=np.isclose,
    bad=[
        (S(adjoint.ones(2), adjoint.tensor([1])), RuntimeError),
        (S(adjoint.ones(2), adjoint.ones(2), rtol=-1), RuntimeError),
        (S(adjoint.ones(2), adjoint.ones(2), atol=-1), RuntimeError),
    ],
)

# Bits.

for name in ("bitwise_and", "bitwise_or", "bitwise_xor"):
    case(name, whole(), reference=getattr(np, name),
         bad=[(S(adjoint.ones(2), adjoint.ones(2)), NotImplementedError)])  # fmt: skip
case("bitwise_not", lambda r: [S(r.integers(-5, 5, 3, 4)), S(r.bools(3))],
     reference=np.bitwise_not, bad=[(S(adjoint.ones(2)), NotImplementedError)])  # fmt: skip
SHIFTS = [(S(adjoint.ones(2), 1), NotImplementedError), (S(BOOLS, BOOLS), NotImplementedError)]
case("bitwise_left_shift", whole(1, 5), reference=np.left_shift, bad=SHIFTS)
case("bitwise_right_shift", whole(1, 5), reference=np.right_shift, bad=SHIFTS)

# Choices.


def choices(r):
    return [
        S(r.bools(3, 4), r.normal(3, 4), r.normal(3, 4)),
        S(r.bools(4), r.normal(3, 1), 2.5),
        S(r.bools(3), 1, r.normal(3)),
        S(r.bools(3), 1, 2),
    ]


case(
    "where",
    choices,
    reference=np.where,
    masks=True,
    bad=[(S(adjoint.ones(2), adjoint.ones(2), 1), RuntimeError)],
)
case(
    "where:indices",
    lambda r: [S(r.bools(3, 4)), S(r.integers(0, 2, 5))],
    reference=np.where,
    vmap="the number of elements depends on the values",
)
case(
    "masked_fill",
    lambda r: [
        S(r.normal(3, 4), r.bools(3, 4), 2.5),
        S(r.normal(3, 4), r.bools(4), r.normal()),
        S(r.integers(0, 9, 4), r.bools(4), -1),
    ],
    reference=lambda x, mask, value: np.where(mask, value, x),
    masks=True,
    bad=[
        (S(adjoint.ones(2), adjoint.ones(2), 1), RuntimeError),
        (S(adjoint.ones(2), BOOLS, adjoint.ones(2)), RuntimeError),
    ],
)
case(
    "_nodes.masked_fill",
    lambda r: [S(r.normal(3, 4), r.bools(3, 4), r.normal(3, 4)), S(r.normal(3), r.bools(3), 2)],
    reference=lambda x, mask, value: np.where(mask, value, x),
)
case(
    "nan_to_num",
    lambda r: [*unusual(r), S(unusual(r)[0].args[0], 1.0, posinf=2.0, neginf=-3.0)],
    reference=lambda x, nan=0.0, posinf=None, neginf=None: np.nan_to_num(
        x, nan=nan, posinf=posinf, neginf=neginf
    ),
    grad=False,
)
case(
    "_nodes.nan_to_num",
    lambda r: [S(r.normal(3, 4), 0.0, 9.0, -9.0)],
    reference=lambda x, nan, high, low: x,
)
case("positive", one(), reference=np.positive, bad=[(S(BOOLS), RuntimeError)])

for name, of in {
    "subtract": "sub",
    "multiply": "mul",
    "divide": "div",
    "true_divide": "div",
    "negative": "neg",
    "absolute": "abs",
    "fix": "trunc",
    "_nodes.sgn": "sign",
    "arcsin": "asin",
    "arccos": "acos",
    "arctan": "atan",
    "arctan2": "atan2",
    "arcsinh": "asinh",
    "arccosh": "acosh",
    "arctanh": "atanh",
    "not_equal": "ne",
    "less": "lt",
    "less_equal": "le",
    "greater": "gt",
    "greater_equal": "ge",
    "nn.functional.sigmoid": "sigmoid",
    "nn.functional.tanh": "tanh",
    "nn.functional.logsigmoid": "_nodes.log_sigmoid",
}.items():
    alias(name, of)
