"""Operators of one's own, by `library.custom_op`."""

import pytest
from _backend import torch


@torch.library.custom_op("tests::scaled", mutates_args=())
def scaled(x: torch.Tensor, factor: float = 2.0) -> torch.Tensor:
    return x * factor


def keep(ctx, inputs, output):
    ctx.factor = inputs[1]


scaled.register_autograd(lambda ctx, g: (g * ctx.factor, None), setup_context=keep)


@scaled.register_fake
def _(x, factor=2.0):
    return torch.empty_like(x)


def test_it_is_called_as_its_function():
    assert scaled(torch.ones(2)).tolist() == [2.0, 2.0]
    assert torch.ops.tests.scaled(torch.ones(1), factor=3.0).tolist() == [3.0]
    assert torch.ops.tests.scaled.default(torch.ones(1), 5.0).tolist() == [5.0]


def test_the_derivative():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    scaled(x, 4.0).sum().backward()
    assert x.grad.tolist() == [4.0, 4.0]
    assert torch.autograd.gradcheck(scaled, (torch.ones(2, dtype=torch.float64).requires_grad_(),))


def test_no_derivative():
    @torch.library.custom_op("tests::opaque", mutates_args=())
    def opaque(x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    y = opaque(torch.ones(1, requires_grad=True))
    assert y.requires_grad
    with pytest.raises(RuntimeError, match="register_autograd|no autograd formula"):
        y.sum().backward()


def test_several_results():
    @torch.library.custom_op("tests::parts", mutates_args=())
    def parts(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return x.sin(), x.cos()

    parts.register_autograd(
        lambda ctx, g, h: g * ctx.saved_tensors[0].cos() - h * ctx.saved_tensors[0].sin(),
        setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs),
    )
    x = torch.tensor(0.5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(parts, (x,))


def test_writing_to_an_argument():
    @torch.library.custom_op("tests::fill_two", mutates_args=("x",))
    def fill_two(x: torch.Tensor) -> None:
        x.fill_(2)

    x = torch.zeros(2)
    fill_two(x)
    assert x.tolist() == [2.0, 2.0]
    with pytest.raises(RuntimeError):
        fill_two.register_autograd(lambda ctx, g: g)


def test_a_library():
    lib = torch.library.Library("tests_lib", "DEF")
    lib.define("twice(Tensor x) -> Tensor")
    lib.impl("twice", lambda x: x * 2, "CPU")
    assert torch.ops.tests_lib.twice(torch.ones(1)).tolist() == [2.0]
    with pytest.raises(AttributeError):
        torch.ops.tests_lib.thrice


def test_names():
    with pytest.raises((ValueError, RuntimeError)):
        torch.library.custom_op("no_namespace", lambda x: x, mutates_args=())
