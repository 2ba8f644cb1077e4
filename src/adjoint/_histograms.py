"""Histograms of one and several dims, with bins of any width."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Sequence
from typing import Any

import adjoint
from adjoint import Tensor

__all__ = ["histogram", "histogramdd"]


class _Histogram(namedtuple("_Histogram", "hist bin_edges")):
    __slots__ = ()

    def __repr__(self) -> str:
        return f"torch.return_types.histogram(\nhist={self.hist},\nbin_edges={self.bin_edges})"


class _Histogramdd(namedtuple("_Histogramdd", "hist bin_edges")):
    __slots__ = ()

    def __repr__(self) -> str:
        return f"torch.return_types.histogramdd(\nhist={self.hist},\nbin_edges={self.bin_edges})"


for _kind in (_Histogram, _Histogramdd):
    _kind.__name__ = _kind.__qualname__ = _kind.__name__[1:].lower()
    _kind.__module__ = "torch.return_types"


def _check(name: str, input: Tensor, weight: Tensor | None, size: int) -> None:
    if input.dtype not in (adjoint.float32, adjoint.float64):
        raise RuntimeError(f"{name}(): input must be float32 or float64, got {input.dtype}")
    if weight is not None and weight.dtype != input.dtype:
        raise RuntimeError(
            f"{name}(): if weight tensor is provided, input tensor and weight tensor should have "
            f"the same dtype, but got input {input.dtype}, and weight {weight.dtype}"
        )
    if weight is not None and weight.numel() != size:
        raise RuntimeError(
            f"{name}(): weight must have one element for each of the {size} observations, got "
            f"shape {tuple(weight.shape)}"
        )


def _edges(name: str, x: Tensor, bins: Any, range: tuple[float, float] | None) -> Tensor:
    """The ends of the bins of one dim; `x` holds its coordinates."""
    if isinstance(bins, Tensor):
        if range is not None:
            raise TypeError(f"{name}(): range is for a number of bins, not for their edges")
        if bins.dim() != 1 or bins.dtype != x.dtype:
            raise RuntimeError(
                f"{name}(): bin edges must be a vector of the input's dtype, got shape "
                f"{tuple(bins.shape)} and {bins.dtype}"
            )
        return bins
    if bins <= 0:
        raise RuntimeError(f"{name}(): bins must be > 0, got {bins}")
    if range is not None:
        low, high = range
    elif x.numel():
        low, high = x.min().item(), x.max().item()
    else:
        low, high = 0.0, 1.0
    if not (low <= high and abs(low) < float("inf") and abs(high) < float("inf")):
        raise RuntimeError(f"{name}(): range of [{low}, {high}] is not finite and increasing")
    if low == high:
        low, high = low - 0.5, high + 0.5
    return adjoint.linspace(low, high, bins + 1, dtype=x.dtype)


def _count(
    name: str,
    points: Tensor,
    bins: Sequence[Any],
    ranges: Sequence[Any],
    weight: Tensor | None,
    density: bool,
) -> tuple[Tensor, list[Tensor]]:
    """Of points [n, d]: the histogram and the edges of each dim."""
    with adjoint.no_grad():
        edges = [_edges(name, points[:, i], b, r) for i, (b, r) in enumerate(zip(bins, ranges))]
        sizes = [e.numel() - 1 for e in edges]
        place = adjoint.zeros(points.shape[0], dtype=adjoint.int64)
        inside = adjoint.ones(points.shape[0], dtype=adjoint.bool)
        for i, e in enumerate(edges):
            x = points[:, i].contiguous()
            at = adjoint.searchsorted(e, x, right=True) - 1
            at = adjoint.where(x == e[-1], sizes[i] - 1, at)  # the last bin holds its end
            inside = inside & (x >= e[0]) & (x <= e[-1])
            place = place * sizes[i] + at
        weight = adjoint.ones_like(points[:, 0]) if weight is None else weight.reshape(-1)
        total = adjoint.Size(sizes).numel()
        hist = adjoint.zeros(total, dtype=points.dtype)
        hist = hist.index_add(0, place[inside], weight[inside]).reshape(sizes)
        if density:
            hist = hist / hist.sum()
            for i, e in enumerate(edges):
                hist = hist / e.diff().reshape(-1, *(1,) * (len(sizes) - 1 - i))
        return hist, edges


def histogram(
    input: Tensor,
    bins: int | Tensor,
    *,
    range: tuple[float, float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
    out: Any = None,
) -> Any:
    """How many elements lie in each bin, and the bins' edges: a named tuple (hist, bin_edges).

    Args:
        input: float32 or float64, of any shape.
        bins: their number, of equal width, or a vector of edges in order.
        range: of the bins, by default that of the elements.
        weight: what each element counts, in the shape of `input`.
        density: divide by the bin's width and the total.

    A bin holds its left edge, the last one its right edge too. Not differentiable.

    >>> adjoint.histogram(adjoint.tensor([1., 2., 1.]), bins=4, range=(0., 3.)).hist
    tensor([0., 2., 1., 0.])
    """
    _check("histogram", input, weight, input.numel())
    hist, edges = _count(
        "histogram", input.detach().reshape(-1, 1), [bins], [range], weight, density
    )
    if out is not None:
        out[0].resize_(hist.shape).copy_(hist)
        out[1].resize_(edges[0].shape).copy_(edges[0])
        return _Histogram(*out)
    return _Histogram(hist, edges[0])


def histogramdd(
    input: Tensor,
    bins: int | Sequence[int] | Sequence[Tensor],
    *,
    range: Sequence[float] | None = None,
    weight: Tensor | None = None,
    density: bool = False,
) -> Any:
    """How many points lie in each cell of a grid: a named tuple (hist, bin_edges), edges by dim.

    Args:
        input: points [..., d], float32 or float64.
        bins: how many along every dim, or for each one a number or a vector of edges.
        range: the least and the largest coordinate of each dim, one behind the other.
        weight: what each point counts, in the shape of `input` without its last dim.
        density: divide by the cell's volume and the total.

    >>> points = adjoint.tensor([[0., 1.], [1., 0.], [1., 0.]])
    >>> adjoint.histogramdd(points, bins=[2, 2]).hist
    tensor([[0., 1.],
            [2., 0.]])
    """
    if input.dim() < 2:
        raise RuntimeError(
            f"histogramdd(): input must be points [..., d], got shape {tuple(input.shape)}"
        )
    d = input.shape[-1]
    points = input.detach().reshape(-1, d)
    _check("histogramdd", input, weight, points.shape[0])
    each = [bins] * d if isinstance(bins, int) else list(bins)
    if len(each) != d:
        raise RuntimeError(f"histogramdd(): expected {d} sequences of bin edges, got {len(each)}")
    if range is not None and len(range) != 2 * d:
        raise RuntimeError(f"histogramdd(): expected {2 * d} numbers of ranges, got {len(range)}")
    ranges = [None] * d if range is None else list(zip(range[::2], range[1::2], strict=True))
    hist, edges = _count("histogramdd", points, each, ranges, weight, density)
    return _Histogramdd(hist, tuple(edges))
