"""Gradients of everyday expressions, first and second order, by finite differences and by hand."""

import numpy as np
import pytest
from _backend import assert_close, assert_same, check_gradient, f64, rand64, torch

F = torch.nn.functional

idx = torch.tensor([[0, 2], [1, 1]])
mask = torch.tensor([[True, False, True], [False, True, True]])

# What is computed, and the shapes of its arguments.
EXPRESSIONS = {
    "polynomial": (lambda x: x**3 - 2 * x**2 + x / 3 - 1, (3,)),
    "every way to combine with a number": (
        lambda x: (2 + x) * (x - 1) / 3 + (1 / x) - (4 - x) * 0.5 + 2**x + x**-1.5,
        (3,),
    ),
    "power of tensors": (lambda x, y: x**y, (3,), (3,)),
    "quotient": (lambda x, y: x / y + y / (x + y), (2, 3), (2, 3)),
    "broadcast": (lambda x, y, z: x * y + z / x, (2, 1, 3), (4, 1), ()),
    "expand": (lambda x: x.expand(4, 2, 3).sin() * x, (2, 1)),
    "exponential family": (lambda x: x.exp() * x.log() + x.log1p().expm1().sqrt(), (3,)),
    "trigonometric": (lambda x: x.sin() * x.cos() + (x / 2).tan() + x.atan(), (3,)),
    "hyperbolic": (lambda x: x.tanh() * x.sinh() / x.cosh(), (3,)),
    "gates": (lambda x, y: torch.sigmoid(x) * torch.tanh(y) + F.silu(x) * F.gelu(y), (3,), (3,)),
    "softplus, erf": (lambda x: F.softplus(x) * torch.erf(x), (3,)),
    "kinks away from the kink": (
        lambda x: (x - 1).abs() * F.relu(x - 1) + (x - 0.9).clamp(-0.2, 0.3) * x,
        (4,),
    ),
    "larger and smaller": (lambda x, y: torch.maximum(x, y) * torch.minimum(x, y) * x, (4,), (4,)),
    "where": (lambda x, y: torch.where(mask, x * y, x.exp()), (2, 3), (2, 3)),
    "lerp, addcmul, addcdiv": (
        lambda x, y, w: x.lerp(y, w) + x.addcmul(y, w, value=2) + x.addcdiv(y, w, value=-1),
        (2, 3),
        (2, 3),
        (3,),
    ),
    "sums": (lambda x: x.sum(0, keepdim=True) * x.sum((0, 1)) + (x * x).sum(-1, True) * x, (2, 3)),
    "means": (lambda x: x.mean(1) ** 2 * x.mean(), (2, 3)),
    "products": (lambda x: x.prod(1) * x.prod(), (2, 3)),
    "variance": (lambda x: x.var(1) * x.std() + x.var(0, correction=0).sum(), (2, 3)),
    "norms": (lambda x: x.norm() * x.norm(dim=1) + x.norm(p=1) * x.norm(p=3, dim=0).sum(), (2, 3)),
    "logsumexp": (lambda x: x.logsumexp(1) * x.logsumexp((0, 1)), (2, 3)),
    "extrema": (lambda x: x.amax(1) * x.amin() * x.max() + x.max(1).values * x.min(1)[0], (2, 3)),
    "cumulative": (lambda x: x.cumsum(1) * x.cumprod(0), (2, 3)),
    "vector . vector": (lambda x, y: x @ y, (3,), (3,)),
    "matrix @ vector": (lambda x, y: x @ y, (2, 3), (3,)),
    "vector @ matrix": (lambda x, y: x @ y, (2,), (2, 3)),
    "matrix @ matrix": (lambda x, y: x @ y, (2, 3), (3, 2)),
    "batch @ batch": (lambda x, y: x @ y, (2, 2, 3), (2, 3, 2)),
    "batch @ matrix": (lambda x, y: x @ y, (2, 2, 3), (3, 2)),
    "matrix @ batch": (lambda x, y: x @ y, (2, 3), (2, 3, 2)),
    "batch @ vector": (lambda x, y: x @ y, (2, 2, 3), (3,)),
    "vector @ batch": (lambda x, y: x @ y, (2,), (2, 2, 3)),
    "broadcast batches": (lambda x, y: x @ y, (2, 1, 2, 3), (3, 3, 1)),
    "matmul of transposes": (lambda x, y: x.t() @ y.t() @ x.t(), (3, 2), (2, 3)),
    "fused products": (
        lambda b, x, y: torch.addmm(b, x, y, beta=2, alpha=3) + torch.outer(b, x[0, :2] * b),
        (2,),
        (2, 3),
        (3, 2),
    ),
    "einsum, bilinear form": (lambda x, A: torch.einsum("bi,ij,bj->b", x, A, x), (2, 3), (3, 3)),
    "einsum, diagonal and trace": (
        lambda x: torch.einsum("ii->i", x) * torch.einsum("ii", x) + torch.einsum("ij->ji", x)[0],
        (3, 3),
    ),
    "views": (
        lambda x: x.t().reshape(6).view(2, 3).permute(1, 0).unsqueeze(1).flatten() * x.flatten(),
        (2, 3),
    ),
    "narrow, select, diagonal": (
        lambda x: x.narrow(1, 0, 2) * x[:, 1:] + x.select(0, 1)[:2] * x.diagonal(),
        (2, 3),
    ),
    "flip, roll, repeat": (lambda x: (x.flip(0) * x.roll(1, 1)).repeat(2, 1) ** 2, (2, 3)),
    "triangles": (lambda x: x.tril() @ x.triu(), (3, 3)),
    "as_strided that overlaps": (lambda x: x.as_strided((2, 3), (1, 1)) ** 3, (4,)),
    "cat": (lambda x, y: torch.cat([x, y * y, x], 1).sin(), (2, 3), (2, 1)),
    "stack": (lambda x, y: torch.stack([x, y, x * y], 1).prod(1), (2, 3), (2, 3)),
    "split": (lambda x: x.split([1, 2], 1)[0] * x.split(2, 1)[1] * x.split(1)[1], (2, 3)),
    "chunk": (lambda x: x.chunk(2, 1)[0] * x.chunk(3, 1)[1], (2, 4)),
    "unbind": (lambda x: x.unbind(0)[1] * x.unbind(1)[0].sum(), (2, 3)),
    "integer and slice indices": (lambda x: x[1] * x[:, 2].sum() * x[..., ::2].sum(), (2, 3)),
    "tensor index with repeats": (lambda x: x[[0, 1, 1, 0, 0]] ** 2, (2, 3)),
    "two tensor indices": (lambda x: x[idx[1], idx[0]] * x[0, idx].sum(), (3, 3)),
    "boolean mask": (lambda x: x[mask].sin() * x.masked_select(~mask).sum(), (2, 3)),
    "gather": (lambda x: x.gather(1, idx) ** 2 + torch.take_along_dim(x, idx, 1), (2, 3)),
    "index_select": (lambda x: x.index_select(1, torch.tensor([2, 0, 2])) ** 2, (2, 3)),
    "scatter": (lambda x, y: (x * x).scatter(1, idx[:1], y**2), (2, 3), (1, 2)),
    "scatter_add": (lambda x, y: x.scatter_add(1, idx, y * y) ** 2, (2, 3), (2, 2)),
    "index_add": (lambda x, y: x.index_add(0, torch.tensor([1, 1]), y) ** 2, (2, 3), (2, 3)),
    "masked_fill": (lambda x: x.masked_fill(mask, 2.0) ** 2, (2, 3)),
    "masked_fill with a tensor": (lambda x, v: x.masked_fill(mask, v) ** 2, (2, 3), ()),
    "sort": (lambda x: x.sort(1, descending=True).values * torch.arange(3) * x, (2, 3)),
    "topk": (lambda x: x.topk(2, 1).values.prod(1), (2, 3)),
    "softmax": (lambda x: F.softmax(x, 1) * F.log_softmax(x, 0), (2, 3)),
    "layer_norm": (lambda x, w, b: F.layer_norm(x, (3,), w, b) ** 2, (2, 3), (3,), (3,)),
    "cross_entropy": (lambda x: F.cross_entropy(x * x, torch.tensor([0, 2])), (2, 3)),
    "binary losses": (
        lambda x, y: (
            F.binary_cross_entropy_with_logits(x, y / 2) * F.binary_cross_entropy(x / 2, y / 2)
        ),
        (3,),
        (3,),
    ),
    "regression losses": (
        lambda x, y: (
            F.mse_loss(x, y) * F.l1_loss(x, 3 * y) * F.smooth_l1_loss(x, y).exp()
            + F.huber_loss(x, y)
        ),
        (3,),
        (3,),
    ),
    "attention by hand": (
        lambda q, k, v: F.softmax(q @ k.transpose(-1, -2) / 3**0.5, -1) @ v,
        (2, 3),
        (2, 3),
        (2, 3),
    ),
    "an RNN of three steps": (
        lambda h, W, U, x: [h := torch.tanh(W @ h + U @ x[:, t]) for t in range(3)][-1],
        (2,),
        (2, 2),
        (2, 2),
        (2, 3),
    ),
}


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_first_and_second_derivatives(name):
    f, *shapes = EXPRESSIONS[name]
    check_gradient(f, *(rand64(*shape) for shape in shapes))


