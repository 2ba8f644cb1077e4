"""Reductions of losses: by number, and from the arguments that came before `reduction`."""

from __future__ import annotations

import warnings

__all__ = ["get_enum", "legacy_get_enum", "legacy_get_string"]

_NUMBERS = {"none": 0, "mean": 1, "elementwise_mean": 1, "sum": 2}


def get_enum(reduction: str) -> int:
    """0 for "none", 1 for "mean", 2 for "sum".

    Raises:
        ValueError: for another name.

    >>> adjoint.nn._reduction.get_enum("sum")
    2
    """
    if reduction not in _NUMBERS:
        raise ValueError(f"{reduction} is not a valid value for reduction: none, mean or sum")
    return _NUMBERS[reduction]


def legacy_get_string(
    size_average: bool | None, reduce: bool | None, emit_warning: bool = True
) -> str:
    """The reduction that `size_average` and `reduce` (True if None) say."""
    name = "sum" if size_average is False else "mean"
    name = "none" if reduce is False else name
    if emit_warning:
        warnings.warn(
            f"size_average and reduce are deprecated: use reduction='{name}'",
            UserWarning,
            stacklevel=3,
        )
    return name


def legacy_get_enum(
    size_average: bool | None, reduce: bool | None, emit_warning: bool = True
) -> int:
    """The number of the reduction that `size_average` and `reduce` say."""
    return get_enum(legacy_get_string(size_average, reduce, emit_warning))
