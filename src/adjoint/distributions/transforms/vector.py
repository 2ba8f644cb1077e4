"""Transforms of vectors and matrices, and of several things side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import adjoint
from adjoint import Size, Tensor
from adjoint.distributions import constraints
from adjoint.distributions.transforms.base import Transform
from adjoint.distributions.utils import tril_matrix_to_vec, vec_to_tril_matrix

F = adjoint.nn.functional

__all__ = [
    "CatTransform",
    "CorrCholeskyTransform",
    "LowerCholeskyTransform",
    "PositiveDefiniteTransform",
    "ReshapeTransform",
    "SoftmaxTransform",
    "StackTransform",
    "StickBreakingTransform",
]


class ReshapeTransform(Transform):
    """Events of one shape as events of another."""

    bijective = True

    def __init__(self, in_shape: Any, out_shape: Any, cache_size: int = 0) -> None:
        super().__init__(cache_size)
        self.in_shape, self.out_shape = Size(in_shape), Size(out_shape)
        if math.prod(self.in_shape) != math.prod(self.out_shape):
            raise ValueError(
                f"in_shape, out_shape have different numbers of elements: {tuple(self.in_shape)} "
                f"and {tuple(self.out_shape)}"
            )

    @property
    def domain(self) -> Any:
        return constraints.independent(constraints.real, len(self.in_shape))

    @property
    def codomain(self) -> Any:
        return constraints.independent(constraints.real, len(self.out_shape))

    def _call(self, x: Tensor) -> Tensor:
        return x.reshape(x.shape[: x.dim() - len(self.in_shape)] + self.out_shape)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.reshape(y.shape[: y.dim() - len(self.out_shape)] + self.in_shape)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return x.new_zeros(x.shape[: x.dim() - len(self.in_shape)])

    def _reshaped(self, shape: Any, old: Size, new: Size) -> Size:
        keep = len(shape) - len(old)
        if keep < 0 or tuple(shape[keep:]) != tuple(old):
            raise ValueError(f"Shape mismatch: expected {tuple(old)} at the end of {tuple(shape)}")
        return Size((*shape[:keep], *new))

    def forward_shape(self, shape: Any) -> Size:
        return self._reshaped(shape, self.in_shape, self.out_shape)

    def inverse_shape(self, shape: Any) -> Size:
        return self._reshaped(shape, self.out_shape, self.in_shape)


class SoftmaxTransform(Transform):
    """Vectors to the simplex by softmax; not invertible, for what is added to all is lost."""

    domain = constraints.real_vector
    codomain = constraints.simplex

    def _call(self, x: Tensor) -> Tensor:
        return x.softmax(-1)

    def _inverse(self, y: Tensor) -> Tensor:
        return y.log()

    def _same(self, other: Any) -> bool:
        return True


class StickBreakingTransform(Transform):
    """Vectors of n - 1 numbers to the simplex of n, by breaking a stick again and again."""

    domain = constraints.real_vector
    codomain = constraints.simplex
    bijective = True

    def _offset(self, x: Tensor) -> Tensor:
        n = x.shape[-1]
        return x.new_ones(n).cumsum(-1).neg() + (n + 1)

    def _call(self, x: Tensor) -> Tensor:
        z = adjoint.sigmoid(x - self._offset(x).log())
        left = (1 - z).cumprod(-1)
        return F.pad(z, (0, 1), value=1) * F.pad(left, (1, 0), value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        head = y[..., :-1]
        left = (1 - head.cumsum(-1)).clamp(min=adjoint.finfo(y.dtype).tiny)
        return head.log() - left.log() + self._offset(head).log()

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        x = x - self._offset(x).log()
        return (-x + F.logsigmoid(x) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Size:
        return Size((*shape[:-1], shape[-1] + 1))

    def inverse_shape(self, shape: Any) -> Size:
        return Size((*shape[:-1], shape[-1] - 1))

    def _same(self, other: Any) -> bool:
        return True


class LowerCholeskyTransform(Transform):
    """Matrices to lower triangular ones with a positive diagonal."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.lower_cholesky

    def _call(self, x: Tensor) -> Tensor:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Tensor) -> Tensor:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()

    def _same(self, other: Any) -> bool:
        return True


class PositiveDefiniteTransform(Transform):
    """Matrices to positive-definite ones."""

    domain = constraints.independent(constraints.real, 2)
    codomain = constraints.positive_definite

    def _call(self, x: Tensor) -> Tensor:
        lower = LowerCholeskyTransform()(x)
        return lower @ lower.mT

    def _inverse(self, y: Tensor) -> Tensor:
        return LowerCholeskyTransform().inv(adjoint.linalg.cholesky(y))

    def _same(self, other: Any) -> bool:
        return True


