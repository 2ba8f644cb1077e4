"""Convolution layers: padding modes, output sizes, errors, gradients of whole layers."""

import pytest
from _backend import assert_close, rand64, torch

nn, F = torch.nn, torch.nn.functional


@pytest.mark.parametrize("mode", ["zeros", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("padding", [1, (2, 1), "same", "valid"])
def test_padding_modes_are_padding_and_then_a_convolution(mode, padding):
    layer = nn.Conv2d(2, 3, (3, 3), padding=padding, padding_mode=mode).double()
    x = torch.randn(2, 2, 6, 5, dtype=torch.float64)
    rows, columns = {"same": (1, 1), "valid": (0, 0), 1: (1, 1)}.get(padding, padding)
    kind = "constant" if mode == "zeros" else mode
    padded = F.pad(x, (columns, columns, rows, rows), mode=kind)
    assert_close(layer(x), F.conv2d(padded, layer.weight, layer.bias))


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")
def test_same_padding_of_an_even_kernel_has_one_more_behind():
    x, w = torch.arange(4.0).view(1, 1, 4), torch.tensor([[[1.0, 10.0]]])
    assert F.conv1d(x, w, padding="same").flatten().tolist() == [10.0, 21.0, 32.0, 3.0]


def test_output_size_picks_among_the_sizes_that_a_stride_leaves_open():
    layer = nn.ConvTranspose2d(2, 3, 3, stride=2, padding=1)
    x = torch.randn(1, 2, 4, 4)
    assert layer(x).shape == (1, 3, 7, 7)
    assert layer(x, output_size=(8, 8)).shape == (1, 3, 8, 8)
    assert layer(x, output_size=(1, 3, 8, 7)).shape == (1, 3, 8, 7)
    with pytest.raises(ValueError, match="requested an output size"):
        layer(x, output_size=(9, 9))


def test_a_transposed_convolution_is_the_gradient_of_a_convolution():
    x = torch.randn(2, 3, 7, 6, dtype=torch.float64, requires_grad=True)
    w = torch.randn(4, 3, 3, 2, dtype=torch.float64)
    y = F.conv2d(x, w, stride=2, padding=1)
    g = torch.randn_like(y)
    (found,) = torch.autograd.grad(y, x, g)
    more = (7 - ((y.shape[2] - 1) * 2 - 2 + 3), 6 - ((y.shape[3] - 1) * 2 - 2 + 2))
    assert_close(found, F.conv_transpose2d(g, w, stride=2, padding=1, output_padding=more))


def test_depthwise_and_pointwise_layers():
    x = torch.randn(2, 6, 8, 8, dtype=torch.float64)
    layer = nn.Conv2d(6, 12, 3, padding=1, groups=6).double()
    parts = [
        F.conv2d(x[:, i : i + 1], layer.weight[2 * i : 2 * i + 2], padding=1) for i in range(6)
    ]
    assert_close(layer(x), torch.cat(parts, 1) + layer.bias.view(-1, 1, 1))
    one = nn.Conv2d(6, 5, 1).double()
    assert_close(one(x), F.linear(x.movedim(1, -1), one.weight.flatten(1), one.bias).movedim(-1, 1))


def test_per_sample_gradients_by_vmap():
    layer = nn.Conv2d(2, 3, 3).double()
    x = torch.randn(4, 2, 5, 5, dtype=torch.float64)

    def loss(weight, one):
        return F.conv2d(one[None], weight, layer.bias).pow(2).sum()

    found = torch.func.vmap(torch.func.grad(loss), (None, 0))(layer.weight.detach(), x)
    for g, one in zip(found, x, strict=True):
        assert_close(g, torch.func.grad(loss)(layer.weight.detach(), one))


def test_fold_undoes_unfold_where_windows_do_not_overlap():
    x = torch.randn(2, 3, 4, 6)
    columns = nn.Unfold((2, 3), stride=(2, 3))(x)
    assert columns.shape == (2, 18, 4)
    assert torch.equal(nn.Fold((4, 6), (2, 3), stride=(2, 3))(columns), x)


def test_halves_are_computed_in_float32():
    layer = nn.Conv2d(2, 3, 3)
    x = torch.randn(1, 2, 5, 5)
    y = layer.bfloat16()(x.bfloat16())
    assert y.dtype == torch.bfloat16
    # bfloat16 keeps 8 bits of the parameters, the input and the result.
    assert torch.allclose(y.float(), layer.float()(x), rtol=0.05, atol=0.05)


def test_errors_say_what_was_expected():
    with pytest.raises(ValueError, match="divisible by groups"):
        nn.Conv2d(3, 4, 3, groups=2)
    with pytest.raises(ValueError, match="padding_mode"):
        nn.Conv2d(3, 4, 3, padding_mode="mirror")
    with pytest.raises(ValueError, match="strided"):
        nn.Conv2d(3, 4, 3, padding="same", stride=2)
    layer = nn.Conv2d(3, 4, 3)
    with pytest.raises(RuntimeError, match="to have 3 channels, but got 2 channels"):
        layer(torch.zeros(1, 2, 5, 5))
    with pytest.raises(RuntimeError, match="can't be greater than actual input size"):
        layer(torch.zeros(1, 3, 2, 2))
    with pytest.raises(RuntimeError, match=r"Expected 3D \(unbatched\) or 4D \(batched\) input"):
        layer(torch.zeros(3, 5))


def test_training_a_small_network():
    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(36, 2),
    )  # fmt: skip
    x = torch.randn(32, 1, 8, 8)
    y = (x.mean((1, 2, 3)) > 0).long()
    optimizer = torch.optim.Adam(net.parameters(), lr=0.02)
    losses = []
    for _ in range(30):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(x), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 3


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_the_gradients_by_themselves(dims):
    x = rand64(2, 4, *[5] * dims)
    w = rand64(6, 2, *[3] * dims)
    options = {"stride": 2, "padding": 1, "groups": 2}
    out = getattr(F, f"conv{dims}d")(x, w, **options)
    cotangent = rand64(*out.shape, grad=False)
    by_x, by_w = torch.autograd.grad(out, (x, w), cotangent)
    found = getattr(nn.grad, f"conv{dims}d_input")(x.shape, w, cotangent, **options)
    assert_close(found, by_x)
    found = getattr(nn.grad, f"conv{dims}d_weight")(x, w.shape, cotangent, **options)
    assert_close(found, by_w)
