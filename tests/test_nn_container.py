"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from collections import OrderedDict

import pytest
from _backend import torch

nn = torch.nn


def kinds(modules):
    return [type(m).__name__ for m in modules]


def three():
    return nn.Sequential(nn.ReLU(), nn.Tanh(), nn.Sigmoid())


def test_sequential_applies_in_order():
    model = nn.Sequential(nn.ReLU(), nn.Flatten())
    assert model(torch.tensor([[[-1.0], [2.0]]])).tolist() == [[0, 2]]


def test_sequential_of_named_modules():
    model = nn.Sequential(OrderedDict(first=nn.ReLU(), second=nn.Tanh()))
    assert isinstance(model.second, nn.Tanh)
    assert isinstance(model[1], nn.Tanh)
    assert [name for name, _ in model.named_children()] == ["first", "second"]
    assert [name for name, _ in model[1:].named_children()] == ["second"]


def test_sequential_is_indexed_like_a_list():
    model = three()
    assert isinstance(model[-1], nn.Sigmoid)
    assert kinds(model[:2]) == ["ReLU", "Tanh"]
    assert isinstance(model[:2], nn.Sequential)
    assert len(model) == 3
    model[1] = nn.GELU()
    assert kinds(model) == ["ReLU", "GELU", "Sigmoid"]


@pytest.mark.parametrize("make", [three, lambda: nn.ModuleList(three())])
@pytest.mark.parametrize("index", [3, -4])
def test_an_index_out_of_range_is_an_error(make, index):
    with pytest.raises(IndexError, match="out of range"):
        make()[index]
    with pytest.raises(IndexError):
        make()[index] = nn.ReLU()


@pytest.mark.parametrize("make", [three, lambda: nn.ModuleList(three())])
def test_removing_numbers_the_rest_anew(make):
    model = make()
    del model[0]
    assert [name for name, _ in model.named_children()] == ["0", "1"]
    assert kinds(model) == ["Tanh", "Sigmoid"]
    model = make()
    del model[::2]
    assert kinds(model) == ["Tanh"]
    assert kinds([model.pop(0)]) == ["Tanh"]
    assert len(model) == 0


@pytest.mark.parametrize("make", [three, lambda: nn.ModuleList(three())])
def test_inserting_and_appending(make):
    model = make()
    model.insert(1, nn.GELU())
    model.append(nn.ELU())
    model.extend([nn.SELU()])
    assert kinds(model) == ["ReLU", "GELU", "Tanh", "Sigmoid", "ELU", "SELU"]
    assert [name for name, _ in model.named_children()] == list("012345")


@pytest.mark.parametrize("bad", [3, None, "ab"])
def test_only_modules_can_be_appended(bad):
    model = three()
    if bad is not None:
        with pytest.raises(TypeError):
            model.append(bad)
    with pytest.raises(TypeError):
        model.extend(bad)
    assert len(model) == 3


def test_sequential_arithmetic():
    assert kinds(three()[:1] + three()[1:]) == ["ReLU", "Tanh", "Sigmoid"]
    assert kinds(three()[:2] * 2) == ["ReLU", "Tanh", "ReLU", "Tanh"]
    assert len(2 * three()) == 6
    model = three()
    model += three()
    assert len(model) == 6
    model *= 2
    assert len(model) == 12
    with pytest.raises(TypeError):
        three() * 1.5
    with pytest.raises(ValueError):
        three() * 0


def test_module_list_is_a_list():
    layers = nn.ModuleList([nn.ReLU(), nn.Tanh()])
    assert kinds(layers + [nn.GELU()]) == ["ReLU", "Tanh", "GELU"]
    layers += [nn.ELU()]
    assert len(layers) == 3
    assert isinstance(layers[1:], nn.ModuleList)
    with pytest.raises(NotImplementedError):
        layers(1)


def test_module_list_repr_joins_equal_neighbours():
    layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()])
    assert repr(layers) == (
        "ModuleList(\n"
        "  (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)\n"
        "  (2): ReLU()\n"
        ")"
    )
    assert repr(nn.ModuleList()) == "ModuleList()"


def test_module_dict_is_a_dict():
    choices = nn.ModuleDict({"b": nn.ReLU(), "a": nn.Tanh()})
    assert list(choices) == ["b", "a"] and "a" in choices and len(choices) == 2
    choices["c"] = nn.GELU()
    choices.update([["d", nn.ELU()]])
    assert kinds(choices.values()) == ["ReLU", "Tanh", "GELU", "ELU"]
    assert isinstance(choices.pop("b"), nn.ReLU)
    del choices["a"]
    assert list(choices.keys()) == ["c", "d"]
    assert [name for name, _ in choices.items()] == ["c", "d"]
    choices.clear()
    assert len(choices) == 0


@pytest.mark.parametrize("container", [nn.ModuleDict, nn.ParameterDict])
def test_dictionaries_take_pairs_only(container):
    with pytest.raises(TypeError):
        container(3)
    with pytest.raises(TypeError):
        container([3])
    with pytest.raises(ValueError):
        container([("a",)])


def test_parameter_list():
    weights = nn.ParameterList([torch.ones(2), nn.Parameter(torch.zeros(1)), "note"])
    assert isinstance(weights[0], nn.Parameter)
    assert weights[-1] == "note"
    assert len(list(weights.parameters())) == 2
    weights.append(torch.ones(1)).extend([torch.ones(3)])
    assert len(weights) == 5 and len(weights[1:]) == 4
    weights[0] = torch.zeros(7)
    assert weights[0].shape == (7,) and [len(p) for p in weights.parameters()] == [7, 1, 1, 3]
    with pytest.raises(IndexError):
        weights[5]
    with pytest.raises(TypeError):
        weights.extend(torch.ones(2))
    with pytest.raises(RuntimeError):
        weights(1)


def test_parameter_dict():
    weights = nn.ParameterDict([("b", torch.ones(2)), ("a", 3)])
    assert isinstance(weights["b"], nn.Parameter) and weights["a"] == 3
    assert list(weights) == ["b", "a"] and list(reversed(weights)) == ["a", "b"]
    assert weights.get("c") is None and weights.setdefault("c", 5) == 5
    assert weights.pop("a") == 3 and "a" not in weights
    assert weights.popitem() == ("c", 5)
    assert [name for name, _ in weights.named_parameters()] == ["b"]
    merged = weights | nn.ParameterDict({"z": torch.ones(1)})
    assert list(merged) == ["b", "z"] and list(weights) == ["b"]
    weights |= {"y": 1}
    assert list(weights.keys()) == ["b", "y"]
    assert [k for k, _ in weights.items()] == ["b", "y"] and len(list(weights.values())) == 2
    assert list(weights.fromkeys(["p", "q"], 0)) == ["p", "q"]
    weights.clear()
    assert len(weights) == 0 and not list(weights.parameters())
    with pytest.raises((KeyError, AttributeError)):  # the second in torch
        weights["b"]


def test_a_key_may_not_hide_a_method():
    with pytest.raises(KeyError):
        nn.ParameterDict({"keys": torch.ones(1)})


def test_parameter_containers_print_what_they_hold():
    assert repr(nn.ParameterList([torch.ones(2, 3), 4])) == (
        "ParameterList(\n"
        "    (0): Parameter containing: [torch.float32 of size 2x3]\n"
        "    (1): Object of type: int\n"
        ")"
    )
    assert repr(nn.ParameterDict({"w": torch.ones(2)})) == (
        "ParameterDict(  (w): Parameter containing: [torch.FloatTensor of size 2])"
    )
