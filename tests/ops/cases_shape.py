"""Operators that join, split and rearrange tensors, and views of them."""

import numpy as np

import adjoint
from ops.case import S, alias, case

M = adjoint.ones(2, 3)
V = adjoint.ones(3)
SCALAR = adjoint.tensor(1.0)


def cube(*calls):
    """Calls on a tensor of 2 x 3 x 4: each a function of it."""
    return lambda r: [c(r.normal(2, 3, 4)) for c in calls]


# Joining.

case(
    "cat",
    lambda r: [
        S([r.normal(2, 3), r.normal(1, 3)]),
        S([r.normal(2, 3), r.normal(2, 1), r.normal(2, 2)], dim=-1),
        S([r.normal(0), r.normal(2, 3)], 1),
        S([r.normal(2), r.integers(0, 5, 3)]),
    ],
    reference=lambda xs, dim=0: np.concatenate([x for x in xs if x.shape != (0,)], dim),
    bad=[
        (S([]), ValueError),
        (S([SCALAR, SCALAR]), RuntimeError),
        (S([M, V]), RuntimeError),
        (S([M, adjoint.ones(2, 4)]), RuntimeError),
        (S([M, M], 2), IndexError),
        (S([M, 1.0]), TypeError),
    ],
)
alias("concat", "cat")
alias("concatenate", "cat")
case(
    "stack",
    lambda r: [
        S([r.normal(2, 3), r.normal(2, 3)]),
        S([r.normal(2, 3), r.normal(2, 3)], dim=-1),
        S([r.normal(), r.normal()]),
    ],
    reference=lambda xs, dim=0: np.stack(xs, dim),
    bad=[(S([]), RuntimeError), (S([M, V]), RuntimeError), (S([M, M], 3), IndexError)],
)
for name in ("hstack", "vstack", "dstack", "column_stack"):
    case(
        name,
        lambda r: [
            S([r.normal(3), r.normal(3)]),
            S([r.normal(2, 3), r.normal(2, 3)]),
            S([r.normal(), r.normal()]),
        ],
        reference=getattr(np, name),
        bad=[(S([]), RuntimeError), (S([M, adjoint.ones(4, 5)]), RuntimeError)],
    )
alias("row_stack", "vstack")
for n in (1, 2, 3):
    case(
        f"atleast_{n}d",
        lambda r: [S(r.normal()), S(r.normal(3)), S(r.normal(2, 3)), S(r.normal(1, 2, 3))],
        reference=getattr(np, f"atleast_{n}d"),
    )
    case(
        f"atleast_{n}d:all",
        lambda r: [S(r.normal(), r.normal(3)), S((r.normal(2, 3),))],
        torch_name=f"atleast_{n}d",
    )
case(
    "block_diag",
    lambda r: [S(r.normal(2, 3), r.normal(3), r.normal(1, 2), r.normal())],
    bad=[(S(adjoint.ones(1, 1, 1)), RuntimeError)],
)
case(
    "broadcast_tensors",
    lambda r: [S(r.normal(2, 1), r.normal(3)), S(r.normal(3), r.normal())],
    reference=np.broadcast_arrays,
    bad=[(S(M, adjoint.ones(2)), RuntimeError)],
)
case(
    "meshgrid",
    lambda r: [
        S(r.normal(2), r.normal(3), r.normal(), indexing="ij"),
        S([r.normal(2), r.normal(3), r.normal(4)], indexing="xy"),
    ],
    reference=lambda *xs, indexing: np.meshgrid(
        *(xs[0] if isinstance(xs[0], list) else xs), indexing=indexing
    ),
    bad=[(S(V, indexing="yx"), RuntimeError), (S(M), RuntimeError)],
)

# Splitting.

case(
    "unbind",
    cube(lambda x: S(x), lambda x: S(x, -1), lambda x: S(x, dim=1)),
    reference=lambda x, dim=0: list(np.moveaxis(x, dim, 0)),
    bad=[(S(SCALAR), IndexError), (S(M, 2), IndexError)],
)
case(
    "split",
    cube(lambda x: S(x, 2), lambda x: S(x, 3, dim=-1), lambda x: S(x, 5, 1)),
    reference=lambda x, n, dim=0: np.split(x, range(n, x.shape[dim], n), dim),
    bad=[(S(M, -1), RuntimeError), (S(M, 0), RuntimeError), (S(SCALAR, 1), RuntimeError)],
)


