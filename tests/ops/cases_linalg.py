"""Linear algebra. Where factors are unique only up to signs they have no reference here: that they
multiply to the matrix is tested in tests/test_linalg.py."""

import numpy as np
import scipy.linalg
import scipy.spatial

import adjoint
from ops.case import S, alias, case
from ops.matrix import torch

ones = adjoint.ones


def symmetric(x):
    """Of square matrices among the arguments: the operator sees their symmetric part."""
    square = x.dim() > 1 and x.shape[-1] == x.shape[-2] and x.dtype.is_floating_point
    return (x + x.mT) / 2 if square else x


def lower(x):
    square = x.dim() > 1 and x.shape[-1] == x.shape[-2] and x.dtype.is_floating_point
    return x.tril() if square else x


def spd(r, *shape):
    a = r.normal(*shape)
    return a @ a.mT + shape[-1] * adjoint.eye(shape[-1], dtype=adjoint.float64)


def regular(r, *shape):
    """Far from singular, and from pivots that are nearly ties."""
    return r.normal(*shape) + 4 * adjoint.eye(shape[-1], dtype=adjoint.float64)


def spread(r, m, n):
    """Singular values (of square ones also eigenvalues, once symmetric) well apart."""
    k = min(m, n)
    a = 0.1 * r.normal(m, n)
    a[range(k), range(k)] = a[range(k), range(k)] + adjoint.arange(1.0, k + 1).double()
    return a


def matrices(r, m, n):
    return adjoint.stack([spread(r, m, n), spread(r, m, n)])


SQUARE = [
    (S(ones(2, 3)), RuntimeError),
    (S(ones(2)), RuntimeError),
    (S(ones(2, 2).long()), RuntimeError),
    (S(ones(2, 2).half()), RuntimeError),
]
MATRIX = SQUARE[1:]
EMPTY = [S(adjoint.zeros(0, 0).double()), S(adjoint.zeros(0, 2, 2).double())]
NODE = {"torch_name": None}


def squares(r):
    return [S(regular(r, 3, 3)), S(regular(r, 2, 3, 3)), S(regular(r, 1, 1)), *EMPTY]


def positive(r):
    return [S(spd(r, 3, 3)), S(spd(r, 2, 3, 3)), S(spd(r, 26, 26)), *EMPTY]


# Cholesky.


def np_cholesky(a, upper=False, check_errors=False):
    low = np.linalg.cholesky(a)
    return np.swapaxes(low, -1, -2) if upper else low


def with_info(f):
    return lambda a, *x, **k: (f(a, *x, **k), np.zeros(a.shape[:-2], np.int32))


bad_cholesky = [*SQUARE, (S(-ones(2, 2)), RuntimeError)]
case(
    "linalg.cholesky",
    lambda r: [*positive(r), S(spd(r, 3, 3), upper=True)],
    reference=np_cholesky,
    domain=symmetric,
    bad=bad_cholesky,
)
alias("cholesky", "linalg.cholesky", torch_name=None)  # it warns
case(
    "linalg.cholesky_ex",
    lambda r: [*positive(r), S(spd(r, 3, 3), upper=True, check_errors=True)],
    reference=with_info(np_cholesky),
    domain=symmetric,
    bad=[*SQUARE, (S(-ones(2, 2), check_errors=True), RuntimeError)],
)
case(
    "_nodes.linalg_cholesky_ex",
    positive,
    reference=with_info(np_cholesky),
    domain=symmetric,
    **NODE,
)
case(
    "cholesky_solve",
    lambda r: [
        S(r.normal(3, 2), lower(regular(r, 3, 3))),
        S(r.normal(2, 3, 1), lower(regular(r, 3, 3))),
        S(r.normal(3, 1), lower(regular(r, 2, 3, 3)).mT, True),
    ],
    reference=lambda b, l, upper=False: np.linalg.solve(
        np.swapaxes(l, -1, -2) @ l if upper else l @ np.swapaxes(l, -1, -2), b
    ),
    torch_name=None,  # its gradient fills the triangle that is not read
    bad=[(S(ones(2, 2), ones(3, 3)), RuntimeError), (S(ones(2, 2), ones(2)), RuntimeError)],
)
case(
    "cholesky_inverse",
    lambda r: [S(lower(regular(r, 3, 3))), S(lower(regular(r, 2, 3, 3)).mT, True)],
    reference=lambda l, upper=False: np.linalg.inv(
        np.swapaxes(l, -1, -2) @ l if upper else l @ np.swapaxes(l, -1, -2)
    ),
    torch_name=None,  # its gradient fills the triangle that is not read
    bad=SQUARE,
)

