"""Normalisation over channels, groups and neighbours."""

import numpy as np

import adjoint
from ops.case import S, case
from ops.matrix import torch

ones = adjoint.ones
F = None if torch is None else torch.nn.functional


def channels(v, x):
    return v.reshape(1, -1, *(1,) * (x.ndim - 2))


def batch_norm(
    x, mean=None, var=None, weight=None, bias=None, training=False, momentum=0.1, eps=1e-5
):
    axes = (0, *range(2, x.ndim))
    if training:
        mean, var = np.mean(x, axes), np.var(x, axes)
    y = (x - channels(mean, x)) / np.sqrt(channels(var, x) + eps)
    y = y if weight is None else y * channels(weight, x)
    return y if bias is None else y + channels(bias, x)


def statistics(r):
    """Of three channels. Whole numbers: running statistics have no gradient."""
    return r.integers(-2, 3, 3), r.integers(1, 4, 3)


# torch wants them as floats.
def as_floats(f, *where):
    def call(*args, **kwargs):
        args = [a.double() if i in where and a is not None else a for i, a in enumerate(args)]
        return f(*args, **kwargs)

    return call


case(
    "nn.functional.batch_norm",
    lambda r: [
        S(r.normal(4, 3), None, None, training=True),
        S(r.normal(4, 3, 5), None, None, r.normal(3), r.normal(3), True),
        S(r.normal(2, 3, 9, 8), None, None, weight=r.normal(3), training=True, eps=0.1),
        S(r.normal(1, 3, 2, 2, 2), None, None, bias=r.normal(3), training=True),
        S(r.normal(4, 3), *statistics(r), r.normal(3), r.normal(3)),
        S(r.normal(2, 3, 2, 2), *statistics(r), eps=0.1),
        S(r.normal(2, 3, 70), *statistics(r), r.normal(3), r.normal(3)),
    ],
    reference=batch_norm,
    torch_name=F and as_floats(F.batch_norm, 1, 2),
    bad=[
        (S(ones(1, 3), None, None, training=True), ValueError),
        (S(ones(2, 3), None, None), RuntimeError),
        (S(ones(2, 3), ones(2), ones(3)), RuntimeError),
        (S(ones(2, 3), ones(3), ones(3), ones(2)), RuntimeError),
        (S(ones(3), ones(3), ones(3)), RuntimeError),
    ],
)
case(
    "batch_norm",
    lambda r: [
        S(r.normal(4, 3, 2), r.normal(3), r.normal(3), None, None, True, 0.1, 1e-5, False),
        S(r.normal(4, 3, 2), r.normal(3), None, *statistics(r), False, 0.1, 1e-5, False),
    ],
    reference=lambda x, w, b, m, v, training, momentum, eps, _: batch_norm(
        x, m, v, w, b, training, momentum, eps
    ),
    torch_name=torch and as_floats(torch.batch_norm, 3, 4),
)


def native(x, w, b, m, v, training, momentum, eps):
    y = batch_norm(x, m, v, w, b, training, momentum, eps)
    if not training:
        return y, np.zeros(0), np.zeros(0)
    axes = (0, *range(2, x.ndim))
    return y, np.mean(x, axes), 1 / np.sqrt(np.var(x, axes) + eps)


case(
    "native_batch_norm",
    lambda r: [
        S(r.normal(4, 3, 2), r.normal(3), r.normal(3), None, None, True, 0.1, 1e-5),
        S(r.normal(4, 3), r.normal(3), r.normal(3), *statistics(r), False, 0.1, 1e-5),
    ],
    reference=native,
    torch_name=None,  # there the statistics that it returns have no gradient
)
case(
    "_nodes.native_batch_norm",
    lambda r: [
        S(r.normal(4, 3, 2), r.normal(3), r.normal(3), 1e-5),
        S(r.normal(2, 3, 8, 8), None, None, 0.1),
        S(r.normal(9, 3), r.normal(3), None, 0.1),
    ],
    reference=lambda x, w, b, eps: (
        batch_norm(x, None, None, w, b, True, eps=eps),
        np.mean(x, (0, *range(2, x.ndim))),
        np.var(x, (0, *range(2, x.ndim))),
    ),
)
case(
    "_nodes.native_batch_norm_evaluation",
    lambda r: [
        S(r.normal(4, 3, 2), r.normal(3), r.normal(3), *statistics(r), 1e-5),
        S(r.normal(2, 3, 8, 8), None, None, *statistics(r), 0.1),
    ],
    reference=lambda x, w, b, m, v, eps: batch_norm(x, m, v, w, b, eps=eps),
)


