"""Operators that take elements by index or mask, put them there, and order them."""

import numpy as np

import adjoint
from ops.case import S, case
from ops.matrix import torch

tensor = adjoint.tensor
M = adjoint.ones(2, 3)
V = adjoint.ones(3)
SCALAR = tensor(1.0)
I = tensor([1, 0, 1])


def on(*calls):
    """Calls on a tensor of 3 x 4 x 2: each a function of it and of the source of random numbers."""
    return lambda r: [c(r.normal(3, 4, 2), r) for c in calls]


# Advanced indexing.


def numpy_index(index):
    return tuple(slice(None) if i is None else i for i in index)


MASK = tensor([[True, False, True, True], [False] * 4, [True, True, False, True]])
INDICES = [
    [tensor([2, 0, -1])],
    [None, tensor([[1, 1], [0, 3]])],
    [tensor([2, 0]), tensor([1, 1])],
    [None, tensor([1, 3]), tensor([0, -1])],
    [tensor([2, 0]), None, tensor([1, 1])],
    [tensor([[2], [0]]), tensor([1, 0, 1])],
    [MASK],
    [tensor([True, False, True]), tensor([1, 3])],
]


def indexed(x, index):
    return x[numpy_index(index)]


WRONG_INDICES = [
    (S(M, [tensor([2])]), IndexError),
    (S(M, [None, tensor([-4])]), IndexError),
    (S(M, [tensor([0]), tensor([0]), tensor([0])]), IndexError),
    (S(M, [tensor([0, 1]), tensor([0, 1, 2])]), IndexError),
    (S(M, [tensor([0.0])]), IndexError),
    (S(M, [tensor([True, False, True])]), IndexError),
]
case(
    "index",
    on(*(lambda x, r, i=i: S(x, i) for i in INDICES)),
    reference=indexed,
    torch_name=None,
    vmap="masks that differ pick different numbers of elements: see test_vmap_index.py",
    bad=WRONG_INDICES,
)


def put(x, index, values, accumulate=False):
    x = x.copy()
    (np.add.at if accumulate else np.ndarray.__setitem__)(x, numpy_index(index), values)
    return x


case(
    "index_put",
    on(
        lambda x, r: S(x, [tensor([2, 0])], r.normal(2, 4, 2)),
        lambda x, r: S(x, [None, tensor([1, 3])], r.normal(2, 1)),
        lambda x, r: S(x, [tensor([2, 0]), None, tensor([1, 0])], r.normal(2, 4)),
        lambda x, r: S(x, [MASK], r.normal(2)),
        lambda x, r: S(x, [tensor([2, 2]), tensor([1, 1])], r.normal(2, 2), accumulate=True),
    ),
    reference=put,
    torch_name=None,
    vmap="masks that differ pick different numbers of elements: see test_vmap_index.py",
    bad=[
        *((S(*call.args, SCALAR), error) for call, error in WRONG_INDICES),
        (S(M, [tensor([0])], adjoint.ones(2)), RuntimeError),
        (S(M, [tensor([0])], SCALAR.double()), RuntimeError),
    ],
)

# One dim, by a vector.

case(
    "index_select",
    on(
        lambda x, r: S(x, 0, tensor([2, 0, 2])),
        lambda x, r: S(x, -1, tensor([1], dtype=adjoint.int32)),
        lambda x, r: S(x[0, 0, 0], 0, tensor([0])),
    ),
    reference=lambda x, dim, i: np.take(x, i, dim) if x.ndim else x,
    bad=[
        (S(M, 0, tensor([2])), IndexError),
        (S(M, 0, tensor([-1])), IndexError),
        (S(M, 0, tensor([[0]])), IndexError),
        (S(M, 0, tensor([0.0])), RuntimeError),
        (S(M, 2, tensor([0])), IndexError),
        (S(SCALAR, 0, tensor([0, 0])), RuntimeError),
    ],
)


