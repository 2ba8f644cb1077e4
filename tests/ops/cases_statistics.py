"""Cases: quantiles, extrema so far, the most frequent element, differences, histograms."""

import numpy as np

import adjoint
from ops.case import S, case

M, VECTOR, SCALAR = adjoint.ones(2, 3), adjoint.ones(3), adjoint.tensor(1.0)
tensor = adjoint.tensor


def numpy_quantile(x, q, dim=None, keepdim=False, interpolation="linear"):
    return np.quantile(x, q, axis=dim, keepdims=keepdim, method=interpolation)


for name in ("quantile", "nanquantile"):
    case(
        name,
        lambda r: [
            S(r.distinct(3, 5), tensor([0.05, 0.3, 0.9]).double(), dim=1),
            S(r.distinct(3, 5), tensor(0.7).double(), 0, keepdim=True),
            S(r.distinct(2, 5), tensor([0.4]).double(), keepdim=True),
            S(r.distinct(2, 5), tensor([0.4, 0.9]).double()),
        ],
        reference=numpy_quantile,
        bad=[
            (S(M, tensor([1.5])), RuntimeError),
            (S(M, tensor([0.5]).double()), RuntimeError),
            (S(M.long(), tensor([0.5])), RuntimeError),
            (S(M, tensor([[0.5]])), RuntimeError),
            (S(M[:0], tensor([0.5])), RuntimeError),
            (S(M, tensor([0.5]), interpolation="cubic"), RuntimeError),
            (S(M, tensor([0.5]), dim=2), IndexError),
        ],
    )
    case(
        f"{name}:number",
        lambda r: (
            [
                S(r.distinct(3, 6), 0.3, dim=1, interpolation=how)
                for how in ("linear", "lower", "higher", "midpoint", "nearest")
            ]
            + [S(r.distinct(3, 5), 0.5), S(r.distinct(3, 5), 1, 0, True)]
        ),
        reference=numpy_quantile,
        bad=[
            (S(M, 1.5), RuntimeError),
            (S(M, -0.1), RuntimeError),
            (S(M.long(), 0.5), RuntimeError),
        ],
    )

case(
    "nanmean",
    lambda r: [
        S(r.normal(3, 4)),
        S(r.normal(2, 3, 4), dim=1),
        S(r.normal(2, 3), dim=(0, -1), keepdim=True),
    ],
    reference=lambda x, dim=None, keepdim=False: np.nanmean(
        x, axis=tuple(dim) if isinstance(dim, (list, tuple)) else dim, keepdims=keepdim
    ),
    bad=[(S(M.long()), RuntimeError), (S(M, dim=2), IndexError)],
)


def extrema(accumulate):
    def reference(x, dim):
        values = accumulate(x, axis=dim)
        places = np.indices(x.shape)[dim]
        return values, np.maximum.accumulate(np.where(x == values, places, 0), axis=dim)

    return reference


for name, ufunc in (("cummax", np.maximum), ("cummin", np.minimum)):
    case(
        name,
        lambda r: [S(r.distinct(3, 4), 0), S(r.distinct(2, 3, 2), dim=-2), S(r.distinct(5), 0)],
        reference=extrema(ufunc.accumulate),
        bad=[(S(M, 2), IndexError), (S(M.to(adjoint.complex64), 0), NotImplementedError)],
    )


def numpy_mode(x, dim=-1, keepdim=False):
    def one(line):
        values, counts = np.unique(line, return_counts=True)
        value = values[counts.argmax()]
        return value, np.flatnonzero(line == value)[-1]

    lines = np.moveaxis(x, dim, -1)
    picked = [one(line) for line in lines.reshape(-1, lines.shape[-1])]
    result = [np.array(p).reshape(lines.shape[:-1]) for p in zip(*picked, strict=True)]
    return tuple(np.expand_dims(p, dim) if keepdim else p for p in result)


case(
    "mode",
    lambda r: [
        S(r.distinct(3, 4)[:, tensor([0, 1, 1, 2, 0, 1])]),
        S(r.distinct(3, 4), 0),
        S(r.distinct(2, 3)[:, tensor([2, 0, 0])], dim=1, keepdim=True),
    ],
    reference=numpy_mode,
    torch_name=None,  # which of equal elements is named is not told
    # A step of one of equal elements changes which is the most frequent.
    grad=False,
    bad=[(S(M, 2), IndexError), (S(M[:0], 0), IndexError)],
)

case(
    "diff",
    lambda r: [
        S(r.normal(3, 4)),
        S(r.normal(5), n=2),
        S(r.normal(3, 2), dim=0, prepend=r.normal(1, 2), append=r.normal(2, 2)),
        S(r.normal(2, 3), n=5),
    ],
    reference=lambda x, n=1, dim=-1, **ends: (
        np.diff(x, n, dim, **ends) if n < 4 else np.zeros((*x.shape[:-1], 0))
    ),
    bad=[
        (S(SCALAR), RuntimeError),
        (S(M, -1), RuntimeError),
        (S(M, 1, 2), IndexError),
        (S(M, prepend=VECTOR), RuntimeError),
    ],
)


def numpy_histc(x, bins=100, low=0, high=0):
    if low == high:
        low, high = (x.min(), x.max()) if np.ptp(x) else (x.min() - 1, x.max() + 1)
    return np.histogram(x, bins, (low, high))[0].astype(x.dtype)


case(
    "histc",
    lambda r: [
        S(r.normal(20), 5, -1.0, 1.0),
        S(r.normal(4, 5), bins=4),
        S(tensor([2.0, 2.0]).double(), 3),
    ],
    reference=numpy_histc,
    grad=False,
    bad=[
        (S(M, 0), RuntimeError),
        (S(M, 3, 2.0, 1.0), RuntimeError),
        (S(M * float("nan"), 3), RuntimeError),
        (S(M.bool(), 3), NotImplementedError),
    ],
)
