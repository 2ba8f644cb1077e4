"""The memory of tensors: `UntypedStorage` in bytes, `TypedStorage` in elements of a dtype.

>>> x = adjoint.tensor([1., 2., 3.])
>>> x[1:].untyped_storage().nbytes()
12
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from typing import Any

import adjoint
from adjoint import Tensor, _core

__all__ = ["TypedStorage", "UntypedStorage"]


class UntypedStorage:
    """Bytes that tensors lie in: `UntypedStorage(n)` of n new ones, or of a sequence of integers.

    Indexing reads and writes bytes; a slice is a storage of its own that shares the memory.

    >>> s = adjoint.UntypedStorage([1, 2, 3])
    >>> s[0], s.tolist(), s.nbytes()
    (1, [1, 2, 3], 3)
    """

    _bytes: Tensor  # uint8, over the whole memory

    def __init__(self, size: int | Sequence[int] = 0, *, device: Any = None) -> None:
        if isinstance(size, int):
            self._bytes = adjoint.empty(size, dtype=adjoint.uint8, device=device)
        else:
            self._bytes = adjoint.tensor(size, dtype=adjoint.uint8, device=device)

    @classmethod
    def _of(cls, x: Tensor) -> UntypedStorage:
        self = cls.__new__(cls)
        self._bytes = _core._on_memory(x, adjoint.uint8, (x._storage_bytes(),), None)
        return self

    @property
    def device(self) -> Any:
        """Where the memory is: the CPU."""
        return self._bytes.device

    is_cuda = is_sparse = is_hpu = False

    def data_ptr(self) -> int:
        """Address of the first byte."""
        return self._bytes._storage_ptr() + self._bytes.storage_offset()

    _cdata = property(data_ptr)

    def nbytes(self) -> int:
        """Number of bytes."""
        return self._bytes.numel()

    size = __len__ = nbytes

    def element_size(self) -> int:
        """Bytes per element: 1."""
        return 1

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            part = UntypedStorage.__new__(UntypedStorage)
            part._bytes = self._bytes[index]
            return part
        return self._bytes[index].item()

    def __setitem__(self, index: int | slice, value: Any) -> None:
        self._bytes[index] = value

    def __iter__(self) -> Iterator[int]:
        return iter(self.tolist())

    def tolist(self) -> list[int]:
        """The bytes as integers."""
        return self._bytes.tolist()

    def fill_(self, value: int) -> UntypedStorage:
        """Sets all bytes."""
        self._bytes.fill_(value)
        return self

    def copy_(self, source: UntypedStorage, non_blocking: bool | None = None) -> UntypedStorage:
        """Copies the bytes of another storage of this size."""
        if source.nbytes() != self.nbytes():
            raise RuntimeError(
                f"size does not match, self was {self.nbytes()} bytes but src was "
                f"{source.nbytes()} bytes"
            )
        self._bytes.copy_(source._bytes)
        return self

    def clone(self) -> UntypedStorage:
        """A copy in memory of its own."""
        return UntypedStorage._of(self._bytes.clone())

    __copy__ = clone

    def __deepcopy__(self, memo: dict[int, Any]) -> UntypedStorage:
        return memo.setdefault(id(self), self.clone())

    def new(self) -> UntypedStorage:
        """An empty storage."""
        return UntypedStorage(0)

    def cpu(self) -> UntypedStorage:
        """The storage itself."""
        return self

    def resize_(self, size: int) -> UntypedStorage:
        """Accepted where `size` is the present one.

        Raises:
            RuntimeError: another size: tensors know where their elements are.
        """
        if size != self.nbytes():
            raise RuntimeError(
                f"a storage of {self.nbytes()} bytes cannot be resized to {size}: make a new tensor"
            )
        return self

    def resizable(self) -> bool:
        """Whether `resize_` can change the size: no."""
        return False

    def is_shared(self) -> bool:
        """Whether processes share the memory: no."""
        return False

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is page-locked: no."""
        return False

    def share_memory_(self) -> UntypedStorage:
        """Accepted; the memory stays this process's."""
        return self

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, UntypedStorage) and (
            (self.data_ptr(), self.nbytes()) == (other.data_ptr(), other.nbytes())
        )

    def __hash__(self) -> int:
        return hash(self.data_ptr())

    def __reduce__(self) -> Any:
        return UntypedStorage, (self.tolist(),)

    def __repr__(self) -> str:
        lines = "".join(f" {value}\n" for value in self.tolist())
        return f"{lines}[torch.storage.UntypedStorage(device={self.device}) of size {len(self)}]"