def by_sizes(x, sizes, dim=0):
    return np.split(x, np.cumsum(sizes)[:-1], dim)


WRONG_SIZES = [
    (S(M, [1, 2]), RuntimeError),
    (S(M, [3, -1]), RuntimeError),
    (S(SCALAR, [1]), RuntimeError),
    (S(M, [1, 1], 2), IndexError),
]
for name in ("split_with_sizes", "split:sizes"):
    case(
        name,
        cube(lambda x: S(x, [2, 0]), lambda x: S(x, [1, 3], -1)),
        reference=by_sizes,
        bad=WRONG_SIZES,
        torch_name="split",
    )
case(
    "split:size_or_sections",
    cube(lambda x: S(x, split_size_or_sections=2, dim=2)),
    torch_name="split",
)
case(
    "split:list_or_sections",
    cube(lambda x: S(x, split_size_or_sections=[1, 2], dim=1)),
    torch_name="split",
)
case(
    "chunk",
    cube(lambda x: S(x, 2, dim=1), lambda x: S(x, 7)),
    bad=[(S(M, 0), RuntimeError), (S(SCALAR, 1), RuntimeError)],
)
case(
    "tensor_split",
    cube(lambda x: S(x, 2, dim=1), lambda x: S(x, 5)),
    reference=lambda x, n, dim=0: np.array_split(x, n, dim),
    bad=[(S(M, 0), RuntimeError), (S(SCALAR, 1), RuntimeError)],
)
case(
    "tensor_split:indices",
    cube(lambda x: S(x, (1, 3), dim=2), lambda x: S(x, (1, 5), 1)),
    reference=lambda x, at, dim=0: np.split(x, at, dim),
)
case(
    "tensor_split:tensor",
    cube(
        lambda x: S(x, adjoint.tensor([1, 3]), dim=2),
        lambda x: S(x, adjoint.tensor([1, 5]), 1),
        lambda x: S(x, adjoint.tensor([1])),  # an index, not a number of sections
    ),
    reference=lambda x, at, dim=0: np.split(x, at, dim),
    bad=[
        (S(M, adjoint.tensor([1.0, 2.0])), RuntimeError),
        (S(M, adjoint.tensor([[1, 2]])), RuntimeError),
    ],
    vmap="the parts cannot differ along a vmapped dim",
)
for name, parts in (("hsplit", 3), ("vsplit", 2), ("dsplit", 4)):
    numpy_split = getattr(np, name)
    case(
        name,
        cube(lambda x, parts=parts: S(x, parts)),
        reference=numpy_split,
        bad=[(S(adjoint.ones(2, 3, 4), 5), RuntimeError), (S(SCALAR, 1), RuntimeError)],
    )
    case(f"{name}:indices", cube(lambda x: S(x, (1,))), reference=numpy_split)

# Rearranging.

