"""Linear algebra made of factorisations: pseudo-inverses, norms, powers, distances, statistics."""

import numpy as np
import scipy.integrate
import scipy.linalg

import adjoint
from ops.case import S, alias, case
from ops.cases_linalg import (
    MATRIX,
    NODE,
    SQUARE,
    VECTORS,
    Z,
    matrices,
    regular,
    shapes,
    spread,
    symmetric,
)
from ops.matrix import torch

ones = adjoint.ones

# Pseudo-inverses, ranks, least squares.


def tolerances(r):
    return [
        *shapes(r),
        S(spread(r, 3, 2), rtol=1e-3),
        S(spread(r, 3, 2), atol=1e-3),
        S(spread(r, 2, 2), atol=0.1, rtol=0.1),
        S(spread(r, 0, 2)),
        S(spread(r, 3, 2, **Z)),
        S(r.complex(2, 2, 3)),
    ]


def np_pinv(a, rcond=1e-13, atol=0.0, rtol=0.0, hermitian=False):
    return np.linalg.pinv(a, rcond) if a.size else np.zeros(a.shape[::-1])


case("linalg.pinv", tolerances, reference=np_pinv, bad=MATRIX)
case(
    "_nodes.linalg_pinv",
    lambda r: [S(x.args[0], None, None) for x in shapes(r)],
    reference=lambda a, *_: np.linalg.pinv(a),
    **NODE,
)
case(
    "linalg.pinv:rcond",
    lambda r: [S(spread(r, 3, 2), 1e-5), S(symmetric(spread(r, 3, 3)), 1e-5, True)],
    domain=symmetric,
    reference=np_pinv,
)
case("pinverse", shapes, reference=np_pinv, bad=MATRIX)


def ranks(r):
    real = [S(r.normal(3, 2) @ r.normal(2, 4)), S(ones(2, 3, 3).double()), S(r.normal(0, 3))]
    return [*real, S(r.complex(4, 2) @ r.complex(2, 4))]


def np_rank(a, tol=None, hermitian=False, **_):
    return np.linalg.matrix_rank(a, tol) if a.size else np.zeros(a.shape[:-2], np.int64)


case(
    "linalg.matrix_rank",
    lambda r: [*ranks(r), S(spread(r, 3, 3), atol=1.5), S(spread(r, 3, 3), rtol=0.1)],
    reference=lambda a, atol=None, rtol=None: np_rank(a, atol),
    bad=MATRIX,
)
case("_nodes.matrix_rank", ranks, reference=np_rank, **NODE)
case(
    "linalg.matrix_rank:tol",
    lambda r: [S(spread(r, 3, 3), 1.5), S(spread(r, 3, 3), 1.5, True)],
    domain=symmetric,
    reference=np_rank,
)


def least_squares(r, **kw):
    return [
        S(spread(r, 4, 2), r.normal(4, 3), **kw),
        S(spread(r, 2, 4), r.normal(2, 3), **kw),
        S(matrices(r, 3, 2), r.normal(2, 3, 2), **kw),
    ]


case(
    "linalg.lstsq",
    lambda r: [
        *least_squares(r),
        S(spread(r, 4, 2), r.normal(4)),
        *least_squares(r, driver="gels"),
        *least_squares(r, driver="gelsd")[1:2],
        S(spread(r, 4, 2, **Z), r.complex(4, 3), driver="gelss"),
        S(spread(r, 2, 4, **Z), r.complex(2, 3)),
        S(r.normal(3, 0), r.normal(3, 2)),
    ],
    vmap=VECTORS,
    torch_name=None,  # whose residuals have no gradient
    bad=[
        (S(ones(3, 2), ones(2, 1)), RuntimeError),
        (S(ones(3, 2), ones(3, 1), driver="x"), RuntimeError),
        (S(ones(3, 2), ones(3, 1).double()), RuntimeError),
        (S(ones(3), ones(3)), RuntimeError),
    ],
)
case(
    "_nodes.linalg_lstsq",
    lambda r: [S(spread(r, 4, 2), r.normal(4, 3), 1e-12, "gels")],
    **NODE,
)

# Norms.