# Inverses and systems.

case("linalg.inv", squares, reference=np.linalg.inv, bad=[*SQUARE, (S(ones(2, 2)), RuntimeError)])
alias("inverse", "linalg.inv")
case("linalg.inv_ex", squares, reference=with_info(np.linalg.inv), bad=SQUARE)
case("_nodes.linalg_inv_ex", squares, reference=with_info(np.linalg.inv), **NODE)


def np_solve(a, b, left=True, check_errors=False):
    vector = b.ndim == 1 or b.shape == a.shape[:-1]
    if vector:
        return np.linalg.solve(a, b[..., None])[..., 0]
    if left:
        return np.linalg.solve(a, b)
    t = np.swapaxes
    return t(np.linalg.solve(t(a, -1, -2), t(b, -1, -2)), -1, -2)


def systems(r):
    return [
        S(regular(r, 3, 3), r.normal(3, 2)),
        S(regular(r, 3, 3), r.normal(3)),
        S(regular(r, 2, 3, 3), r.normal(2, 3)),
        S(regular(r, 3, 3), r.normal(2, 3, 1)),
        S(regular(r, 2, 1, 3, 3), r.normal(2, 3, 2)),
        S(regular(r, 3, 3), r.normal(2, 3), left=False),
        S(adjoint.zeros(0, 0).double(), adjoint.zeros(0, 2).double()),
        S(regular(r, 2, 2), adjoint.zeros(2, 0).double()),
    ]


bad_systems = [
    (S(ones(2, 3), ones(2)), RuntimeError),
    (S(ones(2, 2), ones(3)), RuntimeError),
    (S(ones(2, 2), ones(3, 1)), RuntimeError),
    (S(ones(2, 2), ones(2).double()), RuntimeError),
    (S(ones(2, 2), ones(2), left=False), RuntimeError),
    (S(ones(2, 2).long(), ones(2).long()), RuntimeError),
]
case(
    "linalg.solve",
    systems,
    reference=np_solve,
    bad=[*bad_systems, (S(ones(2, 2), ones(2)), RuntimeError)],
)
case(
    "linalg.solve_ex",
    systems,
    reference=with_info(np_solve),
    bad=[*bad_systems, (S(ones(2, 2), ones(2), check_errors=True), RuntimeError)],
)
VECTORS = "a vector and a matrix are told apart by their shapes, which mapping over one changes"
case(
    "_nodes.linalg_solve_ex",
    lambda r: [S(regular(r, 3, 3), r.normal(3, 2)), S(regular(r, 2, 3, 3), r.normal(3, 2))],
    grad=False,  # of the factors, which no caller sees; linalg.solve has the checks
    **NODE,
)


def np_triangular(a, b, upper=True, unitriangular=False, left=True):
    a = np.triu(a) if upper else np.tril(a)
    if unitriangular:
        eye = np.eye(a.shape[-1])
        a = a * (1 - eye) + eye
    return np_solve(a, b, left) if b.shape != a.shape[:-1] else np.linalg.solve(a, b)


def triangles(r):
    return [
        S(regular(r, 3, 3), r.normal(3, 2), upper=True),
        S(regular(r, 3, 3), r.normal(2, 3, 1), upper=False),
        S(regular(r, 2, 3, 3), r.normal(3, 2), upper=False, unitriangular=True),
        S(regular(r, 30, 30), r.normal(30, 2), upper=True),
        S(regular(r, 0, 0), r.normal(0, 2), upper=True),
    ]


