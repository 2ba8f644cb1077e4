"""What of the standard is there."""

from __future__ import annotations

from typing import Any

import adjoint
from adjoint.array_api._dtypes import KINDS

__all__ = ["__array_namespace_info__"]


class __array_namespace_info__:
    """Capabilities, devices and dtypes.

    >>> adjoint.array_api.__array_namespace_info__().default_device()
    device(type='cpu')
    """

    def capabilities(self) -> dict[str, Any]:
        """Arrays of a size that depends on data are there; up to 64 dimensions."""
        return {"boolean indexing": True, "data-dependent shapes": True, "max dimensions": 64}

    def default_device(self) -> Any:
        """The CPU."""
        return adjoint.device("cpu")

    def devices(self) -> tuple[Any, ...]:
        """The CPU."""
        return (adjoint.device("cpu"),)

    def default_dtypes(self, *, device: Any = None) -> dict[str, Any]:
        """Those of Python's numbers."""
        real = adjoint.get_default_dtype()
        return {
            "real floating": real,
            "complex floating": adjoint.promote_types(real, adjoint.complex64),
            "integral": adjoint.int64,
            "indexing": adjoint.int64,
        }

    def dtypes(self, *, device: Any = None, kind: Any = None) -> dict[str, Any]:
        """By name, of one kind or several. uint16, uint32 and uint64 are not there."""
        kinds = ("bool", "numeric") if kind is None else (kind,) if isinstance(kind, str) else kind
        return {str(d).rpartition(".")[2]: d for k in kinds for d in KINDS[k]}
