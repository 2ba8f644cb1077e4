"""Activations, with kinks where the random samples do not come."""

import numpy as np
import scipy.special as sp

import adjoint
from ops.case import S, alias, case


def one(*args):
    return lambda r: [S(r.normal(3, 4), *args), S(r.normal(), *args)]


def with_inplace(name, *args, reference, **kwargs):
    """The function of nn.functional, and the operator under it, which has all arguments."""
    case(
        f"nn.functional.{name}",
        lambda r: [S(r.normal(3, 4), *args), S(r.normal(3, 4)), S(r.normal(3), inplace=False)],
        reference=reference,
        **kwargs,
    )
    case(
        f"_nodes.{name}",
        one(*args),
        reference=reference,
        torch_name=f"nn.functional.{name}",
        **kwargs,
    )


def normal_cdf(x):
    return 0.5 * sp.erfc(-x / np.sqrt(2))


def softplus(x, beta=1, threshold=20):
    return np.where(x * beta > threshold, x, np.logaddexp(0, x * beta) / beta)


case("relu", one(), reference=lambda x: np.maximum(x, 0), masks=True)
case(
    "nn.functional.relu",
    lambda r: [S(r.normal(3, 4)), S(r.normal(3), inplace=False)],
    reference=lambda x, inplace=False: np.maximum(x, 0),
)
case(
    "nn.functional.relu6",
    lambda r: [S(r.uniform(-2, 8, 3, 4))],
    reference=lambda x: np.clip(x, 0, 6),
)
case("threshold", one(0.2, -1), reference=lambda x, t, v: np.where(x > t, x, v), masks=True)
case(
    "nn.functional.threshold",
    one(0.2, -1),
    reference=lambda x, t, v: np.where(x > t, x, v),
)
with_inplace(
    "leaky_relu",
    0.2,
    reference=lambda x, slope=0.01, inplace=False: np.where(x > 0, x, slope * x),
)
with_inplace(
    "elu",
    1.5,
    reference=lambda x, alpha=1.0, inplace=False: np.where(x > 0, x, alpha * np.expm1(x)),
)
with_inplace(
    "celu",
    1.5,
    reference=lambda x, alpha=1.0, inplace=False: np.where(x > 0, x, alpha * np.expm1(x / alpha)),
)
alias("celu", "_nodes.celu", bad=[(S(adjoint.ones(2), 0.0), RuntimeError)])
SELU = {
    "reference": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(x))
}
case("selu", one(), **SELU)
case("nn.functional.selu", one(), **SELU)


def gelu_tanh(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def gelu(x, approximate="none"):
    return gelu_tanh(x) if approximate == "tanh" else x * normal_cdf(x)


case("_nodes.gelu", one(), reference=gelu, torch_name="nn.functional.gelu")
case("_nodes.gelu_tanh", one(), reference=gelu_tanh)
case(
    "nn.functional.gelu",
    lambda r: [S(r.normal(3, 4)), S(r.normal(3, 4), approximate="tanh")],
    reference=lambda x, approximate="none": (
        x * normal_cdf(x) if approximate == "none" else gelu_tanh(x)
    ),
    bad=[(S(adjoint.ones(2), approximate="exact"), RuntimeError)],
)
with_inplace("silu", reference=lambda x, inplace=False: x * sp.expit(x))
with_inplace("mish", reference=lambda x, inplace=False: x * np.tanh(softplus(x)))
with_inplace(
    "hardsigmoid",
    reference=lambda x, inplace=False: np.clip(x + 3, 0, 6) / 6,
    torch_rtol=1e-7,  # its sixth is a float32
)
with_inplace("hardswish", reference=lambda x, inplace=False: x * np.clip(x + 3, 0, 6) / 6)
with_inplace(
    "hardtanh",
    -0.5,
    0.7,
    reference=lambda x, low=-1, high=1, inplace=False: np.clip(x, low, high),
    masks=True,
)
case(
    "nn.functional.softplus",
    lambda r: [S(r.normal(3, 4)), S(r.normal(3, 4), 2.0, 1.0)],
    reference=softplus,
)
case("nn.functional.softsign", one(), reference=lambda x: x / (1 + np.abs(x)))
for name in ("hardshrink", "nn.functional.hardshrink"):
    case(
        name,
        lambda r: [S(r.normal(3, 4)), S(r.normal(3, 4), 1.0)],
        reference=lambda x, l=0.5: np.where(np.abs(x) > l, x, 0),
        masks=True,
    )
case(
    "nn.functional.softshrink",
    lambda r: [S(r.normal(3, 4)), S(r.normal(3, 4), 1.0)],
    reference=lambda x, l=0.5: np.sign(x) * np.maximum(np.abs(x) - l, 0),
    bad=[(S(adjoint.ones(2), -1.0), RuntimeError)],
)
case("nn.functional.tanhshrink", one(), reference=lambda x: x - np.tanh(x))


def prelu(x, w):
    return np.where(x > 0, x, (w.reshape(1, -1, *[1] * (x.ndim - 2)) if x.ndim > 1 else w) * x)


for name in ("prelu", "nn.functional.prelu"):
    case(
        name,
        lambda r: [
            S(r.normal(2, 3), r.normal(1)),
            S(r.normal(2, 3, 4), r.normal(3)),
            S(r.normal(3), r.normal()),
        ],
        reference=prelu,
        bad=[
            (S(adjoint.ones(2, 3), adjoint.ones(2)), RuntimeError),
            (S(adjoint.ones(2, 3), adjoint.ones(3, 1)), RuntimeError),
        ],
    )
case(
    "_nodes.prelu_kernel",
    lambda r: [S(r.normal(3, 4), r.normal(3, 4)), S(r.normal(3, 4), r.normal(4))],
    reference=lambda x, w: np.where(x > 0, x, w * x),
)
