"""Functions under their older names, and switches of modes."""

import pytest
from _backend import torch

F = torch.nn.functional


def test_grid_samplers_take_modes_by_number():
    torch.manual_seed(0)
    x, grid = torch.rand(1, 2, 4, 4), torch.rand(1, 3, 3, 2) * 2 - 1
    for mode, name in enumerate(("bilinear", "nearest", "bicubic")):
        expected = F.grid_sample(x, grid, name, "border", align_corners=True)
        torch.testing.assert_close(torch.grid_sampler(x, grid, mode, 1, True), expected)
    theta = torch.rand(1, 2, 3)
    expected = F.affine_grid(theta, [1, 1, 2, 2], align_corners=False)
    torch.testing.assert_close(torch.affine_grid_generator(theta, [1, 1, 2, 2], False), expected)


def test_conv_tbc_is_a_convolution_with_time_first():
    torch.manual_seed(0)
    x, w, b = torch.rand(7, 2, 3), torch.rand(3, 3, 4), torch.rand(4)
    y = torch.conv_tbc(x, w, b, 1)
    assert y.shape == (7, 2, 4)
    expected = F.conv1d(x.permute(1, 2, 0), w.permute(2, 1, 0), b, padding=1).permute(2, 0, 1)
    torch.testing.assert_close(y, expected)
    with pytest.raises(RuntimeError):
        torch.conv_tbc(x[0], w, b)


def test_feature_dropout_drops_whole_channels():
    torch.manual_seed(0)
    y = torch.feature_dropout(torch.ones(8, 8, 3), 0.5, True)
    assert set(y.flatten().tolist()) == {0.0, 2.0} and (y == y[..., :1]).all()
    assert torch.equal(torch.feature_dropout(torch.ones(2, 2), 0.5, False), torch.ones(2, 2))


def test_norm_except_dim():
    v = torch.tensor([[3.0, 4.0], [6.0, 8.0]])
    assert torch.norm_except_dim(v, 2, 0).tolist() == [[5.0], [10.0]]
    torch.testing.assert_close(torch.norm_except_dim(v, 2, -1), v.norm())


@pytest.mark.adjoint_only
def test_autocast_switched_by_hand():
    assert not torch.is_autocast_cpu_enabled()
    torch.set_autocast_enabled("cpu", True)
    try:
        assert torch.is_autocast_cpu_enabled() and torch.is_autocast_enabled("cpu")
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    finally:
        torch.set_autocast_enabled("cpu", False)
        torch.clear_autocast_cache()
    assert torch.get_autocast_dtype("cpu") == torch.bfloat16


@pytest.mark.adjoint_only
def test_eager_control_flow_and_sizes():
    x = torch.ones(2)
    assert torch.equal(torch.cond(torch.tensor(False), lambda x: x, lambda x: x + 1, (x,)), x + 1)
    assert torch.sym_max(1, 2.0) == 2.0 and torch.sym_min(1, 2) == 1
    assert torch.sym_int(2.7) == 2 and torch.sym_float(2) == 2.0 and torch.sym_not(False)


def test_anomaly_detection_switched_by_hand():
    torch.set_anomaly_enabled(True)
    try:
        assert torch.is_anomaly_enabled() and torch.is_anomaly_check_nan_enabled()
    finally:
        torch.set_anomaly_enabled(False)
    assert not torch.is_anomaly_enabled()
