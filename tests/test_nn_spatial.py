"""Layers on images and sequences of channels: pooling, normalisation, padding, resampling."""

import warnings

import pytest
from _backend import NAME, torch
from _backend import assert_close as assert_equal_in_float64

nn, F = torch.nn, torch.nn.functional


def ramp(*shape):
    n = 1
    for s in shape:
        n *= s
    return torch.arange(float(n)).view(*shape)


def assert_close(actual, expected, rtol=1e-5, atol=1e-6):
    """What float32 keeps."""
    expected = expected.tolist() if hasattr(expected, "tolist") else expected
    assert_equal_in_float64(actual, expected, rtol=rtol, atol=atol)


# Pooling.


def test_max_pooling_and_its_inverse():
    x = torch.tensor([[[1.0, 2, 3, 4, 5, 6, 7, 8, 9]]])
    values, where = nn.MaxPool1d(2, return_indices=True)(x)
    assert where.tolist() == [[[1, 3, 5, 7]]]
    assert where.dtype == torch.int64
    back = nn.MaxUnpool1d(2)(values, where)
    assert back.tolist() == [[[0, 2, 0, 4, 0, 6, 0, 8]]]
    assert nn.MaxUnpool1d(2)(values, where, output_size=x.shape).shape == x.shape


def test_the_first_maximum_wins_and_nan_beats_all():
    x = torch.tensor([[1.0, 1.0, 1.0, float("nan"), 2.0, 2.0]], requires_grad=True)
    values, where = F.max_pool1d(x, 3, return_indices=True)
    assert where.tolist() == [[0, 3]]
    assert values.isnan().tolist() == [[False, True]]
    values[0, 0].backward()
    assert x.grad.tolist() == [[1, 0, 0, 0, 0, 0]]


@pytest.mark.parametrize("dtype", [torch.int64, torch.float16, torch.bfloat16])
def test_max_pooling_keeps_the_dtype(dtype):
    x = torch.arange(16).to(dtype).view(1, 4, 4)
    y = F.max_pool2d(x, 2)
    assert y.dtype == dtype
    assert y.tolist() == [[[5, 7], [13, 15]]]


def test_large_windows_and_every_way_of_making_a_row():
    torch.manual_seed(0)
    x = torch.randn(2, 3, 20, 33)
    for kernel, stride, padding, dilation in [
        (2, 2, 0, 1),
        (3, 2, 1, 1),
        (3, 1, 1, 1),
        (2, 1, 1, 1),
        (5, 2, 2, 1),
        (4, 3, 1, 2),
        ((1, 5), (2, 1), (0, 2), 1),
    ]:
        y = F.max_pool2d(x, kernel, stride, padding, dilation)
        k = (kernel, kernel) if isinstance(kernel, int) else kernel
        s = (stride, stride) if isinstance(stride, int) else stride
        p = (padding, padding) if isinstance(padding, int) else padding
        padded = F.pad(x, (p[1], p[1], p[0], p[0]), value=-float("inf"))
        taps = [
            padded[..., i * dilation :: s[0], j * dilation :: s[1]][..., : y.shape[2], : y.shape[3]]
            for i in range(k[0])
            for j in range(k[1])
        ]
        assert_close(y, torch.stack(taps).amax(0), rtol=0, atol=0)


def test_adaptive_pooling_takes_none_for_the_size_of_the_input():
    x = ramp(1, 2, 4, 6)
    assert nn.AdaptiveAvgPool2d((None, 3))(x).shape == (1, 2, 4, 3)
    assert nn.AdaptiveMaxPool2d((2, None))(x).shape == (1, 2, 2, 6)
    assert nn.AdaptiveMaxPool2d(1, return_indices=True)(x)[1].flatten().tolist() == [23, 23]
    assert F.adaptive_avg_pool3d(ramp(1, 2, 2, 2), (1, None, None)).shape == (1, 1, 2, 2)


def test_fractional_pooling_draws_its_windows():
    torch.manual_seed(0)
    layer = nn.FractionalMaxPool2d(2, output_ratio=0.5, return_indices=True)
    values, where = layer(torch.randn(2, 3, 9, 8))
    assert values.shape == where.shape == (2, 3, 4, 4)
    fixed = nn.FractionalMaxPool2d(2, output_size=3, _random_samples=torch.full((1, 1, 2), 0.3))
    x = ramp(1, 1, 7, 7)
    assert_close(fixed(x), fixed(x))
    with pytest.raises(ValueError, match="output_ratio"):
        nn.FractionalMaxPool2d(2)
    with pytest.raises(ValueError, match="between 0 and 1"):
        nn.FractionalMaxPool2d(2, output_ratio=1.5)


