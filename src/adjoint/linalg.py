"""Linear algebra: factorisations, systems of equations, norms.

Every function here is an operator of the core, published under torch's name and signature; nothing
is written in Python. Matrices are the last two dims of a tensor, all other dims a batch of them.
The factorisations are LAPACK's (from the scipy-openblas32 wheel, loaded at first use), their
derivatives the core's own. A factorisation that fails raises `LinAlgError`, a RuntimeError.

>>> adjoint.linalg.inv(adjoint.tensor([[2.]]))
tensor([[0.5000]])
"""

from __future__ import annotations

from typing import Any

from adjoint import _core

LinAlgError = _core._LinAlgError

_operators: dict[str, Any] = _core._namespaces.get("linalg", {})
globals().update(_operators)

__all__ = ["LinAlgError", *sorted(_operators)]


def __getattr__(name: str) -> Any:
    raise AttributeError(f"adjoint.linalg has no {name!r}: misspelt, or not there yet")
