"""Histograms, finite differences, reductions into rows, and random fills: functions in Python."""

import numpy as np
import pytest
from _backend import torch


@pytest.fixture
def draw():
    torch.manual_seed(0)
    return lambda *shape: torch.randn(*shape, dtype=torch.float64)


@pytest.mark.parametrize("density", [False, True])
@pytest.mark.parametrize("bins", [4, [-1.0, -0.5, 0.25, 2.0]])
def test_histogram_counts_as_numpy(draw, bins, density):
    x, w = draw(3, 20), draw(3, 20).abs()
    given = torch.tensor(bins, dtype=x.dtype) if isinstance(bins, list) else bins
    for weight in (None, w):
        hist, edges = torch.histogram(x, given, weight=weight, density=density)
        expected, numpy_edges = np.histogram(
            x.numpy(), bins, weights=None if weight is None else weight.numpy(), density=density
        )
        np.testing.assert_allclose(hist.numpy(), expected, rtol=1e-12)
        np.testing.assert_allclose(edges.numpy(), numpy_edges, rtol=1e-12)


def test_histogram_with_a_range_and_its_errors(draw):
    hist, edges = draw(50).histogram(3, range=(-1.0, 2.0))
    assert edges.tolist() == [-1, 0, 1, 2] and hist.sum() <= 50
    with pytest.raises(RuntimeError, match="bins"):
        torch.histogram(draw(3), 0)
    with pytest.raises(RuntimeError, match="dtype"):
        torch.histogram(draw(3), 3, weight=torch.ones(3))
    with pytest.raises(RuntimeError, match="finite"):
        torch.histogram(draw(3) * float("nan"), 3)


def test_histogramdd_counts_as_numpy(draw):
    x, w = draw(40, 2), draw(40).abs()
    hist, edges = torch.histogramdd(x, [3, 4], weight=w, density=True)
    expected, numpy_edges = np.histogramdd(x.numpy(), [3, 4], weights=w.numpy(), density=True)
    np.testing.assert_allclose(hist.numpy(), expected, rtol=1e-12)
    for e, n in zip(edges, numpy_edges, strict=True):
        np.testing.assert_allclose(e.numpy(), n, rtol=1e-12)
    hist, _ = torch.histogramdd(x, 2, range=[-1.0, 1.0, 0.0, 2.0])
    expected, _ = np.histogramdd(x.numpy(), 2, range=[(-1, 1), (0, 2)])
    np.testing.assert_array_equal(hist.numpy(), expected)


@pytest.mark.parametrize("edge_order", [1, 2])
def test_gradient_estimates_as_numpy(draw, edge_order):
    x = draw(4, 5)
    at = torch.tensor([0.0, 1.0, 1.5, 4.0]).double(), torch.tensor([0.0, 2, 3, 7, 8]).double()
    calls = [
        ({}, (), {}),
        ({"spacing": None}, (), {}),
        ({"spacing": 2.0}, (2.0,), {}),
        ({"spacing": [2.0, 0.5]}, (2.0, 0.5), {}),
        ({"spacing": at}, tuple(a.numpy() for a in at), {}),
        ({"dim": 1}, (), {"axis": 1}),
        ({"dim": (0,), "spacing": (at[0],)}, (at[0].numpy(),), {"axis": 0}),
    ]
    for kwargs, args, numpy_kwargs in calls:
        slopes = torch.gradient(x, edge_order=edge_order, **kwargs)
        expected = np.gradient(x.numpy(), *args, edge_order=edge_order, **numpy_kwargs)
        expected = expected if isinstance(expected, (list, tuple)) else [expected]
        for s, e in zip(slopes, expected, strict=True):
            np.testing.assert_allclose(s.numpy(), e, rtol=1e-12, atol=1e-12)
    x.requires_grad_()
    assert torch.autograd.gradcheck(lambda x: torch.gradient(x, edge_order=edge_order), x)


def test_gradient_says_what_does_not_fit(draw):
    with pytest.raises(RuntimeError, match="edge_order"):
        torch.gradient(draw(4), edge_order=3)
    with pytest.raises(RuntimeError, match="at least"):
        torch.gradient(draw(2), edge_order=2)
    with pytest.raises(RuntimeError, match="spacing"):
        torch.gradient(draw(4, 4), spacing=[1.0])


@pytest.mark.parametrize("include_self", [True, False])
@pytest.mark.parametrize("reduce", ["prod", "mean", "amax", "amin"])
def test_index_reduce_combines_slices(draw, reduce, include_self):
    x, source, index = draw(3, 4), draw(3, 5), torch.tensor([0, 2, 2, 0, 2])
    y = torch.index_reduce(x, 1, index, source, reduce, include_self=include_self)
    function = {"prod": np.prod, "mean": np.mean, "amax": np.max, "amin": np.min}[reduce]
    for column in range(4):
        parts = source[:, index == column]
        if include_self or parts.shape[1] == 0:
            parts = torch.cat([x[:, column : column + 1], parts], 1)
        np.testing.assert_allclose(y[:, column].numpy(), function(parts.numpy(), 1), rtol=1e-12)
    z = x.clone()
    assert z.index_reduce_(1, index, source, reduce, include_self=include_self) is z
    torch.testing.assert_close(z, y)
    with pytest.raises(RuntimeError, match="reduce"):
        x.index_reduce(1, index, source, "sum")


def test_index_reduce_has_gradients(draw):
    x, source, index = draw(3), draw(4), torch.tensor([0, 2, 2, 0])
    for reduce in ("prod", "mean", "amax"):
        assert torch.autograd.gradcheck(
            lambda x, s, r=reduce: x.index_reduce(0, index, s, r),
            (x.requires_grad_(), source.requires_grad_()),
        )


def test_nonzero_static_has_the_size_that_is_asked_for():
    x = torch.tensor([[1, 0], [0, 2]])
    assert torch.nonzero_static(x, size=1).tolist() == [[0, 0]]
    assert torch.nonzero_static(x, size=3, fill_value=7).tolist() == [[0, 0], [1, 1], [7, 7]]


@pytest.mark.parametrize(
    ("fill", "median"),
    [
        (lambda x: x.cauchy_(2.0, 3.0), 2.0),
        (lambda x: x.log_normal_(0.5, 0.25), np.exp(0.5)),
        (lambda x: x.geometric_(0.6), 1.0),
    ],
)
def test_random_fills_have_the_median_of_their_distribution(fill, median):
    torch.manual_seed(0)
    x = fill(torch.empty(20_001, dtype=torch.float64))
    # The median of 20,000 draws lies within a few hundredths of the distribution's scale.
    assert abs(x.median().item() - median) < 0.1
    assert fill(torch.empty(3)).shape == (3,)


def test_random_fills_refuse_what_is_no_distribution():
    for fill in (
        lambda x: x.cauchy_(0, 0),
        lambda x: x.log_normal_(0, -1),
        lambda x: x.geometric_(1.5),
    ):
        with pytest.raises(RuntimeError):
            fill(torch.empty(3))


def test_quantiles_and_extrema_of_nan():
    x = torch.tensor([1.0, float("nan"), 3.0])
    assert torch.quantile(x, 0.5).isnan() and torch.nanquantile(x, 0.5) == 2
    assert torch.nanmean(x) == 2
    values, indices = torch.cummax(x, 0)
    assert values[0] == 1 and values[1:].isnan().all() and indices.tolist() == [0, 1, 1]
    assert torch.cummin(torch.tensor([2, 2, 1]), 0).indices.tolist() == [0, 1, 2]
