"""Linear algebra beyond the matrix of operators: errors, what factors multiply to, singular cases.

Tolerances of float64 results are some hundred roundings; gradients against torch a little more.
"""

import numpy as np
import pytest
from _backend import NAME

if NAME != "adjoint":
    pytest.skip("adjoint's own module", allow_module_level=True)

import adjoint
from adjoint import linalg

rng = np.random.default_rng(0)


def normal(*shape):
    return adjoint.from_numpy(rng.normal(size=shape))


def positive(n):
    a = normal(n, n)
    return a @ a.mT + n * adjoint.eye(n).double()


def close(x, y, tolerance=1e-10):
    x, y = (t.detach().numpy() for t in (x, y))
    assert x.shape == y.shape
    np.testing.assert_allclose(x, y, rtol=tolerance, atol=tolerance)


def test_a_failed_factorisation_is_a_linalg_error():
    assert issubclass(linalg.LinAlgError, RuntimeError)
    with pytest.raises(linalg.LinAlgError) as error:
        linalg.cholesky(adjoint.tensor([[1.0, 2.0], [2.0, 1.0]]))
    assert str(error.value) == (
        "linalg.cholesky: The factorization could not be completed because the input is not "
        "positive-definite (the leading minor of order 2 is not positive-definite)."
    )
    with pytest.raises(linalg.LinAlgError) as error:
        linalg.inv(adjoint.tensor([[1.0, 2.0], [2.0, 4.0]]))
    assert str(error.value) == (
        "linalg.inv: The diagonal element 2 is zero, the inversion could not be completed because "
        "the input matrix is singular."
    )
    with pytest.raises(linalg.LinAlgError, match="linalg.solve: .*the input matrix is singular"):
        linalg.solve(adjoint.zeros(2, 2), adjoint.ones(2))
    with pytest.raises(linalg.LinAlgError, match="failed to converge"):
        linalg.eigh(adjoint.full((2, 2), float("nan")))


def test_an_error_in_a_batch_names_the_element():
    batch = adjoint.stack([adjoint.eye(2), -adjoint.eye(2)])
    with pytest.raises(
        linalg.LinAlgError, match="\\(Batch element 1\\): .*leading minor of order 1"
    ):
        linalg.cholesky(batch)


@pytest.mark.parametrize("name", ["cholesky", "inv", "det", "slogdet", "eigh", "eigvalsh", "cond"])
def test_shapes_and_dtypes_are_checked(name):
    f = getattr(linalg, name)
    with pytest.raises(RuntimeError, match="must have at least 2 dimensions"):
        f(adjoint.ones(3))
    if name != "cond":
        with pytest.raises(
            RuntimeError, match="must be batches of square matrices, but they are 2 by 3"
        ):
            f(adjoint.ones(2, 3))
    with pytest.raises(
        RuntimeError, match="Expected a floating point or complex tensor as input. Got Long"
    ):
        f(adjoint.ones(2, 2, dtype=adjoint.int64))
    with pytest.raises(RuntimeError, match="Low precision dtypes not supported. Got Half"):
        f(adjoint.ones(2, 2, dtype=adjoint.float16))


def test_info_tells_instead_of_raising():
    batch = adjoint.stack([adjoint.eye(2), adjoint.zeros(2, 2)])
    assert linalg.inv_ex(batch).info.tolist() == [0, 1]
    assert linalg.solve_ex(batch, adjoint.ones(2, 2)).info.tolist() == [0, 1]
    assert linalg.cholesky_ex(batch).info.tolist() == [0, 1]
    assert linalg.lu_factor_ex(batch).info.tolist() == [0, 1]
    assert linalg.inv_ex(batch).info.dtype == adjoint.int32
    with pytest.raises(linalg.LinAlgError):
        linalg.inv_ex(batch, check_errors=True)


@pytest.mark.parametrize(
    "shape", [(3, 3), (5, 3), (3, 5), (2, 30, 26), (2, 26, 30), (0, 3), (3, 0)]
)
@pytest.mark.parametrize("dtype", [adjoint.float32, adjoint.float64])
def test_factors_multiply_to_the_matrix(shape, dtype):
    a = normal(*shape).to(dtype)
    tolerance = 1e-10 if dtype == adjoint.float64 else 1e-4
    m, n = shape[-2:]
    k = min(m, n)
    for full in (False, True):
        u, s, vh = linalg.svd(a, full_matrices=full)
        close(u[..., :k] * s.unsqueeze(-2) @ vh[..., :k, :], a, tolerance)
        close(
            u.mT @ u, adjoint.eye(u.shape[-1], dtype=dtype).expand(*shape[:-2], -1, -1), tolerance
        )
        close(
            vh @ vh.mT,
            adjoint.eye(vh.shape[-2], dtype=dtype).expand(*shape[:-2], -1, -1),
            tolerance,
        )
        q, r = linalg.qr(a, "complete" if full else "reduced")
        close(q @ r, a, tolerance)
        close(
            q.mT @ q, adjoint.eye(q.shape[-1], dtype=dtype).expand(*shape[:-2], -1, -1), tolerance
        )
        close(r, r.triu(), 0)
    p, lower, upper = linalg.lu(a)
    close(p @ lower @ upper, a, tolerance)
    if m >= n:
        close(linalg.householder_product(*adjoint.geqrf(a)), linalg.qr(a).Q, tolerance)
    close(linalg.qr(a, "r").R, linalg.qr(a).R, tolerance)


