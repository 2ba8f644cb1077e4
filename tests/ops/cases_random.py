"""Random tensors: draws that are certain. Others are checked in tests/test_random.py."""

import numpy as np

import adjoint
from ops.case import S, case

M = adjoint.ones(2, 3)
HALVES = adjoint.tensor([0.0, 1.0, 1.0, 0.0], dtype=adjoint.float64)
DRAWN = "each call draws anew"
NO_TORCH = {"torch_name": None, "grad": False, "vmap": DRAWN, "second": DRAWN}


def constant(shape, value, dtype=float):
    return lambda *args, **kwargs: np.full(shape, value, dtype)


case("randint", lambda r: [S(1, (2, 3))], reference=constant((2, 3), 0, int),
     bad=[(S(0, (2,)), RuntimeError), (S(5, (-1,)), RuntimeError)])  # fmt: skip
case("randint:low", lambda r: [S(4, 5, (2,))], reference=constant((2,), 4, int),
     bad=[(S(5, 5, (2,)), RuntimeError)])  # fmt: skip
case(
    "randperm",
    lambda r: [S(0), S(1)],
    reference=lambda n: np.arange(n),
    bad=[(S(-1), RuntimeError)],
)
case("rand", lambda r: [S((0, 3))], reference=constant((0, 3), 0),
     bad=[(S((2,), dtype=adjoint.int64), NotImplementedError), (S("x"), TypeError)])  # fmt: skip
case("randn", lambda r: [S((0, 3))], reference=constant((0, 3), 0),
     bad=[(S((2,), dtype=adjoint.int64), NotImplementedError)])  # fmt: skip
EMPTY = adjoint.zeros(0, 3, dtype=adjoint.float64)
case("rand_like", lambda r: [S(EMPTY)], reference=lambda x: x, **NO_TORCH)
case("randn_like", lambda r: [S(EMPTY)], reference=lambda x: x, **NO_TORCH)
case("randint_like", lambda r: [S(M, 1)], reference=constant((2, 3), 0), **NO_TORCH)
case("randint_like:low", lambda r: [S(M, 3, 4)], reference=constant((2, 3), 3), **NO_TORCH)
case("bernoulli", lambda r: [S(HALVES)], reference=lambda p: p,
     bad=[(S(M * 2), RuntimeError), (S(M * float("nan")), RuntimeError)], **NO_TORCH)  # fmt: skip
case("bernoulli:p", lambda r: [S(HALVES, 1.0), S(M, 0.0)], reference=lambda x, p: x * 0 + p,
     bad=[(S(M, 2.0), RuntimeError), (S(M, float("nan")), RuntimeError)], **NO_TORCH)  # fmt: skip
NEGATIVE = (RuntimeError,)
case("normal", lambda r: [S(HALVES, HALVES * 0)], reference=lambda mean, std: mean,
     bad=[(S(M, -M), RuntimeError)], **NO_TORCH)  # fmt: skip
case("normal:mean", lambda r: [S(HALVES, 0.0)], reference=lambda mean, std: mean,
     bad=[(S(M, -1.0), RuntimeError)], **NO_TORCH)  # fmt: skip
case("normal:std", lambda r: [S(1.0, HALVES * 0)], reference=constant((4,), 1),
     bad=[(S(1.0, -M), RuntimeError)], **NO_TORCH)  # fmt: skip
case("normal:numbers", lambda r: [S(1.5, 0.0, (2,))], reference=constant((2,), 1.5),
     bad=[(S(1.0, -1.0, (2,)), RuntimeError)], **NO_TORCH)  # fmt: skip
case(
    "multinomial",
    lambda r: [S(HALVES[:2], 1), S(HALVES[:2], 3, replacement=True)],
    reference=lambda p, n, replacement=False: np.ones(n, int),
    bad=[
        (S(HALVES, 5), RuntimeError),
        (S(HALVES, 3), RuntimeError),
        (S(HALVES, 0), RuntimeError),
        (S(HALVES * 0, 1, True), RuntimeError),
        (S(-HALVES, 1, True), RuntimeError),
        (S(adjoint.ones(1, 1, 1), 1), RuntimeError),
        (S(adjoint.tensor([1]), 1), RuntimeError),
    ],
    **NO_TORCH,
)

