"""Nested containers and their leaves, under the names by which programs ask for them.

>>> from adjoint.utils._pytree import tree_flatten, tree_unflatten
>>> leaves, spec = tree_flatten({"a": 1, "b": [2, 3]})
>>> tree_unflatten([10 * x for x in leaves], spec)
{'a': 10, 'b': [20, 30]}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from adjoint.func._pytree import (
    _LEAF_SPEC,
    REGISTERED,
    IsLeaf,
    TreeSpec,
    _open,
    broadcast_prefix,
    tree_flatten,
    tree_unflatten,
)

__all__ = [
    "GetAttrKey", "LeafSpec", "MappingKey", "PyTree", "PyTreeSpec", "SequenceKey",
    "TreeSpec", "is_namedtuple", "keystr", "register_pytree_node", "tree_all",
    "tree_all_only", "tree_any", "tree_any_only", "tree_flatten", "tree_flatten_with_path",
    "tree_is_leaf", "tree_iter", "tree_leaves", "tree_leaves_with_path", "tree_map",
    "tree_map_", "tree_map_only", "tree_map_only_", "tree_map_with_path", "tree_structure",
    "tree_unflatten",
]  # fmt: skip

PyTree = Any
PyTreeSpec = TreeSpec


def LeafSpec() -> TreeSpec:
    """The spec of a leaf."""
    return _LEAF_SPEC


def register_pytree_node(
    cls: type,
    flatten_fn: Callable[[Any], tuple[Any, Any]],
    unflatten_fn: Callable[[Any, Any], Any],
    *,
    serialized_type_name: str | None = None,
    to_dumpable_context: Any = None,
    from_dumpable_context: Any = None,
    flatten_with_keys_fn: Any = None,
) -> None:
    """Makes the instances of a class containers, here and for the transforms of `adjoint.func`.

    Args:
        cls: the class itself; instances of subclasses stay leaves.
        flatten_fn: takes an instance apart: its children, and what else it is made of.
        unflatten_fn: rebuilds one from those two.
        serialized_type_name, to_dumpable_context, from_dumpable_context, flatten_with_keys_fn:
            accepted.

    Raises:
        ValueError: the class is registered already.

    >>> class Pair:
    ...     def __init__(self, a, b):
    ...         self.a, self.b = a, b
    >>> from adjoint.utils._pytree import register_pytree_node, tree_leaves
    >>> register_pytree_node(Pair, lambda p: ([p.a, p.b], None), lambda parts, _: Pair(*parts))
    >>> tree_leaves([Pair(1, (2, 3))])
    [1, 2, 3]
    """
    if cls in REGISTERED:
        raise ValueError(f"{cls} is already registered as pytree node.")
    REGISTERED[cls] = flatten_fn, unflatten_fn


_register_pytree_node = register_pytree_node


def is_namedtuple(obj: Any) -> bool:
    """Whether it is a named tuple, or a class of them."""
    cls = obj if isinstance(obj, type) else type(obj)
    return issubclass(cls, tuple) and hasattr(cls, "_fields")


def tree_is_leaf(tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Whether a pytree is a leaf itself."""
    return (is_leaf is not None and is_leaf(tree)) or _open(tree) is None


def _dict_flatten(d: dict[Any, Any]) -> tuple[list[Any], list[Any]]:
    return list(d.values()), list(d)


def _dict_flatten_with_keys(d: dict[Any, Any]) -> tuple[list[tuple[MappingKey, Any]], list[Any]]:
    return [(MappingKey(key), value) for key, value in d.items()], list(d)


def _dict_unflatten(values: Any, context: Any) -> dict[Any, Any]:
    return dict(zip(context, values, strict=True))


def tree_iter(tree: Any, is_leaf: IsLeaf = None) -> Iterator[Any]:
    """The leaves in order, one by one."""
    yield from tree_flatten(tree, is_leaf)[0]


def tree_leaves(tree: Any, is_leaf: IsLeaf = None) -> list[Any]:
    """The leaves in order.

    >>> from adjoint.utils._pytree import tree_leaves
    >>> tree_leaves((1, [2, {"a": 3}]))
    [1, 2, 3]
    """
    return tree_flatten(tree, is_leaf)[0]


def tree_structure(tree: Any, is_leaf: IsLeaf = None) -> TreeSpec:
    """The containers without their leaves."""
    return tree_flatten(tree, is_leaf)[1]


def tree_map(function: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf = None) -> Any:
    """The tree of `function` of each leaf, and of the leaves at its place in the `rests`.

    Raises:
        ValueError: one of `rests` has other containers.

    >>> from adjoint.utils._pytree import tree_map
    >>> tree_map(lambda x, y: x + y, [1, (2,)], [10, (20,)])
    [11, (22,)]
    """
    leaves, spec = tree_flatten(tree, is_leaf)
    columns = [leaves]
    for rest in rests:
        others, other_spec = tree_flatten(rest, is_leaf)
        if other_spec != spec:
            raise ValueError(f"the trees differ: {spec} and {other_spec}")
        columns.append(others)
    return tree_unflatten([function(*row) for row in zip(*columns, strict=True)], spec)


