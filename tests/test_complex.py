"""Complex tensors: values are NumPy's, gradients are conjugate Wirtinger derivatives."""

import cmath
import math
import warnings

import numpy as np
import pytest
from _backend import NAME, assert_close, assert_same, torch

RNG = np.random.default_rng(0)


def draw(*shape):
    """complex128 on both sides of the axes, away from 0 and from the branch points +-1, +-i."""
    z = RNG.uniform(0.2, 0.8, shape) * np.exp(1j * RNG.uniform(0.2, 1.3, shape))
    return torch.tensor(z * RNG.choice([1, 1j, -1, -1j], shape))


def leaf(x):
    return x.clone().requires_grad_()


UNARY = {
    "neg": np.negative, "reciprocal": np.reciprocal, "square": np.square, "exp": np.exp,
    "exp2": np.exp2, "expm1": np.expm1, "log": np.log, "log2": np.log2, "log10": np.log10,
    "log1p": np.log1p, "sqrt": np.sqrt, "rsqrt": lambda x: 1 / np.sqrt(x), "sin": np.sin,
    "cos": np.cos, "tan": np.tan, "asin": np.arcsin, "acos": np.arccos, "atan": np.arctan,
    "sinh": np.sinh, "cosh": np.cosh, "tanh": np.tanh, "asinh": np.arcsinh, "acosh": np.arccosh,
    "atanh": np.arctanh, "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "abs": np.abs,
    "angle": np.angle, "sgn": lambda x: x / np.abs(x), "conj": np.conj, "conj_physical": np.conj,
    "real": np.real, "imag": np.imag,
}  # fmt: skip
BINARY = {"add": np.add, "sub": np.subtract, "mul": np.multiply, "div": np.divide, "pow": np.power}


