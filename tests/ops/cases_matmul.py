"""Products of vectors, matrices and batches: all ranks, transposed operands, empty ones."""

import numpy as np

import adjoint
from ops.case import S, case

ones = adjoint.ones


def t(x):
    return x.transpose(-1, -2)


MISFIT = [
    (S(ones(2, 3), ones(2, 3)), RuntimeError),
    (S(ones(2, 3), ones(3, 2, dtype=adjoint.float64)), RuntimeError),
]
case(
    "mm",
    lambda r: [
        S(r.normal(2, 3), r.normal(3, 4)),
        S(t(r.normal(3, 2)), t(r.normal(4, 3))),
        S(r.normal(2, 6)[:, ::2], r.normal(1, 4).expand(3, 4)),
        S(r.normal(1, 3), r.normal(3, 1)),
        S(r.normal(2, 0), r.normal(0, 3)),
        S(r.normal(0, 2), r.normal(2, 3)),
        S(r.integers(-3, 3, 2, 3), r.integers(-3, 3, 3, 2)),
    ],
    reference=np.matmul,
    bad=[
        *MISFIT,
        (S(ones(2), ones(2, 2)), RuntimeError),
        (S(ones(2, 2).bool(), ones(2, 2).bool()), NotImplementedError),
    ],
)
case(
    "mv",
    lambda r: [
        S(r.normal(2, 3), r.normal(3)),
        S(t(r.normal(3, 2)), r.normal(6)[::2]),
        S(r.normal(2, 0), r.normal(0)),
    ],
    reference=np.matmul,
    bad=[(S(ones(2, 3), ones(2)), RuntimeError), (S(ones(2), ones(2)), RuntimeError)],
)
case(
    "dot",
    lambda r: [
        S(r.normal(3), r.normal(3)),
        S(r.normal(6)[::2], r.normal(1).expand(3)),
        S(r.normal(0), r.normal(0)),
    ],
    reference=np.dot,
    bad=[(S(ones(3), ones(2)), RuntimeError), (S(ones(2, 2), ones(2)), RuntimeError)],
)
case(
    "bmm",
    lambda r: [
        S(r.normal(2, 3, 4), r.normal(2, 4, 2)),
        S(t(r.normal(2, 4, 3)), r.normal(4, 2, 3).permute(1, 0, 2)),
        S(r.normal(1, 3, 4).expand(2, 3, 4), r.normal(2, 4, 1)),
        S(r.normal(2, 0, 4), r.normal(2, 4, 3)),
    ],
    reference=np.matmul,
    bad=[
        (S(ones(2, 3, 4), ones(2, 3, 4)), RuntimeError),
        (S(ones(2, 3), ones(2, 3, 4)), RuntimeError),
    ],
)


def of_all_ranks(r):
    shapes = [
        ((3,), (3,)),
        ((3,), (3, 4)),
        ((2, 3), (3,)),
        ((2, 3), (3, 4)),
        ((5, 2, 3), (3, 4)),
        ((5, 2, 3), (5, 3, 4)),
        ((2, 3), (5, 3, 4)),
        ((5, 2, 3), (3,)),
        ((3,), (5, 3, 4)),
        ((2, 1, 2, 3), (3, 3, 2)),
        ((2, 2, 3), (2, 2, 3, 1)),
        ((2, 0, 3), (3, 2)),
    ]
    return [S(r.normal(*a), r.normal(*b)) for a, b in shapes] + [
        S(r.normal(3, 2, 5).permute(2, 1, 0), t(r.normal(4, 3))),
        S(r.normal(2, 4, 3, 2).transpose(1, 3), r.normal(4, 3)),
    ]


BAD_MATMUL = [
    *MISFIT,
    (S(ones(()), ones(2)), RuntimeError),
    (S(ones(2, 2, 3), ones(3, 3, 2)), RuntimeError),
    (S(ones(2, 2, 3), ones(2)), RuntimeError),
]
case("matmul", of_all_ranks, reference=np.matmul, bad=BAD_MATMUL)
case(
    "_nodes.matmul",
    lambda r: of_all_ranks(r)[1:],
    reference=np.matmul,
    torch_name="matmul",
    bad=BAD_MATMUL,
)

