"""Parametrizations of weights: orthogonal, weight norm and spectral norm."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint import Tensor

from .. import functional as F
from ..modules.module import Module
from .orthogonal import orthogonal
from .parametrize import register_parametrization

__all__ = ["orthogonal", "spectral_norm", "weight_norm"]


def _norm_except(weight: Tensor, dim: int | None) -> Tensor:
    """The 2-norm over all dims but ``dim``, which keep size 1; over all if None or -1."""
    if dim is None or dim == -1:
        return weight.norm()
    others = [d for d in range(weight.dim()) if d != dim % weight.dim()]
    return weight.norm(2, dim=others, keepdim=True) if others else weight.abs()


class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, magnitude: Tensor, direction: Tensor) -> Tensor:
        return direction * (magnitude / _norm_except(direction, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return _norm_except(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int | None = 0) -> Module:
    """Split a weight into its norm and its direction (Salimans, Kingma, 2016).

    ``w = g v / |v|``, a norm for each index of ``dim`` (one for all if None). ``g`` and ``v`` are
    ``parametrizations.<name>.original0`` and ``.original1``.

    >>> layer = adjoint.nn.utils.parametrizations.weight_norm(adjoint.nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape
    torch.Size([40, 1])
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)

    def old_names(
        module: Any, state_dict: Any, prefix: str, *rest: Any
    ) -> None:  # those of the older weight_norm
        g, v = f"{prefix}{name}_g", f"{prefix}{name}_v"
        if g in state_dict and v in state_dict:
            state_dict[f"{prefix}parametrizations.{name}.original0"] = state_dict.pop(g)
            state_dict[f"{prefix}parametrizations.{name}.original1"] = state_dict.pop(v)

    module.register_load_state_dict_pre_hook(old_names)
    return module


class _SpectralNorm(Module):
    def __init__(
        self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12
    ) -> None:
        super().__init__()
        if n_power_iterations <= 0:
            raise ValueError(f"n_power_iterations must be positive, got {n_power_iterations}")
        if not -weight.dim() <= dim < weight.dim():
            raise IndexError(f"dim {dim} is out of range for a weight of {weight.dim()} dims")
        self.dim = dim % weight.dim()
        self.eps = eps
        self.n_power_iterations = n_power_iterations
        if weight.dim() > 1:
            matrix = self._matrix(weight.detach())
            u, v = (matrix.new_empty(size).normal_() for size in matrix.shape)
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._iterate(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).flatten(1)

    def _iterate(self, matrix: Tensor, n: int) -> None:
        with adjoint.no_grad():
            u, v = self._u, self._v
            for _ in range(n):
                u.copy_(F.normalize(matrix.mv(v), dim=0, eps=self.eps))
                v.copy_(F.normalize(matrix.t().mv(u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.dim() == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._iterate(matrix.detach(), self.n_power_iterations)
        # copies: a second call must not change what this one's backward reads
        u, v = self._u.clone(), self._v.clone()
        return weight / u.dot(matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value  # whatever its norm is, it will be divided by it


def spectral_norm(
    module: Module,
    name: str = "weight",
    n_power_iterations: int = 1,
    eps: float = 1e-12,
    dim: int | None = None,
) -> Module:
    """Divide a weight by its largest singular value (Miyato et al., 2018), which is tracked by
    power iteration in training mode.

    Args:
        n_power_iterations: iterations in each call.
        eps: smallest norm to divide by.
        dim: the rows of the matrix; 1 for transposed convolutions, else 0, if None.

    >>> layer = adjoint.nn.utils.parametrizations.spectral_norm(adjoint.nn.Linear(20, 40))
    >>> bool(adjoint.linalg.matrix_norm(layer.weight, 2) < 1.1)
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"{type(module).__name__} has no parameter or buffer {name!r}")
    if dim is None:
        dim = 1 if type(module).__name__.startswith("ConvTranspose") else 0
    return register_parametrization(
        module, name, _SpectralNorm(weight, n_power_iterations, dim, eps)
    )