def test_pooling_names_what_does_not_fit():
    with pytest.raises(RuntimeError, match=r"3D or 4D|tensor expected"):
        nn.MaxPool2d(2)(torch.zeros(3))
    with pytest.raises(RuntimeError, match="half of"):
        F.max_pool2d(torch.zeros(1, 4, 4), 2, padding=2)
    with pytest.raises(RuntimeError, match="too small"):
        F.avg_pool2d(torch.zeros(1, 4, 4), 5)


# Batch normalisation.


def test_running_statistics_follow_the_batches():
    layer = nn.BatchNorm1d(2, momentum=0.5)
    x = torch.tensor([[0.0, 1.0], [2.0, 5.0]])
    y = layer(x)
    assert_close(y, [[-1, -1], [1, 1]], rtol=1e-4)
    assert_close(layer.running_mean, [0.5, 1.5])
    assert_close(layer.running_var, [1.5, 4.5])  # corrected: 2 and 8
    assert int(layer.num_batches_tracked) == 1
    layer.eval()
    expected = (x - layer.running_mean) / (layer.running_var + layer.eps).sqrt()
    assert_close(layer(x), expected.tolist())
    assert int(layer.num_batches_tracked) == 1


def test_without_momentum_the_average_of_all_batches_is_kept():
    layer = nn.BatchNorm1d(1, momentum=None)
    for x in ([[1.0], [3.0]], [[5.0], [7.0]], [[0.0], [3.0]]):
        layer(torch.tensor(x))
    assert_close(layer.running_mean, [(2 + 6 + 1.5) / 3])


def test_without_running_statistics_those_of_the_batch_are_used():
    layer = nn.BatchNorm1d(1, affine=False, track_running_stats=False).eval()
    assert list(layer.state_dict()) == []
    assert_close(layer(torch.tensor([[1.0], [3.0]])), [[-1], [1]], rtol=1e-4)


def test_running_statistics_are_outside_of_the_graph():
    layer = nn.BatchNorm2d(3)
    x = torch.randn(2, 3, 4, 4, requires_grad=True)
    layer(x).sum().backward()
    assert not layer.running_mean.requires_grad
    x2 = torch.randn(2, 3, 4, 4, requires_grad=True)
    (layer(x) * layer(x2)).sum().backward()  # two calls before one backward
    assert x2.grad is not None
    assert type(layer(x).grad_fn).__name__ == "NativeBatchNormBackward0"


def test_batch_norm_names_what_does_not_fit():
    with pytest.raises(ValueError, match=r"expected 4D input \(got 3D input\)"):
        nn.BatchNorm2d(3)(torch.zeros(2, 3, 4))
    with pytest.raises(ValueError, match=r"expected 2D or 3D input \(got 4D input\)"):
        nn.BatchNorm1d(3)(torch.zeros(2, 3, 4, 4))
    with pytest.raises(ValueError, match="Expected more than 1 value per channel when training"):
        nn.BatchNorm1d(3)(torch.zeros(1, 3))
    with pytest.raises(RuntimeError, match="3"):
        nn.BatchNorm1d(3)(torch.zeros(4, 2))
    layer = nn.BatchNorm1d(3)
    with pytest.raises(ValueError, match="per channel"):
        F.batch_norm(torch.zeros(1, 3), layer.running_mean, layer.running_var, training=True)
    assert layer.running_mean.tolist() == [0, 0, 0]


def test_old_checkpoints_load_without_a_count_of_batches():
    layer = nn.BatchNorm1d(2)
    state = {k: v for k, v in layer.state_dict().items() if k != "num_batches_tracked"}
    layer.load_state_dict(dict(state))


def test_converting_to_sync_batch_norm_keeps_the_state():
    model = nn.Sequential(nn.BatchNorm1d(2), nn.Sequential(nn.BatchNorm2d(3)))
    model[0].weight.data.fill_(3)
    converted = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    assert isinstance(converted[0], nn.SyncBatchNorm)
    assert isinstance(converted[1][0], nn.SyncBatchNorm)
    assert converted[0].weight.tolist() == [3, 3]


def test_statistics_of_a_large_mean_are_exact():
    """Two passes: the deviation from 1e4 is not lost in its square."""
    torch.manual_seed(0)
    for shape in ((4, 3, 16, 16), (256, 3)):
        x = torch.randn(*shape)
        y = F.batch_norm(x + 1e4, None, None, training=True)
        assert_close(y, F.batch_norm((x + 1e4) - 1e4, None, None, training=True), atol=2e-3)
    x = torch.randn(4, 3, 16, 16)
    z = F.group_norm(x + 1e4, 1)
    assert_close(z, F.group_norm((x + 1e4) - 1e4, 1), atol=2e-3)


