"""Each layer is its function, with parameters that start as documented."""

import math

import pytest
from _backend import NAME, assert_close, assert_same, torch

nn, F = torch.nn, torch.nn.functional


def need(*names):
    """Skip where the core does not have these functions yet."""
    missing = [name for name in names if not hasattr(F, name)]
    if missing:
        pytest.skip(f"nn.functional has no {missing[0]} yet")


def test_linear_is_an_affine_map():
    layer = nn.Linear(2, 3)
    x = torch.randn(4, 5, 2)
    assert_close(layer(x), x @ layer.weight.t() + layer.bias, rtol=1e-5, atol=1e-6)  # float32
    layer = nn.Linear(2, 3, bias=False, dtype=torch.float64)
    assert layer.bias is None and layer.weight.dtype == torch.float64
    x = x.double()
    assert_close(layer(x), x @ layer.weight.t())


def test_linear_draws_weight_then_bias():
    torch.manual_seed(3)
    layer = nn.Linear(4, 5)
    torch.manual_seed(3)
    # for fan_in 4 both bounds are 1/2
    assert_close(layer.weight, torch.empty(5, 4).uniform_(-0.5, 0.5), rtol=1e-6)
    assert_close(layer.bias, torch.empty(5).uniform_(-0.5, 0.5), rtol=1e-6)


def test_bilinear():
    need("bilinear")
    layer = nn.Bilinear(2, 3, 4, dtype=torch.float64)
    x, y = torch.randn(5, 2, dtype=torch.float64), torch.randn(5, 3, dtype=torch.float64)
    expected = torch.einsum("bi,oij,bj->bo", x, layer.weight, y) + layer.bias
    assert_close(layer(x, y), expected)
    assert layer.weight.abs().max() <= 1 / math.sqrt(2)
    with pytest.raises(ValueError):
        nn.Bilinear(0, 3, 4)


def test_identity_ignores_its_arguments():
    x = torch.ones(2)
    assert nn.Identity(3, whatever=True)(x) is x


def test_embedding_looks_rows_up():
    table = nn.Embedding(5, 3)
    index = torch.tensor([[0, 4], [2, 2]])
    assert_same(table(index), table.weight[index])
    assert abs(nn.Embedding(200, 50).weight.std().item() - 1) < 0.1


def test_the_padding_row_is_zero_and_stays():
    table = nn.Embedding(4, 2, padding_idx=-1)
    assert table.padding_idx == 3
    assert table.weight[3].tolist() == [0, 0]
    table(torch.tensor([3, 1])).sum().backward()
    assert table.weight.grad.tolist() == [[0, 0], [1, 1], [0, 0], [0, 0]]


def test_embedding_from_a_table():
    values = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    table = nn.Embedding.from_pretrained(values)
    assert not table.weight.requires_grad
    assert table(torch.tensor(1)).tolist() == [3, 4]
    assert nn.Embedding.from_pretrained(values, freeze=False).weight.requires_grad


@pytest.mark.adjoint_only  # where torch has assertions
def test_embedding_refuses_wrong_shapes():
    with pytest.raises(ValueError, match="padding_idx"):
        nn.Embedding(4, 2, padding_idx=4)
    with pytest.raises(ValueError, match="shape"):
        nn.Embedding(4, 2, _weight=torch.ones(2, 4))
    with pytest.raises(ValueError, match="dimensions"):
        nn.Embedding.from_pretrained(torch.ones(2))


def test_layer_norm():
    x = torch.randn(2, 3, 4, dtype=torch.float64)
    layer = nn.LayerNorm((3, 4), dtype=torch.float64)
    assert layer.weight.tolist() == [[1] * 4] * 3 and layer.bias.abs().sum() == 0
    flat = x.reshape(2, 12)
    variance = flat.var(1, unbiased=False, keepdim=True)
    expected = ((flat - flat.mean(1, keepdim=True)) / (variance + 1e-5).sqrt()).reshape(2, 3, 4)
    assert_close(layer(x), expected)
    assert nn.LayerNorm(4, bias=False).bias is None
    assert list(nn.LayerNorm(4, elementwise_affine=False).parameters()) == []


