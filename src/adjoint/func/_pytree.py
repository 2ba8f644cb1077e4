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

    def __init__(self, kind: Any, context: Any, children: list[TreeSpec], num_leaves: int) -> None:
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

    # As programs ask for them: `type` is None for a leaf.
    @property
    def type(self) -> Any:
        return self.kind

    @property
    def children_specs(self) -> list[TreeSpec]:
        return self.children

    @property
    def num_children(self) -> int:
        return len(self.children)

    @property
    def num_nodes(self) -> int:
        return 1 + sum(child.num_nodes for child in self.children)

    def is_leaf(self) -> bool:
        """Whether it is that of a leaf."""
        return self.kind is None

    def unflatten(self, leaves: Iterable[Any]) -> Any:
        """The pytree with these leaves."""
        return tree_unflatten(leaves, self)


_LEAF_SPEC = TreeSpec(None, None, [], 1)

# Other classes whose instances are containers: functions that take one apart, and rebuild it.
REGISTERED: dict[Any, tuple[Callable[[Any], Any], Callable[[Any, Any], Any]]] = {}


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
    if kind in REGISTERED:
        children, context = REGISTERED[kind][0](tree)
        return kind, context, list(children)
    if isinstance(tree, tuple) and (hasattr(kind, "_fields") or hasattr(kind, "n_fields")):
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
    if kind in REGISTERED:
        return REGISTERED[kind][1](children, context)
    if hasattr(kind, "n_fields"):  # what operators with several results return
        return kind(children)
    return kind(*children)


IsLeaf = Callable[[Any], bool] | None


def tree_flatten(tree: Any, is_leaf: IsLeaf = None) -> tuple[list[Any], TreeSpec]:
    """The leaves of a pytree in order, and its spec. What `is_leaf` says so of is one, too."""
    leaves: list[Any] = []
    return leaves, _flatten(tree, leaves, is_leaf)


def _flatten(tree: Any, leaves: list[Any], is_leaf: IsLeaf = None) -> TreeSpec:
    opened = None if is_leaf is not None and is_leaf(tree) else _open(tree)
    if opened is None:
        leaves.append(tree)
        return _LEAF_SPEC
    kind, context, items = opened
    before = len(leaves)
    children = [_flatten(item, leaves, is_leaf) for item in items]
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
