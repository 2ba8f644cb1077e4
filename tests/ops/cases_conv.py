"""Convolutions, against loops over the taps of the kernel written in NumPy."""

import numpy as np

import adjoint
from ops.case import S, case

ones = adjoint.ones


def tup(v, n):
    return (v,) * n if isinstance(v, int) else tuple(v) * (n if len(v) == 1 else 1)


def correlate(x, w, stride, padding, dilation, groups, size):
    """y[n, m, t] = sum of x[n, c, t s + k d - p] w[m, c, k], tap by tap."""
    nd = w.ndim - 2
    low = list(padding)
    reach = [(size[i] - 1) * stride[i] + (w.shape[i + 2] - 1) * dilation[i] + 1 for i in range(nd)]
    high = [max(reach[i] - x.shape[i + 2] - low[i], 0) for i in range(nd)]
    x = np.pad(x, [(0, 0), (0, 0), *zip(low, high, strict=True)])
    n, m, c = x.shape[0], w.shape[0], w.shape[1]
    y = np.zeros((n, m, *size))
    for tap in np.ndindex(*w.shape[2:]):
        at = tuple(
            slice(first := tap[i] * dilation[i], first + (size[i] - 1) * stride[i] + 1, stride[i])
            for i in range(nd)
        )  # fmt: skip
        seen = x[(slice(None), slice(None), *at)].reshape(n, groups, c, *size)
        taps = w[(slice(None), slice(None), *tap)].reshape(groups, m // groups, c)
        y += np.einsum("ngc...,gmc->ngm...", seen, taps).reshape(n, m, *size)
    return y


def conv(nd):
    def reference(x, w, bias=None, stride=1, padding=0, dilation=1, groups=1):
        batched = x.ndim == nd + 2
        x = x if batched else x[None]
        s, d = tup(stride, nd), tup(dilation, nd)
        span = [d[i] * (w.shape[i + 2] - 1) for i in range(nd)]
        if padding == "same":
            p = tuple(v // 2 for v in span)
            x = np.pad(x, [(0, 0), (0, 0), *((0, v % 2) for v in span)])
        else:
            p = tup(0 if padding == "valid" else padding, nd)
        size = [(x.shape[i + 2] + 2 * p[i] - span[i] - 1) // s[i] + 1 for i in range(nd)]
        y = correlate(x, w, s, p, d, groups, size)
        if bias is not None:
            y = y + bias.reshape(-1, *(1,) * nd)
        return y if batched else y[0]

    return reference


def conv_transpose(nd):
    def reference(x, w, bias=None, stride=1, padding=0, output_padding=0, groups=1, dilation=1):
        batched = x.ndim == nd + 2
        x = x if batched else x[None]
        s, p, d = tup(stride, nd), tup(padding, nd), tup(dilation, nd)
        more = tup(output_padding, nd)
        size = [
            (x.shape[i + 2] - 1) * s[i] - 2 * p[i] + d[i] * (w.shape[i + 2] - 1) + more[i] + 1
            for i in range(nd)
        ]
        full = [size[i] + 2 * p[i] + s[i] for i in range(nd)]  # room behind for what is cut off
        n, c, m = x.shape[0], w.shape[0], w.shape[1]
        y = np.zeros((n, m * groups, *full))
        for tap in np.ndindex(*w.shape[2:]):
            at = tuple(
                slice(tap[i] * d[i], tap[i] * d[i] + (x.shape[i + 2] - 1) * s[i] + 1, s[i])
                for i in range(nd)
            )
            seen = x.reshape(n, groups, c // groups, *x.shape[2:])
            taps = w[(slice(None), slice(None), *tap)].reshape(groups, c // groups, m)
            part = np.einsum("ngc...,gcm->ngm...", seen, taps)
            y[(slice(None), slice(None), *at)] += part.reshape(n, groups * m, *x.shape[2:])
        cut = tuple(slice(p[i], p[i] + size[i]) for i in range(nd))
        y = y[(slice(None), slice(None), *cut)]
        if bias is not None:
            y = y + bias.reshape(-1, *(1,) * nd)
        return y if batched else y[0]

    return reference


def samples(nd):
    length = {1: (7,), 2: (6, 5), 3: (4, 3, 5)}[nd]
    kernel = {1: (3,), 2: (3, 2), 3: (2, 1, 3)}[nd]

    def made(r):
        x, w, b = r.normal(2, 4, *length), r.normal(6, 4, *kernel), r.normal(6)
        return [
            S(x, w),
            S(x, w, b, stride=2, padding=1),
            S(r.normal(4, *length), w, b, dilation=2 if nd < 3 else 1, padding=(2,) * nd),
            S(x, r.normal(6, 2, *kernel), b, groups=2, stride=(2,) * nd),
            S(x, r.normal(4, 1, *kernel), groups=4, padding=1),
            S(r.normal(1, 1, *length), r.normal(2, 1, *(1,) * nd)),
            S(r.normal(0, 4, *length), w, b),
        ]

    return made


def samples_padded(nd):
    length = {1: (7,), 2: (6, 5), 3: (4, 3, 5)}[nd]
    kernel = {1: (3,), 2: (3, 1), 3: (3, 1, 3)}[nd]

    def made(r):
        x, w, b = r.normal(2, 2, *length), r.normal(3, 2, *kernel), r.normal(3)
        return [S(x, w, b, padding="same"), S(x, w, padding="valid", stride=2)]

    return made


def samples_transposed(nd):
    length = {1: (5,), 2: (3, 4), 3: (2, 3, 2)}[nd]
    kernel = {1: (3,), 2: (2, 3), 3: (2, 1, 3)}[nd]

    def made(r):
        x, w, b = r.normal(2, 4, *length), r.normal(4, 3, *kernel), r.normal(3)
        return [
            S(x, w),
            S(x, w, b, stride=2, output_padding=1),
            S(r.normal(4, *length), w, b, stride=2, dilation=2),
            S(
                x,
                r.normal(4, 2, *kernel),
                r.normal(4),
                groups=2,
                stride=3,
                output_padding=(2,) * nd,
            ),
        ]

    return made


def bad(nd):
    x, w = ones(1, 4, *(5,) * nd), ones(6, 4, *(3,) * nd)
    return [
        (S(x, ones(6, 3, *(3,) * nd)), RuntimeError),
        (S(x, w, ones(5)), RuntimeError),
        (S(x, w, stride=0), RuntimeError),
        (S(x, w, padding=-1), RuntimeError),
        (S(x, w, dilation=0), RuntimeError),
        (S(x, w, dilation=3), RuntimeError),
        (S(x, w, groups=0), RuntimeError),
        (S(x, w, groups=4), RuntimeError),
        (S(x, w.double()), RuntimeError),
        (S(x[0, 0], w), RuntimeError),
        (S(x, w, stride=(1,) * (nd + 1)), RuntimeError),
        (S(x.bool(), w.bool()), NotImplementedError),
        (S(x, None), TypeError),
    ]


def bad_transposed(nd):
    x, w = ones(1, 4, *(5,) * nd), ones(4, 3, *(3,) * nd)
    return [
        (S(x, ones(5, 3, *(3,) * nd)), RuntimeError),
        (S(x, w, ones(5)), RuntimeError),
        (S(x, w, stride=2, output_padding=2), RuntimeError),
        (S(x, w, padding=9), RuntimeError),
        (S(x, w, groups=3), RuntimeError),
    ]


# Sums of some dozen products in float64: 1e-10 leaves room for the order of addition.
for nd in (1, 2, 3):
    for space in ("", "nn.functional."):
        name, transposed = f"{space}conv{nd}d", f"{space}conv_transpose{nd}d"
        case(name, samples(nd), reference=conv(nd), bad=bad(nd))
        case(f"{name}:padding", samples_padded(nd), reference=conv(nd), torch_name=name,
             bad=[(S(ones(1, 2, *(5,) * nd), ones(2, 2, *(3,) * nd), padding="some"), RuntimeError),
                  (S(ones(1, 2, *(5,) * nd), ones(2, 2, *(3,) * nd), padding="same", stride=2),
                   RuntimeError)])  # fmt: skip
        case(transposed, samples_transposed(nd), reference=conv_transpose(nd),
             bad=bad_transposed(nd))  # fmt: skip


def plain(x, w, stride, padding, dilation, groups, size):
    return correlate(x, w, stride, padding, dilation, groups, size)


def by_input(y, w, stride, padding, dilation, groups, size):
    """The transpose of `plain` in x, column by column."""
    shape = (y.shape[0], w.shape[1] * groups, *size)
    out = np.zeros(shape)
    for i in np.ndindex(*shape):
        unit = np.zeros(shape)
        unit[i] = 1
        out[i] = (plain(unit, w, stride, padding, dilation, groups, y.shape[2:]) * y).sum()
    return out


def by_weight(x, y, stride, padding, dilation, groups, size):
    shape = (y.shape[1], x.shape[1] // groups, *size)
    out = np.zeros(shape)
    for i in np.ndindex(*shape):
        unit = np.zeros(shape)
        unit[i] = 1
        out[i] = (plain(x, unit, stride, padding, dilation, groups, y.shape[2:]) * y).sum()
    return out


def operands(r):
    return r.normal(2, 2, 5, 4), r.normal(4, 1, 3, 2), r.normal(2, 4, 2, 3)


GEOMETRY = ([2, 1], [1, 0], [1, 1], 2)
case("_nodes.conv", lambda r: [S(operands(r)[0], operands(r)[1], *GEOMETRY, [3, 3])],
     reference=plain, torch_name=None)  # fmt: skip
case("_nodes.conv_input", lambda r: [S(r.normal(2, 4, 3, 3), operands(r)[1], *GEOMETRY, [5, 4])],
     reference=by_input, torch_name=None)  # fmt: skip
case("_nodes.conv_weight", lambda r: [S(operands(r)[0], r.normal(2, 4, 3, 3), *GEOMETRY, [3, 2])],
     reference=by_weight, torch_name=None)  # fmt: skip


def with_bias(x, w, bias, stride, padding, dilation, groups, size, transposed):
    y = (by_input if transposed else plain)(x, w, stride, padding, dilation, groups, size)
    return y + bias.reshape(-1, 1, 1)


case(
    "_nodes.convolution",
    lambda r: [
        S(operands(r)[0], operands(r)[1], r.normal(4), *GEOMETRY, [3, 3], False),
        S(r.normal(2, 4, 3, 3), operands(r)[1], r.normal(2), *GEOMETRY, [5, 4], True),
    ],
    reference=with_bias,
    torch_name=None,
)


def unfold(x, kernel_size, dilation=1, padding=0, stride=1):
    batched = x.ndim == 4
    x = x if batched else x[None]
    k, d, p, s = (tup(v, 2) for v in (kernel_size, dilation, padding, stride))
    x = np.pad(x, [(0, 0), (0, 0), (p[0], p[0]), (p[1], p[1])])
    size = [(x.shape[i + 2] - d[i] * (k[i] - 1) - 1) // s[i] + 1 for i in range(2)]
    columns = [
        x[:, :, a * d[0] : a * d[0] + (size[0] - 1) * s[0] + 1 : s[0],
          b * d[1] : b * d[1] + (size[1] - 1) * s[1] + 1 : s[1]]
        for a in range(k[0]) for b in range(k[1])
    ]  # fmt: skip
    y = np.stack(columns, 2).reshape(x.shape[0], -1, size[0] * size[1])
    return y if batched else y[0]


def fold(x, output_size, kernel_size, dilation=1, padding=0, stride=1):
    batched = x.ndim == 3
    x = x if batched else x[None]
    size, k = tup(output_size, 2), tup(kernel_size, 2)
    channels = x.shape[1] // (k[0] * k[1])
    count = channels * size[0] * size[1]
    index = np.arange(1, count + 1, dtype=float).reshape(1, channels, *size)
    places = unfold(index, kernel_size, dilation, padding, stride)[0].astype(int)
    y = np.zeros((x.shape[0], count + 1))
    for n in range(x.shape[0]):
        np.add.at(y[n], places, x[n])
    y = y[:, 1:].reshape(x.shape[0], channels, *size)
    return y if batched else y[0]


case(
    "nn.functional.unfold",
    lambda r: [
        S(r.normal(2, 3, 5, 4), 2),
        S(r.normal(2, 5, 6), (2, 3), dilation=2, padding=(1, 2), stride=(1, 2)),
    ],
    reference=unfold,
    bad=[
        (S(ones(3, 3), 2), RuntimeError),
        (S(ones(1, 3, 3), 4), RuntimeError),
        (S(ones(1, 3, 3), 2, stride=0), RuntimeError),
    ],
)
case(
    "nn.functional.fold",
    lambda r: [
        S(r.normal(2, 12, 12), (5, 4), 2),
        S(r.normal(12, 15), (5, 6), (2, 3), dilation=2, padding=(1, 2), stride=(1, 2)),
    ],
    reference=fold,
    bad=[
        (S(ones(1, 5, 4), (3, 3), 2), RuntimeError),
        (S(ones(1, 4, 5), (3, 3), 2), RuntimeError),
        (S(ones(4), (3, 3), 2), RuntimeError),
    ],
)
