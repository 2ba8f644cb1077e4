"""Reductions and scans: every way to say which dims, integers, ties and empty dims."""

import math

import numpy as np
import scipy.special as sp

import adjoint
from ops.case import S, case

inf = math.inf


def axes(dim):
    return tuple(dim) if isinstance(dim, (tuple, list)) else dim


def over(f):
    """NumPy's reduction with torch's names; no dims at all are all of them."""

    def reference(x, dim=None, keepdim=False, dtype=None):
        dim = None if dim == () or not x.ndim else axes(dim)
        x = x if dtype is None else x.astype(str(dtype)[6:])
        return f(x, axis=dim, keepdims=keepdim)

    return reference


def dims(draw, *rest):
    """Calls over one dim and several, from both ends, of a tensor of four dims and of none."""
    return [
        S(draw(2, 3, 4), 1, *rest),
        S(draw(2, 3, 4), dim=(0, -1), keepdim=True),
        S(draw(2, 3, 1, 4), dim=(0, 2)),
        S(draw(3, 2), dim=()),
        S(draw(), dim=0),
        S(draw(), dim=-1, keepdim=True),
    ]


BAD_DIMS = [(S(adjoint.ones(2, 3), 2), IndexError), (S(adjoint.ones(2), (0, 0)), RuntimeError)]

for name, f in [("sum", np.sum), ("mean", np.mean)]:
    case(
        f"{name}:all",
        lambda r: [S(r.normal(2, 3, 4)), S(r.normal()), S(r.normal(3), dtype=adjoint.float64)],
        reference=over(f),
        bad=[(S("text"), TypeError)]
        + [(S(adjoint.ones(2, dtype=adjoint.int64)), RuntimeError)] * (name == "mean"),
    )
    case(
        f"{name}:dim",
        lambda r: [
            *dims(r.normal),
            S(r.normal(0, 3), 1),
            S(r.normal(2, 3), None),
            S(r.normal(4).expand(3, 4), 0),
        ],
        reference=over(f),
        bad=BAD_DIMS,
    )

case(
    "nansum",
    lambda r: [S(r.normal(2, 3), 1), S(r.normal(3)), S(r.integers(-3, 3, 2, 3))],
    reference=lambda x, dim=None: np.nansum(x, axis=dim),
)
case(
    "prod:all",
    lambda r: [
        S(r.normal(2, 3)),
        S(r.normal()),
        S(with_zero(r.normal(4))),
        S(r.integers(-3, 3, 2, 2)),
    ],
    reference=over(np.prod),
)
case(
    "prod:dim",
    lambda r: [
        S(r.normal(2, 3, 4), 1),
        S(r.normal(2, 3), -1, True),
        S(r.normal(), 0),
        S(with_zero(r.normal(3, 4)), 1),
        S(r.integers(-3, 3, 2, 3), 0, dtype=adjoint.int32),
    ],
    reference=over(np.prod),
    bad=[(S(adjoint.ones(2), 1), IndexError)],
)


def with_zero(x):
    """Zeros, one and two of them, by which a product cannot be divided."""
    x.reshape(-1)[1] = 0
    x.reshape(-1)[-2:] = 0
    return x


case(
    "count_nonzero",
    lambda r: [
        S(r.integers(-1, 2, 2, 3)),
        S(r.integers(-1, 2, 2, 3), 1),
        S(r.bools(2, 3, 4), (0, 2)),
        S(r.bools()),
    ],
    reference=lambda x, dim=None: np.count_nonzero(x, axis=axes(dim)),
)

for name, f in [("amax", np.max), ("amin", np.min)]:
    case(
        name,
        lambda r: [
            *dims(r.distinct),
            S(r.distinct(2, 3), None),
            S(r.integers(-5, 5, 2, 3), 1),
            S(r.bools(2, 3), 0),
        ],
        reference=over(f),
        bad=[
            *BAD_DIMS,
            (S(adjoint.ones(0, 3), 0), IndexError),
            (S(adjoint.ones(0, 3)), RuntimeError),
        ],
    )


def extreme_along(f, arg):
    def reference(x, dim, keepdim=False):
        axis = dim if x.ndim else None
        values, where = f(x, axis=axis), arg(x, axis=axis)
        if keepdim and x.ndim:
            values, where = np.expand_dims(values, dim), np.expand_dims(where, dim)
        return values, where

    return reference


