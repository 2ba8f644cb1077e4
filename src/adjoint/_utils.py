"""Helpers of torch that programs import: flat buffers of many tensors, errors of workers."""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import adjoint
from adjoint import Tensor

__all__ = ["ExceptionWrapper", "KeyErrorMessage", "classproperty", "is_compiling"]


def _flatten_dense_tensors(tensors: Sequence[Tensor]) -> Tensor:
    """One tensor of a single dim with the elements of all.

    >>> from adjoint._utils import _flatten_dense_tensors
    >>> _flatten_dense_tensors([adjoint.zeros(2), adjoint.ones(1, 1)])
    tensor([0., 0., 1.])
    """
    return adjoint.cat([x.reshape(-1) for x in tensors])


def _unflatten_dense_tensors(flat: Tensor, tensors: Sequence[Tensor]) -> tuple[Tensor, ...]:
    """Views of `flat` with the shapes of `tensors`, one behind the other."""
    parts = flat.split([x.numel() for x in tensors])
    return tuple(part.view_as(x) for part, x in zip(parts, tensors, strict=True))


def _take_tensors(tensors: Iterable[Tensor], size_limit: int) -> Iterator[list[Tensor]]:
    """Groups of tensors of one type, of `size_limit` bytes if that is met."""
    groups: dict[str, tuple[list[Tensor], int]] = {}
    for x in tensors:
        kind = x.type()
        group, size = groups.get(kind, ([], 0))
        if group and size + x.nbytes > size_limit:
            yield group
            group, size = [], 0
        groups[kind] = ([*group, x], size + x.nbytes)
    for group, _ in groups.values():
        if group:
            yield group


def _reorder_tensors_as(
    tensors: Iterable[Tensor], ordered_tensors: Iterable[Tensor]
) -> tuple[Tensor, ...]:
    """`tensors`, grouped by type, in the order of types of `ordered_tensors`."""
    by_type: dict[str, list[Tensor]] = {}
    for x in tensors:
        by_type.setdefault(x.type(), []).append(x)
    queues = {kind: iter(group) for kind, group in by_type.items()}
    return tuple(next(queues[x.type()]) for x in ordered_tensors)


def _accumulate(iterable: Iterable[Any], fn: Any = lambda x, y: x + y) -> Iterator[Any]:
    """Running totals."""
    import itertools

    return itertools.accumulate(iterable, fn)


def _rebuild_tensor(storage: Any, storage_offset: int, size: Any, stride: Any) -> Tensor:
    """A tensor on a storage."""
    x = adjoint.empty(0, dtype=getattr(storage, "dtype", None))
    return x.set_(storage, storage_offset, size, stride)


def _rebuild_tensor_v2(storage: Any, storage_offset: int, size: Any, stride: Any,
                       requires_grad: bool, backward_hooks: Any = None,
                       metadata: Any = None) -> Tensor:  # fmt: skip
    """A tensor on a storage, with its `requires_grad`."""
    return _rebuild_tensor(storage, storage_offset, size, stride).requires_grad_(requires_grad)


def _rebuild_parameter(data: Tensor, requires_grad: bool, backward_hooks: Any = None) -> Tensor:
    """A Parameter of `data`."""
    return adjoint.nn.Parameter(data, requires_grad)


def _import_dotted_name(name: str) -> Any:
    """The object of a dotted name."""
    first, *rest = name.split(".")
    value: Any = importlib.import_module(first)
    for part in rest:
        value = getattr(value, part)
    return value


def _get_device_index(device: Any, optional: bool = False, allow_cpu: bool = False) -> int:
    """The number of a device; -1 for the CPU where it is allowed."""
    if isinstance(device, str):
        device = adjoint.device(device)
    if isinstance(device, adjoint.device):
        if device.type == "cpu" and not allow_cpu:
            raise ValueError(f"Expected a non cpu device, but got: {device}")
        return -1 if device.type == "cpu" else device.index or 0
    if device is None:
        if optional:
            return -1
        raise ValueError("a device is expected, not None")
    return int(device)


def _get_all_device_indices() -> list[int]:
    """The numbers of accelerators: none."""
    return []


def _get_available_device_type() -> None:
    """The type of accelerator: none."""


def is_compiling() -> bool:
    """Whether a program is being compiled: it is not."""
    return False


class classproperty:
    """A property of a class, computed by a function of the class."""

    def __init__(self, func: Any) -> None:
        self.func = func

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self.func(type(instance) if owner is None else owner)


class KeyErrorMessage(str):
    """The text of a KeyError whose repr is the text itself, so that its lines stay lines."""

    def __repr__(self) -> str:
        return str(self)


class ExceptionWrapper:
    """An exception of a worker, with its traceback as text, to be raised elsewhere.

    >>> from adjoint._utils import ExceptionWrapper
    >>> try:
    ...     1 / 0
    ... except ZeroDivisionError:
    ...     caught = ExceptionWrapper(where="in worker 0")
    >>> try:
    ...     caught.reraise()
    ... except ZeroDivisionError as error:
    ...     print(str(error).splitlines()[0])
    Caught ZeroDivisionError in worker 0.
    """

    def __init__(self, exc_info: Any = None, where: str = "in background") -> None:
        kind, value, trace = exc_info or sys.exc_info()
        self.exc_type: Any = kind
        self.exc_msg = "".join(traceback.format_exception(kind, value, trace))
        self.where = where

    def reraise(self) -> None:
        """Raises an exception of the class with the message; a RuntimeError if none can be made."""
        message = f"Caught {self.exc_type.__name__} {self.where}.\nOriginal {self.exc_msg}"
        if self.exc_type is KeyError:
            message = KeyErrorMessage(message)
        try:
            error: BaseException = self.exc_type(message)
        except Exception:
            error = RuntimeError(message)
        raise error
