"""Determinants, eigenvalues, singular values, QR. Where factors are unique only up to signs or
phases they have no reference here: see tests/test_linalg.py and tests/test_linalg_complex.py."""

import numpy as np

import adjoint
from ops.case import S, alias, case
from ops.cases_linalg import (
    EMPTY,
    MATRIX,
    NODE,
    SQUARE,
    Z,
    matrices,
    mh,
    regular,
    shapes,
    spd,
    spread,
    squares,
    symmetric,
)
from ops.matrix import torch

ones = adjoint.ones

# Determinants.

SINGULAR = adjoint.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]).double()


def determinants(r):
    real = [S(r.normal(3, 3)), S(r.normal(2, 3, 3)), S(r.normal(1, 1)), S(r.normal(0, 0))]
    return [*real, S(r.complex(2, 3, 3))]


case(
    "linalg.det",
    determinants,
    reference=np.linalg.det,
    bad=SQUARE,
)
alias("det", "linalg.det")
case("_nodes.linalg_det", determinants, grad=False, **NODE)  # the factors have none


def np_cofactors(a):
    n, c = a.shape[-1], np.zeros(a.shape, a.dtype)
    for at in np.ndindex(*a.shape):
        minor = np.delete(np.delete(a[at[:-2]], at[-2], 0), at[-1], 1)
        c[at] = (-1) ** (at[-2] + at[-1]) * (np.linalg.det(minor) if n > 1 else 1.0)
    return c


def np_cofactors_along(a, e):
    h = 1e-5
    return (np_cofactors(a + h * e) - np_cofactors(a - h * e)) / (2 * h)


case(
    "_nodes.cofactors",
    lambda r: [
        *determinants(r),
        S(SINGULAR.clone()),
        S(adjoint.zeros(2, 2).double()),
        S(r.complex(3, 2) @ r.complex(2, 3)),
    ],
    reference=np_cofactors,
    second="third derivatives of det need an inverse",
    **NODE,
)
case(
    "_nodes.cofactors_along",
    lambda r: [
        S(r.normal(3, 3), r.normal(3, 3)),
        S(r.normal(2, 3, 3), r.normal(2, 3, 3)),
        S(r.complex(3, 3), r.complex(3, 3)),
    ],
    reference=np_cofactors_along,
    rtol=1e-7,  # finite differences
    atol=1e-8,
    **NODE,
)
case("linalg.slogdet", squares, reference=lambda a: tuple(np.linalg.slogdet(a)), bad=SQUARE)
alias("slogdet", "linalg.slogdet")
case("_nodes.linalg_slogdet", squares, grad=False, **NODE)  # the factors have none
case(
    "logdet",
    lambda r: [S(spd(r, 3, 3)), S(spd(r, 2, 3, 3)), S(r.normal(0, 0)), S(r.complex(3, 3))],
    reference=lambda a: np.log(np.linalg.det(a)),
    bad=SQUARE,
)

# Eigenvalues and singular values.


def symmetrics(r):
    one, two = symmetric(spread(r, 3, 3)), symmetric(matrices(r, 3, 3))
    return [S(one), S(two), S(spread(r, 1, 1)), *EMPTY]


bad_uplo = [*SQUARE, (S(ones(2, 2), UPLO="X"), RuntimeError)]
case(
    "linalg.eigh",
    lambda r: [*symmetrics(r), S(symmetric(spread(r, 3, 3)), UPLO="U")],
    domain=symmetric,
    torch_name=None,  # signs
    bad=bad_uplo,
)
case(
    "linalg.eigvalsh",
    lambda r: [
        *symmetrics(r),
        S(symmetric(spread(r, 3, 3)), UPLO="U"),
        S(symmetric(spread(r, 3, 3, **Z))),
        S(symmetric(spread(r, 3, 3, **Z)), UPLO="U"),
        S(adjoint.zeros(0, 0) + 0j),
    ],
    domain=symmetric,
    reference=lambda a, UPLO="L": np.linalg.eigvalsh(a, UPLO),
    bad=bad_uplo,
)
case(
    "_nodes.linalg_eigh",
    lambda r: [S(spread(r, 3, 3), True, True), S(spread(r, 3, 3), False, False)],
    domain=symmetric,
    **NODE,
)


# The further columns of full matrices are not functions of A.
thin = [*MATRIX, (S(ones(2, 2), driver="gesvd"), RuntimeError)]
case(
    "linalg.svd",
    lambda r: [S(x.args[0], full_matrices=False) for x in shapes(r)],
    torch_name=None,  # signs
    bad=thin,
)
case(
    "_nodes.linalg_svd",
    lambda r: [S(spread(r, 4, 2), False, True), S(spread(r, 2, 4), False, False)],
    **NODE,
)
case("svd", shapes, torch_name=None, bad=MATRIX)
case(
    "linalg.svdvals",
    lambda r: [*shapes(r), *EMPTY, S(spread(r, 3, 2, **Z)), S(adjoint.zeros(0, 2) + 0j)],
    reference=lambda a: np.linalg.svd(a, compute_uv=False),
    bad=thin,
)

