"""Average pooling, interpolation, and sampling at given positions."""

import math

import numpy as np

import adjoint
from ops.case import S, case
from ops.cases_pool import SHAPES, adaptive, over_windows, regular, tuple_of
from ops.matrix import torch

ones = adjoint.ones


def average(nd):
    def f(
        x,
        kernel_size,
        stride=None,
        padding=0,
        ceil_mode=False,
        count_include_pad=True,
        divisor_override=None,
    ):
        sizes = x.shape[-nd:]
        k, s, p = (tuple_of(v, nd) for v in (kernel_size, stride or kernel_size, padding))
        windows = [regular(n, *v, 1, ceil_mode) for n, *v in zip(sizes, k, s, p)]
        # beyond the padding nothing counts
        kept = [[[i for i in w if i < n + q] for w in ws] for ws, n, q in zip(windows, sizes, p)]
        sums, _ = over_windows(x, kept, lambda x, flat: (np.sum(x[..., flat], -1), 0))
        inside = [[[i for i in w if 0 <= i < n] for w in ws] for ws, n in zip(kept, sizes)]
        counted = kept if count_include_pad else inside
        count = np.ones(())
        for ws in counted:
            count = np.multiply.outer(count, [len(w) for w in ws])
        return sums / (divisor_override or count)

    return f


def average_samples(nd):
    def samples(r):
        shape = SHAPES[nd]
        calls = [
            S(r.normal(*shape), 2),
            S(r.normal(*shape[1:]), 2, 1),
            S(r.normal(*shape), 3, 2, 1),
            S(r.normal(*shape), 3, 2, 1, False, False),
            S(r.normal(*shape), 3, stride=2, padding=1, ceil_mode=True),
            S(r.normal(*shape), 2, 3, 1, ceil_mode=True, count_include_pad=False),
        ]
        if nd > 1:
            calls.append(S(r.normal(*shape), (3, 2, 1)[-nd:], divisor_override=5))
            calls.append(S(r.normal(*shape), 3, 2, 1, True, divisor_override=7))
        return calls

    return samples


def adaptive_average(nd):
    def f(x, output_size):
        windows = [adaptive(n, m) for n, m in zip(x.shape[-nd:], tuple_of(output_size, nd))]
        return over_windows(x, windows, lambda x, flat: (np.mean(x[..., flat], -1), 0))[0]

    return f


def lp(nd):
    def f(x, norm_type, kernel_size, stride=None, ceil_mode=False):
        k, s = (tuple_of(v, nd) for v in (kernel_size, stride or kernel_size))
        windows = [regular(n, *v, 0, 1, ceil_mode) for n, *v in zip(x.shape[-nd:], k, s)]
        if norm_type == math.inf:
            return over_windows(abs(x), windows, lambda x, i: (np.max(x[..., i], -1), 0))[0]
        means = average(nd)(x**norm_type, kernel_size, stride, 0, ceil_mode)
        return (np.abs(means) * np.prod(k)) ** (1 / norm_type)

    return f


for nd in (1, 2, 3):
    x = ones(*SHAPES[nd])
    names = ["avg_pool1d"] * (nd == 1) + [f"nn.functional.avg_pool{nd}d"]
    for name in names:
        case(
            name,
            average_samples(nd),
            reference=average(nd),
            bad=[
                (S(ones(3), 2), RuntimeError),
                (S(x, 20), RuntimeError),
                (S(x, 2, padding=2), RuntimeError),
                (S(x, 0), RuntimeError),
                (S(x, 2, 0), RuntimeError),
            ],
        )
    names = ["adaptive_avg_pool1d"] * (nd == 1) + [f"nn.functional.adaptive_avg_pool{nd}d"]
    for name in names:
        case(
            name,
            lambda r, nd=nd: [
                S(r.normal(*SHAPES[nd]), 2),
                S(r.normal(*SHAPES[nd][1:]), (1, 2, 3)[-nd:]),
                S(r.normal(*SHAPES[nd]), (7, 2, 5)[:nd]),
                S(r.normal(*SHAPES[nd]), 1),
            ],
            reference=adaptive_average(nd),
            bad=[(S(ones(3), 2), RuntimeError), (S(x, -1), RuntimeError)],
        )
    case(
        f"nn.functional.lp_pool{nd}d",
        lambda r, nd=nd: [
            S(r.positive(*SHAPES[nd]), 2, 2),
            S(r.positive(*SHAPES[nd]), 3.0, 2, 1, True),
            S(r.distinct(*SHAPES[nd]), math.inf, 2),
        ],
        reference=lp(nd),
    )


