"""Orthogonal weights: a matrix without constraints, mapped to one with orthonormal columns."""

from __future__ import annotations

import adjoint
from adjoint import Tensor

from ..modules.module import Module
from .parametrize import register_parametrization

__all__ = ["orthogonal"]

_MAPS = ("matrix_exp", "cayley", "householder")


def _orthonormalized(matrix: Tensor) -> Tensor:
    """Q of the QR decomposition whose R has a positive diagonal: orthogonal input stays itself."""
    reflectors, tau = adjoint.geqrf(matrix)
    q = adjoint.linalg.householder_product(reflectors, tau)
    return q * reflectors.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def _is_orthogonal(q: Tensor) -> bool:
    k = q.shape[-1]
    gram = q.mH @ q
    eps = k * adjoint.finfo(q.dtype).eps
    return adjoint.allclose(gram, adjoint.eye(k, dtype=q.dtype), atol=10 * eps, rtol=0)


class _Orthogonal(Module):
    """Works on tall matrices [..., n, k], n >= k; wide ones are transposed before and after."""

    base: Tensor | None

    def __init__(self, weight: Tensor, orthogonal_map: str, use_trivialization: bool) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise ValueError("the householder map is for real tensors only, this one is complex")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        if wide:
            x = x.mT
        n, k = x.shape[-2:]
        if self.orthogonal_map == "householder":
            # the diagonal, +-1, holds signs, which the reflectors alone cannot express
            signs = x.detach().diagonal(dim1=-2, dim2=-1).to(adjoint.int64).to(x.dtype)
            below = x.tril(-1)
            tau = 2 / (1 + (below * below).sum(dim=-2))
            q = adjoint.linalg.householder_product(below, tau) * signs.unsqueeze(-2)
        else:
            lower = x.tril()
            if n != k:
                lower = adjoint.cat([lower, x.new_zeros((*x.shape[:-2], n, n - k))], dim=-1)
            skew = lower - lower.mH
            if self.orthogonal_map == "matrix_exp":
                q = adjoint.linalg.matrix_exp(skew)
            else:
                eye = adjoint.eye(n, dtype=x.dtype, device=x.device)
                q = adjoint.linalg.solve(eye - 0.5 * skew, eye + 0.5 * skew)
            q = q[..., :k]
        base = getattr(self, "base", None)
        if base is not None:
            q = base @ q
        return q.mT if wide else q

    def right_inverse(self, value: Tensor) -> Tensor:
        """The matrix that is mapped to ``value``, or to the orthogonal matrix of its columns."""
        if value.shape != self.shape:
            raise ValueError(f"expected shape {tuple(self.shape)}, got {tuple(value.shape)}")
        trivialized = hasattr(self, "base")
        if not trivialized and self.orthogonal_map != "householder":
            raise NotImplementedError(
                f"the map {self.orthogonal_map!r} cannot be inverted without use_trivialization, "
                "so that the tensor cannot be assigned to"
            )
        wide = value.shape[-2] < value.shape[-1]
        q = value.mT if wide else value
        n, k = q.shape[-2:]
        if not trivialized:
            result, tau = adjoint.geqrf(q)
            diagonal = result.diagonal(dim1=-2, dim2=-1)
            # no reflection (tau 0) is one along its axis, and that sign turned once more
            diagonal.copy_(diagonal.sgn() * adjoint.where(tau == 0, -1.0, 1.0).to(q.dtype))
            return result.mT if wide else result
        if n != k:  # the base is square, its other columns at random
            q = adjoint.cat([q, adjoint.randn((*q.shape[:-2], n, n - k), dtype=q.dtype)], dim=-1)
            q = _orthonormalized(q)
        elif not _is_orthogonal(q):
            q = _orthonormalized(q)
        self.base = q.detach().clone(memory_format=adjoint.contiguous_format)
        # every map takes this to the first columns of the identity
        start = adjoint.zeros_like(value)
        start.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        return start


def orthogonal(
    module: Module,
    name: str = "weight",
    orthogonal_map: str | None = None,
    *,
    use_trivialization: bool = True,
) -> Module:
    """Keep a weight [..., m, n] orthogonal (unitary, if complex): ``W^H W = I`` where m >= n, and
    ``W W^H = I`` where m < n.

    Args:
        orthogonal_map: "matrix_exp" or "cayley", of a skew-symmetric matrix, or "householder", a
            product of reflections. None: "matrix_exp" for square and complex weights, else
            "householder".
        use_trivialization: move the map to the present value (Lezcano-Casado, 2019), so that the
            weight can be assigned to; costs a buffer of the larger size squared.

    Raises:
        ValueError: no such tensor, fewer than two dims, or an unknown map.

    >>> layer = adjoint.nn.utils.parametrizations.orthogonal(adjoint.nn.Linear(20, 40))
    >>> Q = layer.weight
    >>> adjoint.allclose(Q.T @ Q, adjoint.eye(20), atol=1e-5)
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"{type(module).__name__} has no parameter or buffer {name!r}")
    if weight.dim() < 2:
        raise ValueError(f"orthogonal needs two dims or more, {name!r} has {weight.dim()}")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _MAPS:
        raise ValueError(f"orthogonal_map must be one of {_MAPS}, got {orthogonal_map!r}")
    rule = _Orthogonal(weight, orthogonal_map, use_trivialization)
    return register_parametrization(module, name, rule, unsafe=True)