# QR.


def torch_qr(a, mode="reduced"):
    """With a gradient for mode 'r' too."""
    if mode != "r":
        return torch.linalg.qr(a, mode)
    q, r = torch.linalg.qr(a)
    return q.reshape(-1)[:0], r


bad_qr = [*MATRIX, (S(ones(2, 2), mode="x"), RuntimeError)]
case(
    "linalg.qr",
    lambda r: [
        *shapes(r),
        S(spread(r, 2, 3), mode="complete"),
        S(spread(r, 3, 2), mode="r"),
        S(r.complex(4, 2)),
        S(r.complex(2, 3, 3)),
        S(r.complex(2, 4), mode="complete"),
        S(r.complex(3, 2), mode="r"),
    ],
    torch_name=torch_qr,
    bad=bad_qr,
)
case("_nodes.linalg_qr", shapes, **NODE)
case(
    "qr",
    lambda r: [*shapes(r), S(spread(r, 2, 3), False)],
    torch_name=lambda a, some=True: torch.linalg.qr(a, "reduced" if some else "complete"),
    bad=MATRIX,
)
case(
    "geqrf", lambda r: [*shapes(r), S(r.complex(4, 2)), S(r.complex(2, 4))], grad=False, bad=MATRIX
)  # has none, in torch neither
case("_nodes.geqrf", shapes, grad=False, **NODE)


def reflections(r):
    return [
        S(0.3 * r.normal(4, 2), r.uniform(0.5, 1.5, 2)),
        S(0.3 * r.normal(2, 3, 3), r.uniform(0.5, 1.5, 2, 3)),
        S(0.3 * r.normal(3, 3), r.uniform(0.5, 1.5, 2)),
        S(0.3 * r.complex(2, 4, 2), r.complex(2, 2)),
    ]


def np_reflections(a, tau):
    m = a.shape[-2]
    q = np.broadcast_to(np.eye(m), (*a.shape[:-2], m, m))
    for i in range(tau.shape[-1]):
        v = np.tril(a, -1)[..., i : i + 1] + np.eye(m)[:, i : i + 1]
        q = q @ (np.eye(m) - tau[..., i, None, None] * v @ mh(v))
    return q


bad_reflections = [
    (S(ones(2, 3), ones(2)), RuntimeError),
    (S(ones(3, 2), ones(3)), RuntimeError),
    (S(ones(3, 2), ones(2, 2)), RuntimeError),
]
case(
    "linalg.householder_product",
    reflections,
    reference=lambda a, tau: np_reflections(a, tau)[..., : a.shape[-1]],
    bad=bad_reflections,
)
alias("orgqr", "linalg.householder_product")


def np_ormqr(a, tau, other, left=True, transpose=False):
    q = np_reflections(a, tau)
    q = mh(q) if transpose else q
    return q @ other if left else other @ q


case(
    "ormqr",
    lambda r: [
        S(0.3 * r.normal(4, 2), r.uniform(0.5, 1.5, 2), r.normal(4, 3)),
        S(0.3 * r.normal(2, 4, 2), r.uniform(0.5, 1.5, 2, 2), r.normal(2, 4, 3), True, True),
        S(0.3 * r.normal(4, 2), r.uniform(0.5, 1.5, 2), r.normal(3, 4), left=False),
        S(0.3 * r.normal(4, 2), r.uniform(0.5, 1.5, 2), r.normal(3, 4), False, True),
        S(0.3 * r.complex(4, 2), r.complex(2), r.complex(4, 3)),
        S(0.3 * r.complex(4, 2), r.complex(2), r.complex(4, 3), transpose=True),
        S(0.3 * r.complex(4, 2), r.complex(2), r.complex(3, 4), left=False),
        S(0.3 * r.complex(4, 2), r.complex(2), r.complex(3, 4), False, True),
    ],
    reference=np_ormqr,
    second="torch's own is checked through linalg.householder_product",
    bad=[(S(ones(4, 2), ones(2), ones(3, 3)), RuntimeError)],
)

# Complex eigenvalues.

case(
    "linalg.eig",
    lambda r: [S(regular(r, 3, 3)), S(regular(r, 2, 3, 3)), S(regular(r, 3, 3, **Z))],
    torch_name=None,  # phases
    grad=False,  # of the eigenvectors: as above
    bad=SQUARE,
)
case("_nodes.linalg_eig", lambda r: [S(regular(r, 3, 3))], grad=False, **NODE)
case(
    "linalg.eigvals",
    lambda r: [S(spread(r, 3, 3)), S(matrices(r, 3, 3)), S(spread(r, 3, 3, **Z)), *EMPTY],
    reference=lambda a: np.linalg.eigvals(a),
    bad=SQUARE,
)
