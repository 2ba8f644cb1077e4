"""`argnums`: which positional arguments a transform differentiates with respect to."""

from __future__ import annotations

from typing import Any

Argnums = int | tuple[int, ...]


def _positions(argnums: Any, count: int) -> list[int]:
    """`argnums` as positions from the left, checked against the number of arguments."""
    if not isinstance(argnums, (int, tuple)) or isinstance(argnums, bool):
        raise RuntimeError(
            f"argnums must be an int or a tuple of ints, got {type(argnums).__name__}"
        )
    numbers = argnums if isinstance(argnums, tuple) else (argnums,)
    if not numbers:
        raise RuntimeError("argnums is empty: there is nothing to differentiate with respect to")
    positions = []
    for number in numbers:
        if not isinstance(number, int):
            raise RuntimeError(f"argnums must hold ints, got {type(number).__name__}")
        if not -count <= number < count:
            raise RuntimeError(f"argnum {number} is out of range for {count} positional inputs")
        positions.append(number % count)
    if len(set(positions)) != len(positions):
        raise RuntimeError(f"argnums name an argument twice: {argnums}")
    return positions


def pick(args: tuple[Any, ...], argnums: Any) -> Any:
    """The argument that `argnums` names, or the tuple of those that it names."""
    positions = _positions(argnums, len(args))
    if isinstance(argnums, tuple):
        return tuple(args[i] for i in positions)
    return args[positions[0]]


def substitute(args: tuple[Any, ...], argnums: Any, values: Any) -> tuple[Any, ...]:
    """`args` with `values`, of the structure that `pick` returns, in place of those it returned."""
    positions = _positions(argnums, len(args))
    new = list(args)
    for i, value in zip(positions, values if isinstance(argnums, tuple) else (values,)):
        new[i] = value
    return tuple(new)
