"""The standard's extension for linear algebra."""

from __future__ import annotations

from collections import namedtuple
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.array_api._dtypes import result_type
from adjoint.array_api._elementwise import _check

__all__ = [
    "cholesky",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "inv",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]

EigResult = namedtuple("EigResult", "eigenvalues eigenvectors")
EighResult = namedtuple("EighResult", "eigenvalues eigenvectors")
QRResult = namedtuple("QRResult", "Q R")
SlogdetResult = namedtuple("SlogdetResult", "sign logabsdet")
SVDResult = namedtuple("SVDResult", "U S Vh")


def _pair(x1: Tensor, x2: Tensor) -> tuple[Tensor, Tensor]:
    dtype = result_type(x1, x2)
    return x1.to(dtype), x2.to(dtype)


def matmul(x1: Tensor, x2: Tensor, /) -> Tensor:
    """The product of matrices, or of stacks of them."""
    return adjoint.matmul(*_pair(x1, x2))


def matrix_transpose(x: Tensor, /) -> Tensor:
    """With the last two axes exchanged."""
    if x.dim() < 2:
        raise ValueError(f"matrix_transpose needs two dimensions, got {x.dim()}")
    return adjoint.transpose(x, -2, -1)


def outer(x1: Tensor, x2: Tensor, /) -> Tensor:
    """All products of the elements of two vectors."""
    return adjoint.outer(*_pair(x1, x2))


def tensordot(x1: Tensor, x2: Tensor, /, *, axes: Any = 2) -> Tensor:
    """Products summed over some axes of both."""
    return adjoint.tensordot(*_pair(x1, x2), dims=axes)


def vecdot(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Inner products along an axis, the first operand conjugated."""
    x1, x2 = _pair(x1, x2)
    _check("vecdot", x1.dtype, "numeric")
    return (x1.conj() * x2).sum(axis) if x1.is_complex() else _whole_sum(x1 * x2, axis)


def _whole_sum(x: Tensor, axis: int) -> Tensor:
    return x.sum(axis, dtype=x.dtype)


def cholesky(x: Tensor, /, *, upper: bool = False) -> Tensor:
    """L of x = L Lᴴ, or its conjugate transpose."""
    return adjoint.linalg.cholesky(x, upper=upper)


def cross(x1: Tensor, x2: Tensor, /, *, axis: int = -1) -> Tensor:
    """Cross products of vectors of three elements; the other axes are broadcast.

    `axis` counts from the last, where broadcasting aligns both.
    """
    if axis >= 0:
        raise ValueError(f"cross: axis must be negative, got {axis}")
    return adjoint.linalg.cross(*adjoint.broadcast_tensors(_pair(x1, x2)), dim=axis)


def det(x: Tensor, /) -> Tensor:
    """Determinants."""
    return adjoint.linalg.det(x)


def diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    """Diagonals of the last two axes."""
    return adjoint.diagonal(x, offset, -2, -1)


def eig(x: Tensor, /) -> Any:
    """Eigenvalues and eigenvectors of square matrices: complex, in no order."""
    return EigResult(*adjoint.linalg.eig(x))


def eigvals(x: Tensor, /) -> Tensor:
    """Eigenvalues of square matrices: complex, in no order."""
    return adjoint.linalg.eigvals(x)


def eigh(x: Tensor, /) -> Any:
    """Eigenvalues in order, and eigenvectors, of symmetric or Hermitian matrices."""
    return EighResult(*adjoint.linalg.eigh(x))


def eigvalsh(x: Tensor, /) -> Tensor:
    """Eigenvalues in order, of symmetric or Hermitian matrices."""
    return adjoint.linalg.eigvalsh(x)


def inv(x: Tensor, /) -> Tensor:
    """Inverses."""
    return adjoint.linalg.inv(x)


def matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    """Norms of matrices."""
    return adjoint.linalg.matrix_norm(x, ord, keepdim=keepdims)


def matrix_power(x: Tensor, n: int, /) -> Tensor:
    """Powers of matrices."""
    return adjoint.linalg.matrix_power(x, n)


def matrix_rank(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """How many singular values are larger than `rtol` times the largest."""
    return adjoint.linalg.matrix_rank(x, rtol=rtol)


def pinv(x: Tensor, /, *, rtol: Any = None) -> Tensor:
    """Pseudo-inverses (Moore and Penrose)."""
    return adjoint.linalg.pinv(x, rtol=rtol)


def qr(x: Tensor, /, *, mode: str = "reduced") -> Any:
    """Orthogonal and upper triangular factors."""
    return QRResult(*adjoint.linalg.qr(x, mode))


def slogdet(x: Tensor, /) -> Any:
    """The sign of determinants and the logarithms of their absolute values."""
    return SlogdetResult(*adjoint.linalg.slogdet(x))


def solve(x1: Tensor, x2: Tensor, /) -> Tensor:
    """X of x1 X = x2; only an x2 of one dimension is a vector."""
    x1, x2 = _pair(x1, x2)
    if x2.dim() == 1:
        return adjoint.linalg.solve(x1, x2.unsqueeze(-1)).squeeze(-1)
    shape = adjoint.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    return adjoint.linalg.solve(
        x1.expand(*shape, *x1.shape[-2:]), x2.expand(*shape, *x2.shape[-2:])
    )


def svd(x: Tensor, /, *, full_matrices: bool = True) -> Any:
    """Singular values and vectors."""
    return SVDResult(*adjoint.linalg.svd(x, full_matrices=full_matrices))


def svdvals(x: Tensor, /) -> Tensor:
    """Singular values."""
    return adjoint.linalg.svdvals(x)


def trace(x: Tensor, /, *, offset: int = 0, dtype: Any = None) -> Tensor:
    """Sums of diagonals; integers in int64."""
    return adjoint.diagonal(x, offset, -2, -1).sum(-1, dtype=dtype)


def vector_norm(x: Tensor, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    """Norms of vectors, along some axes or of all elements."""
    axes = axis if axis is None or isinstance(axis, int) else tuple(axis)
    return adjoint.linalg.vector_norm(x, ord, axes, keepdims)
