"""nn.utils.prune: which elements each rule takes, and what becomes of the module."""

import importlib

import pytest
from _backend import NAME, torch

nn = torch.nn
prune = importlib.import_module(f"{NAME}.nn.utils.prune")


def layer():
    module = nn.Linear(3, 2)
    module.weight.data = torch.tensor([[1.0, -2.0, 3.0], [-0.5, 0.25, 4.0]])
    module.bias.data = torch.tensor([0.125, -0.25])
    return module


def mask(module):
    return module.weight_mask.tolist()


def test_the_parameter_is_split():
    module = prune.l1_unstructured(layer(), "weight", amount=2)
    assert [name for name, _ in module.named_parameters()] == ["bias", "weight_orig"]
    assert [name for name, _ in module.named_buffers()] == ["weight_mask"]
    assert mask(module) == [[1, 1, 1], [0, 0, 1]]
    assert module.weight.tolist() == [[1, -2, 3], [0, 0, 4]]
    assert prune.is_pruned(nn.Sequential(module)) and not prune.is_pruned(layer())


def test_gradients_reach_what_is_left():
    module = prune.l1_unstructured(layer(), "weight", amount=2)
    module(torch.ones(1, 3)).sum().backward()
    assert module.weight_orig.grad.tolist() == [[1, 1, 1], [0, 0, 1]]


def test_each_call_masks_the_parameter_as_it_is_now():
    module = prune.l1_unstructured(layer(), "weight", amount=2)
    with torch.no_grad():
        module.weight_orig.fill_(1.0)
    assert (module(torch.ones(1, 3)) - module.bias).tolist() == [[3, 1]]


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (lambda m: prune.l1_unstructured(m, "weight", 0.5), [[0, 1, 1], [0, 0, 1]]),
        (lambda m: prune.l1_unstructured(m, "weight", 0), [[1, 1, 1], [1, 1, 1]]),
        (lambda m: prune.ln_structured(m, "weight", 1, n=2, dim=0), [[0, 0, 0], [1, 1, 1]]),
        (lambda m: prune.ln_structured(m, "weight", 1, n=1, dim=1), [[0, 1, 1], [0, 1, 1]]),
        (
            lambda m: prune.ln_structured(m, "weight", 0.5, n=float("inf"), dim=-1),
            [[0, 0, 1], [0, 0, 1]],
        ),
        (lambda m: prune.identity(m, "weight"), [[1, 1, 1], [1, 1, 1]]),
        (
            lambda m: prune.custom_from_mask(m, "weight", torch.tensor([[1, 0, 1], [0, 1, 1]])),
            [[1, 0, 1], [0, 1, 1]],
        ),
        (
            lambda m: prune.l1_unstructured(
                m, "weight", 2, importance_scores=torch.arange(6.0).view(2, 3)
            ),
            [[0, 0, 1], [1, 1, 1]],
        ),
    ],
)
def test_rules(rule, expected):
    assert mask(rule(layer())) == expected


def test_random_rules_take_as_many():
    assert int((prune.random_unstructured(layer(), "weight", 4).weight_mask == 0).sum()) == 4
    columns = prune.random_structured(layer(), "weight", 1, dim=1).weight_mask.sum(0)
    assert sorted(columns.tolist()) == [0, 2, 2]


def test_pruning_again_takes_from_what_is_left():
    module = prune.l1_unstructured(layer(), "weight", amount=2)
    prune.l1_unstructured(module, "weight", amount=0.5)
    assert mask(module) == [[0, 0, 1], [0, 0, 1]]
    module = prune.ln_structured(layer(), "weight", 1, n=2, dim=1)
    prune.ln_structured(module, "weight", 1, n=2, dim=1)
    assert mask(module) == [[0, 0, 1], [0, 0, 1]]
    (hook,) = module._forward_pre_hooks.values()
    assert isinstance(hook, prune.PruningContainer) and len(hook) == 2


def test_several_parameters_as_one():
    first, second = layer(), layer()
    with torch.no_grad():
        second.weight.mul_(0.1)
    prune.global_unstructured(
        [(first, "weight"), (second, "weight")], prune.L1Unstructured, amount=5
    )
    assert mask(first) == [[1, 1, 1], [1, 0, 1]] and mask(second) == [[0, 0, 1], [0, 0, 1]]


def test_remove_makes_it_permanent():
    module = prune.l1_unstructured(layer(), "weight", amount=2)
    original = module.weight_orig
    prune.remove(module, "weight")
    assert module.weight is original and module.weight.tolist() == [[1, -2, 3], [0, 0, 4]]
    assert not prune.is_pruned(module)
    assert sorted(module.state_dict()) == ["bias", "weight"]


def test_checkpoints():
    module = prune.l1_unstructured(layer(), "weight", amount=2)
    twin = prune.identity(layer(), "weight")
    twin.load_state_dict(module.state_dict())
    assert twin(torch.eye(3)).tolist() == module(torch.eye(3)).tolist()


def test_a_method_of_ones_own():
    class Alternate(prune.BasePruningMethod):
        PRUNING_TYPE = "unstructured"

        def compute_mask(self, t, default_mask):
            mask = default_mask.clone()
            mask.view(-1)[::2] = 0
            return mask

    module = layer()
    Alternate.apply(module, "weight")
    assert mask(module) == [[0, 1, 0], [1, 0, 1]]
    Alternate.apply(module, "weight")
    assert mask(module) == [[0, 0, 0], [1, 0, 0]]
    assert prune.L1Unstructured(1).prune(torch.tensor([3.0, -1.0])).tolist() == [3, 0]


@pytest.mark.parametrize(
    ("error", "amount"), [(ValueError, 7), (ValueError, -1), (ValueError, 1.5), (TypeError, "a")]
)
def test_amounts_that_make_no_sense(error, amount):
    module = layer()
    with pytest.raises(error):
        prune.l1_unstructured(module, "weight", amount)
    if NAME == "adjoint":  # an error leaves the module as it was
        assert [name for name, _ in module.named_parameters()] == ["weight", "bias"]


def test_errors():
    with pytest.raises(AttributeError):
        prune.l1_unstructured(layer(), "gain", 1)
    with pytest.raises(ValueError):
        prune.ln_structured(layer(), "bias", 1, n=2, dim=0)
    with pytest.raises(IndexError):
        prune.ln_structured(layer(), "weight", 1, n=2, dim=5)
    with pytest.raises(ValueError, match="pruned"):
        prune.remove(layer(), "weight")
    with pytest.raises(TypeError):
        prune.global_unstructured([(layer(), "weight")], prune.LnStructured, amount=1, n=2)
    with pytest.raises(TypeError):
        prune.BasePruningMethod()