for name in ["outer", "ger"]:
    case(
        name,
        lambda r: [S(r.normal(2), r.normal(3)), S(r.normal(0), r.normal(3))],
        reference=np.outer,
        bad=[(S(ones(2, 2), ones(2)), RuntimeError)],
    )
case(
    "inner",
    lambda r: [
        S(r.normal(3), r.normal(3)),
        S(r.normal(2, 3), r.normal(4, 2, 3)),
        S(r.normal(), r.normal(3)),
    ],
    reference=np.inner,
    bad=[(S(ones(2), ones(3)), RuntimeError)],
)
case(
    "kron",
    lambda r: [
        S(r.normal(2, 3), r.normal(3, 2)),
        S(r.normal(2), r.normal(2, 2)),
        S(r.normal(), r.normal(3)),
    ],
    reference=np.kron,
)


def added(product):
    def reference(x, a, b, beta=1, alpha=1):
        return alpha * product(a, b) + (beta * x if beta else 0)

    return reference


for name, product, shapes in [
    ("addmm", np.matmul, [(2, 4), (2, 3), (3, 4)]),
    ("addmv", np.matmul, [(2,), (2, 3), (3,)]),
    ("baddbmm", np.matmul, [(2, 2, 4), (2, 2, 3), (2, 3, 4)]),
    ("addr", np.outer, [(2, 3), (2,), (3,)]),
]:
    case(
        name,
        lambda r, shapes=shapes: [
            S(*[r.normal(*s) for s in shapes]),
            S(r.normal(1), *[r.normal(*s) for s in shapes[1:]], beta=0.5, alpha=2),
            S(r.normal(), *[r.normal(*s) for s in shapes[1:]], beta=0),
            S(*[r.integers(-3, 3, *s) for s in shapes]),
            S(*[r.integers(-3, 3, *s) for s in shapes], beta=2, alpha=-1),
        ],
        reference=added(product),
        bad=[
            (S(ones(7), *[ones(*s) for s in shapes[1:]]), RuntimeError),
            (S(ones(1).double(), *[ones(*s) for s in shapes[1:]]), RuntimeError),
            (S(ones(1), ones(2, 2, 2, 2), ones(2)), RuntimeError),
        ],
    )


def linear(x, w, b=None):
    y = np.matmul(x, w.T)
    return y if b is None else y + b


def layers(r):
    return [
        S(r.normal(4, 3), r.normal(2, 3), r.normal(2)),
        S(r.normal(4, 3), r.normal(2, 3)),
        S(r.normal(3), r.normal(2, 3), r.normal(2)),
        S(r.normal(2, 4, 3), r.normal(2, 3), r.normal(2)),
        S(r.normal(3, 2, 4).permute(1, 2, 0), t(r.normal(3, 2)), r.normal(1)),
        S(r.normal(0, 3), r.normal(2, 3), r.normal(2)),
    ]


BAD_LINEAR = [
    (S(ones(2, 3), ones(2, 4)), RuntimeError),
    (S(ones(2, 3), ones(2, 3), ones(3)), RuntimeError),
    (S(ones(2, 3), ones(2, 3).double()), RuntimeError),
]
case(
    "nn.functional.linear",
    lambda r: [*layers(r), S(r.normal(4, 3), r.normal(3))],
    reference=linear,
    bad=BAD_LINEAR,
)
for name in ["linear", "addmm", "mm"]:
    case(
        f"_nodes.{name}",
        layers,
        reference=linear,
        torch_name="nn.functional.linear",
        bad=BAD_LINEAR,
    )
