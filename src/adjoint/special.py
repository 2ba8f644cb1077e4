"""Special functions: the operators of the core that torch also lists under ``special``.

>>> adjoint.special.expit(adjoint.tensor([0.0]))
tensor([0.5000])
"""

from __future__ import annotations

from typing import Any

from adjoint import _core

# By torch's name, what the core calls it.
_NAMES = {
    "digamma": "digamma",
    "erf": "erf",
    "erfc": "erfc",
    "erfinv": "erfinv",
    "exp2": "exp2",
    "expit": "sigmoid",
    "expm1": "expm1",
    "gammainc": "igamma",
    "gammaincc": "igammac",
    "gammaln": "lgamma",
    "i0": "i0",
    "log1p": "log1p",
    "log_softmax": "log_softmax",
    "logit": "logit",
    "logsumexp": "logsumexp",
    "multigammaln": "mvlgamma",
    "polygamma": "polygamma",
    "psi": "digamma",
    "round": "round",
    "sinc": "sinc",
    "softmax": "softmax",
    "xlogy": "xlogy",
}
_operators: dict[str, Any] = dict(_core._namespaces["special"])
_operators.update({name: getattr(_core, known) for name, known in _NAMES.items()})
globals().update(_operators)

__all__ = sorted(_operators)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"adjoint.special has no {name!r}: misspelt, or not there yet")