case(
    "linalg.solve_triangular",
    lambda r: [*triangles(r), S(regular(r, 3, 3), r.normal(2, 3), upper=True, left=False)],
    reference=np_triangular,
    bad=[
        (S(ones(2, 3), ones(2, 1), upper=True), RuntimeError),
        (S(ones(2, 2), ones(3, 1), upper=True), RuntimeError),
        (S(ones(2, 2), ones(2, 1).double(), upper=True), RuntimeError),
    ],
)
case("_nodes.linalg_solve_triangular", triangles, reference=np_triangular, **NODE)
case(
    "triangular_solve",
    lambda r: [
        S(r.normal(3, 2), regular(r, 3, 3)),
        S(r.normal(3, 2), regular(r, 2, 3, 3), upper=False, transpose=True),
        S(r.normal(3, 2), regular(r, 3, 3), unitriangular=True),
    ],
    torch_name=None,  # it warns, and its second result is not differentiable
    reference=lambda b, a, upper=True, transpose=False, unitriangular=False: (
        np_triangular(np.swapaxes(a, -1, -2), b, not upper, unitriangular)
        if transpose
        else np_triangular(a, b, upper, unitriangular),
        a,
    ),
)
case(
    "linalg.tensorinv",
    lambda r: [S(regular(r, 6, 6).reshape(2, 3, 6)), S(regular(r, 4, 4).reshape(4, 2, 2), ind=1)],
    reference=np.linalg.tensorinv,
    bad=[(S(ones(2, 3, 4)), RuntimeError), (S(ones(2, 2), ind=0), RuntimeError)],
)
case(
    "linalg.tensorsolve",
    lambda r: [
        S(regular(r, 6, 6).reshape(2, 3, 6), r.normal(2, 3)),
        S(regular(r, 6, 6).reshape(2, 3, 6).movedim(2, 0), r.normal(2, 3), (0,)),
    ],
    reference=lambda a, b, dims=None: np.linalg.tensorsolve(a, b, dims),
    bad=[(S(ones(2, 3, 4), ones(2, 3)), RuntimeError)],
)

# LU.


def np_lu(a, pivot=True):
    p, low, u = scipy.linalg.lu(a)
    return p, low, u


def rectangles(r):
    return [
        S(regular(r, 3, 3)),
        S(regular(r, 3, 4, 4)[..., :2]),
        S(regular(r, 4, 4)[:2]),
        S(regular(r, 2, 3, 3)),
        S(regular(r, 26, 26)),
    ]


case(
    "linalg.lu",
    rectangles,
    reference=np_lu,
    bad=[*MATRIX, (S(ones(2, 2), pivot=False), RuntimeError)],
)
case("linalg.lu_factor", rectangles, bad=[*MATRIX, (S(ones(2, 2)), RuntimeError)])
case("linalg.lu_factor_ex", rectangles, bad=MATRIX)
case("_nodes.linalg_lu_factor_ex", rectangles, **NODE)
case(
    "_nodes.pivots_to_matrix",
    lambda r: [S(adjoint.tensor([[2, 2, 3], [1, 3, 3]]).int(), 3, adjoint.float64)],
    reference=lambda p, m, t: np.stack(
        [[[0, 1, 0], [1, 0, 0], [0, 0, 1]], [[1, 0, 0], [0, 0, 1], [0, 1, 0]]]
    ),
    bad=[(S(adjoint.tensor([4]).int(), 3, adjoint.float64), RuntimeError)],
    vmap="the pivots of a sample are not drawn",
    **NODE,
)


def pivots(r, *shape):
    """Pivots of matrices [*shape, 3, 3]."""
    return adjoint.tensor([2, 3, 3]).int().expand(*shape, 3).clone()


case(
    "lu_unpack",
    lambda r: [
        S(r.normal(3, 3), pivots(r)),
        S(r.normal(2, 4, 3), pivots(r, 2)),
        S(r.normal(3, 4), pivots(r)),
        S(r.normal(3, 3), pivots(r), unpack_pivots=False),
    ],
    bad=[(S(ones(3, 3), ones(3).long()), RuntimeError)],
)