@pytest.mark.parametrize("n", [1, 3, 24, 25, 64])
def test_small_matrices_and_large_ones_take_different_paths_to_the_same(n):
    a, b, spd = normal(3, n, n), normal(3, n, 2), positive(n)
    eye = adjoint.eye(n).double()
    close(linalg.inv(a) @ a, eye.expand(3, n, n), 1e-7)
    close(a @ linalg.solve(a, b), b, 1e-7)
    close(linalg.solve(a, b[..., 0]), linalg.solve(a, b)[..., 0], 1e-7)
    close(
        linalg.solve(a.mT, b.mT.contiguous().mT, left=True),
        linalg.solve(a, b.mT, left=False).mT,
        1e-7,
    )
    low = linalg.cholesky(spd)
    close(low @ low.mT, spd, 1e-10)
    close(low, low.tril(), 0)
    values, v = linalg.eigh(spd)
    close(v * values @ v.mT, spd, 1e-10)
    close(linalg.eigvalsh(spd), values, 1e-10)
    for upper in (False, True):
        for unit in (False, True):
            t = (spd.triu(1) if upper else spd.tril(-1)) / (10 * n)
            t = t + eye * (1 if unit else 2)
            stored = t if not unit else t + eye  # what is on the diagonal does not count
            for order in (stored, stored.mT.contiguous().mT, stored.repeat(1, 2)[:, :n]):
                x = linalg.solve_triangular(order, b, upper=upper, unitriangular=unit)
                close(t @ x, b, 1e-9)
                x = linalg.solve_triangular(
                    order, b.mT, upper=upper, unitriangular=unit, left=False
                )
                close(x @ t, b.mT, 1e-9)


def test_solve_broadcasts_batches():
    a, b = normal(2, 1, 3, 3), normal(4, 3, 2)
    x = linalg.solve(a, b)
    assert x.shape == (2, 4, 3, 2)
    for i in range(2):
        for j in range(4):
            close(x[i, j], linalg.solve(a[i, 0], b[j]))


def test_the_determinant_of_a_singular_matrix_has_a_gradient():
    """The cofactors: torch documents the same. Of rank n - 1 they are not zero."""
    a = adjoint.tensor([[1.0, 2.0], [2.0, 4.0]], dtype=adjoint.float64, requires_grad=True)
    (g,) = adjoint.autograd.grad(linalg.det(a), a, create_graph=True)
    close(g, adjoint.tensor([[4.0, -2.0], [-2.0, 1.0]]).double())
    (h,) = adjoint.autograd.grad(g[0, 0], a)
    close(h, adjoint.tensor([[0.0, 0.0], [0.0, 1.0]]).double())
    z = adjoint.zeros(3, 3, dtype=adjoint.float64, requires_grad=True)
    linalg.det(z).backward()
    close(z.grad, adjoint.zeros(3, 3).double())


def test_slogdet_and_logdet_of_special_matrices():
    batch = adjoint.stack(
        [adjoint.eye(2), -adjoint.eye(2), adjoint.zeros(2, 2), adjoint.eye(2).flip(0)]
    )
    sign, log = linalg.slogdet(batch)
    assert sign.tolist() == [1, 1, 0, -1]
    assert log.tolist() == [0, 0, -float("inf"), 0]
    found = adjoint.logdet(batch).tolist()
    assert found[:3] == [0, 0, -float("inf")]
    assert np.isnan(found[3])


def test_least_squares_of_a_matrix_without_full_rank():
    a = normal(5, 2) @ normal(2, 4)
    b = normal(5, 3)
    for driver in ("gelsy", "gelsd", "gelss"):
        x, _, rank, s = linalg.lstsq(a, b, driver=driver)
        assert rank.item() == 2
        assert s.numel() == (0 if driver == "gelsy" else 4)
        close(x, linalg.pinv(a, rtol=1e-10) @ b, 1e-8)
    assert linalg.matrix_rank(a).item() == 2
    exact = linalg.lstsq(normal(5, 2), b, driver="gelsd")
    assert exact.residuals.shape == (3,)