for name, f, arg in [("max", np.max, np.argmax), ("min", np.min, np.argmin)]:
    case(
        f"{name}:all",
        lambda r: [S(r.distinct(2, 3)), S(r.distinct()), S(r.integers(-5, 5, 3))],
        reference=over(f),
        bad=[(S(adjoint.ones(0)), RuntimeError)],
    )
    case(
        f"{name}:dim",
        lambda r: [
            S(r.distinct(2, 3, 4), 1),
            S(r.distinct(2, 3), -1, True),
            S(r.distinct(), 0),
            S(r.integers(-2, 2, 3, 4), 1),
        ],
        reference=extreme_along(f, arg),
        bad=[(S(adjoint.ones(2, 3), 2), IndexError), (S(adjoint.ones(0, 3), 0), IndexError)],
    )
    case(
        f"{name}:other",
        lambda r: [S(r.distinct(2, 3), r.distinct(2, 3) + 0.01), S(r.normal(2, 3), r.normal(3))],
        reference=np.maximum if name == "max" else np.minimum,
    )
    case(
        f"arg{name}",
        lambda r: [
            S(r.distinct(2, 3)),
            S(r.distinct(2, 3, 4), 1),
            S(r.integers(-2, 2, 3, 4), -1, True),
            S(r.distinct(2, 3), keepdim=True),
            S(r.distinct()),
            S(r.distinct(), 0),
        ],
        reference=lambda x, dim=None, keepdim=False, arg=arg: arg(
            x, axis=dim if x.ndim else None, **({"keepdims": True} if keepdim else {})
        ),
        bad=[(S(adjoint.ones(0)), IndexError), (S(adjoint.ones(0, 3), 0), IndexError)],
    )

case(
    "aminmax",
    lambda r: [S(r.distinct(2, 3)), S(r.distinct(2, 3), dim=1, keepdim=True)],
    reference=lambda x, dim=None, keepdim=False: (
        np.min(x, axis=dim, keepdims=keepdim),
        np.max(x, axis=dim, keepdims=keepdim),
    ),
)

for name, f in [("any", np.any), ("all", np.all)]:
    case(
        name,
        lambda r: [
            S(r.bools(2, 3)),
            S(r.bools(2, 3, 4), 1),
            S(r.integers(0, 2, 3, 4), (0, 1), True),
            S(r.normal(2, 3), 0),
            S(r.bools()),
            S(r.bools(0, 2), 0),
        ],
        reference=over(f),
        bad=[(S(adjoint.ones(2, 3), 2), IndexError)],
    )

# Variances.


def moment(*parts):
    """NumPy's variance, its root, or one of these with the mean."""

    def reference(x, dim=None, unbiased=None, correction=1, keepdim=False):
        if isinstance(dim, bool):
            dim, unbiased = None, dim
        correction = int(unbiased) if unbiased is not None else correction
        axis = None if dim == () or not x.ndim else axes(dim)
        all_of = {
            "var": lambda: np.var(x, axis=axis, ddof=correction, keepdims=keepdim),
            "std": lambda: np.std(x, axis=axis, ddof=correction, keepdims=keepdim),
            "mean": lambda: np.mean(x, axis=axis, keepdims=keepdim),
        }
        found = tuple(all_of[p]() for p in parts)
        return found if len(found) > 1 else found[0]

    return reference


for name, parts in [
    ("var", ["var"]),
    ("std", ["std"]),
    ("var_mean", ["var", "mean"]),
    ("std_mean", ["std", "mean"]),
]:
    case(
        name,
        lambda r: [
            S(r.normal(2, 3, 4)),
            S(r.normal(2, 3, 4), 1),
            S(r.normal(2, 3, 4), dim=(0, -1), keepdim=True, correction=0),
            S(r.normal(3, 4), 1, correction=0.5),
            S(r.normal(2), dim=0, correction=0),
        ],
        reference=moment(*parts),
        bad=[*BAD_DIMS, (S(adjoint.ones(2, dtype=adjoint.int64)), RuntimeError)],
    )
    case(
        f"{name}:unbiased",
        lambda r: [S(r.normal(2, 3), False), S(r.normal(4), unbiased=True)],
        reference=lambda x, unbiased, parts=parts: moment(*parts)(x, unbiased=unbiased),
    )
    case(
        f"{name}:dim",
        lambda r: [S(r.normal(2, 3), 1, False), S(r.normal(2, 3, 4), (0, 2), True, True)],
        reference=lambda x, dim, unbiased, keepdim=False, parts=parts: moment(*parts)(
            x, dim, unbiased, keepdim=keepdim
        ),
    )

# Norms.


def vector_norm(x, ord=2, dim=None, keepdim=False, dtype=None):
    x = np.abs(x) if dtype is None else np.abs(x).astype(str(dtype)[6:])
    ord = 2 if ord is None else ord
    axis = axes(dim) if x.ndim else None
    if abs(ord) == inf:
        return (np.max if ord > 0 else np.min)(x, axis=axis, keepdims=keepdim)
    if ord == 0:
        return np.sum(x != 0, axis=axis, keepdims=keepdim, dtype=x.dtype)
    return np.sum(x**ord, axis=axis, keepdims=keepdim) ** (1 / ord)


