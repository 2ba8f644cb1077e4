"""Clipping of gradients, and parameters as vectors."""

import math

import pytest
from _backend import assert_close, assert_same, torch

utils = torch.nn.utils


def with_grads(*grads):
    params = []
    for grad in grads:
        p = torch.nn.Parameter(torch.zeros(len(grad), dtype=torch.float64))
        p.grad = torch.tensor(grad, dtype=torch.float64)
        params.append(p)
    return params


@pytest.mark.parametrize(
    ("norm_type", "norm"), [(2.0, 13.0), (1.0, 19.0), (math.inf, 12.0), ("inf", 12.0)]
)
def test_clipping_by_norm(norm_type, norm):
    params = with_grads([3.0, 4.0], [12.0])
    total = utils.clip_grad_norm_(params, 1.0, norm_type)
    assert_close(total, norm)
    # scaled by max_norm / (norm + 1e-6)
    assert_close(params[0].grad, [3 / (norm + 1e-6), 4 / (norm + 1e-6)])
    assert_close(params[1].grad, [12 / (norm + 1e-6)])


def test_small_gradients_stay():
    params = with_grads([0.3, 0.4])
    grad = params[0].grad
    assert utils.clip_grad_norm_(params, 1.0) == 0.5
    assert params[0].grad is grad
    assert grad.tolist() == [0.3, 0.4]


def test_parameters_without_gradients_are_passed_over():
    params = [torch.nn.Parameter(torch.ones(2)), *with_grads([3.0, 4.0])]
    assert utils.clip_grad_norm_(iter(params), 10.0) == 5
    assert utils.clip_grad_norm_([params[0]], 1.0) == 0
    assert utils.clip_grad_norm_(params[1], 10.0) == 5


def test_clipping_with_a_used_up_generator_warns():
    params = (p for p in with_grads([3.0, 4.0]))
    utils.clip_grad_norm_(params, 1.0)
    with pytest.warns(UserWarning, match="generator"):
        assert utils.clip_grad_norm_(params, 1.0) == 0
    assert utils.clip_grad_norm_([], 1.0) == 0


def test_a_norm_that_is_not_finite():
    params = with_grads([math.nan, 1.0])
    with pytest.raises(RuntimeError, match="finite"):
        utils.clip_grad_norm_(params, 1.0, error_if_nonfinite=True)
    assert params[0].grad[1] == 1
    utils.clip_grad_norm_(params, 1.0)
    assert params[0].grad.isnan().all()


def test_norm_and_scaling_apart():
    params = with_grads([3.0], [4.0])
    total = utils.get_total_norm([p.grad for p in params])
    assert total == 5
    utils.clip_grads_with_norm_(params, 2.5, total)
    assert_close(params[0].grad, [1.5], rtol=1e-6)


def test_clipping_by_value():
    params = with_grads([-3.0, 0.5, 7.0])
    utils.clip_grad_value_(params, 1)
    assert params[0].grad.tolist() == [-1, 0.5, 1]


def test_parameters_to_a_vector_and_back():
    model = torch.nn.Linear(2, 3)
    vector = utils.parameters_to_vector(model.parameters())
    assert vector.tolist() == [*model.weight.reshape(-1).tolist(), *model.bias.tolist()]
    utils.vector_to_parameters(torch.arange(9.0), model.parameters())
    assert_same(model.weight, [[0, 1], [2, 3], [4, 5]])
    assert_same(model.bias, [6, 7, 8])
    assert model.weight.requires_grad


def test_a_vector_keeps_history():
    model = torch.nn.Linear(2, 1)
    (utils.parameters_to_vector(model.parameters()) ** 2).sum().backward()
    assert_same(model.weight.grad, 2 * model.weight)


@pytest.mark.adjoint_only
def test_a_vector_of_another_length_changes_nothing():
    model = torch.nn.Linear(2, 1)
    before = model.weight.tolist()
    for bad in (torch.ones(2), torch.ones(4), torch.ones(3, 1)):
        with pytest.raises(ValueError, match="3 elements"):
            utils.vector_to_parameters(bad, model.parameters())
    with pytest.raises(TypeError):
        utils.vector_to_parameters([1.0], model.parameters())
    assert model.weight.tolist() == before