def test_flatten_and_unflatten():
    x = torch.arange(24).reshape(2, 3, 4)
    assert nn.Flatten()(x).shape == (2, 12)
    assert nn.Flatten(0, 1)(x).shape == (6, 4)
    assert nn.Unflatten(2, (2, -1))(x).shape == (2, 3, 2, 2)
    with pytest.raises(TypeError):
        nn.Unflatten(1, 2)
    with pytest.raises(TypeError):
        nn.Unflatten(1, (2, "a"))


def test_dropout_is_random_in_training_only():
    x = torch.ones(1000)
    layer = nn.Dropout(0.25)
    values, counts = layer(x).tolist(), {}
    for value in values:
        counts[round(value, 4)] = counts.get(round(value, 4), 0) + 1
    assert set(counts) == {0, round(1 / 0.75, 4)}
    assert 150 < counts[0] < 350  # 250 expected, the standard deviation is 14
    assert_same(layer.eval()(x), x)
    for bad in (-0.1, 1.1):
        with pytest.raises(ValueError, match="between 0 and 1"):
            nn.Dropout(bad)


ACTIVATIONS = [
    ("relu", nn.ReLU, (), {}),
    ("relu6", nn.ReLU6, (), {}),
    ("elu", nn.ELU, (0.5,), {}),
    ("celu", nn.CELU, (0.5,), {}),
    ("selu", nn.SELU, (), {}),
    ("gelu", nn.GELU, (), {}),
    ("gelu", nn.GELU, (), {"approximate": "tanh"}),
    ("silu", nn.SiLU, (), {}),
    ("mish", nn.Mish, (), {}),
    ("softplus", nn.Softplus, (2.0, 5.0), {}),
    ("softsign", nn.Softsign, (), {}),
    ("softmax", nn.Softmax, (), {"dim": 1}),
    ("softmin", nn.Softmin, (), {"dim": 1}),
    ("log_softmax", nn.LogSoftmax, (), {"dim": 1}),
    ("logsigmoid", nn.LogSigmoid, (), {}),
    ("hardtanh", nn.Hardtanh, (-0.5, 0.7), {}),
    ("hardswish", nn.Hardswish, (), {}),
    ("hardsigmoid", nn.Hardsigmoid, (), {}),
    ("leaky_relu", nn.LeakyReLU, (0.3,), {}),
    ("glu", nn.GLU, (1,), {}),
    ("threshold", nn.Threshold, (0.1, 20.0), {}),
]


@pytest.mark.parametrize(("name", "layer", "args", "kwargs"), ACTIVATIONS)
def test_an_activation_is_its_function(name, layer, args, kwargs):
    need(name)
    x = torch.randn(3, 4, dtype=torch.float64)
    assert_same(layer(*args, **kwargs)(x), getattr(F, name)(x, *args, **kwargs))


def test_sigmoid_and_tanh():
    x = torch.randn(3, dtype=torch.float64)
    assert_same(nn.Sigmoid()(x), torch.sigmoid(x))
    assert_same(nn.Tanh()(x), torch.tanh(x))


@pytest.mark.parametrize("name", ["ReLU", "ELU", "SiLU", "Hardtanh"])
def test_inplace_writes_into_the_input(name):
    need({"ReLU": "relu", "ELU": "elu", "SiLU": "silu", "Hardtanh": "hardtanh"}[name])
    x = torch.tensor([-3.0, 4.0])
    expected = getattr(nn, name)()(x)
    getattr(nn, name)(inplace=True)(x)
    assert_same(x, expected)


def test_prelu_learns_its_slope():
    need("prelu")
    layer = nn.PReLU(2, init=0.5)
    assert layer.weight.tolist() == [0.5, 0.5]
    layer(torch.tensor([[-2.0, 3.0]])).sum().backward()
    assert layer.weight.grad.tolist() == [-2, 0]


