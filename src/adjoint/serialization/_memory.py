"""Memory of tensors in files: its bytes, and tensors as checked views of it."""

from __future__ import annotations

import sys
from typing import Any

import adjoint
from adjoint import Tensor, _core
from adjoint.storage import UntypedStorage

__all__ = ["Memory", "from_bytes", "other_order", "swapped", "view"]

_LARGEST = 2**63 - 1
_AS_BOOL = bytes([0]) + bytes([1]) * 255


class Memory(UntypedStorage):
    """A tensor with one dim that holds all of a memory, and the part of it that is meant."""

    def __init__(self, tensor: Tensor, begin: int = 0, count: int | None = None) -> None:
        self._bytes = UntypedStorage._of(tensor)._bytes
        self.tensor = tensor
        self.begin = begin
        self.count = tensor.numel() - begin if count is None else count


def from_bytes(data: bytes, dtype: Any, other: bool = False) -> Tensor:
    """A tensor with one dim of the elements in ``data``, which may be in the other byte order."""
    if other:
        data = swapped(data, dtype)
    if dtype == adjoint.bool:
        data = data.translate(_AS_BOOL)  # a bool is 0 or 1, whatever the file says
    return _core._tensor_from_bytes(data, dtype, (len(data) // dtype.itemsize,))


def swapped(data: bytes, dtype: Any) -> bytes:
    """The elements in the other byte order."""
    size = dtype.itemsize // 2 if dtype.is_complex else dtype.itemsize
    if size == 1:
        return data
    result = bytearray(len(data))
    for i in range(size):
        result[i::size] = data[size - 1 - i :: size]
    return bytes(result)


def other_order(byteorder: str) -> bool:
    """Whether bytes in this order must be swapped on this machine."""
    return byteorder != sys.byteorder


def view(memory: Memory, size: Any, stride: Any, offset: Any) -> Tensor:
    """The part of the memory with this layout; a ValueError if it reaches beyond the memory."""
    size, stride = _ints("size", size), _ints("stride", stride)
    (offset,) = _ints("offset", (offset,))
    if len(size) != len(stride) or len(size) > 64:
        raise ValueError(f"a tensor has {len(size)} sizes and {len(stride)} strides")
    if any(n < 0 for n in (*size, *stride, offset)):
        raise ValueError(f"negative layout: size {size}, stride {stride}, offset {offset}")
    numel, last = 1, offset
    for n, step in zip(size, stride):
        numel *= n
        last += max(n - 1, 0) * step
    # Element counts of parts must fit too: a size of 0 does not excuse its neighbours.
    products = 1
    for n in size:
        products *= max(n, 1)
    if max(products, *stride, last, 0) * memory.tensor.itemsize > _LARGEST:
        raise ValueError(f"a tensor of size {size} and stride {stride} is too large")
    if numel and last >= memory.count:
        raise ValueError(
            f"a tensor of size {size}, stride {stride} and offset {offset} reaches beyond its "
            f"memory of {memory.count} elements"
        )
    if not numel:  # no element is read: it needs no place
        return memory.tensor.as_strided(size, stride, 0).detach()
    return memory.tensor.as_strided(size, stride, memory.begin + offset).detach()


def _ints(what: str, values: Any) -> tuple[int, ...]:
    if not isinstance(values, (list, tuple)) or any(type(n) is not int for n in values):
        raise ValueError(f"the {what} of a tensor is no row of integers")
    return tuple(values)
