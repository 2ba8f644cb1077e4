"""Methods that fill a tensor with random numbers, made of uniform ones."""

from __future__ import annotations

import math
from typing import Any

import adjoint
from adjoint._core import Tensor

__all__ = ["cauchy_", "geometric_", "log_normal_"]


def _uniform(like: Tensor, generator: Any) -> Tensor:
    """From the open interval (0, 1)."""
    u = adjoint.empty(like.shape, dtype=adjoint.float64)
    return u.uniform_(2**-53, 1, generator=generator)


def _check(name: str, x: Tensor, holds: bool, text: str) -> None:
    if not holds:
        raise RuntimeError(f"{name} expects {text}")


def cauchy_(self: Tensor, median: float = 0, sigma: float = 1, *, generator: Any = None) -> Tensor:
    """Fills the tensor from a Cauchy distribution.

    >>> adjoint.empty(3).cauchy_().shape
    torch.Size([3])
    """
    _check("cauchy_", self, self.is_floating_point(), f"floating point numbers, got {self.dtype}")
    _check("cauchy_", self, sigma > 0, f"sigma > 0.0, but found sigma={sigma}")
    with adjoint.no_grad():
        draw = median + sigma * (math.pi * (_uniform(self, generator) - 0.5)).tan()
    return self.copy_(draw)


def log_normal_(self: Tensor, mean: float = 1, std: float = 2, *, generator: Any = None) -> Tensor:
    """Fills the tensor with numbers whose logarithms are normal, with this mean and deviation.

    >>> bool((adjoint.empty(3).log_normal_() > 0).all())
    True
    """
    _check(
        "log_normal_", self, self.is_floating_point(), f"floating point numbers, got {self.dtype}"
    )
    _check("log_normal_", self, std > 0, f"std > 0.0, but found std={std}")
    with adjoint.no_grad():
        draw = adjoint.empty(self.shape, dtype=adjoint.float64)
        draw = draw.normal_(mean, std, generator=generator).exp()
    return self.copy_(draw)


def geometric_(self: Tensor, p: float, *, generator: Any = None) -> Tensor:
    """Fills the tensor with numbers of trials up to the first success, which has probability `p`.

    >>> bool((adjoint.empty(3).geometric_(0.5) >= 1).all())
    True
    """
    _check("geometric_", self, 0 < p < 1, f"p to be in (0, 1), but got p={p}")
    _check("geometric_", self, self.dtype != adjoint.bool and not self.is_complex(),
           f"numbers, got {self.dtype}")  # fmt: skip
    with adjoint.no_grad():
        draw = (_uniform(self, generator).log() / math.log1p(-p)).ceil()
    return self.copy_(draw)