class TypedStorage:
    """A storage read as elements of a dtype: what `x.storage()` gives.

    >>> s = adjoint.tensor([[1., 2.], [3., 4.]]).storage()
    >>> s[3], s.tolist(), s.size(), s.nbytes()
    (4.0, [1.0, 2.0, 3.0, 4.0], 4, 16)
    """

    dtype: Any
    _untyped: UntypedStorage

    def __new__(cls, *args: Any, wrap_storage: UntypedStorage | None = None, dtype: Any = None,
                device: Any = None, _internal: bool = False) -> TypedStorage:  # fmt: skip
        self = object.__new__(TypedStorage)
        own = getattr(cls, "_dtype_of_class", None)
        self.dtype = dtype or own or adjoint.get_default_dtype()
        if wrap_storage is not None:
            self._untyped = wrap_storage
        elif not args:
            self._untyped = UntypedStorage(0, device=device)
        elif len(args) == 1 and isinstance(args[0], int):
            self._untyped = UntypedStorage(args[0] * self.dtype.itemsize, device=device)
        elif len(args) == 1 and isinstance(args[0], Sequence):
            values = adjoint.tensor(args[0], dtype=self.dtype, device=device)
            self._untyped = UntypedStorage._of(values)
        else:
            raise TypeError(
                f"{cls.__name__}() takes a size or a sequence of numbers, not "
                + ", ".join(type(arg).__name__ for arg in args)
            )
        return self

    @property
    def _elements(self) -> Tensor:
        memory = self._untyped._bytes
        size = memory.numel() // self.dtype.itemsize
        start = memory.storage_offset() // self.dtype.itemsize
        return _core._on_memory(memory, self.dtype, (size,), None, start)

    def untyped(self) -> UntypedStorage:
        """The bytes."""
        return self._untyped

    @property
    def device(self) -> Any:
        """Where the memory is: the CPU."""
        return self._untyped.device

    is_cuda = is_sparse = False

    def data_ptr(self) -> int:
        """Address of the first element."""
        return self._untyped.data_ptr()

    _cdata = property(data_ptr)

    def nbytes(self) -> int:
        """Number of bytes."""
        return self._untyped.nbytes()

    def size(self) -> int:
        """Number of elements."""
        return self.nbytes() // self.dtype.itemsize

    __len__ = size

    def element_size(self) -> int:
        """Bytes per element."""
        return self.dtype.itemsize

    def type(self, dtype: Any = None, non_blocking: bool = False) -> Any:
        """The name of the class of storages (`torch.FloatStorage`), or the storage as another."""
        if dtype is None:
            return f"torch.{_names()[self.dtype]}"
        wanted = {f"torch.{name}": t for t, name in _names().items()}.get(str(dtype), dtype)
        return self._to(getattr(wanted, "_dtype_of_class", wanted))

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        return self._elements[index].item()

    def __setitem__(self, index: int | slice, value: Any) -> None:
        self._elements[index] = value

    def __iter__(self) -> Iterator[Any]:
        return iter(self.tolist())

    def tolist(self) -> list[Any]:
        """The elements as Python numbers."""
        return self._elements.tolist()

    def fill_(self, value: Any) -> TypedStorage:
        """Sets all elements."""
        self._elements.fill_(value)
        return self

    def copy_(self, source: Any, non_blocking: bool | None = None) -> TypedStorage:
        """Copies the elements of another storage of this size."""
        self._elements.copy_(source._elements if isinstance(source, TypedStorage) else source)
        return self

    def clone(self) -> TypedStorage:
        """A copy in memory of its own."""
        return TypedStorage(wrap_storage=self._untyped.clone(), dtype=self.dtype)

    __copy__ = clone

    def __deepcopy__(self, memo: dict[int, Any]) -> TypedStorage:
        return TypedStorage(wrap_storage=copy.deepcopy(self._untyped, memo), dtype=self.dtype)

    def cpu(self) -> TypedStorage:
        """The storage itself."""
        return self

    def is_shared(self) -> bool:
        """Whether processes share the memory: no."""
        return False

    def is_pinned(self, device: Any = None) -> bool:
        """Whether the memory is page-locked: no."""
        return False

    def share_memory_(self) -> TypedStorage:
        """Accepted; the memory stays this process's."""
        return self

    def resize_(self, size: int) -> TypedStorage:
        """Accepted where `size` is the present one."""
        self._untyped.resize_(size * self.dtype.itemsize)
        return self

    def _to(self, dtype: Any) -> TypedStorage:
        if dtype is self.dtype:
            return self
        return TypedStorage(wrap_storage=UntypedStorage._of(self._elements.to(dtype)), dtype=dtype)

    def float(self) -> TypedStorage:
        """As float32."""
        return self._to(adjoint.float32)

    def double(self) -> TypedStorage:
        """As float64."""
        return self._to(adjoint.float64)

    def half(self) -> TypedStorage:
        """As float16."""
        return self._to(adjoint.float16)

    def bfloat16(self) -> TypedStorage:
        """As bfloat16."""
        return self._to(adjoint.bfloat16)

    def long(self) -> TypedStorage:
        """As int64."""
        return self._to(adjoint.int64)

    def int(self) -> TypedStorage:
        """As int32."""
        return self._to(adjoint.int32)

    def bool(self) -> TypedStorage:
        """As bool."""
        return self._to(adjoint.bool)

    def __eq__(self, other: Any) -> Any:
        return isinstance(other, TypedStorage) and self._untyped == other._untyped

    def __hash__(self) -> Any:
        return hash(self._untyped)

    def __reduce__(self) -> Any:
        return _of_values, (self.tolist(), self.dtype)

    def __repr__(self) -> str:
        lines = "".join(f" {value}\n" for value in self.tolist())
        kind = f"dtype={self.dtype}, device={self.device}"
        return f"{lines}[torch.storage.TypedStorage({kind}) of size {len(self)}]"