ORDERS = [2, -2, 1, -1, float("inf"), -float("inf")]
case(
    "linalg.matrix_norm",
    lambda r: (
        [S(spread(r, 3, 2), p) for p in ORDERS]
        + [S(matrices(r, 3, 2), p, (0, -1), True) for p in ORDERS]
        + [S(spread(r, 3, 2), 2, dtype=adjoint.float64)]
        + [S(spread(r, 3, 2, **Z), p) for p in ORDERS]
    ),
    torch_name=lambda *a, dtype=None, **k: torch.linalg.matrix_norm(*a, **k),
    second="ties of maxima are checked at first order",
    bad=[
        (S(ones(2, 2), 3), RuntimeError),
        (S(ones(2), 2), RuntimeError),
        (S(ones(2, 2), 1, (0, 0)), RuntimeError),
        (S(ones(2, 2).long(), 1), RuntimeError),
    ],
)
case(
    "linalg.matrix_norm:text",
    lambda r: [
        S(spread(r, 3, 2)),
        S(matrices(r, 3, 2), "nuc", (0, -1), True),
        S(spread(r, 3, 2, **Z), "nuc"),
    ],
    bad=[(S(ones(2, 2), "x"), RuntimeError)],
)
case(
    "nuclear_norm",
    lambda r: [S(spread(r, 3, 2)), S(matrices(r, 3, 2), (1, 2), True)],
    torch_name=lambda x, dim=(0, 1), keepdim=False: torch.linalg.matrix_norm(
        x, "nuc", dim, keepdim
    ),
    bad=[(S(ones(2)), RuntimeError)],
)
case(
    "frobenius_norm",
    lambda r: [S(r.normal(3, 2)), S(r.normal(2, 3, 2), (1, 2), True), S(r.normal(2, 3), 1)],
    torch_name=lambda x, dim=(-2, -1), keepdim=False: torch.linalg.vector_norm(x, 2, dim, keepdim),
    bad=[(S(ones(2, 2, 2), (0, 1, 2)), RuntimeError)],
)
case(
    "linalg.cond",
    lambda r: (
        [S(spread(r, 3, 3), p) for p in [None, *ORDERS]]
        + [S(spread(r, 3, 2)), S(spread(r, 3, 2, **Z)), S(spread(r, 3, 3, **Z), 1)]
    ),
    reference=lambda a, p=None: np.linalg.cond(a, p),
    torch_name=None,  # its backward fails: it writes into the inverse that it saved
    bad=[*MATRIX, (S(ones(2, 3), 1), RuntimeError), (S(ones(2, 2), 3), RuntimeError)],
)
case(
    "linalg.cond:text",
    lambda r: [
        S(spread(r, 3, 3), "fro"),
        S(spread(r, 3, 3), "nuc"),
        S(spread(r, 3, 3, **Z), "nuc"),
    ],
    reference=np.linalg.cond,
    torch_name=None,  # as above
    bad=[(S(ones(2, 2), "x"), RuntimeError)],
)

# Powers, exponentials, products.


def np_power(a, n):
    return np.linalg.matrix_power(a, n) if a.size else a


case(
    "linalg.matrix_power",
    lambda r: (
        [S(regular(r, 3, 3), n) for n in (0, 1, 2, 5, -2)]
        + [S(regular(r, 2, 3, 3), 3), S(regular(r, 3, 3, **Z), -2)]
    ),
    reference=np_power,
    bad=[(S(ones(2, 3), 2), RuntimeError), (S(adjoint.zeros(2, 2), -1), RuntimeError)],
)
alias("matrix_power", "linalg.matrix_power")


def exponents(r):
    return [
        S(r.normal(3, 3)),
        S(5 * r.normal(3, 3)),
        S(adjoint.stack([0.1 * r.normal(2, 2), 8 * r.normal(2, 2)])),
        S(r.normal(0, 0)),
        S(5 * r.complex(3, 3)),
    ]