# Maps: seven integers for each dim.


def bits(value):
    return int(np.float64(value).view(np.int64))


def matrix_of(n, numbers):
    """The kinds that are weights of windows: average, adaptive, nearest."""
    kind, m, *v = numbers
    a = np.zeros((m, n))
    if kind == 0:
        (k, s, p), divisor = v[:3], v[3]
        for o, window in enumerate(regular(n, k, s, p, 1, True)[:m]):
            window = [i for i in window if i < n + p]
            inside = [i for i in window if 0 <= i < n]
            count = [len(inside), len(window), 2.5][divisor]
            a[o, inside] = 1 / count
    elif kind == 1:
        for o, window in enumerate(adaptive(n, m)):
            a[o, window] = 1 / len(window)
    else:
        scale = np.array(v[1]).view(np.float64)
        step = 1 / scale if scale > 0 else n / m
        for o in range(m):
            a[o, min(int((o + 0.5 * (kind == 3)) * step), n - 1)] = 1
    return a


def apply(x, maps, transpose=False, sizes=None):
    nd = len(maps) // 7
    for i in range(nd):
        numbers = maps[7 * i : 7 * i + 7]
        a = matrix_of(sizes[i] if transpose else x.shape[i - nd], numbers)
        x = np.moveaxis(np.tensordot(a.T if transpose else a, x, (1, i - nd)), 0, i - nd)
    return x


MAPS = [
    (4, 2, [0, 2, 2, 2, 0, 1, 0]),
    (5, 3, [0, 3, 3, 2, 1, 0, 0]),
    (5, 3, [0, 3, 3, 2, 1, 2, bits(2.5)]),
    (7, 2, [0, 2, 2, 4, 0, 1, 0]),
    (7, 3, [1, 3, 0, 0, 0, 0, 0]),
    (3, 7, [1, 7, 0, 0, 0, 0, 0]),
    (3, 7, [2, 7, 0, 0, 0, 0, 0]),
    (5, 3, [3, 3, 0, 0, 0, 0, 0]),
    (5, 6, [2, 6, 0, bits(1.3), 0, 0, 0]),
    (4, 4, [2, 4, 0, 0, 0, 0, 0]),
]


def resample_samples(r):
    calls = [S(r.normal(2, n), numbers) for n, _, numbers in MAPS]
    pairs = zip(MAPS, [*MAPS[3:], *MAPS[:3]])
    calls += [S(r.normal(2, n, k), [*a, *b]) for (n, _, a), (k, _, b) in pairs]
    return [*calls, S(r.normal(4, 5, 7), [*MAPS[0][2], *MAPS[1][2], *MAPS[4][2]])]


case(
    "_nodes.resample",
    resample_samples,
    reference=apply,
    bad=[
        (S(ones(4), [0, 2]), RuntimeError),
        (S(ones(4), [*MAPS[0][2]] * 2), RuntimeError),
        (S(ones(4), [20, *MAPS[0][2][1:]]), RuntimeError),
        (S(ones(4, dtype=adjoint.int64), MAPS[0][2]), NotImplementedError),
    ],
)
case(
    "_nodes.resample_transpose",
    lambda r: [
        *(S(r.normal(2, m), [n], numbers) for n, m, numbers in MAPS),
        S(r.normal(2, 3, 3), [5, 7], [*MAPS[1][2], *MAPS[4][2]]),
    ],
    reference=lambda g, sizes, maps: apply(g, maps, True, sizes),
)
for name in (
    "avg_pool2d",
    "avg_pool3d",
    "_adaptive_avg_pool2d",
    "adaptive_avg_pool3d",
    "upsample_nearest1d",
    "upsample_nearest2d",
    "upsample_nearest3d",
    "_upsample_nearest_exact1d",
    "_upsample_nearest_exact2d",
    "_upsample_nearest_exact3d",
    "upsample_linear1d",
    "upsample_bilinear2d",
    "upsample_trilinear3d",
    "upsample_bicubic2d",
    "_upsample_bilinear2d_aa",
    "_upsample_bicubic2d_aa",
):
    case(
        f"_nodes.{name}",
        lambda r: [S(r.normal(2, 4), MAPS[0][2]), S(r.normal(5, 7), [*MAPS[1][2], *MAPS[4][2]])],
        reference=apply,
    )


