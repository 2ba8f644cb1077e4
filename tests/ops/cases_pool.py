"""Pooling."""

import itertools

import numpy as np

import adjoint
from ops.case import S, case
from ops.matrix import torch

ones = adjoint.ones


def tuple_of(value, nd):
    return (value,) * nd if isinstance(value, int) else tuple(value)


def regular(n, k, s, p, d, ceil_mode):
    """The positions of each window, those in the padding (and beyond it) included."""
    room = n + 2 * p - d * (k - 1) - 1
    m = (-(-room // s) if ceil_mode else room // s) + 1
    if ceil_mode and (m - 1) * s >= n + p:
        m -= 1
    return [[o * s - p + i * d for i in range(k)] for o in range(m)]


def adaptive(n, m):
    return [list(range(o * n // m, -(-(o + 1) * n // m))) for o in range(m)]


def over_windows(x, windows, reduce):
    """reduce(values of one window: [..., k]) for each of the windows of the last dims."""
    nd = len(windows)
    sizes = x.shape[-nd:]
    out = np.empty((*x.shape[:-nd], *(len(w) for w in windows)))
    where = np.empty(out.shape, dtype=np.int64)
    for at in itertools.product(*(range(len(w)) for w in windows)):
        inside = [[i for i in w[a] if 0 <= i < n] for w, a, n in zip(windows, at, sizes)]
        flat = np.array([np.ravel_multi_index(p, sizes) for p in itertools.product(*inside)])
        out[(..., *at)], where[(..., *at)] = reduce(x.reshape(*x.shape[:-nd], -1), flat)
    return out, where


def largest(x, flat):
    return np.max(x[..., flat], -1), flat[np.argmax(x[..., flat], -1)]


def max_pool(nd, indices):
    def f(
        x,
        kernel_size,
        stride=None,
        padding=0,
        dilation=1,
        ceil_mode=False,
        return_indices=False,
    ):
        k, s, p, d = (
            tuple_of(v, nd) for v in (kernel_size, stride or kernel_size, padding, dilation)
        )
        windows = [regular(n, *v, ceil_mode) for n, *v in zip(x.shape[-nd:], k, s, p, d)]
        values, where = over_windows(x, windows, largest)
        return (values, where) if return_indices or indices else values

    return f


SHAPES = {1: (2, 2, 7), 2: (2, 2, 5, 6), 3: (1, 2, 3, 4, 5)}


def max_samples(nd, plain=False):
    def samples(r):
        shape = SHAPES[nd]
        calls = [
            S(r.distinct(*shape), 2),
            S(r.distinct(*shape[1:]), 2, 1),
            S(r.distinct(*shape), 3, 2, 1),
            S(r.distinct(*shape), (2,) * nd, stride=(2,) * nd, padding=(1,) * nd, ceil_mode=True),
            S(r.distinct(*shape), 2, 1, dilation=2),
        ]
        if nd > 1:
            calls.append(S(r.distinct(*shape), (3, 2, 1)[-nd:], stride=(2, 1, 3)[-nd:]))
            calls.append(S(r.distinct(*shape[:-2], 7, 9), (1, 3, 3)[-nd:], (1, 1, 1)[-nd:]))
            calls.append(S(r.distinct(*shape[:-2], 9, 7), (1, 3, 3)[-nd:], (1, 2, 2)[-nd:]))
        if not plain:
            calls.append(S(r.distinct(*shape), 2, return_indices=True))
        return calls

    return samples


def bad_pool(nd):
    x = ones(*SHAPES[nd])
    return [
        (S(ones(3), 2), RuntimeError),
        (S(x, 20), RuntimeError),
        (S(x, 2, padding=2), RuntimeError),
        (S(x, 0), RuntimeError),
        (S(x, 2, 0), RuntimeError),
        (S(x, (2, 2, 2, 2)), RuntimeError),
        (S(x, 2, dilation=0), RuntimeError),
    ]


for nd in (1, 2, 3):
    case(
        f"nn.functional.max_pool{nd}d",
        max_samples(nd),
        reference=max_pool(nd, False),
        bad=bad_pool(nd),
    )
    case(
        f"nn.functional.max_pool{nd}d_with_indices",
        max_samples(nd),
        reference=max_pool(nd, True),
        bad=bad_pool(nd),
    )
    case(f"max_pool{nd}d", max_samples(nd, plain=True), reference=max_pool(nd, False))
case("max_pool1d_with_indices", max_samples(1, plain=True), reference=max_pool(1, True))


def from_numbers(x, numbers):
    nd = len(numbers) // 6
    rows = [numbers[6 * i : 6 * i + 6] for i in range(nd)]
    windows = []
    for n, (kind, m, k, s, p, d) in zip(x.shape[-nd:], rows):
        windows.append(adaptive(n, m) if kind else regular(n, k, s, p, d, False)[:m])
    return over_windows(x, windows, largest)


REGULAR = [0, 2, 2, 2, 0, 1, 0, 3, 2, 2, 0, 1]
ADAPTIVE = [1, 2, 0, 0, 0, 1, 1, 3, 0, 0, 0, 1]
for name in (
    "max_pool2d_with_indices",
    "max_pool3d_with_indices",
    "adaptive_max_pool2d",
    "adaptive_max_pool3d",
):
    case(
        f"_nodes.{name}",
        lambda r: [
            S(r.distinct(2, 5, 6), REGULAR),
            S(r.distinct(4, 7), REGULAR),
            S(r.distinct(2, 3, 5), ADAPTIVE),
        ],
        reference=from_numbers,
        bad=[(S(ones(3), REGULAR), RuntimeError), (S(ones(3, 3), [1, 2]), RuntimeError)],
    )


def adaptive_max(nd, indices):
    def f(x, output_size, return_indices=False):
        sizes = tuple_of(output_size, nd)
        windows = [adaptive(n, m) for n, m in zip(x.shape[-nd:], sizes)]
        values, where = over_windows(x, windows, largest)
        return (values, where) if return_indices or indices else values

    return f


def adaptive_samples(nd, plain=False):
    def samples(r):
        shape = SHAPES[nd]
        calls = [
            S(r.distinct(*shape), 2),
            S(r.distinct(*shape[1:]), (1, 2, 3)[-nd:]),
            S(r.distinct(*shape), (7, 2, 5)[:nd]),
        ]
        return calls if plain else [*calls, S(r.distinct(*shape), 3, return_indices=True)]

    return samples


for nd in (1, 2, 3):
    BAD = [
        (S(ones(3), 2), RuntimeError),
        (S(ones(*SHAPES[nd]), -1), RuntimeError),
        (S(ones(*SHAPES[nd]), (1, 2, 3, 4)), RuntimeError),
    ]
    case(
        f"nn.functional.adaptive_max_pool{nd}d",
        adaptive_samples(nd),
        reference=adaptive_max(nd, False),
        bad=BAD,
    )
    case(
        f"nn.functional.adaptive_max_pool{nd}d_with_indices",
        adaptive_samples(nd),
        reference=adaptive_max(nd, True),
        bad=BAD,
    )
case("adaptive_max_pool1d", adaptive_samples(1, plain=True), reference=adaptive_max(1, True))


# Fractional windows, and the way back.


def fractional_starts(u, n, m, k):
    alpha = (n - k) / (m - 1) if m > 1 else 0
    return [int((i + u) * alpha) - int(u * alpha) for i in range(m - 1)] + [n - k]


def fractional(nd):
    def f(x, kernel_size, output_size, samples):
        planes = x.reshape(-1, *x.shape[-nd:])
        values, places = [], []
        for plane, u in zip(planes, samples.reshape(-1, nd)):
            u = u[::-1] if nd == 2 else u
            windows = [
                [[s + i for i in range(k)] for s in fractional_starts(*a, k)]
                for k, *a in zip(kernel_size, u, plane.shape, output_size)
            ]
            y, where = over_windows(plane, windows, largest)
            values.append(y)
            places.append(where)
        shape = (*x.shape[:-nd], *output_size)
        return np.stack(values).reshape(shape), np.stack(places).reshape(shape)

    return f


def fractional_call(r, nd, **kwargs):
    samples = adjoint.tensor([[[0.1, 0.7, 0.4][:nd]] * 2], dtype=adjoint.float64)
    shape = (1, 2, 7, 6, 5)[: nd + 2]
    return S(r.distinct(*shape), [2, 3, 2][:nd], [3, 2, 2][:nd], samples=samples, **kwargs)


for nd in (2, 3):
    case(
        f"_nodes.fractional_max_pool{nd}d",
        lambda r, nd=nd: [fractional_call(r, nd)],
        reference=fractional(nd),
        bad=[(S(ones(1, 2, 4, 4, 4), [2] * nd, [2] * nd, ones(3)), RuntimeError)],
    )
    case(
        f"_nodes.fractional_pooled{nd}d",
        lambda r, nd=nd: [fractional_call(r, nd), fractional_call(r, nd, return_indices=True)],
        torch_name=torch
        and (
            lambda x, k, m, return_indices=False, samples=None, nd=nd: getattr(
                torch.nn.functional, f"fractional_max_pool{nd}d"
            )(x, k, m, return_indices=return_indices, _random_samples=samples.detach())
        ),
        bad=[
            (S(ones(3), 2, 2), RuntimeError),
            (S(ones(*SHAPES[nd]), 9, 2), RuntimeError),
            (S(ones(*SHAPES[nd]), 2, 1, samples=ones(1, 2)), RuntimeError),
        ],
    )


def unpool_calls(nd):
    def samples(r):
        calls = []
        for k, s, p in [(2, None, 0), (2, 2, 1)]:
            x = r.distinct(*SHAPES[nd])
            pool = getattr(adjoint.nn.functional, f"max_pool{nd}d")
            y, where = pool(x, k, s, p, return_indices=True)
            y = r.normal(*y.shape)
            calls += [
                S(y, where, k, s, p, output_size=list(x.shape)),
                S(y[0], where[0], k, s, p, list(x.shape[2:])),
            ]
        return calls

    return samples


def unpool(nd):
    def f(x, indices, kernel_size, stride=None, padding=0, output_size=None):
        flat = np.zeros((*x.shape[:-nd], int(np.prod(output_size[-nd:]))))
        planes = (*x.shape[:-nd], -1)
        np.put_along_axis(flat, indices.reshape(planes), x.reshape(planes), -1)
        return flat.reshape(*x.shape[:-nd], *output_size[-nd:])

    return f


for nd in (1, 2, 3):
    x, i = ones(1, *[2] * nd), adjoint.zeros(1, *[2] * nd, dtype=adjoint.int64)
    case(
        f"nn.functional.max_unpool{nd}d",
        unpool_calls(nd),
        reference=unpool(nd),
        bad=[
            (S(x, i.int(), 2), RuntimeError),
            (S(x, i[:, :1], 2), RuntimeError),
            (S(x, i + 1000, 2), RuntimeError),
            (S(x, i, 2, output_size=[9] * nd), ValueError),
            (S(x, i, 2, output_size=[4] * 6), ValueError),
            (S(x[0] if nd == 1 else x[0, 0], i[0] if nd == 1 else i[0, 0], 2), RuntimeError),
        ],
    )


def shuffle(x, groups):
    n, c, *rest = x.shape
    return x.reshape(n, groups, c // groups, *rest).swapaxes(1, 2).reshape(x.shape)


for name in ("channel_shuffle", "native_channel_shuffle"):
    for space in ("", "nn.functional."):
        case(
            space + name,
            lambda r: [S(r.normal(2, 6, 3), 3), S(r.normal(2, 4, 2, 2), 2)],
            reference=shuffle,
            torch_name=None if name.startswith("native") else "",  # without a derivative there
            bad=[
                (S(ones(2, 4), 2), RuntimeError),
                (S(ones(2, 4, 1), 3), RuntimeError),
                (S(ones(2, 4, 1), 0), RuntimeError),
            ],
        )