case("linalg.matrix_exp", exponents, reference=scipy.linalg.expm, rtol=1e-9, bad=SQUARE)
alias("matrix_exp", "linalg.matrix_exp")
case("_nodes.linalg_matrix_exp", exponents, reference=scipy.linalg.expm, rtol=1e-9, **NODE)
case(
    "linalg.multi_dot",
    lambda r: [
        S([r.normal(2, 5), r.normal(5, 3), r.normal(3, 4), r.normal(4, 2)]),
        S([r.normal(5), r.normal(5, 3), r.normal(3)]),
        S([r.normal(2, 5), r.normal(5)]),
    ],
    reference=np.linalg.multi_dot,
    bad=[
        (S([ones(2, 2)]), RuntimeError),
        (S([ones(2, 2), ones(3, 2)]), RuntimeError),
        (S([ones(2, 2), ones(2), ones(2, 2)]), RuntimeError),
    ],
)
case(
    "chain_matmul",
    lambda r: [S(r.normal(2, 5), r.normal(5, 3), r.normal(3, 2)), S(r.normal(2, 3))],
    reference=lambda *x: np.linalg.multi_dot(x) if len(x) > 1 else x[0],
    torch_name=lambda *x: torch.linalg.multi_dot(x) if len(x) > 1 else x[0],
    bad=[(S(ones(2), ones(2)), RuntimeError)],
)
case(
    "linalg.vecdot",
    lambda r: [
        S(r.normal(2, 3), r.normal(2, 3)),
        S(r.normal(3, 2), r.normal(3, 1), dim=0),
        S(r.complex(2, 3), r.complex(2, 3)),
    ],
    reference=lambda x, y, dim=-1: np.sum(np.conj(x) * y, dim),
    bad=[
        (S(ones(2), ones(2).double()), RuntimeError),
        (S(ones(2).int(), ones(2).int()), RuntimeError),
    ],
)
case("linalg.matmul", lambda r: [S(r.normal(2, 3), r.normal(3, 2))], reference=np.matmul)
case(
    "linalg.diagonal",
    lambda r: [
        S(r.normal(3, 3)),
        S(r.normal(2, 3, 4), offset=1),
        S(r.normal(2, 3), dim1=0, dim2=1),
    ],
    reference=lambda a, offset=0, dim1=-2, dim2=-1: np.diagonal(a, offset, dim1, dim2),
)
case(
    "linalg.vander",
    lambda r: [
        S(r.normal(3)),
        S(r.normal(2, 3), N=4),
        S(r.complex(), N=3),
        S(r.integers(-2, 3, 3)),
    ],
    reference=lambda x, N=None: np.atleast_1d(x)[..., None] ** np.arange(N or x.shape[-1]),
    bad=[(S(ones(())), RuntimeError), (S(ones(2), N=1), RuntimeError)],
)
case(
    "vander",
    lambda r: [S(r.normal(3)), S(r.normal(3), 4, True), S(r.normal(3), 1), S(r.integers(-2, 3, 3))],
    reference=lambda x, N=None, increasing=False: np.vander(x, N, increasing),
    torch_name=None,  # its backward fails: it writes into what it saved
    bad=[(S(ones(2, 2)), RuntimeError), (S(ones(2), -1), RuntimeError)],
)
case(
    "addbmm",
    lambda r: [
        S(r.normal(3, 2), r.normal(2, 3, 4), r.normal(2, 4, 2), beta=0.5, alpha=2.0),
        S(r.normal(2), r.normal(2, 3, 4), r.normal(2, 4, 2)),
    ],
    reference=lambda x, a, b, beta=1, alpha=1: beta * x + alpha * np.matmul(a, b).sum(0),
    bad=[
        (S(ones(2, 2), ones(1, 2, 2), ones(2, 2, 2)), RuntimeError),
        (S(ones(2, 2), ones(2, 2), ones(2, 2)), RuntimeError),
    ],
)

# Distances.


def points(r, *args):
    return [
        S(r.normal(3, 2), r.normal(4, 2), *args),
        S(r.normal(2, 3, 4), r.normal(2, 4), *args),
        S(r.normal(2, 0), r.normal(3, 0), *args),
        S(r.normal(0, 2), r.normal(3, 2), *args),
    ]


def np_cdist(x, y, p=2.0, _=None):
    d = np.abs(x[..., :, None, :] - y[..., None, :, :])
    if p == 0:
        return np.sum(d != 0, -1).astype(float)
    if p == np.inf:
        return np.max(d, -1) if d.shape[-1] else np.sum(d, -1)
    return np.sum(d**p, -1) ** (1 / p)


POWERS = [2.0, 1.0, 0.0, 1.5, 3.0, float("inf")]
case(
    "cdist",
    lambda r: (
        [s for p in POWERS for s in points(r, p)]
        + [S(r.normal(30, 3), r.normal(4, 3)), S(ones(2, 2).double(), ones(2, 2).double(), 0.0)]
    ),
    reference=np_cdist,
    rtol=1e-9,
    bad=[
        (S(ones(2), ones(2, 2)), RuntimeError),
        (S(ones(2, 3), ones(2, 2)), RuntimeError),
        (S(ones(2, 2).int(), ones(2, 2).int()), RuntimeError),
        (S(ones(2, 2), ones(2, 2), -1.0), RuntimeError),
        (S(ones(2, 2), ones(2, 2), 2.0, "x"), ValueError),
    ],
)
case(
    "_nodes.cdist",
    lambda r: [s for p in POWERS for s in points(r, p)] + points(r, 2.0, True),
    reference=np_cdist,
    rtol=1e-9,
    **NODE,
)