# Other norms.


def test_instance_norm_takes_samples_without_a_batch():
    layer = nn.InstanceNorm2d(3, affine=True, track_running_stats=True)
    x = torch.randn(3, 4, 4)
    assert_close(layer(x), layer(x[None])[0].tolist())
    assert int(layer.num_batches_tracked) == 0
    with pytest.raises(ValueError, match=r"expected 3D or 4D input \(got 2D input\)"):
        layer(torch.zeros(3, 4))
    with pytest.raises(ValueError, match="num_features"):
        layer(torch.zeros(2, 4, 3, 3))
    with pytest.raises(ValueError, match="more than 1 spatial element"):
        nn.InstanceNorm1d(3)(torch.zeros(2, 3, 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nn.InstanceNorm1d(3)(torch.randn(2, 4, 5))
    assert "does not match num_features" in str(caught[0].message)


def test_instance_norm_keeps_the_mean_over_the_samples():
    layer = nn.InstanceNorm1d(1, momentum=1.0, track_running_stats=True)
    layer(torch.tensor([[[1.0, 3.0]], [[5.0, 7.0]]]))
    assert_close(layer.running_mean, [4])
    assert_close(layer.running_var, [2])


def test_group_norm_of_one_group_is_layer_norm():
    x = torch.randn(2, 6, 5, dtype=torch.float64)
    assert_close(F.group_norm(x, 1), F.layer_norm(x, (6, 5)).tolist())
    with pytest.raises(ValueError, match="divisible"):
        nn.GroupNorm(4, 6)


def test_cross_map_normalisation_is_that_of_local_responses():
    x = torch.randn(2, 3, 4, 4)
    assert_close(nn.CrossMapLRN2d(3, 0.1)(x), nn.LocalResponseNorm(3, 0.1)(x).tolist())
    with pytest.raises(ValueError, match="4D"):
        nn.CrossMapLRN2d(3)(torch.zeros(3, 3, 3))


# Padding.


@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("kind", ["Reflection", "Replication", "Circular"])
def test_padding_goes_dimension_by_dimension(kind, n):
    layer = getattr(nn, f"{kind}Pad{n}d")(1)
    x = ramp(1, 2, *range(3, 3 + n))
    y = layer(x)
    assert y.shape == (1, 2, *range(5, 5 + n))
    assert_close(y[(..., *[slice(1, -1)] * n)], x.tolist())
    edge = {"Reflection": 1, "Replication": 0, "Circular": -1}[kind]
    middle = (slice(None), slice(None), *[slice(1, -1)] * (n - 1))
    assert_close(y[(*middle, 0)], x[..., edge].tolist())
    with pytest.raises(ValueError, match=rf"expected {n + 1}D or {n + 2}D input"):
        layer(torch.zeros(*[3] * (n + 3)))


def test_constant_padding_crops_where_it_is_negative():
    x = ramp(1, 1, 2, 3)
    assert nn.ZeroPad2d((-1, 1, 0, 1))(x).tolist() == [[[[1, 2, 0], [4, 5, 0], [0, 0, 0]]]]
    assert nn.ConstantPad1d((1, 0), 7)(ramp(1, 2)).tolist() == [[7, 0, 1]]


# Resampling.


def test_interpolation_asks_for_either_a_size_or_a_scale():
    x = ramp(1, 1, 2, 2)
    for arguments, words in [
        ({}, "either size or scale_factor"),
        ({"size": 3, "scale_factor": 2}, "only one of"),
        ({"size": (3, 3, 3)}, "same number of spatial dimensions"),
        ({"scale_factor": (2, 2, 2)}, "same number of spatial dimensions"),
        ({"size": 3, "align_corners": True}, "align_corners"),
        ({"size": 3, "antialias": True}, "[Aa]nti-alias"),
        ({"size": 3, "recompute_scale_factor": True}, "recompute_scale_factor"),
    ]:
        with pytest.raises(ValueError, match=words):
            F.interpolate(x, **arguments)
    with pytest.raises(NotImplementedError, match="needs 3D input"):
        F.interpolate(x, 3, mode="linear")
    with pytest.raises(NotImplementedError):
        F.interpolate(x, 3, mode="cubist")


def test_interpolation_of_bytes_rounds():
    x = torch.tensor([[[[0, 255], [10, 20]]]], dtype=torch.uint8)
    y = F.interpolate(x, (2, 3), mode="bilinear", align_corners=True)
    assert y.dtype == torch.uint8
    assert y.tolist() == [[[[0, 128, 255], [10, 15, 20]]]]
    assert F.interpolate(x, 4).shape == (1, 1, 4, 4)


def test_area_is_adaptive_average_pooling():
    x = ramp(1, 2, 6, 5)
    y = F.interpolate(x, scale_factor=0.5, mode="area")
    assert_close(y, F.adaptive_avg_pool2d(x, (3, 2)).tolist())


def test_an_affine_grid_of_the_identity_gives_the_image_back():
    x = torch.randn(2, 3, 4, 5)
    theta = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]]).expand(2, 2, 3)
    for align in (False, True):
        for mode in ("bilinear", "nearest", "bicubic"):
            grid = F.affine_grid(theta, (2, 3, 4, 5), align_corners=align)
            y = F.grid_sample(x, grid, mode, align_corners=align)
            assert_close(y, x.tolist(), rtol=1e-4, atol=1e-5)
    volume = torch.randn(1, 2, 3, 4, 5)
    theta = torch.eye(3, 4)[None]
    grid = F.affine_grid(theta, volume.shape, align_corners=True)
    assert_close(F.grid_sample(volume, grid, align_corners=True), volume.tolist(), atol=1e-5)