# Assignments into `x`, a result, of what was computed from `v`.
ASSIGNMENTS = {
    "x[0] = v": (3,),
    "x[0] = v[0]": (3,),
    "x[:, 1] = v": (2,),
    "x[1, ::2] = v * v": (2,),
    "x[..., -1] += v": (2,),
    "x[mask] = v": (),
    "x[mask] = v ** 2": (4,),
    "x[[1, 0]] = v": (2, 3),
    "x[idx[1], idx[0]] = v": (2,),
    "x[:, [2, 0]] = v": (2, 2),
    "x[:] = v[:, None]": (2,),
    "x[0], x[1] = x[1] + v, x[0] - v": (),
    "x.index_put_((idx[1],), v, accumulate=True)": (3,),
}


@pytest.mark.parametrize("statement", ASSIGNMENTS)
def test_derivatives_through_index_assignment(statement):
    code = compile(statement, "statement", "exec")

    def assign(x, v):
        x = x * x
        exec(code, {"x": x, "v": v, "mask": mask, "idx": idx})
        return x.sin()

    check_gradient(assign, rand64(2, 3), rand64(*ASSIGNMENTS[statement]))


class TestBroadcastGradientsAreSummed:
    @pytest.mark.parametrize("shape", [(), (1,), (3,), (1, 3), (2, 1), (1, 2, 1)])
    def test_back_to_the_shape_of_the_operand(self, shape):
        x = torch.ones(shape, requires_grad=True)
        (x + torch.zeros(2, 3)).sum().backward()
        assert x.grad.shape == shape
        assert (x.grad == 6 / x.numel()).all()

    def test_expand(self):
        x = torch.ones(3, 1, requires_grad=True)
        x.expand(-1, 4).sum().backward()
        assert x.grad.tolist() == [[4]] * 3

    def test_size_zero(self):
        x = torch.ones(1, 3, requires_grad=True)
        (x * torch.ones(0, 3)).sum().backward()
        assert x.grad.tolist() == [[0, 0, 0]]