def np_pdist(x, p=2.0):
    return np_cdist(x, x, p)[np.triu_indices(len(x), 1)]


case(
    "pdist",
    lambda r: [S(r.normal(4, 3), p) for p in [0.5, *POWERS]] + [S(r.normal(1, 3))],
    reference=np_pdist,
    second="torch's own has none; that of cdist is checked",
    bad=[(S(ones(2)), RuntimeError), (S(ones(2, 2), -1.0), RuntimeError)],
)
alias("nn.functional.pdist", "pdist")
case(
    "dist",
    lambda r: (
        [S(r.normal(3, 2), r.normal(3, 2), p) for p in (2, 1, 3, float("inf"))]
        + [S(r.normal(3, 2), r.normal(2))]
    ),
    reference=lambda x, y, p=2: np.linalg.norm(np.ravel(x - y), p),
)


def np_renorm(x, p, dim, maxnorm):
    others = tuple(i for i in range(x.ndim) if i != dim)
    norm = np.sum(np.abs(x) ** p, others, keepdims=True) ** (1 / p)
    return np.where(norm > maxnorm, x * (maxnorm / (norm + 1e-7)), x)


case(
    "renorm",
    lambda r: [S(r.normal(3, 4), 2, 0, 1.5), S(r.normal(3, 4, 2), 1, 1, 4)],
    reference=np_renorm,
    bad=[
        (S(ones(2), 2, 0, 1), RuntimeError),
        (S(ones(2, 2), 0, 0, 1), RuntimeError),
        (S(ones(2, 2), 2, 0, -1), RuntimeError),
    ],
)

# Statistics and integrals.

case(
    "cov",
    lambda r: [
        S(r.normal(3, 5)),
        S(r.normal(5), correction=0),
        S(r.normal(2, 4), fweights=adjoint.tensor([1, 2, 3, 1])),
        S(r.normal(2, 4), aweights=r.positive(4)),
        S(r.complex(3, 5)),
        S(r.complex(2, 4), fweights=adjoint.tensor([1, 2, 3, 1]), aweights=r.positive(4)),
        S(r.normal(2, 4), fweights=adjoint.tensor([1, 2, 3, 1]), aweights=r.positive(4)),
    ],
    reference=lambda x, correction=1, fweights=None, aweights=None: np.cov(
        x, ddof=correction, fweights=fweights, aweights=aweights
    ),
    bad=[
        (S(ones(2, 2, 2)), RuntimeError),
        (S(ones(2, 2), fweights=ones(2)), RuntimeError),
        (S(ones(2, 2), aweights=ones(3)), RuntimeError),
    ],
)
case(
    "corrcoef",
    lambda r: [S(r.normal(3, 5)), S(r.complex(3, 5))],
    reference=np.corrcoef,
    second="the diagonal is on the edge of the clamp to [-1, 1]",
    bad=[(S(ones(2, 2, 2)), RuntimeError)],
)
integrals = [
    (
        S(
            ones(()),
        ),
        IndexError,
    ),
    (S(ones(3), ones(2)), RuntimeError),
    (S(ones(3), ones(3), dx=1), RuntimeError),
]


def sampled(r):
    return [
        S(r.normal(3, 4)),
        S(r.normal(3, 4), dx=0.5, dim=0),
        S(r.normal(3, 4), r.normal(4)),
        S(r.normal(3, 4), r.normal(3, 4), dim=0),
    ]


def np_trapezoid(y, x=None, dx=1.0, dim=-1):
    return scipy.integrate.trapezoid(y, x, dx, dim)


case("trapezoid", sampled, reference=np_trapezoid, bad=integrals)
alias("trapz", "trapezoid")
case(
    "cumulative_trapezoid",
    sampled,
    reference=lambda y, x=None, dx=1.0, dim=-1: scipy.integrate.cumulative_trapezoid(y, x, dx, dim),
    bad=integrals,
)
case(
    "cartesian_prod",
    lambda r: [
        S(r.normal(2), r.normal(3), r.normal(2)),
        S(r.normal(2)),
        S(r.normal(2), r.normal(0)),
    ],
    bad=[(S(ones(2, 2)), RuntimeError), (S(ones(2), ones(2).int()), RuntimeError)],
)
case(
    "combinations",
    lambda r: [S(r.normal(4)), S(r.normal(3), 2, True), S(r.normal(3), 3), S(r.normal(2), r=1)],
    bad=[(S(ones(2, 2)), RuntimeError), (S(ones(2), -1), RuntimeError)],
)
