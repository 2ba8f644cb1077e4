"""`map_location`: the device that a saved tensor is loaded to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import adjoint
from adjoint import Tensor

__all__ = ["Locations"]


class Locations:
    """Devices by the names of those that tensors were saved from."""

    def __init__(self, map_location: Any) -> None:
        self._function = map_location if callable(map_location) else None
        self._moved: dict[str, Any] = {}
        self._all: Any = None
        if isinstance(map_location, Mapping):
            self._moved = {str(adjoint.device(k)): adjoint.device(v) for k, v in
                           map_location.items()}  # fmt: skip
        elif map_location is not None and self._function is None:
            self._all = adjoint.device(map_location)

    def moved(self, memory: Tensor, saved: str) -> Tensor:
        """The tensor, which was read to the CPU, where it shall be."""
        if self._function is not None:
            result = self._function(memory, saved)
            if result is not None:
                return memory if result is memory else adjoint.as_tensor(result)
        if self._all is not None:
            return memory.to(self._all)
        device = self._moved.get(saved)
        if device is None:
            try:
                device = adjoint.device(saved)
                return memory.to(device)
            except Exception as error:
                raise RuntimeError(
                    f"a tensor was saved from the device {saved!r}, which is not here: load it "
                    "with map_location='cpu'"
                ) from error
        return memory.to(device)