def test_grids_far_outside_and_without_a_number():
    x = torch.ones(1, 1, 2, 2)
    grid = torch.tensor([[[[1e30, 0.0], [-1e30, 0.0], [float("nan"), 0.0]]]])
    y = F.grid_sample(x, grid, align_corners=False)
    assert y.flatten().tolist() == [0, 0, 0]
    y = F.grid_sample(x, grid, padding_mode="border", align_corners=False)
    assert y.flatten().tolist() == [1, 1, 1]


# The same layers in torch.

LAYERS = [
    ("MaxPool1d(3, 2, 1)", (2, 3, 9)),
    ("MaxPool2d(3, stride=2, padding=1, ceil_mode=True)", (2, 3, 8, 9)),
    ("MaxPool3d((1, 2, 3), dilation=(1, 2, 1))", (2, 3, 4, 5, 6)),
    ("AvgPool1d(3, 2, 1)", (2, 3, 9)),
    ("AvgPool2d(3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)", (2, 3, 8, 9)),
    ("AvgPool3d(2, divisor_override=3)", (2, 3, 4, 5, 6)),
    ("LPPool1d(2, 3)", (2, 3, 9)),
    ("LPPool2d(2, 3, stride=2, ceil_mode=True)", (2, 3, 8, 9)),
    ("LPPool3d(2, 2)", (2, 3, 4, 5, 6)),
    ("AdaptiveAvgPool1d(4)", (2, 3, 9)),
    ("AdaptiveAvgPool2d((3, None))", (2, 3, 8, 9)),
    ("AdaptiveAvgPool3d(1)", (2, 3, 4, 5, 6)),
    ("AdaptiveMaxPool1d(4)", (2, 3, 9)),
    ("AdaptiveMaxPool2d((3, None))", (2, 3, 8, 9)),
    ("AdaptiveMaxPool3d(2)", (2, 3, 4, 5, 6)),
    ("FractionalMaxPool2d(2, output_size=(3, 4))", None),
    ("FractionalMaxPool3d(2, output_ratio=0.5)", None),
    ("MaxUnpool1d(2)", None),
    ("MaxUnpool2d(2, 3, 1)", None),
    ("MaxUnpool3d((1, 2, 3))", None),
    ("BatchNorm1d(3)", (4, 3)),
    ("BatchNorm1d(3, momentum=None, bias=False)", (4, 3, 5)),
    ("BatchNorm2d(3, affine=False)", (2, 3, 4, 4)),
    ("BatchNorm3d(3, track_running_stats=False)", (2, 3, 2, 2, 2)),
    ("SyncBatchNorm(3).eval()", (2, 3, 4, 4)),
    ("InstanceNorm1d(3)", (2, 3, 5)),
    ("InstanceNorm2d(3, affine=True, track_running_stats=True)", (2, 3, 4, 4)),
    ("InstanceNorm3d(3, affine=True, bias=False)", (2, 3, 2, 2, 2)),
    ("GroupNorm(2, 4)", (2, 4, 3)),
    ("GroupNorm(2, 4, affine=False)", (2, 4, 3, 3)),
    ("RMSNorm((4, 3))", (2, 4, 3)),
    ("LocalResponseNorm(3)", (2, 4, 3, 3)),
    ("CrossMapLRN2d(3)", None),
    ("ConstantPad1d(2, 3.5)", (2, 3, 5)),
    ("ConstantPad2d((1, 2, 0, -1), 3.5)", (2, 3, 4, 5)),
    ("ConstantPad3d(1, 3.5)", (2, 3, 4, 5, 2)),
    ("ZeroPad1d(2)", (2, 3, 5)),
    ("ZeroPad2d(2)", (2, 3, 4, 5)),
    ("ZeroPad3d(2)", (2, 3, 4, 5, 2)),
    ("ReflectionPad1d((1, 2))", (2, 3, 5)),
    ("ReflectionPad2d(2)", (2, 3, 4, 5)),
    ("ReflectionPad3d(1)", (2, 3, 4, 5, 2)),
    ("ReplicationPad1d((1, 2))", (2, 3, 5)),
    ("ReplicationPad2d(2)", (2, 3, 4, 5)),
    ("ReplicationPad3d(1)", (2, 3, 4, 5, 2)),
    ("CircularPad1d((1, 2))", (2, 3, 5)),
    ("CircularPad2d(2)", (2, 3, 4, 5)),
    ("CircularPad3d(1)", (2, 3, 4, 5, 2)),
    ("PixelShuffle(2)", (2, 4, 3, 3)),
    ("PixelUnshuffle(2)", (2, 4, 4, 6)),
    ("ChannelShuffle(2)", (2, 4, 4, 6)),
    ("Upsample(scale_factor=2)", (2, 3, 4)),
    ("Upsample(size=(5, 7), mode='bilinear')", (2, 3, 4, 5)),
    ("Upsample(scale_factor=(1.5, 2.0), mode='bicubic', align_corners=True)", (2, 3, 4, 5)),
    ("Upsample(scale_factor=1.7, mode='trilinear', recompute_scale_factor=True)", (1, 2, 3, 4, 5)),
    ("UpsamplingNearest2d(scale_factor=2)", (2, 3, 4, 5)),
    ("UpsamplingBilinear2d(size=(5, 7))", (2, 3, 4, 5)),
]


