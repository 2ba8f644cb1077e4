"""Nested containers and their leaves, under the names by which programs ask for them.

>>> from adjoint.utils._pytree import tree_flatten, tree_unflatten
>>> leaves, spec = tree_flatten({"a": 1, "b": [2, 3]})
>>> tree_unflatten([10 * x for x in leaves], spec)
{'a': 10, 'b': [20, 30]}
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adjoint.func._pytree import TreeSpec, tree_flatten, tree_unflatten

__all__ = ["PyTree", "TreeSpec", "tree_all", "tree_any", "tree_flatten", "tree_leaves", "tree_map",
           "tree_map_only", "tree_structure", "tree_unflatten"]  # fmt: skip

PyTree = Any


def tree_leaves(tree: Any) -> list[Any]:
    """The leaves in order.

    >>> from adjoint.utils._pytree import tree_leaves
    >>> tree_leaves((1, [2, {"a": 3}]))
    [1, 2, 3]
    """
    return tree_flatten(tree)[0]


def tree_structure(tree: Any) -> TreeSpec:
    """The containers without their leaves."""
    return tree_flatten(tree)[1]


def tree_map(function: Callable[..., Any], tree: Any, *rests: Any) -> Any:
    """The tree of `function` of each leaf, and of the leaves at its place in the `rests`.

    Raises:
        ValueError: one of `rests` has other containers.

    >>> from adjoint.utils._pytree import tree_map
    >>> tree_map(lambda x, y: x + y, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    leaves, spec = tree_flatten(tree)
    columns = [leaves]
    for rest in rests:
        others, other_spec = tree_flatten(rest)
        if other_spec != spec:
            raise ValueError(f"the trees differ: {spec} and {other_spec}")
        columns.append(others)
    return tree_unflatten([function(*row) for row in zip(*columns, strict=True)], spec)


def tree_map_only(kind: Any, function: Callable[[Any], Any], tree: Any) -> Any:
    """`tree_map` over the leaves of a type, or of a tuple of types; others stay.

    >>> from adjoint.utils._pytree import tree_map_only
    >>> tree_map_only(int, str, [1, 2.5])
    ['1', 2.5]
    """
    return tree_map(lambda x: function(x) if isinstance(x, kind) else x, tree)


def tree_all(predicate: Callable[[Any], bool], tree: Any) -> bool:
    """Whether it holds of every leaf."""
    return all(map(predicate, tree_leaves(tree)))


def tree_any(predicate: Callable[[Any], bool], tree: Any) -> bool:
    """Whether it holds of a leaf."""
    return any(map(predicate, tree_leaves(tree)))
