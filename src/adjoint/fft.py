"""Discrete Fourier transforms: `adjoint.fft.fft` and its kin.

>>> adjoint.fft.rfft(adjoint.tensor([1., 2., 3., 4.]))
tensor([10.+0.j, -2.+2.j, -2.+0.j])
"""

from __future__ import annotations

from typing import Any

from adjoint import _core

_operators: dict[str, Any] = _core._namespaces["fft"]
globals().update(_operators)

__all__ = sorted(_operators)
