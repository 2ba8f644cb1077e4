"""`map_location`: the device that a saved tensor is loaded to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import adjoint
from adjoint import Tensor, _core
from adjoint.serialization._files import FileError
from adjoint.storage import TypedStorage, UntypedStorage

__all__ = ["Locations"]


class Locations:
    """Devices by the names of those that tensors were saved from."""

    def __init__(self, map_location: Any) -> None:
        self._function = map_location if callable(map_location) else None
        self._moved: dict[str, Any] = {}
        self._all: Any = None
        if isinstance(map_location, Mapping):
            for saved, device in map_location.items():
                self._moved[str(adjoint.device(saved))] = adjoint.device(device)
        elif map_location is not None and self._function is None:
            self._all = adjoint.device(map_location)

    def moved(self, memory: Tensor, saved: str) -> Tensor:
        """The tensor, which holds all of a memory and was read to the CPU, where it shall be."""
        if self._function is not None:
            try:
                result = self._function(memory.untyped_storage(), saved)
            except Exception as error:
                raise FileError(f"the function in map_location failed: {error}") from error
            if result is not None:
                return self._tensor_of(result, memory)
        target = self._all or self._moved.get(saved)
        try:
            return memory.to(target or adjoint.device(saved))
        except RuntimeError as error:
            if target is not None:
                raise FileError(f"cannot load to the device '{target}': {error}") from error
            raise FileError(
                f"a tensor was saved from the device {saved[:50]!r}, which is not here: load it "
                "with map_location='cpu'"
            ) from error

    def _tensor_of(self, result: Any, memory: Tensor) -> Tensor:
        """What a function of the user's returned, as a tensor."""
        tensor = result
        if isinstance(result, TypedStorage):
            result = result.untyped()
        if isinstance(result, UntypedStorage) and result.nbytes() == memory.nbytes:
            shape = tuple(memory.shape)
            tensor = _core._on_memory(result._bytes, memory.dtype, shape, None)
        if (
            not isinstance(tensor, Tensor)
            or tensor.dtype != memory.dtype
            or tuple(tensor.shape) != tuple(memory.shape)
        ):
            raise FileError(
                "the function in map_location must return the storage that it was given (on the "
                f"device that it shall be on) or None, not {result!r}"
            )
        return tensor
