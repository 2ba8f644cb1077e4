"""Linear algebra of complex matrices beyond the matrix of operators: what is unique only up to the
phases of vectors, real results, singular cases."""

import numpy as np
import pytest
from _backend import NAME, assert_close, torch

RNG = np.random.default_rng(0)


def draw(*shape):
    return torch.tensor(RNG.normal(size=shape) + 1j * RNG.normal(size=shape))


def spread(m, n):
    """Singular values and eigenvalues well apart."""
    z, k = 0.1 * draw(m, n), range(min(m, n))
    z[k, k] += torch.arange(1.0, len(k) + 1, dtype=torch.float64)
    return z


def hermitian(z):
    return (z + z.mH) / 2


def positive(n):
    z = draw(n, n)
    return z @ z.mH + n * torch.eye(n, dtype=torch.float64)


def of_eigh(z):
    """Functions of eigenvectors that their phases leave alone."""
    values, v = torch.linalg.eigh(hermitian(z))
    projections = v.mT.unsqueeze(-1) * v.mH.unsqueeze(-2)  # v_k v_k^H: [k, i, j]
    return values, v.abs(), projections, v @ (values.exp().unsqueeze(-1) * v.mH)


def of_svd(z):
    u, s, vh = torch.linalg.svd(z, full_matrices=False)
    return s, u.abs(), vh.abs(), u.mT.unsqueeze(-1) * vh.unsqueeze(-2)


def of_left_vectors(z):
    u = torch.linalg.svd(z, full_matrices=False)[0]
    return u.mT.unsqueeze(-1) * u.mH.unsqueeze(-2)


def of_right_vectors(z):
    vh = torch.linalg.svd(z, full_matrices=False)[2]
    return vh.mH.mT.unsqueeze(-1) * vh.unsqueeze(-2)


def of_eig(z):
    values, v = torch.linalg.eig(z)
    return values, v.abs(), v.mT.unsqueeze(-1) * v.mH.unsqueeze(-2)


SPECTRAL = {
    "eigh": (of_eigh, (3, 3)),
    "svd of a square matrix": (of_svd, (2, 2)),
    "svd of a tall matrix": (of_svd, (3, 2)),
    "svd of a wide matrix": (of_svd, (2, 3)),
    "left singular vectors": (of_left_vectors, (3, 2)),
    "right singular vectors": (of_right_vectors, (2, 3)),
    "eig": (of_eig, (3, 3)),
}


@pytest.mark.parametrize("name", SPECTRAL)
class TestVectorsUpToPhases:
    def test_derivatives_in_both_modes_and_of_second_order(self, name):
        f, shape = SPECTRAL[name]
        z = spread(*shape).requires_grad_()
        assert torch.autograd.gradcheck(f, z, check_forward_ad=True)
        assert torch.autograd.gradgradcheck(f, z)

    @pytest.mark.skipif(NAME != "adjoint", reason="torch has no rule for a check of its own")
    def test_vmap(self, name):
        f, shape = SPECTRAL[name]
        batch = torch.stack([spread(*shape), spread(*shape)])

        def loss(z):
            ys = f(z)
            return sum((y.abs() ** 3).cumsum(-1).sum() for y in (ys if type(ys) is tuple else [ys]))

        gradients = torch.func.vmap(torch.func.grad(loss))(batch)
        assert_close(gradients, torch.stack([torch.func.grad(loss)(z) for z in batch]))


@pytest.mark.parametrize("name", ["eigh", "svd", "eig"])
def test_a_loss_that_depends_on_phases_is_an_error(name):
    z = spread(3, 3).requires_grad_()
    vectors = {"eigh": 1, "svd": 0, "eig": 1}[name]
    loss = (getattr(torch.linalg, name)(z)[vectors] * draw(3, 3)).real.sum()
    with pytest.raises(RuntimeError, match="up to multiplication by e.*ill-defined"):
        loss.backward()


@pytest.mark.parametrize("m, n", [(3, 3), (40, 30), (30, 40)])
def test_factors_multiply_to_the_matrix(m, n):
    z = draw(m, n)
    u, s, vh = torch.linalg.svd(z)
    k = min(m, n)
    assert_close(u[:, :k] @ (s.unsqueeze(-1) * vh[:k]), z, 1e-9, 1e-9)
    assert_close(u @ u.mH, torch.eye(m, dtype=z.dtype), 1e-9, 1e-9)
    assert_close(vh @ vh.mH, torch.eye(n, dtype=z.dtype), 1e-9, 1e-9)
    q, r = torch.linalg.qr(z)
    assert_close(q @ r, z, 1e-9, 1e-9)
    assert_close(r.diagonal().imag, np.zeros(k))


@pytest.mark.parametrize("uplo", ["L", "U"])
def test_one_triangle_of_a_hermitian_matrix_is_read(uplo):
    h = positive(4)
    half = h.tril() if uplo == "L" else h.triu()
    values, v = torch.linalg.eigh(half, UPLO=uplo)
    assert_close(v @ (values.unsqueeze(-1) * v.mH), h, 1e-9, 1e-9)
    assert_close(torch.linalg.eigvalsh(half, UPLO=uplo), values)
    factor = torch.linalg.cholesky(half, upper=uplo == "U")
    assert_close(factor.mH @ factor if uplo == "U" else factor @ factor.mH, h)


