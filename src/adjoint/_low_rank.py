"""Approximations of matrices by a few singular vectors."""

from __future__ import annotations

import adjoint
from adjoint import Tensor

__all__ = ["pca_lowrank", "svd_lowrank"]


def _range_of(A: Tensor, q: int, niter: int, M: Tensor | None) -> Tensor:
    """An orthonormal basis [..., m, q] near the range of A - M: algorithms 4.4 and 5.1 of Halko,
    Martinsson and Tropp, "Finding structure with randomness" (2009)."""

    def times(A: Tensor, M: Tensor | None, X: Tensor) -> Tensor:
        return A @ X if M is None else A @ X - M @ X

    A_H, M_H = A.mH, None if M is None else M.mH
    draw = adjoint.randn(*A.shape[:-2], A.shape[-1], q, dtype=A.dtype)
    Q = adjoint.linalg.qr(times(A, M, draw)).Q
    for _ in range(niter):
        Q = adjoint.linalg.qr(times(A_H, M_H, Q)).Q
        Q = adjoint.linalg.qr(times(A, M, Q)).Q
    return Q


def svd_lowrank(
    A: Tensor, q: int | None = 6, niter: int | None = 2, M: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """The `q` largest singular values of A [..., m, n] (less M, if given) and their vectors, by a
    random projection: U [..., m, q], S [..., q], V [..., n, q] with A = U diag(S) Vᴴ approximately.

    Good where A has a rank of about `q`; `niter` subspace iterations make it better. It draws from
    the default generator. Source: Halko, Martinsson and Tropp, "Finding structure with randomness"
    (2009).

    >>> A = adjoint.outer(adjoint.tensor([3., 4.]), adjoint.tensor([0., 2.]))
    >>> U, S, V = adjoint.svd_lowrank(A, q=1)
    >>> S
    tensor([10.])
    """
    q, niter = 6 if q is None else q, 2 if niter is None else niter
    m, n = A.shape[-2:]
    if not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than {min(m, n)}")
    if M is not None:
        M = M.broadcast_to(A.shape)
    wide = m < n
    if wide:
        A, M = A.mH, None if M is None else M.mH
    Q = _range_of(A, q, niter, M)
    B = Q.mH @ A if M is None else Q.mH @ (A - M)
    U, S, Vh = adjoint.linalg.svd(B, full_matrices=False)
    U, V = Q @ U, Vh.mH
    return (V, S, U) if wide else (U, S, V)


def pca_lowrank(
    A: Tensor, q: int | None = None, center: bool = True, niter: int = 2
) -> tuple[Tensor, Tensor, Tensor]:
    """`svd_lowrank` of the rows of A [..., samples, features] less their mean: V holds the
    principal directions in its columns, and `A @ V[..., :k]` projects on the first k.

    `q`: how many (by default 6, or as many as there are).

    >>> A = adjoint.tensor([[1., 0.], [2., 0.], [3., 0.]])
    >>> adjoint.pca_lowrank(A, q=1)[1]
    tensor([1.4142])
    """
    m, n = A.shape[-2:]
    q = min(6, m, n) if q is None else q
    if not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than {min(m, n)}")
    if niter < 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    return svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter)