class TestConventionsAtKinks:
    """Where there is no derivative the convention is torch's."""

    @pytest.mark.parametrize(
        "f, at, expected",
        [
            (torch.relu, 0.0, 0),
            (torch.abs, 0.0, 0),
            (torch.sign, 0.0, 0),
            (lambda x: x.clamp(0, 1), 0.0, 1),
            (lambda x: x.clamp(0, 1), 1.0, 1),
            (lambda x: x.norm(), 0.0, 0),
            (lambda x: x**0, 0.0, 0),
            (lambda x: torch.maximum(x, x * 0), 0.0, 0.5),
            (lambda x: F.smooth_l1_loss(x, x.detach() * 0), 0.0, 0),
        ],
    )
    def test_one_point(self, f, at, expected):
        x = f64(at)
        f(x).backward()
        assert x.grad == expected

    def test_ties_share_the_gradient_of_a_full_extremum(self):
        x = f64([1.0, 3.0, 3.0])
        for f in (torch.max, torch.amax):
            (g,) = torch.autograd.grad(f(x), x)
            assert g.tolist() == [0, 0.5, 0.5]

    def test_ties_along_a_dim_go_where_the_index_points(self):
        x = f64([[1.0, 3.0, 3.0]])
        values, indices = x.max(1)
        (g,) = torch.autograd.grad(values.sum(), x)
        assert g[0, indices[0]] == 1 and g.sum() == 1
        (g,) = torch.autograd.grad(x.amax(1).sum(), x)
        assert g.tolist() == [[0, 0.5, 0.5]]

    def test_a_product_with_zeros(self):
        for values, expected in [([0, 2, 3], [6, 0, 0]), ([0, 0, 3], [0, 0, 0])]:
            x = f64([float(v) for v in values])
            (g,) = torch.autograd.grad(x.prod(), x)
            assert g.tolist() == expected

    def test_where_does_not_mix_the_branches(self):
        x = f64([0.0, 4.0])
        torch.where(x > 0, x.sqrt(), x).sum().backward()
        assert x.grad[1] == 0.25  # the other is 0 * inf: nan, in torch too
        x = f64([0.0, 4.0])
        torch.where(x > 0, x, torch.full_like(x, float("nan"))).sum().backward()
        assert x.grad.tolist() == [0, 1]