def along(x, dim, index):
    return (*[slice(None)] * (dim % x.ndim), index)


def index_add(x, dim, index, source, alpha=1):
    x = x.copy()
    np.add.at(x, along(x, dim, index), alpha * source)
    return x


def index_copy(x, dim, index, source):
    x = x.copy()
    x[along(x, dim, index)] = source
    return x


WRONG_SOURCES = [
    (S(M, 0, tensor([2]), adjoint.ones(1, 3)), IndexError),
    (S(M, 0, tensor([1]), adjoint.ones(1, 2)), RuntimeError),
    (S(M, 0, tensor([1]), adjoint.ones(1, 3).double()), RuntimeError),
    (S(M, 0, tensor([1]), V), RuntimeError),
]
case(
    "index_add",
    on(
        lambda x, r: S(x, 0, tensor([2, 0, 2]), r.normal(3, 4, 2)),
        lambda x, r: S(x, 1, tensor([3, 0]), r.normal(3, 2, 2), alpha=-2.5),
        lambda x, r: S(x, -1, tensor([1]), r.normal(3, 4, 1)),
    ),
    reference=index_add,
    bad=[*WRONG_SOURCES, (S(M, 0, tensor([0, 1]), adjoint.ones(1, 3)), RuntimeError)],
)
case(
    "index_copy",
    on(
        lambda x, r: S(x, 0, tensor([2, 0]), r.normal(2, 4, 2)),
        lambda x, r: S(x, -1, tensor([1]), r.normal(3, 4, 1)),
    ),
    reference=index_copy,
    bad=[*WRONG_SOURCES, (S(M, 0, tensor([0, 1]), adjoint.ones(1, 3)), IndexError)],
)
case(
    "index_fill",
    on(
        lambda x, r: S(x, 0, tensor([2, 0]), 1.5),
        lambda x, r: S(x, 1, tensor([3, 3]), r.normal()),
        lambda x, r: S(x, -1, tensor([1]), 2),
    ),
    reference=index_copy,
    bad=[
        (S(M, 0, tensor([2]), 1), IndexError),
        (S(M, 0, tensor([1]), V), RuntimeError),
        (S(M, 0, tensor([1]), 1j), RuntimeError),
    ],
)
case(
    "take",
    on(lambda x, r: S(x, tensor([[0, 3], [-1, 3]]))),
    reference=np.take,
    bad=[(S(M, tensor([6])), IndexError), (S(M, tensor([0.0])), RuntimeError)],
)

# Element by element along a dim.

PICKS = tensor([[0, 2, 1, 1], [2, 2, 0, 0]])  # positions along dim 0 of 3 x 4
COLUMNS = tensor([[1], [3], [0]])
WRONG_PICKS = [
    (S(M, 0, tensor([[2]])), RuntimeError),
    (S(M, 0, tensor([[-1]])), RuntimeError),
    (S(M, 0, tensor([0])), RuntimeError),
    (S(M, 0, tensor([[0, 0, 0, 0]])), RuntimeError),
    (S(M, 0, tensor([[0.0]])), RuntimeError),
    (S(M, 2, tensor([[0]])), IndexError),
]
case(
    "gather",
    lambda r: [
        S(r.normal(3, 4), 0, PICKS),
        S(r.normal(3, 4), 1, COLUMNS),
        S(r.normal(3, 4), 0, PICKS[:, :2]),
        S(r.normal(3, 4, 2), -1, tensor([[[1, 0, 1]] * 4] * 3)),
        S(r.normal(), 0, tensor([0, 0])),
        S(r.normal(4), 0, tensor(2)),
    ],
    reference=lambda x, dim, i: np.take_along_axis(
        np.atleast_1d(x)[
            tuple(slice(None) if k == dim % i.ndim else slice(n) for k, n in enumerate(i.shape))
        ]
        if i.ndim
        else x,
        np.atleast_1d(i),
        dim,
    ).reshape(i.shape),  # fmt: skip
    bad=WRONG_PICKS,
)
case(
    "take_along_dim",
    lambda r: [
        S(r.normal(3, 4), PICKS, 0),
        S(r.normal(3, 1), tensor([[0, -1]]), dim=0),
        S(r.normal(3, 4), tensor([5, 0, 11])),
    ],
    reference=lambda x, i, dim=None: np.take_along_axis(x, i, dim),
    bad=[(S(M, tensor([0]), 0), RuntimeError), (S(M, tensor([[2]]), 0), RuntimeError)],
)


