"""Nested containers: `utils._pytree`."""

from importlib import import_module
from typing import NamedTuple

import pytest
from _backend import NAME, torch

pytree = import_module(f"{NAME}.utils._pytree")


class Point(NamedTuple):
    x: object
    y: object


class Bag:
    """A container that the package does not know of itself."""

    def __init__(self, *items, label=None):
        self.items, self.label = items, label


pytree.register_pytree_node(Bag, lambda b: (b.items, b.label), lambda x, y: Bag(*x, label=y))

TREE = {"a": [1, (2,)], "b": Point(3, {"c": 4})}


def test_leaves_and_back():
    leaves, spec = pytree.tree_flatten(TREE)
    assert leaves == [1, 2, 3, 4] == list(pytree.tree_iter(TREE)) == pytree.tree_leaves(TREE)
    assert pytree.tree_unflatten(leaves, spec) == TREE == spec.unflatten(leaves)
    assert spec.num_leaves == 4 and not spec.is_leaf() and spec.type is dict
    assert pytree.tree_structure(TREE) == spec and pytree.tree_structure(5).is_leaf()


def test_maps():
    assert pytree.tree_map(lambda x, y: x * y, [1, (2,)], [3, (4,)]) == [3, (8,)]
    assert pytree.tree_map_only(int, str, [1, 2.5]) == ["1", 2.5]
    seen = []
    tree = [1, (2.5,)]
    assert pytree.tree_map_(seen.append, tree) is tree and seen == [1, 2.5]
    assert pytree.tree_map_only_(float, seen.append, tree) is tree and seen == [1, 2.5, 2.5]
    assert pytree.tree_all(bool, [1, 2]) and not pytree.tree_any(bool, [0, 0])
    assert pytree.tree_all_only(int, bool, [1, 0.0]) and pytree.tree_any_only(int, bool, [1, 0.0])


def test_what_is_a_leaf_can_be_said():
    def is_pair(x):
        return isinstance(x, tuple)

    assert pytree.tree_leaves([1, (2, 3)], is_leaf=is_pair) == [1, (2, 3)]
    assert pytree.tree_map(str, [1, (2, 3)], is_leaf=is_pair) == ["1", "(2, 3)"]
    assert pytree.tree_is_leaf((1,), is_leaf=is_pair) and not pytree.tree_is_leaf((1,))


def test_paths():
    found, spec = pytree.tree_flatten_with_path(TREE)
    assert [leaf for _, leaf in found] == [1, 2, 3, 4] and spec == pytree.tree_structure(TREE)
    texts = ["['a'][0]", "['a'][1][0]", "['b'].x", "['b'].y['c']"]
    assert [pytree.keystr(path) for path, _ in found] == texts
    assert pytree.tree_leaves_with_path(TREE) == found
    assert [key.get(TREE["b"]) for key in found[2][0][1:]] == [3]
    named = pytree.tree_map_with_path(lambda path, x: pytree.keystr(path), TREE)
    assert pytree.tree_leaves(named) == texts


def test_a_registered_class_is_a_container_for_transforms_too():
    assert pytree.tree_leaves([Bag(1, (2, 3))]) == [1, 2, 3]
    doubled = pytree.tree_map(lambda x: 2 * x, Bag(1, [2], label="n"))
    assert doubled.items == (2, [4]) and doubled.label == "n"
    bag = Bag(torch.ones(3), torch.arange(3.0), label="n")
    mapped = torch.vmap(lambda b: Bag(b.items[0] + b.items[1], label=b.label))(bag)
    assert mapped.items[0].tolist() == [1.0, 2.0, 3.0] and mapped.label == "n"
    grads = torch.func.grad(lambda b: (b.items[0] ** 2).sum())(Bag(torch.ones(2)))
    assert grads.items[0].tolist() == [2.0, 2.0]


@pytest.mark.adjoint_only
def test_a_class_is_registered_once():
    with pytest.raises(ValueError, match="already registered"):
        pytree.register_pytree_node(Bag, lambda b: (b.items, None), lambda x, _: Bag(*x))
