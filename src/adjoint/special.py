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
    "gammaln": "lgamma",
    "log1p": "log1p",
    "log_softmax": "log_softmax",
    "logit": "logit",
    "logsumexp": "logsumexp",
    "polygamma": "polygamma",
    "psi": "digamma",
    "round": "round",
    "sinc": "sinc",
    "softmax": "softmax",
    "xlogy": "xlogy",
}
globals().update({name: getattr(_core, known) for name, known in _NAMES.items()})

__all__ = list(_NAMES)


def __getattr__(name: str) -> Any:
    raise AttributeError(f"adjoint.special has no {name!r}: misspelt, or not there yet")
