"""torch's files before version 1.6: pickles one behind the other, then the storages."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import IO, Any

import adjoint
from adjoint import Tensor
from adjoint.serialization._constructors import StorageType, constructors
from adjoint.serialization._locations import Locations
from adjoint.serialization._pickle import DAMAGE, Budget, Machine
from adjoint.serialization._torch_zip import damaged, memory_from

__all__ = ["read"]

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001


def read(file: IO[bytes], where: str, locations: Locations) -> Any:
    try:
        if _plain(file) != _MAGIC:
            raise pickle.UnpicklingError(
                f"{where} is a pickle, but not one that torch.save has written. Pickles can run "
                "any code and are not read"
            )
        if _plain(file) != _PROTOCOL:
            raise ValueError("its version of the format is unknown")
        swap = not _plain(file)["little_endian"]
        return _read(file, swap, locations)
    except pickle.UnpicklingError:
        raise
    except DAMAGE as error:
        raise damaged(where, error) from error


def _no_storage(id_: Any) -> Any:
    raise ValueError("it refers to a storage where there is none")


def _plain(file: IO[bytes]) -> Any:
    return Machine({}, _no_storage, Budget(0)).load(file)


def _read(file: IO[bytes], swap: bool, locations: Locations) -> Any:
    # The storages come last, and only the pickle tells their dtypes: it is read twice.
    types: dict[str, tuple[Any, int, str]] = {}

    def noted(id_: Any) -> Callable[..., None]:
        kind, type_, key, location, count, *view = id_
        if kind != "storage" or not isinstance(type_, StorageType) or not isinstance(key, str):
            raise ValueError(f"it refers to a {kind!r}")
        if view and view[0] is not None:
            raise ValueError("it holds views of storages, as versions before 0.4 wrote them")
        types[key] = type_.dtype or adjoint.uint8, count, location
        return lambda dtype, copied=0: None

    begin = file.tell()
    whole = file.seek(0, 2) - begin
    file.seek(begin)
    Machine(constructors(), noted, Budget(whole)).load(file)
    memories: dict[str, Tensor] = {}
    for key in _plain(file):
        dtype, count, location = types[key]
        size = int.from_bytes(file.read(8), "little" if not swap else "big", signed=True)
        wanted = size * adjoint.empty(0, dtype=dtype).element_size()
        if size != count or size < 0:
            raise ValueError(f"storage {key} has {size} elements, not {count}")
        here = file.tell()
        if wanted > file.seek(0, 2) - here:
            raise ValueError(f"storage {key} is cut short")
        file.seek(here)
        memories[key] = locations.moved(memory_from(file.read(wanted), dtype, swap), location)
    end = file.tell()
    file.seek(begin)

    copies = Budget(whole)

    def found(id_: Any) -> Callable[..., Tensor]:
        def memory(dtype: Any, copied: int = 0) -> Tensor:
            copies.spend(copied)
            return memories[id_[2]]

        return memory

    value = Machine(constructors(), found, Budget(whole)).load(file)
    file.seek(end)
    return value
