"""autograd.forward_ad: dual levels and dual tensors."""

import importlib

import pytest
from _backend import NAME, torch

fwAD = importlib.import_module(f"{NAME}.autograd.forward_ad")

X, T = torch.tensor([0.5, 2.0]), torch.tensor([1.0, -1.0])


def test_a_dual_tensor_carries_a_directional_derivative():
    with fwAD.dual_level():
        y = fwAD.make_dual(X, T) ** 2
        primal, tangent = fwAD.unpack_dual(y)
    assert primal.tolist() == [0.25, 4.0] and tangent.tolist() == [1.0, -4.0]


def test_unpacking_gives_a_named_tuple_whose_tangent_may_be_none():
    with fwAD.dual_level():
        unpacked = fwAD.unpack_dual(X)
        assert unpacked.tangent is None and unpacked.primal.tolist() == X.tolist()
        constant = fwAD.unpack_dual(fwAD.make_dual(X, T).detach())
        assert constant.tangent is None
    assert fwAD.unpack_dual(X).tangent is None


def test_a_tangent_is_differentiable_in_reverse_mode():
    x = X.clone().requires_grad_()
    with fwAD.dual_level():
        tangent = fwAD.unpack_dual(fwAD.make_dual(x, T) ** 3).tangent
    tangent.sum().backward()
    assert x.grad.tolist() == [3.0, -12.0]  # 6 x t


def test_levels_are_numbered_from_zero_and_closed_in_order():
    assert fwAD.enter_dual_level() == 0
    with pytest.raises(RuntimeError, match="last"):
        fwAD.exit_dual_level(level=1)
    fwAD.exit_dual_level(level=0)


@pytest.mark.adjoint_only
def test_levels_nest():
    x = torch.tensor(2.0)
    with fwAD.dual_level():
        outer = fwAD.make_dual(x, torch.tensor(1.0))
        with fwAD.dual_level():
            y = fwAD.make_dual(outer, torch.tensor(1.0)) ** 3
            first = fwAD.unpack_dual(y).tangent  # 3 x^2, itself dual
        second = fwAD.unpack_dual(first).tangent
    assert second.item() == 12.0


def test_an_error_closes_the_level():
    with pytest.raises(KeyError), fwAD.dual_level():
        raise KeyError
    with pytest.raises(RuntimeError, match="level"):
        fwAD.make_dual(X, T)


def test_mistakes():
    with pytest.raises(RuntimeError, match="level"):
        fwAD.make_dual(X, T)
    with fwAD.dual_level():
        with pytest.raises(RuntimeError, match=r"\b3\b"):
            fwAD.make_dual(X, torch.ones(3))
        with pytest.raises(ValueError, match="floating"):
            fwAD.make_dual(torch.ones(2, dtype=torch.int64), T)
        with pytest.raises((TypeError, AttributeError)):
            fwAD.make_dual(X, 3.0)
