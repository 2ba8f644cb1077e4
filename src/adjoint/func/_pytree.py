"""Pytrees: nested tuples, lists, dicts and named tuples whose leaves are anything else (None too).

A transform flattens its arguments to a list of leaves, works on those, and puts results back
together.
"""

from __future__ import annotations

from collections import OrderedDict, defaultdict, deque
from collections.abc import Callable, Iterable
from typing import Any

from adjoint._core import Tensor

LEAF = "*"


class TreeSpec:
    """The shape of a pytree: the type of the container, what rebuilds it, and its children."""

    __slots__ = ("children", "context", "kind", "num_leaves")

    def __init__(
        self, kind: Any, context: Any, children: list[TreeSpec], num_leaves: int
    ) -> None:
        self.kind = kind  # None for a leaf
        self.context = context  # the keys of a dict, the factory of a defaultdict, ...
        self.children = children
        self.num_leaves = num_leaves

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, TreeSpec)
            and self.kind is other.kind
            and self.context == other.context
            and self.children == other.children
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        if self.kind is None:
            return LEAF
        inner = ", ".join(map(repr, self.children))
        keys = f"{self.context!r}, " if self.context is not None else ""
        return f"{self.kind.__name__}({keys}[{inner}])"


_LEAF_SPEC = TreeSpec(None, None, [], 1)


def _open(tree: Any) -> tuple[Any, Any, list[Any]] | None:
    """A container's type, context and children; None for a leaf."""
    kind = type(tree)
    if kind is Tensor:  # most often
        return None
    if kind is tuple or kind is list:
        return kind, None, list(tree)
    if kind is dict or kind is OrderedDict:
        return kind, list(tree), list(tree.values())
    if kind is defaultdict:
        return kind, [tree.default_factory, list(tree)], list(tree.values())
    if kind is deque:
        return kind, tree.maxlen, list(tree)
    if isinstance(tree, tuple) and hasattr(kind, "_fields"):
        return kind, None, list(tree)
    return None


def _rebuild(spec: TreeSpec, children: list[Any]) -> Any:
    kind, context = spec.kind, spec.context
    if kind is tuple or kind is list:
        return kind(children)
    if kind is dict or kind is OrderedDict:
        return kind(zip(context, children))
    if kind is defaultdict:
        return defaultdict(context[0], zip(context[1], children))
    if kind is deque:
        return deque(children, maxlen=context)
    return kind(*children)


def tree_flatten(tree: Any) -> tuple[list[Any], TreeSpec]:
    """The leaves of a pytree in order, and its spec."""
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves)


def _flatten(tree: Any, leaves: list[Any]) -> TreeSpec:
    opened = _open(tree)
    if opened is None:
        leaves.append(tree)
        return _LEAF_SPEC
    kind, context, items = opened
    before = len(leaves)
    children = [_flatten(item, leaves) for item in items]
    return TreeSpec(kind, context, children, len(leaves) - before)


def tree_unflatten(leaves: Iterable[Any], spec: TreeSpec) -> Any:
    """The pytree of a spec with these leaves."""
    leaves = list(leaves)
    if len(leaves) != spec.num_leaves:
        raise ValueError(f"{len(leaves)} leaves for a pytree of {spec.num_leaves}: {spec!r}")
    return _fill(iter(leaves), spec)


def _fill(leaves: Any, spec: TreeSpec) -> Any:
    if spec.kind is None:
        return next(leaves)
    return _rebuild(spec, [_fill(leaves, child) for child in spec.children])


def tree_map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The pytree with `function` applied to each leaf."""
    leaves, spec = tree_flatten(tree)
    return _fill(iter([function(leaf) for leaf in leaves]), spec)


def broadcast_prefix(prefix: Any, spec: TreeSpec) -> list[Any] | None:
    """A leaf of `prefix` for each leaf of `spec`; None if `prefix` is not a prefix of it.

    >>> from adjoint.func._pytree import broadcast_prefix, tree_flatten
    >>> _, spec = tree_flatten((1, [2, 3]))
    >>> broadcast_prefix((0, 1), spec)
    [0, 1, 1]
    """
    opened = _open(prefix)
    if opened is None:
        return [prefix] * spec.num_leaves
    kind, context, items = opened
    if kind is not spec.kind or context != spec.context or len(items) != len(spec.children):
        return None
    found: list[Any] = []
    for item, child in zip(items, spec.children):
        below = broadcast_prefix(item, child)
        if below is None:
            return None
        found += below
    return found
