"""Margin losses of several classes, and connectionist temporal classification."""

import itertools

import numpy as np

import adjoint
from ops.case import S, case

ones, indices = adjoint.ones, adjoint.tensor


def reduced(each, reduction):
    return each.mean() if reduction == "mean" else each.sum() if reduction == "sum" else each


def multi_margin(x, target, p=1, margin=1.0, weight=None, reduction="mean"):
    rows, labels = np.atleast_2d(x), np.atleast_1d(target)
    each = [
        sum(max(0, margin - row[y] + row[i]) ** p for i in range(len(row)) if i != y) / len(row)
        for row, y in zip(rows, labels, strict=True)
    ]
    each = np.array(each) * (1 if weight is None else weight[labels])
    return reduced(each if x.ndim == 2 else each[0], reduction)


case(
    "nn.functional.multi_margin_loss",
    lambda r: [
        S(r.distinct(3, 4), indices([0, 2, 3])),
        S(r.distinct(3, 4), indices([0, 2, 3]), 2, 0.7, reduction="none"),
        S(r.distinct(2, 3), indices([2, 1]), weight=indices([1, 2, 3]).double(), reduction="sum"),
        S(r.distinct(4), indices(1)),
    ],
    reference=multi_margin,
    torch_name=None,  # its gradient of weights is absent; values are the reference's
    bad=[
        (S(ones(2, 3), indices([0, 1]), p=3), ValueError),
        (S(ones(2, 3), indices([0])), RuntimeError),
        (S(ones(2, 3), indices([0, 1]), weight=ones(1, 3)), ValueError),
    ],
)


def multilabel_margin(x, target, reduction="mean"):
    each = []
    for row, listed in zip(np.atleast_2d(x), np.atleast_2d(target), strict=True):
        labels = list(itertools.takewhile(lambda y: y >= 0, listed))
        others = [i for i in range(len(row)) if i not in labels]
        each.append(sum(max(0, 1 - row[j] + row[i]) for j in labels for i in others) / len(row))
    return reduced(np.array(each) if x.ndim == 2 else np.array(each[0]), reduction)


case(
    "nn.functional.multilabel_margin_loss",
    lambda r: [
        S(r.distinct(2, 4), indices([[3, 0, -1, 1], [-1, 1, 2, 3]])),
        S(r.distinct(2, 3), indices([[2, -1, -1], [0, 1, 2]]), reduction="none"),
        S(r.distinct(3), indices([1, -1, 0]), reduction="sum"),
    ],
    reference=multilabel_margin,
    bad=[(S(ones(2, 3), indices([[0, 1]])), RuntimeError)],
)


def multilabel_soft_margin(x, y, weight=None, reduction="mean"):
    each = np.logaddexp(0, -x) * y + np.logaddexp(0, x) * (1 - y)
    return reduced((each * (1 if weight is None else weight)).mean(-1), reduction)


case(
    "nn.functional.multilabel_soft_margin_loss",
    lambda r: [
        S(r.normal(2, 3), r.uniform(0, 1, 2, 3)),
        S(r.normal(2, 3), r.uniform(0, 1, 2, 3), r.positive(3), reduction="none"),
        S(r.normal(3), r.uniform(0, 1, 3), reduction="sum"),
    ],
    reference=multilabel_soft_margin,
)


def alignments(labels, frames, blank):
    """All ways to spell the labels in that many frames: repeats merge, blanks vanish."""
    symbols = sorted({blank, *labels})
    for path in itertools.product(symbols, repeat=frames):
        merged = [k for k, _ in itertools.groupby(path)]
        if [k for k in merged if k != blank] == list(labels):
            yield path


def ctc(x, targets, frames, lengths, blank=0, reduction="mean", zero_infinity=False):
    reduction = {0: "none", 1: "mean", 2: "sum"}.get(reduction, reduction)
    rows = x[:, None] if x.ndim == 2 else x
    frames, lengths = np.atleast_1d(frames), np.atleast_1d(lengths)
    each, at = [], 0
    for i, (t, size) in enumerate(zip(frames, lengths, strict=True)):
        labels = targets[i, :size] if targets.ndim == 2 else targets[at : at + size]
        at += size
        p = sum(
            np.exp(sum(rows[k, i, c] for k, c in enumerate(path)))
            for path in alignments(labels.tolist(), t, blank)
        )
        each.append(-np.log(p) if p > 0 else 0.0 if zero_infinity else np.inf)
    each = np.array(each)
    if reduction == "mean":
        each = each / np.maximum(lengths, 1)
    return reduced(each[0] if x.ndim == 2 and reduction == "none" else each, reduction)


PADDED = indices([[1, 2, 0], [2, 2, 1], [1, 0, 0]])


def by_tensor(r, reductions):
    return [
        S(r.normal(5, 3, 3), PADDED, indices([5, 4, 3]), indices([2, 2, 0])),
        S(r.normal(5, 3, 3), PADDED, indices([5, 5, 5]), indices([2, 3, 1]), 0, reductions[0]),
        S(r.normal(4, 2, 3), indices([0, 1, 1]), indices([4, 4]), indices([1, 2]), 2,
          reductions[1]),
        S(r.normal(2, 2, 3), PADDED[:2], indices([2, 2]), indices([1, 2]), zero_infinity=True),
        S(r.normal(3, 3), indices([[1, 2]]), indices([3]), indices([2]), 0, reductions[1]),
    ]  # fmt: skip


def by_tuple(r):
    return [
        S(r.normal(4, 2, 3), PADDED[:2], (4, 3), (2, 1)),
        S(r.normal(3, 3), indices([1, 2]), (3,), (2,)),
    ]


# torch's gradient is that of log_softmax before it, which only agrees behind one.
for name, draw in [
    ("nn.functional.ctc_loss", lambda r: by_tensor(r, ("none", "sum"))),
    ("nn.functional.ctc_loss:ints", by_tuple),
    ("ctc_loss", lambda r: by_tensor(r, (0, 2))),
    ("ctc_loss:ints", by_tuple),
]:
    lengths = (lambda *n: n) if name.endswith("ints") else (lambda *n: indices(n))
    case(
        name,
        draw,
        reference=ctc,
        torch_name=None,
        # what all of them run is mapped under _nodes.ctc_loss
        vmap="concatenated targets have other sizes in each element of a batch",
        bad=[
            (S(ones(3, 1, 2), indices([[1]]), lengths(4), lengths(1)), RuntimeError),
            (S(ones(3, 1, 2), indices([[1]]), lengths(3), lengths(2)), RuntimeError),
            (S(ones(3, 1, 2), indices([[2]]), lengths(3), lengths(1)), RuntimeError),
            (S(ones(3, 1, 2), indices([[1]]), lengths(3, 3), lengths(1)), RuntimeError),
            (S(ones(3, 1, 2), indices([[1]]), lengths(3), lengths(1), 2), RuntimeError),
        ],
    )


def node_ctc(x, targets, frames, lengths, blank, zero_infinity):
    return ctc(x, targets, frames, lengths, blank, "none", zero_infinity)


case(
    "_nodes.ctc_loss",
    lambda r: [
        S(r.normal(4, 3, 3), PADDED, indices([4, 4, 3]), indices([2, 2, 0]), 0, False),
        S(r.normal(2, 2, 3), PADDED[:2], indices([2, 2]), indices([2, 2]), 0, True),
    ],
    reference=node_ctc,
    torch_name=None,
)
