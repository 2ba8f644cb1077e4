"""Initialisation: distributions, bounds, shapes, and the order of the draws."""

import math

import pytest
from _backend import assert_close, assert_same, torch

init = torch.nn.init


def test_everything_is_filled_in_place_without_recording():
    for fill in (
        init.uniform_,
        init.normal_,
        init.trunc_normal_,
        init.ones_,
        init.zeros_,
        init.eye_,
        init.xavier_uniform_,
        init.xavier_normal_,
        init.kaiming_uniform_,
        init.kaiming_normal_,
    ):
        p = torch.nn.Parameter(torch.full((3, 4), math.nan))
        assert fill(p) is p
        assert p.is_leaf and p.requires_grad
        assert p.isfinite().all()


def test_constants():
    assert init.constant_(torch.empty(2), 0.3).tolist() == [pytest.approx(0.3)] * 2
    assert init.ones_(torch.empty(2)).tolist() == [1, 1]
    assert init.zeros_(torch.empty(2)).tolist() == [0, 0]
    assert init.eye_(torch.empty(2, 3)).tolist() == [[1, 0, 0], [0, 1, 0]]


def test_dirac_keeps_channels():
    w = init.dirac_(torch.empty(4, 3, 3, 3))
    for out in range(4):
        for channel in range(3):
            assert w[out, channel].sum() == (out == channel)
            assert w[out, channel, 1, 1] == (out == channel)
    assert init.dirac_(torch.empty(4, 2, 3), groups=2)[:, :, 1].tolist() == [
        [1, 0],
        [0, 1],
        [1, 0],
        [0, 1],
    ]


# 10,000 draws: the mean and the deviation are known to 1 % or so, the tests allow 5 %
def test_uniform_and_normal():
    u = init.uniform_(torch.empty(10000), 2.0, 4.0)
    assert 2 <= u.min() and u.max() < 4
    assert abs(u.mean() - 3) < 0.05
    n = init.normal_(torch.empty(10000), 1.0, 2.0)
    assert abs(n.mean() - 1) < 0.1 and abs(n.std() - 2) < 0.1


@pytest.mark.parametrize(("a", "b"), [(-2.0, 2.0), (-0.5, 1.0), (1.5, 1.9), (3.0, 4.0)])
def test_truncated_normal(a, b):
    # from the normal while its mass is large, from the uniform else: both by rejection
    if a > 2:
        with pytest.warns(UserWarning):
            w = init.trunc_normal_(torch.empty(10000), a=a, b=b)
    else:
        w = init.trunc_normal_(torch.empty(10000), a=a, b=b)
    assert a <= w.min() and w.max() <= b
    density = [math.exp(-0.5 * (a + (b - a) * (i + 0.5) / 1000) ** 2) for i in range(1000)]
    mean = sum((a + (b - a) * (i + 0.5) / 1000) * d for i, d in enumerate(density)) / sum(density)
    assert abs(w.mean() - mean) < 0.05 * (b - a)


def test_xavier():
    # fan_in = 3 * 4 = 12, fan_out = 2 * 4 = 8: std = sqrt(2 / 20)
    w = init.xavier_uniform_(torch.empty(2, 3, 2, 2), gain=2.0)
    assert w.abs().max() <= 2 * math.sqrt(6 / 20)
    w = init.xavier_normal_(torch.empty(100, 100))
    assert abs(w.std() - math.sqrt(2 / 200)) < 0.005


def test_kaiming():
    w = init.kaiming_uniform_(torch.empty(50, 100), nonlinearity="relu")
    bound = math.sqrt(6 / 100)
    assert 0.95 * bound < w.abs().max() <= bound
    w = init.kaiming_normal_(torch.empty(100, 50), mode="fan_out", nonlinearity="linear")
    assert abs(w.std() - 0.1) < 0.005


@pytest.mark.parametrize("shape", [(3, 5), (5, 3), (4, 4), (4, 2, 3)])
def test_orthogonal(shape):
    w = init.orthogonal_(torch.empty(shape, dtype=torch.float64), gain=2.0)
    flat = w.reshape(shape[0], -1)
    rows, cols = flat.shape
    gram = flat @ flat.t() if rows <= cols else flat.t() @ flat
    # a float64 factorisation keeps orthogonality to a few units of rounding
    assert_close(gram, 4 * torch.eye(min(rows, cols), dtype=torch.float64), atol=1e-12)


def test_sparse():
    w = init.sparse_(torch.empty(10, 4), sparsity=0.25, std=1.0)
    assert (w == 0).sum(0).tolist() == [3, 3, 3, 3]


def test_gains():
    gain = init.calculate_gain
    assert [gain(name) for name in ("linear", "conv2d", "sigmoid")] == [1, 1, 1]
    assert gain("tanh") == 5 / 3
    assert gain("relu") == math.sqrt(2)
    assert gain("leaky_relu", 0.5) == math.sqrt(2 / 1.25)
    assert gain("selu") == 0.75


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: init.calculate_gain("swoosh"),
        lambda: init.calculate_gain("leaky_relu", "steep"),
        lambda: init.eye_(torch.empty(2)),
        lambda: init.sparse_(torch.empty(2), 0.5),
        lambda: init.dirac_(torch.empty(2, 2)),
        lambda: init.dirac_(torch.empty(3, 2, 1), groups=2),
        lambda: init.xavier_uniform_(torch.empty(2)),
        lambda: init.kaiming_uniform_(torch.empty(2)),
        lambda: init.kaiming_uniform_(torch.empty(2, 2), mode="sideways"),
        lambda: init.orthogonal_(torch.empty(2)),
    ],
)
def test_wrong_arguments_are_value_errors(wrong):
    with pytest.raises(ValueError):
        wrong()


def test_nothing_to_fill():
    with pytest.warns(UserWarning):
        init.kaiming_uniform_(torch.empty(0, 3))
    assert init.orthogonal_(torch.empty(0, 3)).shape == (0, 3)


def test_a_generator_is_used_and_the_default_one_left_alone():
    torch.manual_seed(1)
    expected = torch.rand(3)
    for fill in (init.uniform_, init.normal_, init.trunc_normal_, init.kaiming_normal_):
        torch.manual_seed(1)
        a = fill(torch.empty(3, 4), generator=torch.Generator().manual_seed(5))
        b = fill(torch.empty(3, 4), generator=torch.Generator().manual_seed(5))
        assert_same(a, b)
        assert_same(torch.rand(3), expected)
