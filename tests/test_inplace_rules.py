"""In-place writes that are refused, and those of numbers."""

import pytest
from _backend import torch


def leaf(*values):
    return torch.tensor(values, requires_grad=True)


class TestViewsMadeUnrecorded:
    """A view made under no_grad has no history that could follow its base."""

    def views(self):
        base = leaf(1.0, 2.0, 3.0).clone()
        with torch.no_grad():
            return base, base[1:], base.unbind()[2]

    def test_a_recorded_write_to_the_base(self):
        base, *views = self.views()
        base.mul_(2)
        for view in views:
            with pytest.raises(RuntimeError, match="its base or another view of its base"):
                view.sum()
            with torch.no_grad():
                assert view.sum() > 0

    def test_a_recorded_write_to_the_view(self):
        base, *views = self.views()
        for view in views:
            with pytest.raises(RuntimeError, match="modified inplace"):
                view.mul_(base.sum())
            with pytest.raises(RuntimeError, match="modified inplace"):
                view.mul_(2)  # base would have to know


def test_a_number_can_be_copied():
    x = torch.zeros(2)
    assert x.copy_(3).tolist() == [3, 3]
    y = leaf(1.0, 2.0).clone()
    y.copy_(3)
    assert y.tolist() == [3, 3]


def test_a_complex_number_does_not_fill_real_tensors():
    for write in (lambda x: x.fill_(1j), lambda x: x.index_fill_(0, torch.tensor([0]), 1j)):
        x = torch.ones(2)
        with pytest.raises(RuntimeError):
            write(x)
        assert x.tolist() == [1, 1]


def test_set_refuses_a_leaf():
    with pytest.raises(RuntimeError, match="leaf Variable"):
        leaf(1.0).set_(torch.ones(2))


def test_a_view_that_inference_mode_makes_of_a_normal_tensor_is_a_normal_one():
    x = torch.ones(3)
    with torch.inference_mode():
        views = [x[1:], x.view(3), *x.unbind()]
        x.contiguous()
    assert not x.is_inference()
    for view in views:
        assert not view.is_inference()
        view.add_(1)
    assert x.tolist() == [3, 4, 4]
    with pytest.raises(RuntimeError, match="modified inplace"):
        views[0].mul_(leaf(1.0))