class TestGradientsKeepDtypeAndShape:
    @pytest.mark.parametrize(
        "f",
        [
            lambda p, d: p * d,
            lambda p, d: p + d,
            lambda p, d: d / p,
            lambda p, d: torch.where(d > 0, p, d),
            lambda p, d: torch.stack([p.double(), d]),
            lambda p, d: torch.cat([p, d]),
            lambda p, d: p.to(torch.float64) @ d,
            lambda p, d: torch.maximum(p, d),
        ],
    )
    def test_a_float32_parameter_with_float64_data(self, f):
        p = torch.ones(3, requires_grad=True)
        d = torch.tensor([1.0, 2.0, 3.0], dtype=torch.float64)
        out = f(p, d)
        assert out.dtype == torch.float64
        out.sum().backward()
        assert p.grad.dtype == torch.float32

    def test_a_float64_scalar_tensor_does_not_promote(self):
        p, s = torch.ones(3, requires_grad=True), f64(2.0)
        out = p * s
        assert out.dtype == torch.float32
        out.sum().backward()
        assert p.grad.dtype == torch.float32 and s.grad.dtype == torch.float64

    def test_an_integer_factor(self):
        p = torch.ones(3, requires_grad=True)
        (p * torch.arange(3) + torch.tensor([True, False, True])).sum().backward()
        assert_same(p.grad, torch.tensor([0.0, 1.0, 2.0]))

    @pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (1,)])
    def test_empty_and_0d(self, shape):
        x = torch.ones(shape, requires_grad=True)
        (x * 2).exp().sum().backward()
        assert x.grad.shape == shape

    def test_non_contiguous_cotangents(self):
        x = rand64(3, 2)
        cotangent = rand64(2, 3, grad=False).t()
        (g,) = torch.autograd.grad(x * x, x, cotangent)
        assert_close(g, 2 * x * cotangent)
        (g,) = torch.autograd.grad(x * x, x, torch.ones(1, 1).double().expand(3, 2))
        assert_close(g, 2 * x)


def test_higher_orders():
    """Six derivatives of one function, against NumPy's for a polynomial times an exponential."""
    x = f64(0.5)
    y = x**3 * torch.exp(-x)
    p = np.polynomial.Polynomial([0, 0, 0, 1])  # d(p exp(-x)) = (p' - p) exp(-x)
    for _ in range(6):
        (y,) = torch.autograd.grad(y, x, create_graph=True)
        p = p.deriv() - p
        assert_close(y, p(0.5) * np.exp(-0.5))


def test_mixed_partial_derivatives_commute():
    x, y = rand64(3), rand64(3)
    f = (torch.sin(x * y) * y.exp()).sum()
    (fx,) = torch.autograd.grad(f, x, create_graph=True)
    (fy,) = torch.autograd.grad(f, y, create_graph=True)
    (fxy,) = torch.autograd.grad(fx.sum(), y, retain_graph=True)
    (fyx,) = torch.autograd.grad(fy.sum(), x)
    assert_close(fxy, fyx)


def test_second_derivatives_with_respect_to_the_cotangent():
    """The gradient is linear in the cotangent v, so its derivative by v is the Jacobian."""
    x, v = rand64(3), rand64(3)
    (g,) = torch.autograd.grad(x.exp(), x, v, create_graph=True)
    (gv,) = torch.autograd.grad(g.sum(), v)
    assert_close(gv, x.exp())
