"""A line search for the strong Wolfe conditions, with cubic interpolation."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

C1, C2 = 1e-4, 0.9  # sufficient decrease, and how far the slope must have flattened


class Point(NamedTuple):
    """A step length, the loss there, its gradient, and its slope along the direction."""

    t: float
    loss: float
    grad: Any
    slope: float


def strong_wolfe(
    at: Callable[[float], Point],
    start: Point,
    t: float,
    scale: float,
    tolerance_change: float,
    max_iter: int,
) -> tuple[Point, int]:
    """Find a point where the loss is low and flat enough (Nocedal, Wright, algorithms 3.5, 3.6).

    Args:
        at: evaluates a step length.
        start: the point at 0.
        t: the first length to try.
        scale: the largest element of the direction; the bracket may be ``tolerance_change / scale``
            wide.

    Returns:
        The point, and the number of evaluations.
    """

    def too_high(point: Point) -> bool:
        return point.loss > start.loss + C1 * point.t * start.slope

    def flat(point: Point) -> bool:
        return abs(point.slope) <= -C2 * start.slope

    # go out until two points have a good one between them
    last, point = start, at(t)
    evaluations, iteration = 1, 0
    while iteration < max_iter:
        if too_high(point) or (iteration > 1 and point.loss >= last.loss):
            break
        if flat(point):
            return point, evaluations
        if point.slope >= 0:
            break
        bounds = point.t + 0.01 * (point.t - last.t), point.t * 10
        last, point = point, at(cubic_minimum(last, point, bounds))
        evaluations += 1
        iteration += 1
    if iteration == max_iter:
        last = start
    low, high = (last, point) if last.loss <= point.loss else (point, last)

    stuck = False
    while iteration < max_iter and abs(high.t - low.t) * scale >= tolerance_change:
        left, right = sorted((low.t, high.t))
        first, second = (low, high) if low.t <= high.t else (high, low)
        t = cubic_minimum(first, second, (left, right))
        # near an end twice, or beyond it: a tenth of the bracket inside of it
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            if stuck or t >= right or t <= left:
                t = right - margin if right - t < t - left else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        point = at(t)
        evaluations += 1
        iteration += 1
        if too_high(point) or point.loss >= low.loss:
            high = point
            if high.loss < low.loss:
                low, high = high, low
            continue
        if flat(point):
            return point, evaluations
        if point.slope * (high.t - low.t) >= 0:
            high = low
        low = point
    return low, evaluations


def cubic_minimum(a: Point, b: Point, bounds: tuple[float, float]) -> float:
    """The minimum of the cubic through two points with their slopes, within ``bounds``; their
    middle if it has none (Nocedal, Wright, equation 3.59)."""
    low, high = bounds
    if a.t == b.t:
        return (low + high) / 2
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    if a.t > b.t:
        a, b = b, a
    d2 = math.sqrt(square)
    quotient = b.slope - a.slope + 2 * d2
    if quotient == 0:
        return (low + high) / 2
    t = b.t - (b.t - a.t) * ((b.slope + d2 - d1) / quotient)
    return min(max(t, low), high)