# Interpolation; the modes' weights are torch's.


def in_torch(x, size, mode, align=False, antialias=False, *scales):
    f = torch.nn.functional.interpolate
    where = {"scale_factor": scales} if scales else {"size": tuple(size)}
    align = None if mode.startswith("nearest") else align
    return f(x, **where, mode=mode, align_corners=align, antialias=antialias)


def interpolations(r):
    calls = []
    for mode in ("nearest", "nearest-exact"):
        calls += [
            S(r.normal(1, 2, 5), [3], mode),
            S(r.normal(1, 2, 3), [7], mode, False, False, 2.5),
            S(r.normal(1, 1, 3, 4), [5, 3], mode),
            S(r.normal(1, 1, 2, 3, 2), [3, 2, 5], mode),
        ]
    for align in (False, True):
        calls += [
            S(r.normal(1, 2, 5), [3], "linear", align),
            S(r.normal(1, 2, 1), [3], "linear", align),
            S(r.normal(1, 2, 3), [1], "linear", align),
            S(r.normal(1, 1, 3, 4), [5, 3], "bilinear", align),
            S(r.normal(1, 1, 3, 4), [3, 7], "bilinear", align),
            S(r.normal(1, 1, 2, 3, 2), [3, 2, 5], "trilinear", align),
            S(r.normal(1, 1, 3, 5), [5, 3], "bicubic", align),
            S(r.normal(1, 1, 1, 2), [3, 5], "bicubic", align),
            S(r.normal(1, 1, 7, 5), [3, 8], "bilinear", align, True),
            S(r.normal(1, 1, 9, 5), [3, 8], "bicubic", align, True),
        ]
    calls += [
        S(r.normal(1, 1, 3, 4), [4, 10], "bilinear", False, False, 1.5, 2.6),
        S(r.normal(1, 1, 3, 4), [4, 10], "bicubic", False, False, 1.5, 2.6),
        S(r.normal(1, 1, 6, 4), [3, 2], "bilinear", False, True, 0.51, 0.6),
    ]
    return calls


case(
    "_nodes.interpolate",
    interpolations,
    torch_name=torch and in_torch,
    bad=[
        (S(ones(1, 1, 3), [3], "bilinear"), NotImplementedError),
        (S(ones(1, 1, 3), [3, 3], "nearest"), NotImplementedError),
        (S(ones(1, 1, 3), [0], "nearest"), RuntimeError),
        (S(ones(3), [3], "nearest"), NotImplementedError),
    ],
)


# Grids. The corners of the definition are those of the kernel but for ties, so positions are drawn.

MODES = ["bilinear", "nearest", "bicubic"]
PADDINGS = ["zeros", "border", "reflection"]


def grids(r, nd, as_numbers):
    calls = []
    for i, mode in enumerate(MODES[: 5 - nd]):
        for j, padding in enumerate(PADDINGS):
            for align in (False, True):
                x = r.normal(2, 2, *(3, 4, 2)[:nd])
                # no position on a pixel or at an edge, where there are kinks
                grid = r.distinct(2, *(2, 3, 1)[:nd], nd) * 1.1 + 0.013
                modes = (i, j) if as_numbers else (mode, padding)
                calls.append(S(x, grid, *modes, align))
    return calls


for nd in (2, 3):
    case(
        f"_nodes.grid_sampler_{nd}d",
        lambda r, nd=nd: grids(r, nd, True),
        torch_name=torch and getattr(torch, f"grid_sampler_{nd}d"),
    )