def np_lu_solve(lu, p, b, left=True, adjoint=False):
    lu, p, b = np.broadcast_arrays(lu, 0)[0], p, b
    low = np.tril(lu, -1) + np.eye(lu.shape[-1])
    order = np.arange(3)
    for i, j in enumerate(np.reshape(p, (-1, 3))[0]):
        order[[i, j - 1]] = order[[j - 1, i]]
    a = np.empty_like(lu)
    a[..., order, :] = low @ np.triu(lu)
    a = np.swapaxes(a, -1, -2) if adjoint else a
    return np_solve(a, b, left)


bad_lu_solve = [
    (S(ones(3, 3), ones(3).int(), ones(2, 1)), RuntimeError),
    (S(ones(3, 3), ones(3).long(), ones(3, 1)), RuntimeError),
    (S(ones(3, 3), ones(2).int(), ones(3, 1)), RuntimeError),
    (S(ones(3, 2), ones(2).int(), ones(3, 1)), RuntimeError),
]
case(
    "linalg.lu_solve",
    lambda r: [
        S(regular(r, 3, 3), pivots(r), r.normal(3, 2)),
        S(regular(r, 2, 3, 3), pivots(r, 2), r.normal(3, 2), adjoint=True),
        S(regular(r, 3, 3), pivots(r), r.normal(2, 2, 3), left=False),
        S(regular(r, 3, 3), pivots(r), r.normal(2, 3), left=False, adjoint=True),
    ],
    reference=np_lu_solve,
    bad=bad_lu_solve,
)
case(
    "_nodes.linalg_lu_solve",
    lambda r: [
        S(regular(r, 3, 3), pivots(r), r.normal(3, 2)),
        S(regular(r, 2, 3, 3), pivots(r, 2), r.normal(3, 2), True),
    ],
    reference=lambda lu, p, b, adjoint=False: np_lu_solve(lu, p, b, True, adjoint),
    **NODE,
)
case(
    "lu_solve",
    lambda r: [S(r.normal(3, 2), regular(r, 3, 3), pivots(r))],
    reference=lambda b, lu, p: np_lu_solve(lu, p, b),
    torch_name=None,  # it warns
)
case(
    "linalg.ldl_factor",
    lambda r: [S(spread(r, 3, 3)), S(matrices(r, 3, 3)), *EMPTY],
    domain=symmetric,
    grad=False,  # has none, in torch neither
    bad=SQUARE,
)
case(
    "linalg.ldl_factor_ex",
    lambda r: [S(spread(r, 3, 3))],
    domain=symmetric,
    grad=False,  # has none, in torch neither
    bad=SQUARE,
)
case(
    "_nodes.linalg_ldl_factor_ex",
    lambda r: [S(spread(r, 3, 3))],
    domain=symmetric,
    grad=False,  # has none, in torch neither
    **NODE,
)


def ldl_systems(r):
    p = adjoint.tensor([1, 2, 3]).int()
    return [
        S(lower(regular(r, 3, 3)), p, r.normal(3, 2)),
        S(lower(regular(r, 3, 3)), p, r.normal(2, 3, 2)),
    ]


def np_ldl_solve(ld, p, b):
    low, d = np.tril(ld, -1) + np.eye(3), np.diag(np.diag(ld))
    return np.linalg.solve(low @ d @ low.T, b)


case(
    "linalg.ldl_solve",
    ldl_systems,
    reference=np_ldl_solve,
    grad=False,  # with respect to B alone: tested in test_linalg.py
    bad=[(S(ones(3, 3), ones(3).int(), ones(2, 1)), RuntimeError)],
)
case("_nodes.linalg_ldl_solve", ldl_systems, reference=np_ldl_solve, grad=False, **NODE)

# Determinants.

SINGULAR = adjoint.tensor([[1.0, 2.0, 3.0], [2.0, 4.0, 6.0], [1.0, 0.0, 1.0]]).double()


def determinants(r):
    return [S(r.normal(3, 3)), S(r.normal(2, 3, 3)), S(r.normal(1, 1)), S(r.normal(0, 0))]


case(
    "linalg.det",
    determinants,
    reference=np.linalg.det,
    bad=SQUARE,
)
alias("det", "linalg.det")
case("_nodes.linalg_det", determinants, grad=False, **NODE)  # the factors have none