case(
    "flip",
    cube(lambda x: S(x, (0, -1)), lambda x: S(x, (1,)), lambda x: S(x, ())),
    reference=np.flip,
    bad=[(S(M, (0, 0)), RuntimeError), (S(M, 2), IndexError)],
)
case("fliplr", cube(S), reference=np.fliplr, bad=[(S(V), RuntimeError)])
case("flipud", cube(S), reference=np.flipud, bad=[(S(SCALAR), RuntimeError)])
case(
    "roll",
    cube(lambda x: S(x, 5), lambda x: S(x, (1,))),
    reference=np.roll,
    bad=[(S(M, (1, 2)), RuntimeError), (S(M, ()), RuntimeError)],
)
case(
    "roll:dims",
    cube(lambda x: S(x, (1, -3), (0, 2)), lambda x: S(x, (1, 1), (1, 1))),
    reference=np.roll,
    bad=[(S(M, (1, 2), (0,)), RuntimeError), (S(M, (1,), (2,)), IndexError)],
)
case("roll:one", cube(lambda x: S(x, 2, -1)), reference=np.roll)
case(
    "rot90",
    cube(S, lambda x: S(x, -1, (1, 2)), lambda x: S(x, 2, [0, 2]), lambda x: S(x, k=4)),
    reference=lambda x, k=1, axes=(0, 1): np.rot90(x, k, axes),
    bad=[(S(V), RuntimeError), (S(M, 1, (0, 0)), RuntimeError), (S(M, 1, (0,)), RuntimeError)],
)
REPEATS = lambda r: [
    S(r.normal(2, 3), (2, 2)),
    S(r.normal(3), (2, 1, 3)),
    S(r.normal(2, 3), (0, 1)),
]
case(
    "repeat",
    REPEATS,
    reference=np.tile,
    bad=[(S(M, (2,)), RuntimeError), (S(M, (1, -1)), RuntimeError)],
)
case("tile", lambda r: [*REPEATS(r), S(r.normal(2, 3), (2,))], reference=np.tile)
case(
    "repeat_interleave",
    lambda r: [S(r.normal(2, 3), 2), S(r.normal(2, 3), 3, dim=-1), S(r.normal(2), 0, 0)],
    reference=lambda x, n, dim=None: np.repeat(x, n, dim),
    bad=[(S(M, -1), RuntimeError), (S(M, 2, output_size=3), RuntimeError)],
)
case(
    "repeat_interleave:by",
    lambda r: [
        S(r.normal(2, 3), adjoint.tensor([2, 0, 1]), dim=1),
        S(r.normal(2), adjoint.tensor([2, 1])),
    ],
    reference=lambda x, n, dim=None: np.repeat(x, n, dim),
    vmap="the sizes of the results depend on the repeats",
    bad=[
        (S(M, adjoint.tensor([1, 2]), 1), RuntimeError),
        (S(V, adjoint.tensor([1, 2, -1])), RuntimeError),
        (S(V, adjoint.ones(3)), RuntimeError),
    ],
)
case(
    "repeat_interleave:counts",
    lambda r: [S(adjoint.tensor([1, 0, 3]))],
    reference=lambda n: np.repeat(np.arange(len(n)), n),
    vmap="the sizes of the results depend on the repeats",
)

# Triangles and diagonals.

for name in ("tril", "triu"):
    case(
        name,
        cube(S, lambda x: S(x, 1), lambda x: S(x, diagonal=-2), lambda x: S(x, 9)),
        reference=lambda x, diagonal=0, f=getattr(np, name): f(x, diagonal),
        bad=[(S(V), RuntimeError)],
    )
    case(
        f"{name}_indices",
        lambda r: [S(3, 4), S(3, 2, 1), S(2, 3, offset=-1, dtype=adjoint.int32)],
        reference=lambda n, m, offset=0, dtype=None, f=getattr(np, f"{name}_indices"): np.stack(
            f(n, offset, m)
        ),
        bad=[(S(-1, 2), RuntimeError)],
    )
case(
    "diag",
    lambda r: [S(r.normal(3)), S(r.normal(2), 1), S(r.normal(3, 4), -1), S(r.normal(3, 3))],
    reference=np.diag,
    bad=[(S(SCALAR), RuntimeError), (S(adjoint.ones(1, 1, 1)), RuntimeError)],
)
case(
    "diag_embed",
    lambda r: [S(r.normal(3)), S(r.normal(2, 3), 1), S(r.normal(2, 3), -1, 0, 2)],
    bad=[(S(SCALAR), IndexError), (S(V, 0, 1, 1), RuntimeError), (S(V, 0, 2, 0), IndexError)],
)
case("diagflat", lambda r: [S(r.normal(2, 2)), S(r.normal(2), 1)], reference=np.diagflat)
case(
    "trace",
    lambda r: [S(r.normal(3, 3)), S(r.normal(2, 4))],
    reference=np.trace,
    bad=[(S(V), RuntimeError)],
)
case(
    "diagonal",
    cube(S, lambda x: S(x, 1, 1, 2), lambda x: S(x, offset=-1), lambda x: S(x, 5)),
    reference=np.diagonal,
    bad=[(S(M, 0, 1, 1), RuntimeError), (S(V), IndexError)],
)
case(
    "diagonal_transpose",
    lambda r: [S(r.normal(2), (2, 3)), S(r.normal(2, 3), (2, 4, 3), 1, 2, 1)],
    torch_name=None,
)

# Other shapes.


def flattened(x, start=0, end=-1):
    end %= x.ndim
    return x.reshape(*x.shape[:start], -1, *x.shape[end + 1 :])