def group_norm(x, num_groups, weight=None, bias=None, eps=1e-5):
    grouped = x.reshape(x.shape[0], num_groups, -1)
    mean, var = grouped.mean(-1, keepdims=True), grouped.var(-1, keepdims=True)
    y = ((grouped - mean) / np.sqrt(var + eps)).reshape(x.shape)
    y = y if weight is None else y * channels(weight, x)
    y = y if bias is None else y + channels(bias, x)
    return y, mean[..., 0], 1 / np.sqrt(var[..., 0] + eps)


for name in ("nn.functional.group_norm", "group_norm"):
    case(
        name,
        lambda r: [
            S(r.normal(2, 4), 2, r.normal(4), r.normal(4)),
            S(r.normal(2, 4, 3), 4, weight=r.normal(4)),
            S(r.normal(2, 3, 6, 7), 1, r.normal(3), r.normal(3), eps=0.1),
        ],
        reference=lambda *a, **k: group_norm(*a, **k)[0],
        bad=[
            (S(ones(2, 3), 2), RuntimeError),
            (S(ones(2, 3), 0), RuntimeError),
            (S(ones(3), 1), RuntimeError),
            (S(ones(2, 4), 2, ones(3)), RuntimeError),
            (S(ones(2, 4), 2, bias=ones(3)), RuntimeError),
        ]
        + [(S(ones(1, 4), 4), ValueError)] * name.startswith("nn."),
    )
case(
    "_nodes.native_group_norm",
    lambda r: [
        S(r.normal(2, 4, 3), r.normal(4), r.normal(4), 2, 1e-5),
        S(r.normal(2, 4), None, None, 2, 0.1),
    ],
    reference=lambda x, w, b, groups, eps: group_norm(x, groups, w, b, eps),
)


def instance_norm(
    x, mean=None, var=None, weight=None, bias=None, use_input_stats=True, momentum=0.1, eps=1e-5
):
    if use_input_stats:
        return group_norm(x, x.shape[1], weight, bias, eps)[0]
    return batch_norm(x, mean, var, weight, bias, eps=eps)


case(
    "nn.functional.instance_norm",
    lambda r: [
        S(r.normal(2, 3, 4)),
        S(r.normal(2, 3, 2, 2), weight=r.normal(3), bias=r.normal(3), eps=0.1),
        S(r.normal(2, 3, 4), *statistics(r), r.normal(3), r.normal(3), False),
    ],
    reference=instance_norm,
    torch_name=F and as_floats(F.instance_norm, 1, 2),
    bad=[
        (S(ones(2, 3, 1)), ValueError),
        (S(ones(3)), RuntimeError),
        (S(ones(2, 3, 2), use_input_stats=False), RuntimeError),
    ],
)
case(
    "instance_norm",
    lambda r: [S(r.normal(2, 3, 4), r.normal(3), None, None, None, True, 0.1, 0.1, False)],
    reference=lambda x, w, b, m, v, use, momentum, eps, _: instance_norm(
        x, m, v, w, b, use, eps=eps
    ),
)


def local_response_norm(x, size, alpha=1e-4, beta=0.75, k=1.0):
    squares = np.zeros((x.shape[0], x.shape[1] + size - 1, *x.shape[2:]))
    squares[:, size // 2 : size // 2 + x.shape[1]] = x * x
    mean = sum(squares[:, i : i + x.shape[1]] for i in range(size)) / size
    return x / (k + alpha * mean) ** beta


case(
    "nn.functional.local_response_norm",
    lambda r: [
        S(r.normal(2, 4, 3), 3, alpha=0.5),
        S(r.normal(2, 4, 2, 2), 2, 0.5, 0.7, 2.0),
        S(r.normal(1, 3, 2, 1, 2), 5, 0.1),
    ],
    reference=local_response_norm,
    bad=[(S(ones(2, 3), 2), ValueError)],
)
