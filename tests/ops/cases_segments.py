"""Reductions over runs of consecutive elements."""

import numpy as np

import adjoint
from ops.case import S, case

START = {"sum": 0, "mean": 0, "prod": 1, "max": -np.inf, "min": np.inf}


def segment_reduce(data, reduce, *, lengths=None, offsets=None, axis=0, unsafe=False, initial=None):
    if lengths is None:
        lengths = np.diff(offsets)
    out = np.empty(data.shape[:axis] + lengths.shape[-1:] + data.shape[axis + 1 :])
    first = START[reduce] if initial is None else initial
    for row in np.ndindex(data.shape[:axis]):
        at = 0
        for i, n in enumerate(lengths[row]):
            run = data[row][at : at + n]
            whole = np.concatenate([np.full((1, *run.shape[1:]), float(first)), run])
            if reduce != "mean":
                value = getattr(np, reduce)(whole, axis=0)
            elif n == 0 and initial is None:
                value = np.nan
            else:
                value = whole.sum(0) / max(n, 1)
            out[row][i] = value
            at += n
    return out


L = adjoint.tensor([2, 1, 3])
ROWS = adjoint.tensor([[1, 3], [2, 2]])

case(
    "segment_reduce",
    lambda r: [
        *[S(r.distinct(6, 2), how, lengths=L) for how in START],
        S(r.normal(2, 4, 3), "sum", lengths=ROWS, axis=1),
        S(r.distinct(2, 4), "max", lengths=ROWS, axis=1),
        S(r.normal(6), "mean", lengths=L, initial=2.0),
        S(r.normal(6), "prod", offsets=adjoint.tensor([0, 2, 3, 6])),
        S(r.normal(3, 2), "sum", lengths=adjoint.tensor([1, 0, 2]), unsafe=True),
    ],
    reference=segment_reduce,
    bad=[
        (S(adjoint.ones(3), "sum", lengths=L), RuntimeError),
        (S(adjoint.ones(6), "median", lengths=L), RuntimeError),
        (S(adjoint.ones(6), "sum"), RuntimeError),
        (S(adjoint.ones(2), "sum", lengths=adjoint.tensor([3, -1])), RuntimeError),
    ],
)