@pytest.mark.skipif(NAME != "adjoint", reason="compares adjoint with torch")
@pytest.mark.parametrize(("text", "shape"), LAYERS)
def test_layers_are_those_of_torch(text, shape):
    oracle = pytest.importorskip("torch")
    mine, theirs = (eval(f"nn.{text}", {"nn": library.nn}) for library in (torch, oracle))
    assert repr(mine) == repr(theirs)
    state = theirs.state_dict()
    assert list(mine.state_dict()) == list(state)
    if shape is None:
        return
    for name, p in theirs.named_parameters():
        with oracle.no_grad():
            p.uniform_(0.5, 2)
        mine.get_parameter(name).data.copy_(torch.tensor(p.tolist()))
    values = oracle.rand(shape) + 0.1
    x, t = torch.tensor(values.tolist()).requires_grad_(), values.requires_grad_()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        y, e = mine(x), theirs(t)
    assert_close(y, e.tolist(), rtol=1e-4, atol=1e-5)
    g = oracle.randn(e.shape)
    y.backward(torch.tensor(g.tolist()))
    e.backward(g)
    assert_close(x.grad, t.grad.tolist(), rtol=1e-3, atol=1e-4)
    for p, q in zip(mine.parameters(), theirs.parameters(), strict=True):
        assert_close(p.grad, q.grad.tolist(), rtol=1e-3, atol=1e-4)
    for name, value in theirs.named_buffers():
        assert_close(dict(mine.named_buffers())[name], value.tolist(), rtol=1e-4)


@pytest.mark.skipif(NAME != "adjoint", reason="compares adjoint with torch")
@pytest.mark.parametrize("mode", ["nearest", "nearest-exact", "bilinear", "bicubic", "area"])
@pytest.mark.parametrize("scale", [0.3, 0.5, 1.3, 2, (0.7, 3.0)])
def test_interpolation_is_that_of_torch(mode, scale):
    oracle = pytest.importorskip("torch")
    t = oracle.randn(1, 2, 11, 13)
    x = torch.tensor(t.tolist())
    for extra in ({}, {"recompute_scale_factor": True}):
        y = F.interpolate(x, scale_factor=scale, mode=mode, **extra)
        e = oracle.nn.functional.interpolate(t, scale_factor=scale, mode=mode, **extra)
        assert_close(y, e.tolist(), rtol=1e-4, atol=1e-5)