class CorrCholeskyTransform(Transform):
    """Vectors of n (n - 1) / 2 numbers to Cholesky factors of correlation matrices of n.

    By partial correlations (Lewandowski, Kurowicka and Joe, 2009).
    """

    domain = constraints.real_vector
    codomain = constraints.corr_cholesky
    bijective = True

    def _call(self, x: Tensor) -> Tensor:
        eps = adjoint.finfo(x.dtype).eps
        r = vec_to_tril_matrix(adjoint.tanh(x).clamp(min=-1 + eps, max=1 - eps), diag=-1)
        left = (1 - r * r).sqrt().cumprod(-1)
        r = r + adjoint.eye(r.shape[-1], dtype=r.dtype)
        return r * F.pad(left[..., :-1], (1, 0), value=1)

    def _inverse(self, y: Tensor) -> Tensor:
        left = F.pad((1 - (y * y).cumsum(-1))[..., :-1], (1, 0), value=1)
        below = tril_matrix_to_vec(y, diag=-1)
        t = below / tril_matrix_to_vec(left, diag=-1).sqrt()
        return (t.log1p() - t.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        left = tril_matrix_to_vec(1 - (y * y).cumsum(-1), diag=-2)
        stick = 0.5 * left.log().sum(-1)
        squash = -2 * (x + F.softplus(-2 * x) - math.log(2.0)).sum(-1)
        return stick + squash

    def forward_shape(self, shape: Any) -> Size:
        n = round((0.25 + 2 * shape[-1]) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != shape[-1]:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return Size((*shape[:-1], n, n))

    def inverse_shape(self, shape: Any) -> Size:
        n = shape[-1]
        return Size((*shape[:-2], n * (n - 1) // 2))


class CatTransform(Transform):
    """Several transforms side by side along a dim, each on so many elements."""

    def __init__(
        self,
        tseq: Sequence[Transform],
        dim: int = 0,
        lengths: Sequence[int] | None = None,
        cache_size: int = 0,
    ) -> None:
        super().__init__(cache_size)
        self.transforms = [t.with_cache(cache_size) for t in tseq]
        self.dim = dim
        self.lengths = [1] * len(self.transforms) if lengths is None else list(lengths)

    @property
    def domain(self) -> Any:
        return constraints.cat([t.domain for t in self.transforms], self.dim, self.lengths)

    @property
    def codomain(self) -> Any:
        return constraints.cat([t.codomain for t in self.transforms], self.dim, self.lengths)

    @property
    def bijective(self) -> bool:
        return all(t.bijective for t in self.transforms)

    def _map(self, f: Any, *values: Tensor) -> list[Tensor]:
        parts = [v.split(self.lengths, self.dim) for v in values]
        return [f(t, *p) for t, *p in zip(self.transforms, *parts, strict=True)]

    def _call(self, x: Tensor) -> Tensor:
        return adjoint.cat(self._map(lambda t, v: t(v), x), self.dim)

    def _inverse(self, y: Tensor) -> Tensor:
        return adjoint.cat(self._map(lambda t, v: t._inv_call(v), y), self.dim)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        dim = self.dim if self.dim < 0 else self.dim - x.dim()
        terms = self._map(lambda t, a, b: t.log_abs_det_jacobian(a, b), x, y)
        if dim + self.event_dim < 0:
            return adjoint.cat(terms, dim + self.event_dim)
        total = terms[0].sum(-1) if terms[0].dim() else terms[0]
        for term in terms[1:]:
            total = total + (term.sum(-1) if term.dim() else term)
        return total


class StackTransform(CatTransform):
    """Several transforms along a dim, each on one position."""

    def __init__(self, tseq: Sequence[Transform], dim: int = 0, cache_size: int = 0) -> None:
        super().__init__(tseq, dim, None, cache_size)

    @property
    def domain(self) -> Any:
        return constraints.stack([t.domain for t in self.transforms], self.dim)

    @property
    def codomain(self) -> Any:
        return constraints.stack([t.codomain for t in self.transforms], self.dim)

    def _stacked(self, f: Any, *values: Tensor) -> Tensor:
        parts = [v.unbind(self.dim) for v in values]
        return adjoint.stack(
            [f(t, *p) for t, *p in zip(self.transforms, *parts, strict=True)], self.dim
        )

    def _call(self, x: Tensor) -> Tensor:
        return self._stacked(lambda t, v: t(v), x)

    def _inverse(self, y: Tensor) -> Tensor:
        return self._stacked(lambda t, v: t._inv_call(v), y)

    def log_abs_det_jacobian(self, x: Tensor, y: Tensor) -> Tensor:
        return self._stacked(lambda t, a, b: t.log_abs_det_jacobian(a, b), x, y)
