"""nn.utils: clipping of gradients, parameters as vectors, and what has no family of its own."""

import math

import pytest
from _backend import assert_close, assert_same, torch

nn = torch.nn
utils = nn.utils


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


def test_older_names_warn():
    p = nn.Parameter(torch.ones(2))
    p.grad = torch.tensor([3.0, 4.0])
    with pytest.warns(FutureWarning, match="clip_grad_norm_"):
        assert nn.utils.clip_grad_norm(p, 1.0).item() == 5
    for name in ("uniform", "normal", "eye", "xavier_uniform", "kaiming_normal", "orthogonal"):
        with pytest.warns(FutureWarning, match=f"{name}_"):
            getattr(nn.init, name)(torch.empty(2, 2))
    with pytest.warns(FutureWarning, match="(?i)container"):
        assert [n for n, _ in nn.Container(a=nn.ReLU()).named_children()] == ["a"]


def test_skip_init_draws_nothing():
    before = torch.get_rng_state().tolist()
    layer = nn.utils.skip_init(nn.Linear, 3, 5)
    assert layer.weight.shape == (5, 3) and layer.weight.requires_grad
    assert torch.get_rng_state().tolist() == before
    assert nn.Linear(2, 2).weight.abs().max() > 0  # afterwards, modules are initialised again
    with pytest.raises(RuntimeError, match="device"):
        nn.utils.skip_init(nn.ReLU)


def test_factory_kwargs():
    assert nn.factory_kwargs(None) == {}
    given = {"dtype": torch.float64, "factory_kwargs": {"device": "cpu"}}
    assert nn.factory_kwargs(given) == {"device": "cpu", "dtype": torch.float64}
    with pytest.raises(TypeError, match="zz"):
        nn.factory_kwargs({"zz": 1})
    with pytest.raises(TypeError):
        nn.factory_kwargs({"device": "cpu", "factory_kwargs": {"device": "cpu"}})


def test_a_prefix_of_a_state_dict_is_taken_away():
    state = nn.ModuleDict({"module": nn.Linear(1, 1)}).state_dict()
    nn.modules.utils.consume_prefix_in_state_dict_if_present(state, "module.")
    assert sorted(state) == ["bias", "weight"]
    nn.Linear(1, 1).load_state_dict(state)


def test_batch_norms_without_running_statistics():
    model = nn.Sequential(nn.BatchNorm1d(2), nn.ReLU())
    assert torch.func.replace_all_batch_norm_modules_(model) is model
    assert model[0].running_mean is None and not model[0].track_running_stats
    x = torch.randn(3, 4, 2)
    assert torch.func.vmap(model)(x).shape == x.shape
