"""einsum and tensordot in all the forms in which torch takes their arguments; low-rank factors."""

import numpy as np
import pytest
from _backend import torch


@pytest.fixture
def matrices():
    torch.manual_seed(0)
    return torch.randn(2, 3, dtype=torch.float64), torch.randn(3, 4, dtype=torch.float64)


def test_einsum_takes_operands_one_by_one_in_a_list_or_with_lists_of_subscripts(matrices):
    a, b = matrices
    for y in (
        torch.einsum("ij,jk->ik", a, b),
        torch.einsum("ij,jk->ik", [a, b]),
        torch.einsum(a, [0, 1], b, [1, 2], [0, 2]),
        torch.einsum(a, [0, 1], b, [1, 2]),
        torch.einsum(a, [..., 1], b, [1, 2], [..., 2]),
    ):
        torch.testing.assert_close(y, a @ b)
    many = [torch.full((2,), 2.0)] * 10
    assert torch.einsum(",".join("i" * 10) + "->i", *many).tolist() == [1024.0, 1024.0]


def test_einsum_names_what_is_wrong(matrices):
    a, _ = matrices
    with pytest.raises(ValueError, match="at least one operand"):
        torch.einsum("ij")
    with pytest.raises(ValueError, match="52"):
        torch.einsum(a, [0, 52])
    with pytest.raises(RuntimeError, match="dimensions"):
        torch.einsum("ijk->i", a)


def test_tensordot_takes_a_number_or_two_lists_of_dims(matrices):
    a, b = matrices
    for dims in (1, ([1], [0]), [[1], [0]], (1, 0), torch.tensor([[1], [0]])):
        torch.testing.assert_close(torch.tensordot(a, b, dims=dims), a @ b)
    x, y = torch.ones(2, 3, 4), torch.ones(4, 5, 2)
    assert torch.tensordot(x, y, dims=([2, 0], [0, 2])).shape == (3, 5)
    with pytest.raises(RuntimeError):
        torch.tensordot(a, b, dims=([0], [0]))


@pytest.mark.parametrize("shape", [(8, 5), (5, 8), (2, 6, 4)])
def test_svd_lowrank_finds_a_matrix_of_low_rank(shape):
    torch.manual_seed(0)
    *batch, m, n = shape
    A = torch.randn(*batch, m, 2, dtype=torch.float64) @ torch.randn(*batch, 2, n).double()
    U, S, V = torch.svd_lowrank(A, q=2)
    assert (U.shape, S.shape, V.shape) == ((*batch, m, 2), (*batch, 2), (*batch, n, 2))
    # Exact but for rounding: the rank is q.
    torch.testing.assert_close(U @ torch.diag_embed(S) @ V.mT, A, rtol=1e-9, atol=1e-9)
    with pytest.raises(ValueError, match="q"):
        torch.svd_lowrank(A, q=9)


def test_pca_lowrank_finds_the_direction_of_the_greatest_variance():
    torch.manual_seed(0)
    x = torch.randn(50, 1).double() * torch.tensor([[3.0, 4.0]]).double() + 7
    _, S, V = torch.pca_lowrank(x, q=1)
    np.testing.assert_allclose(V[:, 0].abs().numpy(), [0.6, 0.8], rtol=1e-9)
    assert S.shape == (1,)
