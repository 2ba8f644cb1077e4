"""Methods that change a tensor's layout in place, and the second names of functions."""

import pytest

import adjoint as torch


def test_layout_methods_change_the_tensor_itself():
    x = torch.arange(6).reshape(2, 3)
    y = x
    assert x.t_() is y and y.tolist() == [[0, 3], [1, 4], [2, 5]]
    assert x.unsqueeze_(0).shape == (1, 3, 2)
    assert x.transpose_(0, 2).shape == (2, 3, 1)
    assert x.squeeze_().tolist() == [[0, 1, 2], [3, 4, 5]]
    assert x.swapaxes_(0, 1).swapdims_(0, 1).stride() == (3, 1)
    assert x.as_strided_((2,), (1,), 1).tolist() == [1, 2]


def test_gradients_pass_through_a_layout_that_was_changed():
    x = torch.ones(2, 3, requires_grad=True)
    y = x * 2
    y.t_()
    weights = torch.arange(6.0).reshape(3, 2)
    (y * weights).sum().backward()
    assert x.grad.tolist() == (2 * weights.t()).tolist()


def test_a_leaf_that_requires_grad_keeps_its_layout():
    x = torch.ones(2, 3, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf"):
        x.t_()
    with pytest.raises(RuntimeError, match="require grad"):
        x.resize_(3)
    assert x.shape == (2, 3)


def test_what_backward_needs_must_not_change_its_layout():
    x = torch.ones(2, 3, requires_grad=True)
    y = x.exp()
    y.t_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.sum().backward()


def test_resize_keeps_the_first_elements():
    x = torch.tensor([[1, 2], [3, 4]])
    assert x.resize_(3).tolist() == [1, 2, 3]
    assert x.resize_(2, 2).tolist() == [[1, 2], [3, 4]]
    assert x.resize_(5)[:4].tolist() == [1, 2, 3, 4]
    assert x.resize_as_(torch.ones(1, 2)).tolist() == [[1, 2]]


def test_functions_of_elements():
    x = torch.tensor([1.0, 2.0])
    assert x.apply_(lambda v: v * 3).tolist() == [3, 6]
    assert x.map_(torch.ones(2), lambda a, b: a + b).tolist() == [4, 7]
    assert x.map2_(x, x, lambda a, b, c: a + b - c).tolist() == [4, 7]


def test_diagonals():
    assert torch.zeros(2, 3).fill_diagonal_(1.0).tolist() == [[1, 0, 0], [0, 1, 0]]
    assert torch.zeros(7, 2).fill_diagonal_(1.0, wrap=True).sum(1).tolist() == [1, 1, 0, 1, 1, 0, 1]
    with pytest.raises(RuntimeError):
        torch.zeros(2).fill_diagonal_(1.0)


@pytest.mark.parametrize(
    ("name", "shape", "arguments", "part"),
    [
        ("select_scatter", (2,), (1, 0), lambda x: x[:, 0]),
        ("slice_scatter", (2, 2), (1, 0, 3, 2), lambda x: x[:, 0:3:2]),
        ("diagonal_scatter", (2,), (1,), lambda x: x.diagonal(1)),
    ],
)
def test_scatters_into_a_view(name, shape, arguments, part):
    x, s = torch.zeros(2, 3, requires_grad=True), torch.ones(*shape, requires_grad=True)
    y = getattr(x, name)(s, *arguments)
    assert torch.equal(part(y), s) and y.sum() == s.numel()
    y.sum().backward()
    assert s.grad.tolist() == torch.ones(*shape).tolist()
    assert x.grad.sum() == 6 - s.numel() and part(x.grad).sum() == 0
    with pytest.raises(RuntimeError):
        getattr(x, name)(torch.ones(7), *arguments)


def test_put():
    x = torch.zeros(2, 2, requires_grad=True)
    y = x.put(torch.tensor([0, 3]), torch.tensor([1.0, 2.0]))
    assert y.tolist() == [[1, 0], [0, 2]]
    y.sum().backward()
    assert x.grad.tolist() == [[0, 1], [1, 0]]
    z = torch.ones(3)
    assert z.put_(torch.tensor([1, 1]), torch.ones(2), True).tolist() == [1, 3, 1]


def test_sum_to_size():
    assert torch.ones(2, 3, 4).sum_to_size(3, 1).tolist() == [[8], [8], [8]]
    with pytest.raises(RuntimeError):
        torch.ones(2, 3).sum_to_size(2, 2)


def test_sequences():
    assert torch.range(1, 2, 0.5).tolist() == [1, 1.5, 2]
    assert torch.logspace(0, 2, 3, base=2).tolist() == [1, 2, 4]
    for make in (torch.logspace, torch.range):
        arguments = (0, 2, 3) if make is torch.logspace else (0, 2)
        x = make(*arguments, dtype=torch.float64, layout=torch.strided, requires_grad=True)
        assert x.requires_grad and x.is_leaf and x.shape == (3,) and x.dtype == torch.float64
        out = torch.empty(0, dtype=torch.float64)
        assert make(*arguments, out=out) is out and torch.equal(out, x.detach())
    assert [i.tolist() for i in torch.unravel_index(torch.tensor([5, 1]), (2, 3))] == [
        [1, 0],
        [2, 1],
    ]


def test_losses_with_a_reduction_by_number():
    x, y = torch.zeros(2), torch.ones(2)
    functional = torch.nn.functional
    assert torch.kl_div(x, y, 2) == functional.kl_div(x, y, reduction="sum")
    assert torch.hinge_embedding_loss(x, y, 0.5, 0).shape == (2,)
    assert torch.poisson_nll_loss(x, y, True, False, 1e-8, 1) == functional.poisson_nll_loss(x, y)
    assert torch.binary_cross_entropy_with_logits(x, y).dim() == 0
    with pytest.raises(ValueError, match="reduction"):
        torch.kl_div(x, y, 3)


def test_random_activations_and_samples():
    functional = torch.nn.functional
    x = torch.tensor([-1.0, 2.0], requires_grad=True)
    y = functional.rrelu(x, 0.2, 0.4, training=True)
    assert 0.2 <= -y[0].item() <= 0.4 and y[1] == 2
    y.sum().backward()
    assert x.grad[0] == -y[0] and x.grad[1] == 1
    sample = functional.gumbel_softmax(torch.zeros(5, 3, requires_grad=True), hard=True)
    assert sample.requires_grad and torch.allclose(sample.sum(1), torch.ones(5))


def test_adaptive_softmax_is_a_distribution():
    layer = torch.nn.AdaptiveLogSoftmaxWithLoss(8, 20, [4, 10], div_value=2.0)
    x, target = torch.randn(6, 8), torch.tensor([0, 5, 12, 19, 3, 9])
    everything = layer.log_prob(x)
    assert torch.allclose(everything.exp().sum(1), torch.ones(6))
    result = layer(x, target)
    expected = everything.gather(1, target.unsqueeze(1)).squeeze(1)
    assert torch.allclose(result.output, expected, atol=1e-5)  # float32, two ways
    assert torch.equal(layer.predict(x), everything.argmax(1))
    result.loss.backward()
    assert all(p.grad is not None for p in layer.parameters())


def test_copies_share_no_memory():
    x = torch.zeros(2, 3)
    for y in (torch.permute_copy(x, (1, 0)), torch.select_copy(x, 0, 1), torch.unbind_copy(x)[0]):
        y.fill_(1.0)
    assert x.sum() == 0
