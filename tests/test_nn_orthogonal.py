"""nn.utils.parametrizations.orthogonal: three maps, square, tall and wide weights."""

import pytest
from _backend import assert_close, check_gradient, torch

nn = torch.nn
orthogonal = nn.utils.parametrizations.orthogonal
MAPS = ["matrix_exp", "cayley", "householder"]
SHAPES = [(3, 3), (5, 3), (3, 5)]


def layer(shape, **options):
    module = nn.Linear(shape[1], shape[0], dtype=torch.float64)
    return orthogonal(module, **options)


def assert_orthogonal(weight):
    tall = weight if weight.shape[0] >= weight.shape[1] else weight.T
    assert_close(tall.T @ tall, torch.eye(tall.shape[1]), atol=1e-12)


@pytest.mark.parametrize("trivialized", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", MAPS)
def test_the_weight_is_orthogonal_and_stays_so(name, shape, trivialized):
    module = layer(shape, orthogonal_map=name, use_trivialization=trivialized)
    assert_orthogonal(module.weight)
    optimizer = torch.optim.SGD(module.parameters(), lr=0.1)
    for _ in range(3):
        optimizer.zero_grad()
        module(torch.ones(2, shape[1], dtype=torch.float64)).square().sum().backward()
        optimizer.step()
    assert_orthogonal(module.weight)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", MAPS)
def test_it_can_be_assigned_to(name, shape):
    module = layer(shape, orthogonal_map=name)
    value = nn.init.orthogonal_(torch.empty(shape, dtype=torch.float64))
    module.weight = value
    assert_close(module.weight, value, atol=1e-12)


def test_without_trivialization_only_reflections_can_be_assigned_to():
    module = layer((5, 3), orthogonal_map="householder", use_trivialization=False)
    value = nn.init.orthogonal_(torch.empty(5, 3, dtype=torch.float64))
    module.weight = value
    assert_close(module.weight, value, atol=1e-12)
    module.weight = torch.eye(5, 3, dtype=torch.float64)
    assert_close(module.weight, torch.eye(5, 3), atol=1e-12)
    module = layer((3, 3), orthogonal_map="cayley", use_trivialization=False)
    with pytest.raises(NotImplementedError):
        module.weight = torch.eye(3, dtype=torch.float64)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", MAPS)
def test_derivatives(name, shape):
    rule = layer(shape, orthogonal_map=name).parametrizations.weight[0]
    free = 0.3 * torch.randn(shape, dtype=torch.float64)
    if name == "householder":  # the diagonal holds signs
        free.diagonal().fill_(1.0)
        below = torch.ones(shape, dtype=torch.float64)
        below = below.tril(-1) if shape[0] >= shape[1] else below.triu(1)
        check_gradient(lambda x: rule(x * below + free * (1 - below)), free)
    else:
        check_gradient(rule, free)


def test_state_and_repr():
    module = layer((5, 3))
    assert [(k, tuple(v.shape)) for k, v in module.state_dict().items()] == [
        ("bias", (5,)),
        ("parametrizations.weight.original", (5, 3)),
        ("parametrizations.weight.0.base", (5, 5)),
    ]
    assert repr(module).startswith("ParametrizedLinear(")
    assert layer((3, 3)).parametrizations.weight[0].orthogonal_map is not None


def test_errors():
    with pytest.raises(ValueError, match="orthogonal_map"):
        layer((2, 2), orthogonal_map="qr")
    with pytest.raises(ValueError):
        layer((2, 2), name="bias")
    with pytest.raises(ValueError, match="gain"):
        layer((2, 2), name="gain")