def scattered(how):
    """x with how(x[place], element) for each element of src, in order."""

    def reference(x, dim, index, src):
        x, src = (
            np.atleast_1d(x).copy(),
            np.broadcast_to(src, index.shape) if np.ndim(src) == 0 else src,
        )
        for place in np.ndindex(*index.shape):
            target = list(place)
            target[dim] = index[place]
            x[tuple(target)] = how(x[tuple(target)], src[place])
        return x

    return reference


WRONG_SCATTERS = [
    *((S(*call.args, M), error) for call, error in WRONG_PICKS[:2]),
    (S(M, 0, tensor([0]), M), RuntimeError),
    (S(M, 0, tensor([[0, 0, 0]]), M.double()), RuntimeError),
    (S(M, 0, tensor([[0, 0, 0]] * 3), M), RuntimeError),
    (S(M, 0, tensor([[0.0]]), M), RuntimeError),
]


def covered(name):
    """torch's function on the part of src that counts: its gradient for a larger one fails."""
    return torch and (
        lambda x, dim, i, src: getattr(torch, name)(
            x, dim, i, src[tuple(slice(n) for n in i.shape)]
        )
    )


DISTINCT = tensor([[0, 2, 1, 1], [2, 0, 0, 2]])
case(
    "scatter",
    lambda r: [
        S(r.normal(3, 4), 0, DISTINCT, r.normal(2, 4)),
        S(r.normal(3, 4), 1, COLUMNS, r.normal(3, 2)),
        S(r.normal(3), -1, tensor([2, 0]), r.normal(2)),
    ],
    reference=scattered(lambda x, y: y),
    torch_name=covered("scatter"),
    bad=WRONG_SCATTERS,
)
case(
    "scatter:value",
    lambda r: [S(r.normal(3, 4), 0, PICKS, 1.5), S(r.normal(3, 4), 1, COLUMNS, value=2)],
    reference=lambda x, dim, i, value: scattered(lambda x, y: y)(x, dim, i, value),
    bad=[(S(*call.args, 1), error) for call, error in WRONG_PICKS[:2]],
)
case(
    "scatter_add",
    lambda r: [
        S(r.normal(3, 4), 0, PICKS, r.normal(2, 4)),
        S(r.normal(3, 4), 0, PICKS[:, :2], r.normal(2, 4)),
        S(r.normal(3, 4), 1, COLUMNS, r.normal(3, 2)),
        S(r.normal(), 0, tensor([0, 0]), r.normal(2)),
    ],
    reference=lambda x, dim, i, src: scattered(np.add)(x, dim, i, src).reshape(x.shape),
    torch_name=covered("scatter_add"),
    bad=WRONG_SCATTERS,
)
case(
    "scatter:reduce",
    lambda r: [S(r.normal(3, 4), 0, PICKS, r.normal(2, 4), reduce="add")],
    reference=lambda x, dim, i, src, reduce: scattered(np.add)(x, dim, i, src),
    torch_name=None,  # deprecated, and without derivatives
    bad=[(S(M, 0, tensor([[0]]), M, reduce="max"), RuntimeError)],
)
case(
    "scatter:value_reduce",
    lambda r: [S(r.normal(3, 4), 1, COLUMNS, 1.5, reduce="multiply")],
    reference=lambda x, dim, i, value, reduce: scattered(np.multiply)(x, dim, i, value),
    torch_name=None,
)
COMBINE = {"sum": np.add, "prod": np.multiply, "amax": np.maximum, "amin": np.minimum}