def _of_values(values: list[Any], dtype: Any) -> TypedStorage:
    return TypedStorage(values, dtype=dtype)


class _StorageClass(type):
    """The type of `FloatStorage` and its kin, whose instances are storages of their dtype."""

    _dtype_of_class: Any

    def __instancecheck__(self, instance: Any) -> bool:
        return isinstance(instance, TypedStorage) and instance.dtype is self._dtype_of_class


def _names() -> dict[Any, str]:
    return {kind._dtype_of_class: name for name, kind in storage_classes.items()}


storage_classes: dict[str, Any] = {
    f"{name}Storage": _StorageClass(
        f"{name}Storage",
        (TypedStorage,),
        {"_dtype_of_class": dtype, "__doc__": f"Storages of {str(dtype)[6:]}."},
    )
    for name, dtype in {
        "Float": adjoint.float32, "Double": adjoint.float64, "Half": adjoint.float16,
        "BFloat16": adjoint.bfloat16, "Byte": adjoint.uint8, "Char": adjoint.int8,
        "Short": adjoint.int16, "Int": adjoint.int32, "Long": adjoint.int64, "Bool": adjoint.bool,
        "ComplexFloat": adjoint.complex64, "ComplexDouble": adjoint.complex128,
    }.items()
}  # fmt: skip
globals().update(storage_classes)


def is_storage(obj: Any) -> Any:
    """Whether it is a storage.

    >>> adjoint.is_storage(adjoint.ones(1).untyped_storage())
    True
    """
    return isinstance(obj, (UntypedStorage, TypedStorage))


def set_to(x: Tensor, source: Any, offset: Any = 0, size: Any = None, stride: Any = None) -> Tensor:
    """What `x.set_(source, ...)` does with a storage: a tensor of x's dtype on its memory."""
    memory = source._bytes if isinstance(source, UntypedStorage) else source._untyped._bytes
    if isinstance(source, TypedStorage) and source.dtype is not x.dtype:
        raise RuntimeError(f"set_: the storage is of {source.dtype}, the tensor of {x.dtype}")
    count = memory.numel() // x.itemsize
    if size is None:
        size = (count - offset,)
    start = memory.storage_offset() // x.itemsize
    return _core._on_memory(memory, x.dtype, tuple(size), stride, start + offset)