case(
    "nn.functional.grid_sample",
    lambda r: [
        S(r.normal(1, 2, 3, 4), r.distinct(1, 2, 2, 2), align_corners=False),
        S(r.normal(1, 2, 1, 4), r.distinct(1, 5, 1, 2), "bicubic", "reflection", True),
        S(r.normal(1, 2, 2, 3, 2), r.distinct(1, 2, 2, 1, 3), "nearest", align_corners=True),
    ],
    bad=[
        (S(ones(1, 1, 2, 2), ones(1, 1, 1, 2), "cubic"), ValueError),
        (S(ones(1, 1, 2, 2), ones(1, 1, 1, 2), padding_mode="zero"), ValueError),
        (S(ones(1, 1, 2, 2), ones(2, 1, 1, 2)), RuntimeError),
        (S(ones(1, 1, 2, 2), ones(1, 1, 1, 3)), RuntimeError),
        (S(ones(1, 1, 2), ones(1, 1, 2)), RuntimeError),
        (S(ones(1, 1, 0, 2), ones(1, 1, 1, 2)), RuntimeError),
        (S(ones(1, 1, 2, 2), ones(1, 1, 1, 2).double()), RuntimeError),
        (S(ones(1, 1, 2, 2, 2), ones(1, 1, 1, 1, 3), "bicubic"), RuntimeError),
    ],
)


def affine_grid(theta, size, align_corners=None):
    lines = []
    for n in size[:1:-1]:
        line = np.linspace(-1, 1, n) if n > 1 else np.zeros(1)
        lines.append(line if align_corners else line * (n - 1) / n)
    base = np.meshgrid(*lines[::-1], indexing="ij")[::-1]
    base = np.stack([*base, np.ones(size[2:])], -1)
    return np.einsum("...k,nik->n...i", base, theta)


case(
    "nn.functional.affine_grid",
    lambda r: [
        S(r.normal(2, 2, 3), (2, 1, 3, 4), True),
        S(r.normal(2, 2, 3), (2, 1, 3, 4), align_corners=False),
        S(r.normal(1, 3, 4), (1, 1, 3, 1, 2), False),
    ],
    reference=affine_grid,
    bad=[
        (S(ones(1, 2, 3), (2, 1, 3, 4)), ValueError),
        (S(ones(1, 2, 3), (1, 1, 0, 4)), ValueError),
        (S(ones(1, 2, 3), (1, 3, 4)), NotImplementedError),
        (S(ones(1, 2, 3).long(), (1, 1, 3, 4)), ValueError),
    ],
)


# Padding with what is in the input; pairs for the last dim, the one before it, ...

NUMPY_MODE = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def pad_edges(x, pad, mode):
    pairs = [(0, 0)] * (x.ndim - len(pad) // 2)
    pairs += [tuple(pad[i : i + 2]) for i in range(len(pad) - 2, -1, -2)]
    return np.pad(x, pairs, mode=NUMPY_MODE[mode])


def pad_transpose(g, sizes, pad, mode):
    """By the matrix of the padding of each dim."""
    nd = len(sizes)
    for i, n in enumerate(sizes):
        low, high = pad[2 * (nd - 1 - i) : 2 * (nd - i)]
        matrix = np.pad(np.eye(n), [(low, high), (0, 0)], mode=NUMPY_MODE[mode])
        g = np.moveaxis(np.tensordot(matrix.T, g, (1, i - nd)), 0, i - nd)
    return g


for name, modes in [
    ("pad_edges", ["reflect", "replicate", "circular"]),
    *((f"reflection_pad{n}d", ["reflect"]) for n in (1, 2, 3)),
    *((f"replication_pad{n}d", ["replicate"]) for n in (1, 2, 3)),
]:
    case(
        f"_nodes.{name}",
        lambda r, modes=modes: [
            call
            for mode in modes
            for call in (
                S(r.normal(2, 4), (2, 3), mode),
                S(r.normal(2, 3, 4), (1, 0, 2, 1), mode),
                S(r.normal(3, 2, 3), (0, 2, 1, 1, 2, 0), mode),
            )
        ],
        reference=pad_edges,
    )
case(
    "_nodes.pad_edges_transpose",
    lambda r: [
        S(r.normal(2, 9), (4,), (2, 3), "reflect"),
        S(r.normal(2, 6, 5), (3, 4), (1, 0, 2, 1), "replicate"),
        S(r.normal(5, 4, 5), (3, 2, 3), (0, 2, 1, 1, 2, 0), "circular"),
    ],
    reference=pad_transpose,
)