def scatter_reduce(x, dim, index, src, reduce, include_self=True):
    if reduce == "mean":
        total = scatter_reduce(x, dim, index, src, "sum", include_self)
        count = scatter_reduce(np.ones_like(x), dim, index, np.ones_like(src), "sum", include_self)
        return total / count
    if not include_self:
        identity = {"sum": 0, "prod": 1, "amax": -np.inf, "amin": np.inf}[reduce]
        x = scattered(lambda x, y: y)(x, dim, index, identity)
    return scattered(COMBINE[reduce])(x, dim, index, src)


case(
    "scatter_reduce",
    lambda r: (
        [
            S(r.distinct(3, 4), 0, PICKS, 2 * r.distinct(2, 4), reduce, include_self=own)
            for reduce in ("sum", "prod", "mean", "amax", "amin")
            for own in (True, False)
        ]
        + [S(r.normal(3, 4), 1, COLUMNS, r.normal(3, 2), "amax")]
    ),
    reference=scatter_reduce,
    bad=[
        *((S(*c.args, "sum"), e) for c, e in WRONG_SCATTERS),
        (S(M, 0, tensor([[0]]), M, "max"), RuntimeError),
    ],
)

# Masks.

case(
    "masked_select",
    lambda r: [
        S(r.normal(3, 4), MASK),
        S(r.normal(4), MASK),
        S(r.normal(3, 1), tensor([True, False, True])),
        S(r.normal(), tensor(True)),
    ],
    reference=lambda x, mask: np.broadcast_arrays(x, mask)[0][np.broadcast_arrays(x, mask)[1]],
    vmap="masks that differ pick different numbers of elements: see test_vmap_index.py",
    bad=[(S(M, M), RuntimeError), (S(M, tensor([True, False])), RuntimeError)],
)


def masked_scatter(x, mask, source):
    x, mask = (np.array(a) for a in np.broadcast_arrays(x, mask))
    x[mask] = source.ravel()[: mask.sum()]
    return x


case(
    "masked_scatter",
    lambda r: [
        S(r.normal(3, 4), MASK, r.normal(2, 5)),
        S(r.normal(2, 3), tensor([True, False, True]), r.normal(4)),
    ],
    reference=masked_scatter,
    bad=[
        (S(V, tensor([True, False, True]), adjoint.ones(1)), RuntimeError),
        (S(V, tensor([True, False, True]), V.double()), RuntimeError),
        (S(V, tensor([1, 0, 1]), V), RuntimeError),
    ],
)
case(
    "_nodes.masked_take",
    lambda r: [S(r.normal(3, 4), MASK, (8,)), S(r.normal(4), MASK, (2, 3))],
    torch_name=None,
    vmap="where a mask is drawn anew it may pick too many elements",
)
for name in ("nonzero", "argwhere"):
    case(
        name,
        lambda r: [
            S(MASK),
            S(tensor([0.0, 2.0, -1.0])),
            S(tensor(3)),
            S(r.integers(0, 2, 2, 3, 2)),
        ],
        reference=lambda x: np.argwhere(x),
        vmap="the number of results depends on the values",
    )

# Tables.