def norms(r):
    return [
        S(r.normal(2, 3, 4)),
        S(r.normal(3, 4), 2, 1),
        S(r.normal(2, 3, 4), 3, (0, 2), True),
    ] + [S(r.distinct(3, 4), p, 1) for p in (0, 0.5, 1, 1.5, -1, -2.5, inf, -inf)]


NO_NORM = [
    (S(adjoint.ones(2, dtype=adjoint.int64)), RuntimeError),
    (S(adjoint.ones(0), inf), RuntimeError),
    (S(adjoint.ones(2), 2, 1), IndexError),
]
case(
    "_nodes.linalg_vector_norm",
    norms,
    reference=vector_norm,
    torch_name="linalg.vector_norm",
    bad=NO_NORM,
)
case("linalg.vector_norm", norms, reference=vector_norm, bad=NO_NORM)
case("norm", lambda r: [*norms(r), S(r.normal(3), None)], reference=vector_norm)
case(
    "norm:text",
    lambda r: [S(r.normal(3, 4), "fro"), S(r.normal(2, 3, 4), p="fro", dim=(0, 1))],
    reference=lambda x, p, dim=None: np.sqrt(np.sum(x * x, axis=dim)),
    bad=[
        (S(adjoint.ones(2), "nuc"), RuntimeError),
        (S(adjoint.ones(2, 2), "x"), RuntimeError),
    ],
)
case(
    "linalg.norm",
    lambda r: (
        [S(r.normal(3, 4)), S(r.normal(4), 3), S(r.normal(2, 3, 4), 2, 1)]
        + [S(r.distinct(3, 4), p) for p in (1, -1, inf, -inf)]
        + [S(r.distinct(2, 3, 4), 1, (0, 2), True), S(r.distinct(2, 3, 4), -inf, (-1, 0))]
    ),
    reference=lambda x, ord=None, dim=None, keepdim=False: (
        np.linalg.norm(x, ord, axes(dim), keepdim) if ord is not None else np.linalg.norm(x)
    ),
    bad=[
        (S(adjoint.ones(2, 2, 2), 1), RuntimeError),
        (S(adjoint.ones(2, 2), 3), RuntimeError),
    ],
)
case(
    "linalg.norm:text",
    lambda r: [S(r.normal(3, 4), "fro"), S(r.normal(2, 3, 4), "fro", (0, 1), True)],
    reference=lambda x, ord, dim=None, keepdim=False: np.linalg.norm(x, ord, dim, keepdim),
    bad=[(S(adjoint.ones(2), "fro"), RuntimeError)],
)
case(
    "logsumexp",
    lambda r: [
        S(r.normal(2, 3, 4), 1),
        S(r.normal(2, 3, 4), (0, -1), True),
        S(r.normal(), 0),
        S(r.normal(3) * 500, 0),
    ],
    reference=lambda x, dim, keepdim=False: sp.logsumexp(
        x, axis=axes(dim) if x.ndim else None, keepdims=keepdim
    ),
    bad=BAD_DIMS,
)

# Scans.


def along(f):
    def reference(x, dim, dtype=None):
        x = x if dtype is None else x.astype(str(dtype)[6:])
        return f(x, axis=dim) if x.ndim else np.array(f(x.reshape(1))[0])

    return reference


NO_DIM = [(S(adjoint.ones(2), 1), IndexError)]
for name, f in [("cumsum", np.cumsum), ("cumprod", np.cumprod)]:
    case(
        name,
        lambda r: [
            S(r.normal(2, 3, 4), 1),
            S(r.normal(2, 3), -1),
            S(r.normal(), 0),
            S(with_zero(r.normal(3, 4)), 1),
            S(r.normal(0, 2), 0),
            S(r.integers(-3, 4, 2, 3), 0),
            S(r.bools(4), 0),
        ],
        reference=along(f),
        bad=NO_DIM,
    )
case(
    "_nodes.cumsum_reverse",
    lambda r: [S(r.normal(2, 3, 4), 1), S(r.normal(), 0)],
    reference=lambda x, dim: np.flip(np.cumsum(np.flip(x, dim), dim), dim) if x.ndim else x,
    bad=NO_DIM,
)
case(
    "logcumsumexp",
    lambda r: [S(r.normal(2, 3, 4), 1), S(r.normal(), 0), S(r.normal(4) * 300, 0)],
    reference=along(np.logaddexp.accumulate),
    bad=[*NO_DIM, (S(adjoint.ones(2, dtype=adjoint.int64), 0), NotImplementedError)],
)
