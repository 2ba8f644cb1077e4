"""torch's files since version 1.6: a zip archive of a pickle and of the storages, uncompressed."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections.abc import Callable
from typing import IO, Any

import adjoint
from adjoint import Tensor, _core
from adjoint.serialization._constructors import StorageType, constructors
from adjoint.serialization._locations import Locations
from adjoint.serialization._pickle import DAMAGE, Budget, Machine

__all__ = ["damaged", "memory_from", "read"]

_ENCRYPTED = 1  # a flag of a record


def damaged(where: str, error: BaseException) -> RuntimeError:
    reason = f"{error} is missing" if isinstance(error, KeyError) else str(error)
    return RuntimeError(f"{where} is damaged: {reason}")


def memory_from(data: bytes, dtype: Any, swap: bool) -> Tensor:
    """A vector of the elements in `data`; those of a machine of the other byte order swapped."""
    size = adjoint.empty(0, dtype=dtype).element_size()
    if len(data) % size:
        raise ValueError(f"{len(data)} bytes are no whole number of elements of {dtype}")
    if swap and size > 1:
        word = size // 2 if dtype.is_complex else size
        data = b"".join(data[i : i + word][::-1] for i in range(0, len(data), word))
    return _core._tensor_from_bytes(data, dtype, [len(data) // size])


def read(file: IO[bytes], where: str, locations: Locations) -> Any:
    try:
        with zipfile.ZipFile(file) as archive:
            value = _Archive(archive, locations).value()
        file.seek(0, 2)
        return value
    except pickle.UnpicklingError:
        raise
    except (zipfile.BadZipFile, *DAMAGE) as error:
        raise damaged(where, error) from error


class _Archive:
    def __init__(self, archive: zipfile.ZipFile, locations: Locations) -> None:
        self._archive = archive
        self._locations = locations
        self._records = {info.filename: info for info in archive.infolist()}
        pickles = [name for name in self._records if name.endswith("/data.pkl")]
        if any(name.endswith("/constants.pkl") for name in self._records):
            raise ValueError("it holds a TorchScript program, not values: save a state_dict()")
        if len(pickles) != 1:
            raise ValueError("it holds no data.pkl, so torch.save has not written it")
        self._folder = pickles[0].removesuffix("data.pkl")
        # Records may overlap in a forged file; what is read of it is no more than the file.
        self._budget = archive.fp.seek(0, 2) if archive.fp else 0
        self._bytes: dict[str, bytes] = {}
        self._memories: dict[tuple[str, Any], Tensor] = {}

    def value(self) -> Any:
        order = b"little"
        if self._folder + "byteorder" in self._records:
            order = self._record("byteorder")
        if order not in (b"little", b"big"):
            raise ValueError(f"the byte order {order!r}")
        self._swap = order == b"big"
        program = self._record("data.pkl")
        self._copies = Budget(self._budget)
        machine = Machine(constructors(), self._storage, Budget(len(program)))
        return machine.load(io.BytesIO(program))

    def _record(self, name: str) -> bytes:
        info = self._records[self._folder + name]
        if info.flag_bits & _ENCRYPTED:
            raise ValueError(f"its record {name} is encrypted")
        if info.compress_type != zipfile.ZIP_STORED or info.compress_size != info.file_size:
            raise ValueError(f"its record {name} is compressed")
        self._budget -= info.file_size
        if self._budget < 0:
            raise ValueError(f"its record {name} is larger than the file")
        return self._archive.read(info)

    def _storage(self, id_: Any) -> Callable[..., Tensor]:
        kind, type_, key, location, count = id_
        if kind != "storage" or not isinstance(type_, StorageType) or not isinstance(key, str):
            raise ValueError(f"it refers to a {kind!r}")

        def memory(dtype: Any, copied: int = 0) -> Tensor:
            self._copies.spend(copied)
            dtype = dtype or type_.dtype or adjoint.uint8
            if (key, dtype) not in self._memories:
                if key not in self._bytes:
                    self._bytes[key] = self._record(f"data/{key}")
                whole = memory_from(self._bytes[key], dtype, self._swap)
                if type_.dtype is not None and whole.numel() != count:
                    raise ValueError(f"storage {key} has {whole.numel()} elements, not {count}")
                self._memories[key, dtype] = self._locations.moved(whole, location)
                if type_.dtype is not None:
                    del self._bytes[key]
            return self._memories[key, dtype]

        return memory