TABLE = adjoint.ones(5, 2)
case(
    "embedding",
    lambda r: [
        S(r.normal(5, 2), tensor([[1, 4, 1], [0, 0, 2]])),
        S(r.normal(5, 2), tensor(3)),
        S(r.normal(5, 2), tensor([1, 4, 1]), padding_idx=2),
    ],
    reference=lambda w, i, padding_idx=-1: w[i],
    bad=[
        (S(TABLE, tensor([5])), IndexError),
        (S(TABLE, tensor([-1])), IndexError),
        (S(TABLE, tensor([0.0])), RuntimeError),
        (S(V, tensor([0])), RuntimeError),
    ],
)
case(
    "nn.functional.embedding",
    lambda r: [
        S(tensor([[1, 4, 1], [0, 0, 2]]), r.normal(5, 2)),
        S(tensor([1, 4, 1], dtype=adjoint.int32), r.normal(5, 2), padding_idx=-2),
    ],
    reference=lambda i, w, padding_idx=None: w[i],
    bad=[
        (S(tensor([5]), TABLE), IndexError),
        (S(tensor([0]), TABLE, padding_idx=5), ValueError),
    ],
)
case(
    "_nodes.embedding_backward",
    lambda r: [
        S(r.normal(2, 3, 2), tensor([[1, 4, 1], [0, 0, 2]]), 5),
        S(r.normal(3, 2), tensor([1, 4, 1]), 5, 4),
        S(r.normal(3, 2), tensor([1, 4, 1]), 5, -1, True),
    ],
    torch_name=None,  # its own gradient ignores scale_grad_by_freq
)
case(
    "nn.functional.one_hot",
    lambda r: [S(tensor([[1, 0], [3, 3]])), S(tensor([1, 0]), 4), S(tensor(2), num_classes=3)],
    reference=lambda x, num_classes=-1: np.eye(
        num_classes if num_classes > 0 else x.max() + 1, dtype=int
    )[x],
    vmap="the number of classes depends on the values",
    bad=[
        (S(tensor([3]), 3), RuntimeError),
        (S(tensor([-1])), RuntimeError),
        (S(V), RuntimeError),
        (S(tensor([0]), 0), RuntimeError),
        (S(V[:0].long()), RuntimeError),
    ],
)

# Order.


def sort(x, dim=-1, descending=False, stable=True):
    order = np.argsort(-x if descending else x, dim, kind="stable")
    return np.take_along_axis(x, order, dim), order


ORDERED = on(
    lambda x, r: S(r.distinct(3, 4, 2)),
    lambda x, r: S(r.distinct(3, 4, 2), 1),
    lambda x, r: S(r.distinct(3, 4), dim=0, descending=True),
)
case("sort", ORDERED, reference=sort, bad=[(S(M, 2), IndexError)])
case(
    "argsort",
    lambda r: [*ORDERED(r), S(tensor([2, 1, 2, 1]), stable=True)],
    reference=lambda *a, **k: sort(*a, **k)[1],
    bad=[(S(M, 2), IndexError)],
)
case("msort", lambda r: [S(r.distinct(3, 4))], reference=lambda x: np.sort(x, 0))


def ranked(x, k, dim=-1, largest=True):
    values, order = sort(x, dim, largest)
    return np.take(values, range(k), dim), np.take(order, range(k), dim)


case(
    "topk",
    on(
        lambda x, r: S(r.distinct(3, 4, 2), 3, 1),
        lambda x, r: S(r.distinct(5), 2, largest=False),
        lambda x, r: S(r.distinct(5), 0),
    ),
    reference=ranked,
    bad=[(S(M, 4), RuntimeError), (S(M, -1), RuntimeError), (S(M, 1, 2), IndexError)],
)


def picked(rank):
    def reference(x, *args, dim=None, keepdim=False):
        k, d = rank(x, args, dim)
        values, order = (np.take(a, [k], d) for a in sort(x, d))
        return (values, order) if keepdim else (values.squeeze(d), order.squeeze(d))

    return reference