case(
    "flatten",
    cube(S, lambda x: S(x, 1), lambda x: S(x, 0, 1), lambda x: S(x, 2)),
    reference=flattened,
    bad=[(S(M, 1, 0), RuntimeError), (S(M, 2), IndexError)],
)
case("ravel", cube(S), reference=np.ravel)
case(
    "unflatten",
    cube(lambda x: S(x, 2, (2, -1)), lambda x: S(x, -1, (4, 1))),
    reference=lambda x, dim, sizes: x.reshape(*x.shape[:-1], *sizes),
    bad=[
        (S(M, 1, (2, 2)), RuntimeError),
        (S(M, 1, (-1, -1)), RuntimeError),
        (S(M, 0, ()), RuntimeError),
    ],
)
MOVES = {"bad": [(S(M, (0, 0), (0, 1)), RuntimeError), (S(M, (0,), (0, 1)), RuntimeError)]}
for name in ("movedim", "moveaxis"):
    case(f"{name}:one", cube(lambda x: S(x, 0, -1), lambda x: S(x, 1, 0)), reference=np.moveaxis)
    case(name, cube(lambda x: S(x, (0, 2), (1, 0))), reference=np.moveaxis, **MOVES)
for name in ("transpose", "swapaxes", "swapdims"):
    case(
        name,
        cube(lambda x: S(x, 0, -1), lambda x: S(x, 1, 1)),
        reference=np.swapaxes,
        bad=[(S(M, 0, 2), IndexError)],
    )
case(
    "t",
    lambda r: [S(r.normal(2, 3)), S(r.normal(3)), S(r.normal())],
    reference=np.transpose,
    bad=[(S(adjoint.ones(1, 1, 1)), RuntimeError)],
)
case(
    "narrow",
    cube(lambda x: S(x, 2, 1, 2), lambda x: S(x, -1, -2, 2), lambda x: S(x, 0, 2, 0)),
    bad=[
        (S(M, 1, 1, 3), RuntimeError),
        (S(M, 1, 4, 0), IndexError),
        (S(M, 0, 0, -1), RuntimeError),
        (S(SCALAR, 0, 0, 1), RuntimeError),
    ],
)
TOO_FEW = [
    (S(M, (2, 4)), RuntimeError),
    (S(M, (3,)), RuntimeError),
    (S(M, (-1, 2, -1)), RuntimeError),
]
case("broadcast_to", lambda r: [S(r.normal(3), (2, 3)), S(r.normal(2, 1), (2, 3))],
     reference=np.broadcast_to, bad=TOO_FEW)  # fmt: skip
case(
    "expand",
    lambda r: [S(r.normal(3), (2, 3)), S(r.normal(2, 1), (-1, 3)), S(r.normal(), (2, 0))],
    bad=TOO_FEW,
)
case(
    "expand_as",
    lambda r: [S(r.normal(2, 1), r.normal(2, 3))],
    reference=lambda x, y: np.broadcast_to(x, y.shape),
    bad=[(S(M, V), RuntimeError)],
)
WRONG_SHAPES = [
    (S(M, (4,)), RuntimeError),
    (S(M, (-1, -1)), RuntimeError),
    (S(M, (-1, 4)), RuntimeError),
    (S(M, (-2, 3)), RuntimeError),
    (S(adjoint.ones(0), (0, -1)), RuntimeError),
    (S(M, "x"), TypeError),
]
SHAPES = cube(lambda x: S(x, (6, 4)), lambda x: S(x, (2, -1)), lambda x: S(x, (24, 1)))
case("view", SHAPES, reference=np.reshape, bad=[*WRONG_SHAPES, (S(M.t(), (6,)), RuntimeError)])
case("reshape", SHAPES, reference=np.reshape, bad=WRONG_SHAPES)
for name in ("view_as", "reshape_as"):
    case(
        name,
        lambda r: [S(r.normal(2, 6), r.normal(2, 2, 3))],
        reference=lambda x, y: x.reshape(y.shape),
        bad=[(S(M, V), RuntimeError)],
    )