def tree_map_(function: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf = None) -> Any:
    """Calls `function` as `tree_map` does, for what it does to the leaves; returns the tree."""
    tree_map(function, tree, *rests, is_leaf=is_leaf)
    return tree


def _chooses(kind: Any) -> Callable[[Any], bool]:
    """Whether a leaf is of a type, of one of a tuple of types, or chosen by a function."""
    if isinstance(kind, (type, tuple)) or not callable(kind):
        return lambda x: isinstance(x, kind)
    return kind


def tree_map_only(
    kind: Any, function: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf = None
) -> Any:
    """`tree_map` over the leaves of a type, or of a tuple of types; others stay.

    >>> from adjoint.utils._pytree import tree_map_only
    >>> tree_map_only(int, str, [1, 2.5])
    ['1', 2.5]
    """
    chosen = _chooses(kind)
    return tree_map(lambda x: function(x) if chosen(x) else x, tree, is_leaf=is_leaf)


def tree_map_only_(
    kind: Any, function: Callable[[Any], Any], tree: Any, is_leaf: IsLeaf = None
) -> Any:
    """Calls `function` with the leaves of a type; returns the tree."""
    tree_map_only(kind, function, tree, is_leaf)
    return tree


def tree_all(predicate: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Whether it holds of every leaf."""
    return all(map(predicate, tree_leaves(tree, is_leaf)))


def tree_any(predicate: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None) -> bool:
    """Whether it holds of a leaf."""
    return any(map(predicate, tree_leaves(tree, is_leaf)))


def tree_all_only(
    kind: Any, predicate: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None
) -> bool:
    """Whether it holds of every leaf of a type."""
    return all(map(predicate, filter(_chooses(kind), tree_leaves(tree, is_leaf))))


def tree_any_only(
    kind: Any, predicate: Callable[[Any], bool], tree: Any, is_leaf: IsLeaf = None
) -> bool:
    """Whether it holds of a leaf of a type."""
    return any(map(predicate, filter(_chooses(kind), tree_leaves(tree, is_leaf))))


class SequenceKey(NamedTuple):
    """The way to a child by its index."""

    idx: int

    def __str__(self) -> str:
        return f"[{self.idx!r}]"

    def get(self, parent: Any) -> Any:
        """The child."""
        return parent[self.idx]


class MappingKey(NamedTuple):
    """The way to a child by its key."""

    key: Any

    def __str__(self) -> str:
        return f"[{self.key!r}]"

    def get(self, parent: Any) -> Any:
        """The child."""
        return parent[self.key]


class GetAttrKey(NamedTuple):
    """The way to a child by its name."""

    name: str

    def __str__(self) -> str:
        return f".{self.name}"

    def get(self, parent: Any) -> Any:
        """The child."""
        return getattr(parent, self.name)


def keystr(kp: tuple[Any, ...]) -> str:
    """The path as text.

    >>> from adjoint.utils._pytree import keystr, tree_flatten_with_path
    >>> [(keystr(path), leaf) for path, leaf in tree_flatten_with_path({"a": [1, 2]})[0]]
    [("['a'][0]", 1), ("['a'][1]", 2)]
    """
    return "".join(map(str, kp))


def tree_flatten_with_path(
    tree: Any, is_leaf: IsLeaf = None
) -> tuple[list[tuple[tuple[Any, ...], Any]], TreeSpec]:
    """The leaves, each with the keys that lead to it, and the spec."""
    return list(_paths(tree, (), is_leaf)), tree_structure(tree, is_leaf)


def tree_leaves_with_path(tree: Any, is_leaf: IsLeaf = None) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves, each with the keys that lead to it."""
    return list(_paths(tree, (), is_leaf))


def tree_map_with_path(
    func: Callable[..., Any], tree: Any, *rests: Any, is_leaf: IsLeaf = None
) -> Any:
    """`tree_map` with a function whose first argument is the path to the leaf."""
    paths = iter([path for path, _ in _paths(tree, (), is_leaf)])
    return tree_map(lambda *leaves: func(next(paths), *leaves), tree, *rests, is_leaf=is_leaf)


def _paths(tree: Any, path: tuple[Any, ...], is_leaf: IsLeaf) -> Iterator[Any]:
    opened = None if is_leaf is not None and is_leaf(tree) else _open(tree)
    if opened is None:
        yield path, tree
        return
    kind, _, children = opened
    keys: list[Any]
    if isinstance(tree, dict) and kind not in REGISTERED:
        keys = [MappingKey(key) for key in tree]
    elif hasattr(kind, "_fields"):
        keys = [GetAttrKey(name) for name in kind._fields]
    else:
        keys = [SequenceKey(i) for i in range(len(children))]
    for key, child in zip(keys, children, strict=True):
        yield from _paths(child, (*path, key), is_leaf)


def _broadcast_to_and_flatten(
    tree: Any, treespec: TreeSpec, is_leaf: IsLeaf = None
) -> list[Any] | None:
    """A leaf of `tree` for each leaf of `treespec`; None if it is not a prefix of that."""
    return broadcast_prefix(tree, treespec)
