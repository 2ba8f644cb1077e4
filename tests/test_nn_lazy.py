"""Lazy modules."""

import pytest
from _backend import NAME, assert_close, torch

nn = torch.nn


def test_a_lazy_linear_becomes_linear():
    model = nn.Sequential(nn.LazyLinear(4), nn.ReLU(), nn.LazyLinear(2, bias=False))
    assert model[0].has_uninitialized_params()
    assert isinstance(model[0].weight, nn.UninitializedParameter)
    out = model(torch.zeros(5, 3))
    assert out.shape == (5, 2) and type(model[0]) is nn.Linear
    assert type(model[0].weight) is nn.Parameter and model[0].weight.shape == (4, 3)
    assert model[2].in_features == 4 and model[2].bias is None
    assert len(list(model.parameters())) == 3


def test_the_parameter_stays_the_same_object():
    layer = nn.LazyLinear(2)
    weight = layer.weight
    layer(torch.zeros(1, 3)).sum().backward()
    assert layer.weight is weight and weight.grad.shape == (2, 3)


def test_state_dicts():
    source, target = nn.Linear(3, 2), nn.LazyLinear(2)
    target.load_state_dict(source.state_dict())
    x = torch.ones(1, 3)
    assert_close(target(x), source(x).tolist())
    assert type(target) is nn.Linear and target.in_features == 3
    lazy = nn.LazyLinear(2)
    lazy.load_state_dict(nn.LazyLinear(2).state_dict())
    assert lazy.has_uninitialized_params()


@pytest.mark.parametrize(
    ("make", "shape"),
    [
        (lambda: nn.LazyBatchNorm1d(), (4, 3)),
        (lambda: nn.LazyBatchNorm2d(affine=False), (4, 3, 2, 2)),
        (lambda: nn.LazyBatchNorm3d(track_running_stats=False), (4, 3, 2, 2, 2)),
        (lambda: nn.LazyInstanceNorm1d(), (4, 3, 5)),
        (lambda: nn.LazyInstanceNorm2d(affine=True), (4, 3, 2, 2)),
        (lambda: nn.LazyInstanceNorm3d(affine=True, track_running_stats=True), (4, 3, 2, 2, 2)),
    ],
)
def test_lazy_norms(make, shape):
    layer = make()
    assert layer(torch.randn(shape)).shape == shape
    assert not type(layer).__name__.startswith("Lazy") and layer.num_features == 3
    if NAME == "adjoint" and layer.weight is not None:
        assert layer.weight.tolist() == [1, 1, 1]


def test_lazy_modules_are_cast():
    layer = nn.LazyLinear(2).double()
    assert layer(torch.ones(1, 3, dtype=torch.float64)).dtype == torch.float64


@pytest.mark.adjoint_only
def test_an_error_names_the_path_of_the_module():
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Sequential(nn.Linear(3, 4), nn.Linear(5, 2))])

        def forward(self, x):
            return self.layers[0](x)

    model = nn.Sequential()
    model.add_module("encoder", Block())
    with pytest.raises(RuntimeError) as info:
        model(torch.zeros(2, 3))
    (note,) = info.value.__notes__
    assert "encoder.layers.0.1 (Linear)" in note
    assert "[[2, 4]]" in note and "weight [2, 5]" in note


@pytest.mark.parametrize("dims", [1, 2, 3])
@pytest.mark.parametrize("transposed", [False, True])
def test_lazy_convolutions(dims, transposed):
    name = f"Conv{'Transpose' if transposed else ''}{dims}d"
    lazy, eager = getattr(nn, f"Lazy{name}"), getattr(nn, name)
    layer = lazy(4, 3, padding=1, groups=2)
    x = torch.randn(2, 6, *(5,) * dims)
    out = layer(x)
    same = eager(6, 4, 3, padding=1, groups=2)
    assert type(layer) is eager and repr(layer) == repr(same)
    assert out.shape == same(x).shape and layer.weight.shape == same.weight.shape
    again = lazy(4, 3, padding=1, groups=2)
    again.load_state_dict(layer.state_dict())
    assert_close(again(x), out.tolist())
    with pytest.raises(ValueError, match="divisible by groups"):
        lazy(4, 3, groups=2)(x[:, :3])


@pytest.mark.parametrize("kind", ["UninitializedParameter", "UninitializedBuffer"])
def test_without_a_shape_nothing_can_be_computed(kind):
    tensor = getattr(nn, kind)()
    with pytest.raises(RuntimeError, match="shape"):
        _ = tensor.shape
    for use in (
        lambda: tensor + 1,
        lambda: tensor.sum(),
        lambda: tensor.numel(),
        lambda: tensor[0],
    ):
        with pytest.raises(ValueError):
            use()
    assert tensor.dtype == torch.float32 and repr(tensor) == f"<{kind}>"
    tensor.materialize((2, 3))
    assert tensor.shape == (2, 3)


def test_casting_keeps_waiting_for_the_shape():
    layer = nn.LazyBatchNorm1d().double()
    layer(torch.ones(2, 3, dtype=torch.float64))
    assert layer.weight.dtype == layer.running_mean.dtype == torch.float64


def test_a_state_without_shapes_cannot_be_loaded():
    with pytest.raises((RuntimeError, ValueError)):
        nn.Linear(2, 3).load_state_dict(nn.LazyLinear(3).state_dict())