def test_softmax_over_channels():
    layer = nn.Softmax2d()
    assert_close(layer(torch.zeros(1, 4, 2, 2)).sum(1), torch.ones(1, 2, 2))
    with pytest.raises(ValueError):
        layer(torch.zeros(4, 4))


def test_hardtanh_needs_a_range():
    with pytest.raises((ValueError, AssertionError)):
        nn.Hardtanh(1.0, 1.0)


REDUCED = [
    ("l1_loss", nn.L1Loss, {}),
    ("mse_loss", nn.MSELoss, {}),
    ("smooth_l1_loss", nn.SmoothL1Loss, {"beta": 0.5}),
    ("huber_loss", nn.HuberLoss, {"delta": 0.5}),
    ("kl_div", nn.KLDivLoss, {"log_target": True}),
    ("soft_margin_loss", nn.SoftMarginLoss, {}),
    ("hinge_embedding_loss", nn.HingeEmbeddingLoss, {"margin": 0.5}),
    ("poisson_nll_loss", nn.PoissonNLLLoss, {"full": True}),
]


@pytest.mark.filterwarnings("ignore:reduction. 'mean' divides")  # of kl_div, in torch
@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize(("name", "loss", "kwargs"), REDUCED)
def test_a_loss_is_its_function(name, loss, kwargs, reduction):
    need(name)
    x, y = torch.randn(3, 4, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)
    expected = getattr(F, name)(x, y, reduction=reduction, **kwargs)
    assert_same(loss(reduction=reduction, **kwargs)(x, y), expected)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_classification_losses(reduction):
    logits = torch.randn(4, 3, dtype=torch.float64)
    target = torch.tensor([0, 2, 1, -100])
    weight = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
    loss = nn.CrossEntropyLoss(weight, reduction=reduction, label_smoothing=0.1)
    expected = F.cross_entropy(logits, target, weight, reduction=reduction, label_smoothing=0.1)
    assert_same(loss(logits, target), expected)
    log_p = F.log_softmax(logits, 1)
    loss = nn.NLLLoss(weight, ignore_index=2, reduction=reduction)
    target = torch.tensor([0, 2, 1, 1])
    expected = F.nll_loss(log_p, target, weight, ignore_index=2, reduction=reduction)
    assert_same(loss(log_p, target), expected)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
def test_binary_losses(reduction):
    x, t = torch.randn(3, 4, dtype=torch.float64), torch.rand(3, 4, dtype=torch.float64)
    weight = torch.rand(4, dtype=torch.float64)
    loss = nn.BCEWithLogitsLoss(weight, pos_weight=2 * weight, reduction=reduction)
    expected = F.binary_cross_entropy_with_logits(
        x, t, weight, pos_weight=2 * weight, reduction=reduction
    )
    assert_same(loss(x, t), expected)
    p = torch.sigmoid(x)
    expected = F.binary_cross_entropy(p, t, weight, reduction=reduction)
    assert_same(nn.BCELoss(weight, reduction=reduction)(p, t), expected)


def test_the_weight_of_a_loss_is_a_buffer():
    loss = nn.CrossEntropyLoss(torch.ones(3))
    assert list(loss.state_dict()) == ["weight"]
    assert list(nn.CrossEntropyLoss().state_dict()) == []


@pytest.mark.parametrize(
    ("kwargs", "reduction"),
    [
        ({"size_average": False}, "sum"),
        ({"reduce": False}, "none"),
        ({"size_average": True, "reduce": True}, "mean"),
    ],
)
def test_the_older_way_to_ask_for_a_reduction(kwargs, reduction):
    with pytest.warns(UserWarning, match="deprecated"):
        assert nn.MSELoss(**kwargs).reduction == reduction


