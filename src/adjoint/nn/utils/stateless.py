"""The older place of :func:`adjoint.func.functional_call`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

from adjoint import Tensor

__all__ = ["functional_call"]


def functional_call(
    module: Any,
    parameters_and_buffers: Mapping[str, Tensor],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """:func:`adjoint.func.functional_call` of one dictionary, with a warning."""
    warnings.warn(
        "nn.utils.stateless.functional_call is deprecated: use func.functional_call",
        FutureWarning,
        stacklevel=2,
    )
    from adjoint.func import functional_call as call

    return call(
        module, parameters_and_buffers, args, kwargs, tie_weights=tie_weights, strict=strict
    )