case("alias", cube(S), reference=lambda x: x, torch_name=None)
case(
    "permute",
    cube(lambda x: S(x, (2, 0, 1)), lambda x: S(x, (0, -1, 1))),
    reference=np.transpose,
    bad=[(S(M, (0,)), RuntimeError), (S(M, (0, 0)), RuntimeError), (S(M, (0, 2)), IndexError)],
)
case(
    "unsqueeze",
    lambda r: [S(r.normal(2, 3), 0), S(r.normal(2, 3), -1), S(r.normal(), 0)],
    reference=np.expand_dims,
    bad=[(S(M, 3), IndexError)],
)
case(
    "squeeze",
    lambda r: [
        S(r.normal(1, 3, 1)),
        S(r.normal(1, 3, 1), -1),
        S(r.normal(1, 3, 1), (0, 2)),
        S(r.normal(2, 3), 0),
    ],
    bad=[(S(M, 2), IndexError), (S(M, (0, 0)), RuntimeError)],
)
case(
    "select",
    cube(lambda x: S(x, 1, 2), lambda x: S(x, -1, -1)),
    reference=lambda x, dim, i: np.take(x, i, dim),
    bad=[(S(M, 1, 3), IndexError), (S(M, 2, 0), IndexError), (S(SCALAR, 0, 0), IndexError)],
)
case("select_transpose", lambda r: [S(r.normal(2), (2, 3), 1, 2)], torch_name=None)
case(
    "slice",
    cube(lambda x: S(x, 2, 1, 4, 2), lambda x: S(x, -2, -2), lambda x: S(x, end=1)),
    torch_name=None,
    bad=[(S(M, 0, 0, 1, 0), ValueError), (S(SCALAR), IndexError), (S(M, 2), IndexError)],
)
case("slice_transpose", lambda r: [S(r.normal(2, 2), (2, 5), 1, 0, 4, 2)], torch_name=None)
case(
    "unfold",
    cube(lambda x: S(x, 2, 3, 1), lambda x: S(x, 1, 1, 2), lambda x: S(x, -1, 2, 2)),
    bad=[
        (S(M, 1, 4, 1), RuntimeError),
        (S(M, 1, 2, 0), RuntimeError),
        (S(M, 1, -1, 1), RuntimeError),
    ],
)
case(
    "_nodes.unfold_transpose",
    lambda r: [S(r.normal(2, 2, 3), (2, 4), 1, 3, 1), S(r.normal(2, 2, 2), (2, 5), 1, 2, 3)],
    torch_name=None,
)

# By strides. The layout of the input is an argument of its own where a gradient has to know it.

case(
    "as_strided",
    lambda r: [S(r.normal(6), (2, 2), (3, 1), 1), S(r.normal(2, 3), (2, 2, 2), (1, 1, 1))],
    vmap="a batch element's memory is a part of the batch's",
    bad=[
        (S(M, (2,), (1, 1)), RuntimeError),
        (S(M, (7,), (1,)), RuntimeError),
        (S(M, (2,), (-1,)), RuntimeError),
        (S(M, (2,), (1,), -1), RuntimeError),
    ],
)
LAID_OUT = {"torch_name": None, "vmap": "a batch element's memory is a part of the batch's"}
case("as_strided:view", lambda r: [S(r.normal(6), (2, 2), (3, 1), 1, (1,), 0)], **LAID_OUT)
case("_nodes.as_strided_take", lambda r: [S(r.normal(3), (2, 2), (3, 2), 1, (2,), 0)], **LAID_OUT)
case(
    "_nodes.as_strided_put",
    lambda r: [S(r.normal(2, 2), (6,), (2, 2), (3, 1), 1, (1,), 0),
               S(r.normal(2, 2), (4,), (2, 2), (1, 1), 0, (1,), 0)],
    **LAID_OUT,
)  # fmt: skip
case(
    "_nodes.write_through_view",
    lambda r: [S(r.normal(6), r.normal(2, 2), (2, 2), (3, 1), 1, (1,), 0)],
    **LAID_OUT,
)
case(
    "as_strided_scatter",
    lambda r: [
        S(r.normal(6), r.normal(2, 2), (2, 2), (3, 1), 1),
        S(r.normal(4), r.normal(2), (2,), (2,)),
    ],
    vmap="a batch element's memory is a part of the batch's",
    torch_name=None,
    bad=[(S(M, M, (2,), (1,)), RuntimeError), (S(M, adjoint.ones(7), (7,), (1,)), RuntimeError)],
)

