"""The whole library in fifteen tiny tests: read this first."""

import numpy as np
import pytest
from _backend import torch


def test_a_tensor_is_an_array_of_numbers():
    x = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    assert x.shape == (2, 2)
    assert x.dtype == torch.float32
    assert x.tolist() == [[1, 2], [3, 4]]
    assert repr(x) == "tensor([[1., 2.],\n        [3., 4.]])"


def test_operations_broadcast_and_promote():
    column = torch.tensor([[1], [2]])
    row = torch.tensor([0.5, 1.5, 2.5])
    assert (column * row).tolist() == [[0.5, 1.5, 2.5], [1.0, 3.0, 5.0]]


def test_views_share_memory():
    x = torch.zeros(2, 3)
    x.t()[1] = 7
    assert x.tolist() == [[0, 7, 0], [0, 7, 0]]


def test_numpy_arrays_share_memory_too():
    a = np.zeros(3, dtype=np.float32)
    x = torch.from_numpy(a)
    x[0] = 1
    x.numpy()[1] = 2
    assert a.tolist() == [1, 2, 0]


def test_backward_computes_gradients():
    x = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    (x * x).sum().backward()
    assert x.grad.tolist() == [2, 4, 6]


def test_gradients_add_up_until_cleared():
    x = torch.tensor(2.0, requires_grad=True)
    (3 * x).backward()
    (5 * x).backward()
    assert x.grad == 8
    x.grad = None
    (5 * x).backward()
    assert x.grad == 5


def test_a_result_remembers_what_made_it():
    x = torch.tensor(1.0, requires_grad=True)
    y = (x + 1).exp()
    assert y.grad_fn.name() == "ExpBackward0"
    assert y.grad_fn.next_functions[0][0].name() == "AddBackward0"
    assert x.is_leaf and x.grad_fn is None
    with torch.no_grad():
        assert not (x + 1).requires_grad


def test_gradients_have_gradients():
    x = torch.tensor(2.0, requires_grad=True)
    (first,) = torch.autograd.grad(x**4, x, create_graph=True)
    (second,) = torch.autograd.grad(first, x)
    assert first == 32 and second == 48


def test_writes_are_part_of_the_history():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x * 1
    y[0] *= 10  # through a view of y
    y.pow_(2)
    y.sum().backward()
    assert x.grad.tolist() == [200, 4]


def test_a_write_that_would_make_a_gradient_wrong_is_an_error():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = x.exp()  # the derivative of exp is its result
    z = y.sum()
    y.zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        z.backward()


def test_hooks_see_and_change_gradients():
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    handle = x.register_hook(lambda g: g * 100)
    (3 * x).sum().backward()
    handle.remove()
    assert x.grad.tolist() == [300, 300]


def test_a_function_of_your_own():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    x = torch.tensor([1.0, 2.0], requires_grad=True)
    Double.apply(x).sum().backward()
    assert x.grad.tolist() == [2, 2]


def test_transforms_nest():
    def cube(x):
        return x**3

    x = torch.tensor([1.0, 2.0, 3.0])
    grad, vmap, jvp = torch.func.grad, torch.func.vmap, torch.func.jvp
    assert vmap(grad(grad(cube)))(x).tolist() == [6, 12, 18]
    _, tangent = jvp(vmap(grad(cube)), (x,), (torch.ones(3),))
    assert tangent.tolist() == [6, 12, 18]


def test_modules_hold_parameters():
    net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
    assert list(net.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]
    assert sum(p.numel() for p in net.parameters()) == 4 * 3 + 3 + 3 * 2 + 2
    assert net(torch.zeros(5, 4)).shape == (5, 2)


def test_optimizers_train_them():
    net = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
    x = torch.linspace(-1, 1, 20).reshape(20, 1)
    for _ in range(200):
        optimizer.zero_grad()
        loss = torch.nn.functional.mse_loss(net(x), 3 * x + 1)
        loss.backward()
        optimizer.step()
    assert abs(net.weight.item() - 3) < 0.01 and abs(net.bias.item() - 1) < 0.01