def test_the_pseudo_inverse_of_a_matrix_without_full_rank_has_torchs_gradient():
    torch = pytest.importorskip("torch")
    a, g = (normal(5, 2) @ normal(2, 4)).detach(), normal(4, 5)
    x = a.clone().requires_grad_()
    linalg.pinv(x, rtol=1e-10).backward(g)
    t = torch.from_numpy(a.numpy().copy()).requires_grad_()
    torch.linalg.pinv(t, rtol=1e-10).backward(torch.from_numpy(g.numpy()))
    np.testing.assert_allclose(x.grad.numpy(), t.grad.numpy(), rtol=1e-8, atol=1e-8)


def test_pinv_takes_a_tolerance_for_each_matrix():
    a = adjoint.diag_embed(adjoint.tensor([[4.0, 1.0], [4.0, 1.0]]))
    y = linalg.pinv(a, atol=adjoint.tensor([0.5, 2.0]))
    assert linalg.diagonal(y).tolist() == [[0.25, 1.0], [0.25, 0.0]]
    assert linalg.matrix_rank(a, atol=adjoint.tensor([0.5, 2.0])).tolist() == [2, 1]


def test_the_gradient_of_a_complete_qr_of_a_tall_matrix_does_not_exist():
    a = normal(3, 2).requires_grad_()
    with pytest.raises(
        RuntimeError, match="not differentiable when mode='complete' and nrows > ncols"
    ):
        linalg.qr(a, "complete").R.sum().backward()


def test_an_ldl_solution_is_differentiable_in_its_right_side():
    a = normal(3, 3)
    a, g = a + a.mT, normal(3, 2)
    b = normal(3, 2).requires_grad_()
    x = linalg.ldl_solve(*linalg.ldl_factor(a), b)
    close(a @ x, b)
    x.backward(g)
    close(a @ b.grad, g)


def test_equal_points_have_no_distance_and_no_gradient():
    for p in (0.0, 0.5, 1.0, 1.5, 2.0, 3.0, float("inf")):
        x = adjoint.ones(2, 3, dtype=adjoint.float64, requires_grad=True)
        d = adjoint.cdist(x, x, p=p)
        assert (d == 0).all()
        (g,) = adjoint.autograd.grad(d.sum(), x, create_graph=True, materialize_grads=True)
        assert (g == 0).all()
        if g.requires_grad:
            (h,) = adjoint.autograd.grad(g.sum(), x, materialize_grads=True)
            assert (h == 0).all()


def test_derivatives_of_chains_agree_with_finite_differences():
    """Several factorisations one after the other, in both modes and at second order."""

    def f(a):
        spd = a @ a.mT + adjoint.eye(3).double()
        low = linalg.cholesky(spd)
        values, v = linalg.eigh(spd)
        x = linalg.solve(spd, low) + (v * values.log()) @ v.mT
        return linalg.slogdet(x @ x.mT + spd).logabsdet + linalg.svdvals(x).sum()

    a, t, h = normal(3, 3), normal(3, 3), 1e-5
    value, slope = adjoint.func.jvp(f, (a,), (t,))
    numeric = (f(a + h * t) - f(a - h * t)) / (2 * h)
    close(slope, numeric, 1e-7)
    gradient = adjoint.func.grad(f)
    close((gradient(a) * t).sum(), slope)
    _, curve = adjoint.func.jvp(gradient, (a,), (t,))
    close(curve, (gradient(a + h * t) - gradient(a - h * t)) / (2 * h), 1e-6)
    batch = adjoint.stack([a, t])
    close(adjoint.func.vmap(gradient)(batch), adjoint.stack([gradient(a), gradient(t)]), 1e-10)


def test_float32_results_are_those_of_float64():
    spd = positive(6)
    for f in (
        linalg.inv,
        linalg.cholesky,
        linalg.eigvalsh,
        linalg.det,
        linalg.matrix_exp,
        linalg.pinv,
    ):
        x = spd / 10
        low, high = f(x.float()), f(x)
        assert low.dtype == adjoint.float32
        np.testing.assert_allclose(low.double().numpy(), high.numpy(), rtol=1e-3, atol=1e-4)


def test_derivatives_of_eig_in_both_modes_and_twice():
    a = adjoint.randn(2, 3, 3, dtype=adjoint.float64, requires_grad=True)

    def of_values(x):
        return (adjoint.linalg.eigvals(x).abs() ** 3).sum(-1)

    def of_vectors(x):
        values, vectors = adjoint.linalg.eig(x)
        # magnitudes do not depend on phases
        return (vectors.abs() ** 2 * values.abs().unsqueeze(-2)).cumsum(-1).sum((-2, -1))

    for f in (of_values, of_vectors):
        assert adjoint.autograd.gradcheck(f, (a,), check_forward_ad=True)
        assert adjoint.autograd.gradgradcheck(f, (a,))
    alone = adjoint.stack([of_vectors(x) for x in a])
    assert adjoint.allclose(adjoint.func.vmap(of_vectors)(a), alone)
