"""Linear algebra: Cholesky, inverses, systems of equations, LU."""

import numpy as np
import scipy.linalg
import scipy.spatial

import adjoint
from ops.case import S, alias, case

ones = adjoint.ones


def is_square(x):
    return x.dim() > 1 and x.shape[-1] == x.shape[-2] and (x.is_floating_point() or x.is_complex())


def symmetric(x):
    """Of square matrices among the arguments: the operator sees their symmetric (of complex ones:
    Hermitian) part."""
    return (x + x.mH) / 2 if is_square(x) else x


def lower(x):
    return x.tril() if is_square(x) else x


def spd(r, *shape, draw="normal"):
    a = getattr(r, draw)(*shape)
    return a @ a.mH + shape[-1] * adjoint.eye(shape[-1], dtype=adjoint.float64)


def regular(r, *shape, draw="normal"):
    """Far from singular, and from pivots that are nearly ties."""
    return getattr(r, draw)(*shape) + 4 * adjoint.eye(shape[-1], dtype=adjoint.float64)


def spread(r, m, n, draw="normal"):
    """Singular values (of square ones also eigenvalues, once symmetric) well apart."""
    k = min(m, n)
    a = 0.1 * getattr(r, draw)(m, n)
    a[range(k), range(k)] = a[range(k), range(k)] + adjoint.arange(1.0, k + 1).double()
    return a


Z = {"draw": "complex"}


def mh(a):
    """The adjoint of NumPy's matrices."""
    return np.conj(np.swapaxes(a, -1, -2))


def matrices(r, m, n):
    return adjoint.stack([spread(r, m, n), spread(r, m, n)])


def shapes(r):
    return [S(spread(r, 3, 3)), S(spread(r, 4, 2)), S(spread(r, 2, 4)), S(matrices(r, 3, 2))]


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
    real = [S(regular(r, 3, 3)), S(regular(r, 2, 3, 3)), S(regular(r, 1, 1))]
    return [*real, *EMPTY, S(regular(r, 2, 3, 3, **Z)), S(adjoint.zeros(0, 0) + 0j)]


def positive(r):
    real = [S(spd(r, 3, 3)), S(spd(r, 2, 3, 3)), S(spd(r, 26, 26)), *EMPTY]
    return [*real, S(spd(r, 2, 3, 3, **Z)), S(spd(r, 26, 26, **Z))]


# Cholesky.


def np_cholesky(a, upper=False, check_errors=False):
    low = np.linalg.cholesky(a)
    return mh(low) if upper else low


def with_info(f):
    return lambda a, *x, **k: (f(a, *x, **k), np.zeros(a.shape[:-2], np.int32))


bad_cholesky = [*SQUARE, (S(-ones(2, 2)), RuntimeError)]
case(
    "linalg.cholesky",
    lambda r: [*positive(r), S(spd(r, 3, 3), upper=True), S(spd(r, 3, 3, **Z), upper=True)],
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
        S(r.complex(3, 2), lower(regular(r, 2, 3, 3, **Z))),
        S(r.complex(3, 2), lower(regular(r, 3, 3, **Z)).mT, True),
    ],
    reference=lambda b, l, upper=False: np.linalg.solve(mh(l) @ l if upper else l @ mh(l), b),
    torch_name=None,  # its gradient fills the triangle that is not read
    bad=[(S(ones(2, 2), ones(3, 3)), RuntimeError), (S(ones(2, 2), ones(2)), RuntimeError)],
)
case(
    "cholesky_inverse",
    lambda r: [
        S(lower(regular(r, 3, 3))),
        S(lower(regular(r, 2, 3, 3)).mT, True),
        S(lower(regular(r, 3, 3, **Z))),
        S(lower(regular(r, 3, 3, **Z)).mT, True),
    ],
    reference=lambda l, upper=False: np.linalg.inv(mh(l) @ l if upper else l @ mh(l)),
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
        S(regular(r, 3, 3, **Z), r.complex(2, 3, 2)),
        S(regular(r, 2, 3, 3, **Z), r.complex(2, 3)),
        S(regular(r, 3, 3, **Z), r.complex(2, 3), left=False),
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
        S(regular(r, 3, 3, **Z), r.complex(2, 3, 2), upper=False),
        S(regular(r, 30, 30, **Z), r.complex(30, 2), upper=True),
    ]