class TestElementwise:
    @pytest.mark.parametrize("name", UNARY)
    def test_functions_of_one_number(self, name):
        f, z = getattr(torch, name), draw(2, 3)
        assert_close(f(z).resolve_conj(), UNARY[name](z.numpy()))
        single = f(z.to(torch.complex64))
        assert single.dtype in (torch.complex64, torch.float32)
        assert_close(single.to(torch.complex128), UNARY[name](z.numpy()), rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize("name", UNARY)
    def test_their_derivatives_in_both_modes_and_of_second_order(self, name):
        f = getattr(torch, name)
        assert torch.autograd.gradcheck(f, leaf(draw(2, 2)), check_forward_ad=True)
        if f(leaf(draw(1))).grad_fn is not None:
            assert torch.autograd.gradgradcheck(f, leaf(draw(2)))

    @pytest.mark.parametrize("name", BINARY)
    @pytest.mark.parametrize("real", ["none", "left", "right"])
    def test_functions_of_two_numbers(self, name, real):
        f, x, y = getattr(torch, name), draw(2, 3), draw(3)
        if real == "left":
            x = x.abs()
        if real == "right":
            y = y.abs()
        assert_close(f(x, y), BINARY[name](x.numpy(), y.numpy()))
        forward = name != "pow" or NAME == "adjoint"  # torch's rule is for complex operands only
        assert torch.autograd.gradcheck(f, (leaf(x), leaf(y)), check_forward_ad=forward)
        assert torch.autograd.gradgradcheck(f, (leaf(x[0]), leaf(y)))

    def test_python_numbers(self):
        z, x = draw(3), torch.tensor([1.0, 2.0])
        assert_close(
            (1j + z) * 2j / (1 - 1j) - 1j**z, (1j + z.numpy()) * 2j / (1 - 1j) - 1j ** z.numpy()
        )
        assert (x * 1j).dtype == torch.complex64
        assert (x.double() * 1j).dtype == torch.complex128
        assert (torch.tensor([1, 2]) + 1j).dtype == torch.complex64
        assert (torch.tensor([True]) * 1j).dtype == torch.complex64
        assert (z == z[0].item()).tolist() == [True, False, False]
        assert torch.add(z, z, alpha=2j).tolist() == (z + 2j * z).tolist()
        with pytest.raises(RuntimeError):
            x.mul_(1j)

    @pytest.mark.parametrize("name", ["lerp", "addcmul", "addcdiv"])
    def test_functions_of_three_numbers(self, name):
        args = tuple(leaf(draw(2)) for _ in range(3))
        assert torch.autograd.gradcheck(getattr(torch, name), args, check_forward_ad=True)

    def test_selection_and_tests(self):
        z, mask = draw(4), torch.tensor([True, False, True, False])
        assert torch.where(mask, z, 1j).tolist() == [z[0].item(), 1j, z[2].item(), 1j]
        assert z.masked_fill(mask, 2).tolist() == [2, z[1].item(), 2, z[3].item()]
        odd = torch.tensor([complex(math.nan, 0), complex(0, math.inf), 1j, 0])
        assert odd.isnan().tolist() == [True, False, False, False]
        assert odd.isinf().tolist() == [False, True, False, False]
        assert odd.isfinite().tolist() == [False, False, True, True]
        assert torch.logical_not(odd).tolist() == [False, False, False, True]
        assert torch.isclose(z, z + 1e-9).all() and torch.allclose(z, z * (1 + 1e-9))
        assert torch.equal(z, z.clone()) and not torch.equal(z, z.conj())

    @pytest.mark.parametrize("name", ["lt", "ge", "maximum", "floor", "sign", "relu", "erf"])
    def test_what_has_no_meaning_for_complex_numbers_is_an_error(self, name):
        z = draw(2)
        args = (z, z) if name in ("lt", "ge", "maximum") else (z,)
        with pytest.raises(RuntimeError):
            getattr(torch, name)(*args)

    def test_order_is_an_error(self):
        for f in (torch.sort, torch.max, torch.argmin, lambda z: z.topk(1)):
            with pytest.raises(RuntimeError):
                f(draw(3))

    def test_the_absolute_value_and_the_sign_have_no_gradient_at_zero(self):
        for f in (torch.abs, torch.sgn):
            z = torch.zeros(1, dtype=torch.complex128, requires_grad=True)
            y = f(z)
            (g,) = torch.autograd.grad(y, z, torch.ones_like(y))
            assert g.tolist() == [0]

    def test_angles_of_real_numbers(self):
        x = torch.tensor([1.0, -1.0, 0.0, math.inf, -math.inf, math.nan])
        assert_close(x.angle(), np.angle(x.numpy()).astype(np.float32), rtol=1e-6)

    def test_layouts(self):
        z, w = draw(3, 4), draw(4, 3)
        assert_close(z.T * w, z.numpy().T * w.numpy())
        assert_close(z[:, ::2].exp(), np.exp(z.numpy()[:, ::2]))
        assert_close(z + z[0].real, z.numpy() + z.numpy()[0].real)
        large = draw(1).expand(5000) * torch.arange(5000, dtype=torch.float64)[::1]
        assert_close(large, large[1].item() * np.arange(5000))


class TestViews:
    def test_parts_share_memory(self):
        z = draw(2, 3)
        pairs = torch.view_as_real(z)
        assert pairs.shape == (2, 3, 2) and pairs.data_ptr() == z.data_ptr()
        assert_same(torch.view_as_complex(pairs), z)
        z.real.zero_()
        z.imag[0] = 1
        z.imag[1] += 1 - z.imag[1]
        assert (z == 1j).all()
        z.real = torch.ones(2, 3, dtype=torch.float64)
        assert (z == 1 + 1j).all()
        assert z.real.stride() == (6, 2) and z.imag.storage_offset() == 1

    def test_of_real_tensors(self):
        x = torch.ones(2)
        assert x.real is x and x.conj() is x
        for f in (torch.imag, torch.view_as_real, lambda x: torch.view_as_complex(torch.ones(3))):
            with pytest.raises(RuntimeError):
                f(x)

    def test_writes_to_a_part_are_history(self):
        def f(z):
            w = z * 1
            w.real.mul_(3)
            w.imag[0] = 2
            return w * w

        assert torch.autograd.gradcheck(f, leaf(draw(3)))

    def test_writes_through_a_complex_view_are_history(self):
        def f(x):
            y = x * 1
            torch.view_as_complex(y).mul_(2j)
            return y * y

        x = torch.tensor([[1.0, 2.0], [3.0, 4.0]], dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(f, x)

    def test_a_part_taken_before_a_write_follows_it(self):
        def f(z):
            w = z * 1
            part = w.real
            w.mul_(2j)
            return part * part

        assert torch.autograd.gradcheck(f, leaf(draw(3)))

    def test_conjugates(self):
        z = draw(2, 3)
        expected = torch.conj_physical(z)
        assert_same(z.conj().resolve_conj(), expected)
        for y in (z.mH, z.H, z.adjoint(), torch.adjoint(z)):
            assert_same(y.resolve_conj(), expected.T)
        assert_same(z.clone().conj_physical_(), expected)
        assert not z.is_conj() and not torch.is_neg(z)

    def test_parts_to_numbers(self):
        x, y = torch.rand(3), torch.rand(3)
        z = torch.complex(x, y)
        assert z.dtype == torch.complex64 and torch.is_complex(z)
        assert_same(z.real, x)
        assert_same(z.imag, y)
        assert_close(torch.polar(x, y), x.numpy() * np.exp(1j * y.numpy()), rtol=1e-6)


class TestReductions:
    @pytest.mark.parametrize("name", ["sum", "mean", "prod", "cumsum", "cumprod", "var", "std"])
    def test_along_a_dim(self, name):
        z = draw(3, 4)
        ddof = {"ddof": 1} if name in ("var", "std") else {}
        f = getattr(torch, name)
        assert_close(f(z, 1), getattr(np, name)(z.numpy(), 1, **ddof))
        assert torch.autograd.gradcheck(lambda z: f(z, 1), leaf(draw(2, 3)), check_forward_ad=True)
        assert torch.autograd.gradgradcheck(lambda z: f(z, 0), leaf(draw(2, 2)))

    @pytest.mark.parametrize("p", [1, 2, 3, math.inf, -math.inf, 0.5])
    def test_norms_are_real(self, p):
        z = draw(3, 4)
        assert_close(torch.linalg.vector_norm(z, p, 1), np.linalg.norm(np.abs(z.numpy()), p, 1))
        assert torch.autograd.gradcheck(
            lambda z: torch.linalg.vector_norm(z, p, 1), leaf(z), check_forward_ad=True
        )

    def test_products_with_zeros_have_gradients(self):
        z = torch.tensor([1 + 1j, 0, 2j], dtype=torch.complex128, requires_grad=True)
        torch.prod(z, 0).abs().backward()
        z.grad = None
        torch.prod(z, 0).real.backward()
        assert_close(z.grad, np.conj([0, (1 + 1j) * 2j, 0]))

    def test_whole_numbers_of_running_sums_are_those_of_the_real_parts(self):
        z = torch.tensor([1 + 1j, 2j, 3])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert torch.cumsum(z, 0, dtype=torch.int64).tolist() == [1, 1, 4]
            assert torch.cumprod(z, 0, dtype=torch.int32).tolist() == [1, 0, 0]

    def test_what_is_not_finite_is_replaced_in_each_part(self):
        nan, inf = math.nan, math.inf
        z = torch.tensor([complex(nan, 1), complex(inf, -inf), 2 + 1j], dtype=torch.complex128)
        large = torch.finfo(torch.float64).max
        assert torch.nan_to_num(z).tolist() == [1j, complex(large, -large), 2 + 1j]
        expected = [3 + 1j, 4 + 5j, 2 + 1j]
        assert torch.nan_to_num(z, 3, 4, 5).tolist() == expected
        assert z.nan_to_num_(3, 4, 5) is z and z.tolist() == expected

    def test_counts(self):
        z = torch.tensor([0, 1j, 1])
        assert z.any() and not z.all() and torch.count_nonzero(z) == 2


class TestProducts:
    @pytest.mark.parametrize(
        "f, shapes",
        [
            (torch.mm, [(2, 3), (3, 2)]),
            (torch.mv, [(2, 3), (3,)]),
            (torch.dot, [(3,), (3,)]),
            (torch.vdot, [(3,), (3,)]),
            (torch.bmm, [(2, 2, 3), (2, 3, 1)]),
            (torch.matmul, [(2, 1, 2, 3), (2, 3, 2)]),
            (torch.matmul, [(3,), (2, 3, 2)]),
            (torch.outer, [(2,), (3,)]),
            (lambda a, b: a.mH @ b.H, [(3, 2), (2, 3)]),
            (lambda a, b: torch.einsum("ij,kj->ik", a, b.conj()), [(2, 3), (2, 3)]),
            (torch.addmm, [(2,), (2, 3), (3, 2)]),
            (torch.nn.functional.linear, [(2, 3), (2, 3), (2,)]),
            (torch.kron, [(2, 1), (1, 2)]),
        ],
    )
    def test_products(self, f, shapes):
        args = tuple(leaf(draw(*s)) for s in shapes)
        assert torch.autograd.gradcheck(f, args, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(f, args)

    def test_large_products_are_those_of_numpy(self):
        a, b = draw(70, 80), draw(80, 90)
        assert_close(a @ b, a.numpy() @ b.numpy())
        assert_close(a.mH @ a, a.numpy().conj().T @ a.numpy())


class TestShapes:
    def test_elements_move_with_their_gradients(self):
        index = torch.tensor([[0, 2], [1, 1]])
        for f in (
            lambda z: torch.tril(z) + torch.triu(z, 1) * 2,
            lambda z: z.gather(1, index) * 1j,
            lambda z: z.scatter_add(1, index, z[:, :2]),
            lambda z: torch.cat([z, z.flip(0)]).roll(1, 0)[1:, [0, 2]],
            lambda z: torch.stack([z, z * 1j]).permute(2, 0, 1).reshape(-1),
            lambda z: torch.diagonal(z) * z.select(0, 1)[:2],
            lambda z: torch.nn.functional.pad(z, (1, 0)).unfold(1, 2, 1),
        ):
            assert torch.autograd.gradcheck(f, leaf(draw(2, 3)))


class TestCreation:
    def test_random_numbers_have_variance_one(self):
        z = torch.randn(4000, dtype=torch.complex64)
        assert abs(float(z.abs().square().mean()) - 1) < 0.1
        assert abs(float(z.real.var()) - 0.5) < 0.1
        u = torch.rand(100, dtype=torch.complex128)
        assert u.real.min() >= 0 and u.imag.max() < 1 and u.imag.max() > 0.5

    def test_constants(self):
        assert_same(torch.full((2,), 1j), torch.tensor([1j, 1j]))
        assert torch.full_like(torch.zeros(1, dtype=torch.complex128), 2j).item() == 2j
        assert torch.zeros(2, dtype=torch.complex64).fill_(1j).tolist() == [1j, 1j]
        assert torch.eye(2, dtype=torch.complex64)[0, 0].item() == 1
        with pytest.raises((RuntimeError, TypeError)):
            torch.arange(1j)
        z = torch.zeros(3, dtype=torch.complex64)
        z[1] = 2j
        assert z.tolist() == [0, 2j, 0]

    def test_numpy(self):
        a = np.array([1j, 2], dtype=np.complex64)
        assert_same(torch.from_numpy(a), torch.tensor([1j, 2]))
        if NAME == "adjoint":
            assert torch.tensor([1.0]) * np.complex64(1j) == 1j

    def test_printing(self):
        assert repr(torch.tensor([1 + 2j, -0.5j])) == "tensor([1.+2.0000j, -0.-0.5000j])"
        assert repr(torch.tensor(1j)) == "tensor(0.+1.j)"


class TestAutograd:
    def test_gradients_are_conjugate_wirtinger_derivatives(self):
        z = torch.tensor(1 + 2j, dtype=torch.complex128, requires_grad=True)
        (z.real**2 + 3 * z.imag).backward()
        assert z.grad.item() == 2 + 3j
        z.grad = None
        (z * (3 + 1j)).real.backward()
        assert z.grad.item() == 3 - 1j

    def test_real_operands_get_real_gradients(self):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        (x * torch.tensor([1j, 2.0])).abs().sum().backward()
        assert x.grad.dtype == torch.float32
        assert x.grad.tolist() == [1, 2]

    def test_a_complex_result_needs_a_gradient_to_start_from(self):
        z = torch.tensor(1j, requires_grad=True)
        with pytest.raises(RuntimeError, match="real scalar outputs but got torch.complex64"):
            (z * 2).backward()
        with pytest.raises(RuntimeError):
            (z * 2).backward(torch.tensor(1.0))
        (z * 2).backward(torch.tensor(1 + 0j))
        assert z.grad.item() == 2

    def test_gradient_descent_finds_a_complex_root(self):
        z = torch.tensor(0.5 + 0.5j, dtype=torch.complex128, requires_grad=True)
        for _ in range(200):
            (g,) = torch.autograd.grad((z * z + 1).abs() ** 2, z)
            with torch.no_grad():
                z -= 0.05 * g
        assert cmath.isclose(z.item(), 1j, abs_tol=1e-3)

    @pytest.mark.skipif(NAME != "adjoint", reason="torch.func has other random numbers")
    def test_transforms(self):
        z = draw(4, 3)
        f = lambda z: (z * z.conj()).real.sum()
        assert_close(torch.func.vmap(torch.func.grad(f))(z), 2 * z.numpy())
        _, tangent = torch.func.jvp(torch.sin, (z,), (z,))
        assert_close(tangent, np.cos(z.numpy()) * z.numpy())

    def test_casts(self):
        z = leaf(draw(3))
        z.to(torch.complex64).abs().sum().backward()
        assert z.grad.dtype == torch.complex128
        x = torch.ones(2, dtype=torch.float64, requires_grad=True)
        (x.to(torch.complex128) * (2 + 1j)).real.sum().backward()
        assert x.grad.tolist() == [2, 2]