def np_cofactors(a):
    n, c = a.shape[-1], np.zeros(a.shape)
    for at in np.ndindex(*a.shape):
        minor = np.delete(np.delete(a[at[:-2]], at[-2], 0), at[-1], 1)
        c[at] = (-1) ** (at[-2] + at[-1]) * (np.linalg.det(minor) if n > 1 else 1.0)
    return c


def np_cofactors_along(a, e):
    h = 1e-5
    return (np_cofactors(a + h * e) - np_cofactors(a - h * e)) / (2 * h)


case(
    "_nodes.cofactors",
    lambda r: [*determinants(r), S(SINGULAR.clone()), S(adjoint.zeros(2, 2).double())],
    reference=np_cofactors,
    second="third derivatives of det need an inverse",
    **NODE,
)
case(
    "_nodes.cofactors_along",
    lambda r: [S(r.normal(3, 3), r.normal(3, 3)), S(r.normal(2, 3, 3), r.normal(2, 3, 3))],
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
    lambda r: [S(spd(r, 3, 3)), S(spd(r, 2, 3, 3)), S(r.normal(0, 0))],
    reference=lambda a: np.linalg.slogdet(a)[1],
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
    lambda r: [*symmetrics(r), S(symmetric(spread(r, 3, 3)), UPLO="U")],
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


def shapes(r):
    return [S(spread(r, 3, 3)), S(spread(r, 4, 2)), S(spread(r, 2, 4)), S(matrices(r, 3, 2))]


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
    lambda r: [*shapes(r), *EMPTY],
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
    lambda r: [*shapes(r), S(spread(r, 2, 3), mode="complete"), S(spread(r, 3, 2), mode="r")],
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
case("geqrf", shapes, grad=False, bad=MATRIX)  # has none, in torch neither
case("_nodes.geqrf", shapes, grad=False, **NODE)


def reflections(r):
    return [
        S(0.3 * r.normal(4, 2), r.uniform(0.5, 1.5, 2)),
        S(0.3 * r.normal(2, 3, 3), r.uniform(0.5, 1.5, 2, 3)),
        S(0.3 * r.normal(3, 3), r.uniform(0.5, 1.5, 2)),
    ]


def np_reflections(a, tau):
    m = a.shape[-2]
    q = np.broadcast_to(np.eye(m), (*a.shape[:-2], m, m))
    for i in range(tau.shape[-1]):
        v = np.tril(a, -1)[..., i : i + 1] + np.eye(m)[:, i : i + 1]
        q = q @ (np.eye(m) - tau[..., i, None, None] * v @ np.swapaxes(v, -1, -2))
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
    q = np.swapaxes(q, -1, -2) if transpose else q
    return q @ other if left else other @ q


case(
    "ormqr",
    lambda r: [
        S(0.3 * r.normal(4, 2), r.uniform(0.5, 1.5, 2), r.normal(4, 3)),
        S(0.3 * r.normal(2, 4, 2), r.uniform(0.5, 1.5, 2, 2), r.normal(2, 4, 3), True, True),
        S(0.3 * r.normal(4, 2), r.uniform(0.5, 1.5, 2), r.normal(3, 4), left=False),
        S(0.3 * r.normal(4, 2), r.uniform(0.5, 1.5, 2), r.normal(3, 4), False, True),
    ],
    reference=np_ormqr,
    second="torch's own is checked through linalg.householder_product",
    bad=[(S(ones(4, 2), ones(2), ones(3, 3)), RuntimeError)],
)

# Complex eigenvalues; without derivatives as yet.

case("linalg.eig", lambda r: [S(regular(r, 3, 3)), S(regular(r, 2, 3, 3))], torch_name=None,
     grad=False, bad=SQUARE)  # fmt: skip
case("_nodes.linalg_eig", lambda r: [S(regular(r, 3, 3))], grad=False, **NODE)
case("linalg.eigvals", lambda r: [S(regular(r, 3, 3)), *EMPTY], grad=False, torch_name=None,
     bad=SQUARE)  # fmt: skip
