"""Parametrizations, weight norm and spectral norm."""

import copy

import pytest
from _backend import NAME, assert_close, torch

nn = torch.nn
parametrize = nn.utils.parametrize


class Symmetric(nn.Module):
    def forward(self, x):
        return x.triu() + x.triu(1).T

    def right_inverse(self, x):
        return x.triu()


def test_a_parametrized_weight_is_computed_and_trained():
    layer = nn.Linear(3, 3)
    weight = layer.weight
    parametrize.register_parametrization(layer, "weight", Symmetric())
    assert (layer.weight == layer.weight.T).all()
    assert parametrize.is_parametrized(layer, "weight")
    assert not parametrize.is_parametrized(layer, "bias")
    assert layer.parametrizations.weight.original is weight
    assert isinstance(layer, nn.Linear)
    layer(torch.ones(2, 3)).sum().backward()
    assert layer.parametrizations.weight.original.grad is not None
    layer.weight = 2 * torch.eye(3)
    assert_close(layer.weight, (2 * torch.eye(3)).tolist())
    twin = copy.deepcopy(layer)
    with torch.no_grad():
        twin.parametrizations.weight.original.mul_(2)
    assert_close(layer.weight, (2 * torch.eye(3)).tolist())
    parametrize.remove_parametrizations(layer, "weight")
    assert type(layer) is nn.Linear and layer.weight is weight
    assert list(layer.state_dict()) == ["bias", "weight"]


def test_cached_computes_once():
    layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    assert layer.weight is not layer.weight
    with parametrize.cached():
        assert layer.weight is layer.weight


def test_shapes_may_not_change_unless_unsafe():
    class Row(nn.Module):
        def forward(self, x):
            return x[0]

    layer = nn.Linear(3, 3)
    with pytest.raises(ValueError, match="shape"):
        parametrize.register_parametrization(layer, "weight", Row())
    assert isinstance(layer.weight, nn.Parameter)
    with pytest.raises(ValueError, match="nothing"):
        parametrize.register_parametrization(layer, "nothing", Symmetric())
    parametrize.register_parametrization(layer, "weight", Row(), unsafe=True)
    assert layer.weight.shape == (3,)


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_norms_agree_with_torch(kind, old):
    oracle = pytest.importorskip("torch")
    if NAME != "adjoint":
        pytest.skip("compares adjoint with torch")
    mine, theirs = torch.nn.Linear(3, 4), oracle.nn.Linear(3, 4)
    for lib, layer in ((torch, mine), (oracle, theirs)):
        place = lib.nn.utils if old else lib.nn.utils.parametrizations
        getattr(place, kind)(layer)
    state = {k: v.tolist() for k, v in theirs.state_dict().items()}
    mine.load_state_dict({k: torch.tensor(v) for k, v in state.items()})
    assert list(mine.state_dict()) == list(state)
    for _ in range(2):
        outs = [layer(lib.ones(2, 3)) for lib, layer in ((torch, mine), (oracle, theirs))]
        # float32: a few roundings
        assert_close(outs[0], outs[1].tolist(), rtol=1e-5, atol=1e-6)
    for out in outs:
        (out**2).sum().backward()
    for p, q in zip(mine.parameters(), theirs.parameters()):
        assert_close(p.grad, q.grad.tolist(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("kind", ["weight_norm", "spectral_norm"])
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_removing_the_older_norms(kind):
    layer = getattr(nn.utils, kind)(nn.Linear(3, 4)).eval()
    before = layer(torch.ones(1, 3)).tolist()
    getattr(nn.utils, f"remove_{kind}")(layer)
    assert sorted(layer.state_dict()) == ["bias", "weight"]
    assert_close(layer(torch.ones(1, 3)), before, rtol=1e-6)
    with pytest.raises(ValueError):
        getattr(nn.utils, f"remove_{kind}")(layer)


def test_stateless_call_and_fusion():
    layer, bn = nn.Linear(2, 3).eval(), nn.BatchNorm1d(3).eval()
    x = torch.randn(4, 2)
    with torch.no_grad():
        bn.running_mean.uniform_()
        bn.weight.uniform_()
    fused = nn.utils.fuse_linear_bn_eval(layer, bn)
    assert_close(fused(x), bn(layer(x)).tolist(), rtol=1e-4, atol=1e-6)
    with pytest.raises(AssertionError):
        nn.utils.fuse_linear_bn_eval(layer.train(), bn)
