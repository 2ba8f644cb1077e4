"""Derivatives of what is known at points."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import adjoint
from adjoint import Tensor

__all__ = ["gradient"]


def gradient(
    input: Tensor,
    *,
    spacing: Any = 1,
    dim: int | Sequence[int] | None = None,
    edge_order: int = 1,
) -> tuple[Tensor, ...]:
    """Estimates the derivatives of a function, of which `input` holds the values, along each dim.

    Inside by central differences of second order (for points that are not equally far apart, those
    of Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", 1988); at
    the ends by one-sided ones, of order `edge_order`, 1 or 2.

    Args:
        input: the values, at least `edge_order + 1` along each dim.
        spacing: how far apart the points are: a number; one for each dim; or for each dim the
            vector of its coordinates.
        dim: along which dims, by default all.

    Returns: a tuple, for each dim a tensor in the shape of `input`.

    >>> adjoint.gradient(adjoint.tensor([1., 4., 9., 16.]))
    (tensor([3., 4., 6., 7.]),)
    """
    if edge_order not in (1, 2):
        raise RuntimeError(
            f"torch.gradient only supports edge_order=1 and edge_order=2, got {edge_order}"
        )
    n = input.dim()
    dims = list(range(n)) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    for d in dims:
        if not -n <= d < n:
            raise IndexError(f"dimension {d} is out of range for a tensor of {n} dims")
    if len({d % n for d in dims}) != len(dims):
        raise RuntimeError(f"dim {dims} appears multiple times in the list of dims")
    spacing = 1 if spacing is None else spacing
    spacings = list(spacing) if isinstance(spacing, (list, tuple)) else [spacing] * len(dims)
    if len(spacings) != len(dims):
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar or a list of length "
            f"{len(dims)}, but got {len(spacings)}"
        )
    x = input if input.is_floating_point() or input.is_complex() else input.float()
    return tuple(_along(x, s, d % n, edge_order) for d, s in zip(dims, spacings, strict=True))


def _along(x: Tensor, spacing: Any, d: int, edge_order: int) -> Tensor:
    n = x.shape[d]
    if n < edge_order + 1:
        raise RuntimeError(
            f"torch.gradient expected each dimension size to be at least edge_order+1, got {n} "
            f"along dim {d}"
        )
    if isinstance(spacing, Tensor) and spacing.dim() == 1:
        if spacing.numel() != n:
            raise RuntimeError(
                f"torch.gradient expected the coordinates of dim {d} to be {n}, got "
                f"{spacing.numel()}"
            )
        steps = spacing.diff().to(x.dtype)
    else:
        step = adjoint.as_tensor(spacing, dtype=x.dtype)
        steps = step.expand(n - 1)
    x = x.movedim(d, -1)
    slopes = x.diff() / steps
    h, g = steps[:-1], steps[1:]
    inside = (slopes[..., :-1] * g + slopes[..., 1:] * h) / (h + g)
    first, last = slopes[..., :1], slopes[..., -1:]
    if edge_order == 2:
        # The slopes of the parabolas through three points.
        first = first + (first - slopes[..., 1:2]) * steps[:1] / (steps[:1] + steps[1:2])
        last = last + (last - slopes[..., -2:-1]) * steps[-1:] / (steps[-1:] + steps[-2:-1])
    return adjoint.cat([first, inside, last], -1).movedim(-1, d)