case(
    "kthvalue",
    lambda r: [
        S(r.distinct(3, 4), 2, 0),
        S(r.distinct(5), 5),
        S(r.distinct(3, 4), 1, 1, keepdim=True),
    ],
    reference=picked(lambda x, args, dim: (args[0] - 1, args[1] if len(args) > 1 else -1)),
    bad=[(S(V, 4), RuntimeError), (S(V, 0), RuntimeError)],
)
for name in ("median", "nanmedian"):
    case(
        f"{name}:dim",
        lambda r: [S(r.distinct(3, 4), 0), S(r.distinct(3, 4), dim=1, keepdim=True)],
        reference=picked(
            lambda x, args, dim: (
                (x.shape[args[0] if args else dim] - 1) // 2,
                args[0] if args else dim,
            )
        ),
        bad=[(S(M, 2), IndexError), (S(M[:0], 0), IndexError)],
    )
    case(
        name,
        lambda r: [S(r.distinct(3, 4)), S(r.distinct(5))],
        reference=lambda x: np.sort(x.ravel())[(x.size - 1) // 2],
    )

# Search.

SEQUENCE = tensor([1.0, 2.0, 2.0, 5.0])


def searchsorted(x, v, right=False, side="left", out_int32=False, sorter=None):
    where = "right" if right else side
    if x.ndim == 1:
        return np.searchsorted(x, v, where, sorter)
    return np.stack([np.searchsorted(a, b, where) for a, b in zip(x, v)])


case(
    "searchsorted",
    lambda r: [
        S(SEQUENCE, r.uniform(0, 6, 2, 3)),
        S(SEQUENCE, tensor([2.0, 1.0]), right=True),
        S(SEQUENCE, tensor([[2, 1]]), side="right", out_int32=True),
        S(adjoint.stack([SEQUENCE, SEQUENCE + 1]), r.uniform(0, 6, 2, 3)),
        S(SEQUENCE.flip(0), r.uniform(0, 6, 3), sorter=tensor([3, 2, 1, 0])),
        S(SEQUENCE, 3),
    ],
    reference=searchsorted,
    bad=[
        (S(SCALAR, V), RuntimeError),
        (S(M, adjoint.ones(3, 3)), RuntimeError),
        (S(V, V, side="up"), RuntimeError),
        (S(V, V, side="left", right=True), RuntimeError),
        (S(V, V, sorter=tensor([0])), RuntimeError),
    ],
)
case(
    "bucketize",
    lambda r: [
        S(r.uniform(0, 6, 2, 3), SEQUENCE),
        S(tensor([2.0]), SEQUENCE, right=True),
        S(3, SEQUENCE),
    ],
    reference=lambda v, x, right=False: np.searchsorted(x, v, "right" if right else "left"),
    bad=[(S(V, M), RuntimeError)],
)
case(
    "isin",
    lambda r: [
        S(r.integers(0, 5, 3, 4), r.integers(0, 5, 3)),
        S(r.integers(0, 5, 3), tensor([1.0, 2.5]), invert=True),
        S(tensor([1, 2]), 2),
    ],
    reference=lambda x, y, invert=False: np.isin(x, y, invert=invert),
    bad=[(S(1, 2), TypeError)],
)
case(
    "bincount",
    lambda r: [
        S(tensor([0, 3, 3])),
        S(tensor([1, 1]), minlength=4),
        S(tensor([2, 0, 2]), tensor([0.5, 1.0, 2.0], dtype=adjoint.float64)),
    ],
    reference=np.bincount,
    vmap="the number of results depends on the values",
    bad=[(S(tensor([-1])), RuntimeError), (S(V), RuntimeError), (S(tensor([1]), V), RuntimeError)],
)
case(
    "_nodes.unique",
    lambda r: [
        S(tensor([3, 1, 3, 2])),
        S(tensor([[1, 2], [0, 5], [1, 2]]), 0),
        S(tensor([2, 2, 1, 2]), None, True),
    ],
    reference=lambda x, dim=None, consecutive=False: (
        np.unique(x, axis=dim, return_inverse=True, return_counts=True)
        if not consecutive
        else (np.array([2, 1, 2]), np.array([0, 0, 1, 2]), np.array([2, 1, 1]))
    ),
    torch_name=None,
    vmap="the number of results depends on the values",
)