case(
    "nn.functional.bilinear",
    lambda r: [
        S(r.normal(4, 3), r.normal(4, 2), r.normal(5, 3, 2), r.normal(5)),
        S(r.normal(3), r.normal(2), r.normal(5, 3, 2)),
        S(r.normal(2, 2, 3), r.normal(2, 2, 2), r.normal(1, 3, 2), r.normal(1)),
    ],
    reference=lambda x, y, w, b=0: np.einsum("...i,oij,...j->...o", x, w, y) + b,
    bad=[
        (S(ones(2, 3), ones(3, 2), ones(5, 3, 2)), RuntimeError),
        (S(ones(2, 3), ones(2, 3), ones(5, 3, 2)), RuntimeError),
    ],
)

# Index notation: the equation with the shapes of its operands.
EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)),
    ("ij,kj", (2, 3), (4, 3)),
    ("i,i", (3,), (3,)),
    ("i,j", (2,), (3,)),
    ("ij,ij->", (2, 3), (2, 3)),
    ("ij,ij->i", (2, 3), (2, 1)),
    ("ba", (2, 3)),
    ("ii", (3, 3)),
    ("ii->i", (3, 3)),
    ("ijk->", (2, 3, 2)),
    ("ij->ij", (2, 3)),
    ("->", ()),
    ("iij,jk->ik", (3, 3, 2), (2, 4)),
    ("bij,bjk->bik", (2, 3, 2), (2, 2, 4)),
    ("bhqd,bhkd->bhqk", (2, 2, 3, 2), (2, 2, 4, 2)),
    ("...ij,...jk->...ik", (2, 1, 2, 3), (3, 3, 2)),
    ("...i->...", (2, 3)),
    ("i...,i...", (3, 2), (3, 2)),
    ("ij,jk,kl->il", (2, 3), (3, 2), (2, 4)),
    ("bn,anm,bm->ba", (2, 3), (2, 3, 2), (2, 2)),
    ("ij,k->", (2, 3), (2,)),
    ("aB,Bc", (2, 3), (3, 2)),
    (" i j , j -> i ", (2, 3), (3,)),
]
BAD_EQUATIONS = ["ij", "i,i,i", "ij,jk->iz", "ij,jk->ii", "i j;k", "ijk,jk", "ij,ij->ij->ij"]
BAD_OPERANDS = (ones(2, 3), ones(3, 2))


def numpy_einsum(equation, *operands):
    if len(operands) == 1 and isinstance(operands[0], list):
        operands = operands[0]
    if equation == "ij,ij->i":  # NumPy does not broadcast named dims
        operands = np.broadcast_arrays(*operands)
    return np.einsum(equation, *operands)


case(
    "einsum",
    lambda r: [S(e, [r.normal(*s) for s in shapes]) for e, *shapes in EQUATIONS],
    reference=numpy_einsum,
    bad=[(S(e, list(BAD_OPERANDS)), RuntimeError) for e in BAD_EQUATIONS]
    + [(S("i", []), RuntimeError)],
)
case(
    "tensordot",
    lambda r: [
        S(r.normal(2, 3, 4), r.normal(3, 4, 2)),
        S(r.normal(2, 3), r.normal(3), 1),
        S(r.normal(2), r.normal(3), 0),
    ],
    reference=lambda a, b, dims=2: np.tensordot(a, b, dims),
    bad=[(S(ones(2, 3), ones(2, 3), 1), RuntimeError), (S(ones(2), ones(2), 2), RuntimeError)],
)
case(
    "tensordot:lists",
    lambda r: [
        S(r.normal(2, 3, 4), r.normal(4, 2), [0, 2], [1, 0]),
        S(r.normal(2, 3), r.normal(3, 2), [-1], [0]),
    ],
    reference=lambda a, b, x, y: np.tensordot(a, b, (x, y)),
    torch_name=lambda a, b, x, y: __import__("torch").tensordot(a, b, (x, y)),
    bad=[
        (S(ones(2), ones(2), [0], [0, 1]), RuntimeError),
        (S(ones(2), ones(3), [0], [0]), RuntimeError),
    ],
)
case(
    "vdot",
    lambda r: [S(r.complex(4), r.complex(4)), S(r.normal(3), r.normal(3))],
    reference=np.vdot,
    bad=[(S(adjoint.ones(2), adjoint.ones(3)), RuntimeError)],
)