def test_margin_losses():
    need("margin_ranking_loss", "cosine_embedding_loss", "triplet_margin_loss")
    a, b, c = (torch.randn(4, 3, dtype=torch.float64) for _ in range(3))
    sign = torch.tensor([1.0, -1.0, 1.0, -1.0], dtype=torch.float64)
    expected = F.margin_ranking_loss(a[:, 0], b[:, 0], sign, margin=0.3)
    assert_same(nn.MarginRankingLoss(0.3)(a[:, 0], b[:, 0], sign), expected)
    expected = F.cosine_embedding_loss(a, b, sign, margin=0.3)
    assert_same(nn.CosineEmbeddingLoss(0.3)(a, b, sign), expected)
    expected = F.triplet_margin_loss(a, b, c, margin=0.3, swap=True)
    assert_same(nn.TripletMarginLoss(0.3, swap=True)(a, b, c), expected)


def test_multi_class_margin_losses():
    need("multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss")
    x = torch.randn(2, 3, dtype=torch.float64)
    y = torch.tensor([0, 2])
    assert_same(nn.MultiMarginLoss(2, 0.5)(x, y), F.multi_margin_loss(x, y, 2, 0.5))
    labels = torch.tensor([[1, -1, 0], [0, 2, -1]])
    assert_same(nn.MultiLabelMarginLoss()(x, labels), F.multilabel_margin_loss(x, labels))
    t = torch.rand(2, 3, dtype=torch.float64)
    expected = F.multilabel_soft_margin_loss(x, t)
    assert_same(nn.MultiLabelSoftMarginLoss()(x, t), expected)
    with pytest.raises(ValueError, match="p"):
        nn.MultiMarginLoss(p=3)


def test_gaussian_loss():
    need("gaussian_nll_loss")
    x, y, v = (torch.rand(3, dtype=torch.float64) for _ in range(3))
    expected = F.gaussian_nll_loss(x, y, v, full=True)
    assert_same(nn.GaussianNLLLoss(full=True)(x, y, v), expected)


@pytest.mark.adjoint_only
def test_functional_says_when_a_name_is_missing():
    with pytest.raises(AttributeError, match="no 'frobnicate'"):
        F.frobnicate
    assert "relu" in F.__all__


@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 5), (40, 30, 2, 2, 2)])
@pytest.mark.parametrize("name", ["dropout2d", "dropout3d"])
def test_dropout_of_channels_where_the_dims_are_others(name, shape):
    if name == "dropout3d" and len(shape) == 5:
        return
    with pytest.warns(UserWarning, match=name):
        out = getattr(nn.functional, name)(torch.ones(shape), 0.5)
    channels = out.flatten(2) if len(shape) > 2 else out[..., None]
    assert ((channels == 0) | (channels == 2)).all()
    if NAME == "adjoint" or name == "dropout2d":  # all of a channel, and each sample for itself
        assert (channels == channels[..., :1]).all()
        assert 0.4 < (channels[..., 0] == 0).float().mean() < 0.6
    with pytest.warns(UserWarning):
        x = torch.ones(shape)
        assert getattr(nn.functional, name)(x, 1.0, inplace=True) is x and (x == 0).all()


def test_gradients_that_are_one_number_expanded():
    # the gradient of `sum` has strides of 0 in every dim, which rows of a matrix may have too
    for shape in ((2, 5, 3), (4, 2, 5, 3)):
        layer = torch.nn.Linear(3, 4, dtype=torch.float64)
        x = torch.randn(*shape, dtype=torch.float64, requires_grad=True)
        layer(x).sum().backward()
        expected = x.detach().reshape(-1, 3).sum(0)
        for row in layer.weight.grad:
            assert torch.allclose(row, expected, rtol=1e-12, atol=1e-12)  # sums of 40 numbers
        assert torch.allclose(x.grad, layer.weight.detach().sum(0).expand(shape))
        one = torch.ones((), dtype=torch.float64).expand(shape)
        assert torch.equal(torch.matmul(one, layer.weight.detach().t()),
                           torch.matmul(one.contiguous(), layer.weight.detach().t()))  # fmt: skip