def test_eigenvectors_of_a_complex_matrix():
    z = draw(2, 5, 5)
    values, v = torch.linalg.eig(z)
    assert_close(z @ v, v * values.unsqueeze(-2), 1e-9, 1e-9)


class TestRealResults:
    @pytest.mark.parametrize("shape", [(2, 2), (0, 0), (0, 2), (2, 0)])
    @pytest.mark.parametrize("dtype", ["complex64", "complex128"])
    def test_singular_values_and_norms_are_real(self, shape, dtype):
        z = torch.ones(shape, dtype=getattr(torch, dtype))
        real = z.real.dtype
        assert torch.linalg.svdvals(z).dtype == real
        u, s, vh = torch.linalg.svd(z)
        assert (u.dtype, s.dtype, vh.dtype) == (z.dtype, real, z.dtype)
        assert torch.linalg.matrix_norm(z, "nuc").dtype == real
        if shape[0] == shape[1]:
            assert torch.linalg.eigvalsh(z).dtype == real
            assert torch.linalg.slogdet(z).logabsdet.dtype == real
            assert torch.linalg.cond(z).dtype == real

    @pytest.mark.parametrize("driver", ["gels", "gelsy", "gelsd", "gelss"])
    def test_least_squares(self, driver):
        a, b = draw(5, 3), draw(5, 2)
        got, want = torch.linalg.lstsq(a, b, driver=driver), np.linalg.lstsq(a, b, rcond=None)
        assert_close(got.solution, want[0])
        if driver != "gelsy":
            assert got.residuals.dtype == torch.float64
            assert_close(got.residuals, want[1])
        if driver in ("gelsd", "gelss"):
            assert_close(got.singular_values, want[3])


# Complex results in single precision, well-conditioned: some ten roundings.
SINGLE = ["inv", "cholesky", "det", "eigvalsh", "svdvals", "pinv", "matrix_exp"]


@pytest.mark.parametrize("name", SINGLE)
def test_complex64_results_are_those_of_complex128(name):
    f, z = getattr(torch.linalg, name), positive(4) / 4
    single = f(z.to(torch.complex64))
    assert single.dtype in (torch.complex64, torch.float32)
    assert_close(single.to(torch.complex128), f(z).to(torch.complex128), 1e-4, 1e-4)


class TestSingular:
    def test_errors(self):
        with pytest.raises(torch.linalg.LinAlgError, match="singular"):
            torch.linalg.inv(torch.ones(2, 2) * 1j)
        with pytest.raises(torch.linalg.LinAlgError, match="order 2"):
            torch.linalg.cholesky(torch.tensor([[1, 2j], [-2j, 1]]))

    def test_determinants_have_gradients(self):
        low, high = draw(3, 2).requires_grad_(), draw(2, 3)
        f = lambda x: torch.linalg.det(x @ high + torch.diag(x[:, 0]))
        assert torch.autograd.gradcheck(f, low, check_forward_ad=True)
        z = draw(3, 2) @ draw(2, 3)
        with_grad = z.clone().requires_grad_()
        torch.linalg.det(with_grad).real.backward()
        minor = lambda i, j: np.linalg.det(np.delete(np.delete(z.numpy(), i, 0), j, 1))
        cofactors = [[(-1) ** (i + j) * minor(i, j) for j in range(3)] for i in range(3)]
        assert_close(with_grad.grad, np.conj(cofactors))

    def test_pseudo_inverses_of_constant_rank_have_derivatives(self):
        x, y = draw(4, 2).requires_grad_(), draw(2, 3).requires_grad_()
        f = lambda x, y: torch.linalg.pinv(x @ y, rtol=1e-9)
        assert torch.autograd.gradcheck(f, (x, y), check_forward_ad=True)
        z = f(x, y).detach()
        assert_close(z @ (x @ y) @ z, z)
        assert int(torch.linalg.matrix_rank(x @ y)) == 2


@pytest.mark.parametrize("hermitian", [False, True])
def test_ldl(hermitian):
    z, b = draw(4, 4), draw(4, 2).requires_grad_()
    z = z + (z.mH if hermitian else z.mT)
    factors = torch.linalg.ldl_factor(z, hermitian=hermitian)
    f = lambda b: torch.linalg.ldl_solve(*factors, b, hermitian=hermitian)
    assert_close(f(b), np.linalg.solve(z.numpy(), b.detach().numpy()))
    if NAME == "adjoint":  # torch has no derivative
        assert torch.autograd.gradcheck(f, b, check_forward_ad=True)


@pytest.mark.skipif(NAME != "adjoint", reason="torch adds an anti-Hermitian part")
def test_gradients_of_hermitian_matrices_are_hermitian():
    h = positive(3).requires_grad_()
    weight = draw(3, 3)
    for f in (torch.linalg.cholesky, lambda h: torch.linalg.eigh(h)[1].abs()):
        (g,) = torch.autograd.grad((f(h) * weight).sum().abs(), h)
        assert_close(g, g.mH)