# Padding and channels.

PADS = cube(
    lambda x: S(x, (1, 2)), lambda x: S(x, (0, 1, 2, 0), value=1.5), lambda x: S(x, (-1, -1, 1, 0))
)


def padded(x, pad, value=0):
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2)
    pairs += [pad[2 * i : 2 * i + 2] for i in reversed(range(len(pad) // 2))]
    y = np.pad(x, [(max(a, 0), max(b, 0)) for a, b in pairs], constant_values=value)
    return y[tuple(slice(max(-a, 0), n + min(b, 0)) for (a, b), n in zip(pairs, y.shape))]


WRONG_PADS = [
    (S(M, (1,)), RuntimeError),
    (S(M, (-2, -2)), RuntimeError),
    (S(V, (1, 1, 1, 1)), RuntimeError),
]
case("constant_pad_nd", PADS, reference=padded, bad=WRONG_PADS)
case(
    "nn.functional.pad",
    lambda r: [
        *PADS(r),
        S(r.normal(2, 3, 4), (1, 2), mode="reflect"),
        S(r.normal(2, 3, 4), (5, 2), mode="replicate"),
        S(r.normal(1, 2, 3, 4), (1, 2, 2, 1), mode="circular"),
    ],
    bad=[
        *WRONG_PADS,
        (S(M, (1, 1), mode="mirror"), NotImplementedError),
        (S(M, (3, 0), mode="reflect"), RuntimeError),
        (S(M, (4, 0), mode="circular"), RuntimeError),
    ],
)
case(
    "nn.functional.glu",
    lambda r: [S(r.normal(3, 4)), S(r.normal(2, 3), 0)],
    reference=lambda x, dim=-1: np.split(x, 2, dim)[0] / (1 + np.exp(-np.split(x, 2, dim)[1])),
    bad=[(S(M), RuntimeError), (S(SCALAR), RuntimeError)],
)
case(
    "pixel_shuffle",
    lambda r: [S(r.normal(2, 8, 3, 2), 2), S(r.normal(9, 1, 2), 3)],
    bad=[(S(adjoint.ones(3, 1, 1), 2), RuntimeError), (S(M, 2), RuntimeError)],
)
case(
    "pixel_unshuffle",
    lambda r: [S(r.normal(2, 1, 4, 6), 2), S(r.normal(2, 3, 3), 3)],
    bad=[(S(adjoint.ones(1, 3, 4), 2), RuntimeError), (S(M, 2), RuntimeError)],
)
alias("nn.functional.pixel_shuffle", "pixel_shuffle")
alias("nn.functional.pixel_unshuffle", "pixel_unshuffle")
case(
    "linalg.cross",
    lambda r: [S(r.normal(2, 3), r.normal(2, 3)), S(r.normal(3, 2), r.normal(3, 1), dim=0)],
    reference=lambda x, y, dim=-1: np.cross(x, y, axis=dim),
    bad=[(S(adjoint.ones(2, 2), adjoint.ones(2, 2)), RuntimeError), (S(M, V), RuntimeError)],
)
case(
    "cross",
    lambda r: [S(r.normal(3, 2), r.normal(3, 2), 0), S(r.normal(2, 3), r.normal(2, 3), dim=1)],
    reference=lambda x, y, dim: np.cross(x, y, axis=dim),
    bad=[(S(adjoint.ones(2, 2), adjoint.ones(2, 2)), RuntimeError)],
)
case(
    "view:dtype",
    lambda r: [
        S(r.normal(3, 4), adjoint.int64),
        S(r.normal(3, 4), adjoint.float32),
        S(r.normal(2, 4), adjoint.complex128),
        S(r.integers(0, 9, 2, 8), adjoint.int16),
    ],
    reference=lambda x, dtype: x.view(str(dtype).rpartition(".")[2]),
    grad=False,
    vmap="the last dim is that of the memory",
    bad=[
        (S(M.double(), adjoint.complex128), RuntimeError),  # three are no pairs
        (S(M.t(), adjoint.float64), RuntimeError),
        (S(adjoint.tensor(1.0), adjoint.float64), RuntimeError),
        (S(M, adjoint.bool), RuntimeError),
    ],
)