case(
    "linalg.solve_triangular",
    lambda r: [
        *triangles(r),
        S(regular(r, 3, 3), r.normal(2, 3), upper=True, left=False),
        S(regular(r, 3, 3, **Z), r.complex(2, 3), upper=True, left=False),
    ],
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
        S(r.complex(3, 2), regular(r, 3, 3, **Z), upper=False, transpose=True),
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
    lambda r: [
        S(regular(r, 6, 6).reshape(2, 3, 6)),
        S(regular(r, 4, 4, **Z).reshape(4, 2, 2), ind=1),
    ],
    reference=np.linalg.tensorinv,
    bad=[(S(ones(2, 3, 4)), RuntimeError), (S(ones(2, 2), ind=0), RuntimeError)],
)
case(
    "linalg.tensorsolve",
    lambda r: [
        S(regular(r, 6, 6).reshape(2, 3, 6), r.normal(2, 3)),
        S(regular(r, 6, 6).reshape(2, 3, 6).movedim(2, 0), r.normal(2, 3), (0,)),
        S(regular(r, 6, 6, **Z).reshape(2, 3, 6), r.complex(2, 3)),
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
        S(regular(r, 2, 3, 3, **Z)),
        S(regular(r, 4, 4, **Z)[:, :2]),
        S(regular(r, 4, 4, **Z)[:2]),
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
    return np_solve(mh(a) if adjoint else a, b, left)


def np_lu_transposed(lu, p, b, transpose=False):
    conj = np.conj if transpose else np.array
    return conj(np_lu_solve(lu, p, conj(b), True, transpose))


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
        S(regular(r, 3, 3, **Z), pivots(r), r.complex(3, 2)),
        S(regular(r, 3, 3, **Z), pivots(r), r.complex(3, 2), adjoint=True),
        S(regular(r, 3, 3, **Z), pivots(r), r.complex(2, 3), left=False, adjoint=True),
    ],
    reference=np_lu_solve,
    bad=bad_lu_solve,
)
case(
    "_nodes.linalg_lu_solve",
    lambda r: [
        S(regular(r, 3, 3), pivots(r), r.normal(3, 2)),
        S(regular(r, 2, 3, 3), pivots(r, 2), r.normal(3, 2), True),
        S(regular(r, 2, 3, 3, **Z), pivots(r, 2), r.complex(3, 2), True),
    ],
    reference=np_lu_transposed,
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
    lambda r: [
        S(spread(r, 3, 3)),
        S(matrices(r, 3, 3)),
        *EMPTY,
        S(spread(r, 3, 3, **Z)),
        S(spread(r, 3, 3, **Z), hermitian=True),
    ],
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
        S(lower(regular(r, 3, 3, **Z)), p, r.complex(2, 3, 2)),
    ]


def np_ldl_solve(ld, p, b, hermitian=False):
    low, d = np.tril(ld, -1) + np.eye(3), np.diag(np.diag(ld))
    return np.linalg.solve(low @ d @ (mh(low) if hermitian else low.T), b)


def hermitian_system(r):
    ld = regular(r, 3, 3, **Z).tril(-1) + 2 * adjoint.eye(3, dtype=adjoint.float64)
    return S(ld, adjoint.tensor([1, 2, 3]).int(), r.complex(2, 3, 2), hermitian=True)


case(
    "linalg.ldl_solve",
    lambda r: [*ldl_systems(r), hermitian_system(r)],
    reference=np_ldl_solve,
    grad=False,  # with respect to B alone: tested in test_linalg.py
    bad=[(S(ones(3, 3), ones(3).int(), ones(2, 1)), RuntimeError)],
)
case("_nodes.linalg_ldl_solve", ldl_systems, reference=np_ldl_solve, grad=False, **NODE)