# The in-place draws, which are methods of Tensor: `x.uniform_(2, 2)`.

IN_PLACE = {"torch_name": None, "vmap": DRAWN}
WHOLE = adjoint.ones(2).long()
case("_in_place.uniform", lambda r: [S(r.normal(2, 3), 2, 2)], reference=constant((2, 3), 2),
     bad=[(S(M, 1, 0), RuntimeError), (S(WHOLE), NotImplementedError)], **IN_PLACE)  # fmt: skip
case("_in_place.normal", lambda r: [S(r.normal(2, 3), 2, 0)], reference=constant((2, 3), 2),
     bad=[(S(M, 0, -1), RuntimeError), (S(WHOLE), NotImplementedError)], **IN_PLACE)  # fmt: skip
case("_in_place.exponential", lambda r: [S(EMPTY)], reference=lambda x: x,
     bad=[(S(M, 0), RuntimeError), (S(WHOLE), NotImplementedError)], **IN_PLACE)  # fmt: skip
case("_in_place.bernoulli", lambda r: [S(r.normal(2, 3), 1), S(r.normal(2), 0)],
     reference=lambda x, p: np.full_like(x, p),
     bad=[(S(M, 2), RuntimeError)], **IN_PLACE)  # fmt: skip
case("_in_place.random", lambda r: [S(EMPTY)], reference=lambda x: x, **IN_PLACE)
case("_in_place.random:to", lambda r: [S(r.normal(2, 3), 1)], reference=constant((2, 3), 0),
     bad=[(S(M, 0), RuntimeError)], **IN_PLACE)  # fmt: skip
case("_in_place.random:between", lambda r: [S(r.normal(2, 3), 4, 5)], reference=constant((2, 3), 4),
     bad=[(S(M, 5, 5), RuntimeError)], **IN_PLACE)  # fmt: skip

GAMMA = {"torch_name": None, "grad": False, "vmap": DRAWN, "second": DRAWN}
NOT_POSITIVE = [(S(-M), RuntimeError), (S(M * 0), RuntimeError), (S(M.long()), NotImplementedError)]
case("_sample_gamma", lambda r: [S(EMPTY)], reference=lambda a: a, bad=NOT_POSITIVE, **GAMMA)
case("_standard_gamma", lambda r: [S(EMPTY)], reference=lambda a: a, bad=NOT_POSITIVE, **GAMMA)


def gamma_slope(a, z):
    """By a central difference of the incomplete gamma function, whose own error is about 1e-9."""
    from scipy import stats

    step = 1e-5 * a
    rate = stats.gamma.cdf(z, a + step) - stats.gamma.cdf(z, a - step)
    return -rate / (2 * step) / stats.gamma.pdf(z, a)


case(
    "_standard_gamma_grad",
    lambda r: [S(r.uniform(0.3, 30.0, 40), r.uniform(0.2, 30.0, 40))],
    reference=gamma_slope,
    torch_name=None,
    grad=False,
    rtol=1e-4,
)
case("_nodes.value_of", lambda r: [S(r.normal(2, 3))], reference=lambda x: x, grad=False)
case("_nodes.drawn_for", lambda r: [S(r.normal(2, 3), r.normal(3))], reference=lambda x, p: x)
case("poisson", lambda r: [S(HALVES * 0)], reference=lambda rate: rate * 0,
     bad=[(S(-M), RuntimeError), (S(M.long()), NotImplementedError)], **GAMMA)  # fmt: skip
case("binomial", lambda r: [S(HALVES * 7, HALVES)], reference=lambda n, p: n * p,
     bad=[(S(-M, M), RuntimeError), (S(M, M * 2), RuntimeError), (S(M * 0.5, M), RuntimeError),
          (S(adjoint.ones(2), adjoint.ones(3)), RuntimeError)], **GAMMA)  # fmt: skip
