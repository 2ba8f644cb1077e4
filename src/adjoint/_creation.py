"""Tensors of arrays, and questions about types, that need no operator."""

from __future__ import annotations

from typing import Any

from adjoint import _core, _older_types, _second_names
from adjoint._core import Tensor
from adjoint._older_types import *  # noqa: F403
from adjoint._second_names import *  # noqa: F403

__all__ = [
    "asarray",
    "broadcast_shapes",
    "empty_permuted",
    "from_dlpack",
    "from_numpy",
    "frombuffer",
    "get_device",
    "is_complex",
    "is_conj",
    "is_floating_point",
    "is_neg",
    "is_tensor",
    "numel",
    "result_type",
    "to_dlpack",
    "typename",
    *_older_types.__all__,
    *_second_names.__all__,
]  # fmt: skip


def from_numpy(array: Any) -> Tensor:
    """A tensor on the memory of a NumPy array: writes to one show in the other.

    A TypeError for anything but an array, or for a dtype that tensors do not have.

    >>> import numpy
    >>> adjoint.from_numpy(numpy.array([1, 2]))
    tensor([1, 2])
    """
    import numpy

    if not isinstance(array, numpy.ndarray):
        raise TypeError(f"expected np.ndarray (got {type(array).__name__})")
    if not array.dtype.isnative:
        raise ValueError(
            f"the array has the dtype {array.dtype.str!r}, of another byte order than this "
            "machine's; convert it first: array.astype(array.dtype.newbyteorder('='))"
        )
    # NumPy has no buffers of dates, which the buffer protocol has no names for.
    if array.dtype.kind in "mM":
        raise TypeError(f"from_numpy: can't convert an array of {array.dtype}; view it as int64")
    if array.flags.writeable:
        return _core._from_buffer(array, True)
    import warnings

    warnings.warn(
        "The given NumPy array is not writable; writing to the tensor made of it is undefined. "
        "Copy the array first: array.copy()",
        UserWarning,
        stacklevel=2,
    )
    return _core._from_buffer(array, False)


def frombuffer(
    buffer: Any, *, dtype: Any, count: int = -1, offset: int = 0, requires_grad: bool = False
) -> Tensor:
    """A 1-d tensor on the memory of an object with the buffer protocol.

    >>> adjoint.frombuffer(bytearray([1, 0, 2, 0]), dtype=adjoint.int16)
    tensor([1, 2], dtype=torch.int16)
    """
    view = memoryview(buffer).cast("B")
    size = dtype.itemsize
    if count < 0:
        if (len(view) - offset) % size:
            raise ValueError(
                f"buffer length ({len(view) - offset} bytes after offset) must be a multiple of "
                f"element size ({size})"
            )
        count = (len(view) - offset) // size
    if count <= 0 or offset < 0 or offset + count * size > len(view):
        raise ValueError(
            f"requested {count} elements of {size} bytes at offset {offset} of a buffer of "
            f"{len(view)} bytes"
        )
    part = view[offset : offset + count * size]
    bytes_ = _core._from_buffer(part, not part.readonly)
    if bytes_.data_ptr() % (size // 2 if dtype.is_complex else size):
        raise ValueError(
            f"the memory at offset {offset} is not aligned for {dtype}: copy it first, "
            "bytearray(buffer[offset:])"
        )
    if dtype == _core.bool:
        if max(part) > 1:
            raise ValueError("a bool is 0 or 1: read the buffer as uint8 and compare with 0")
        x = _core._from_buffer(part.cast("?"), not part.readonly)
    else:
        x = bytes_.view(dtype)
    return x.requires_grad_() if requires_grad else x


def from_dlpack(ext_tensor: Any, *, device: Any = None, copy: bool | None = None) -> Tensor:
    """A tensor on the memory of another library's array, by the DLPack protocol.

    `copy` true makes it one on memory of its own. A BufferError for a tensor that requires grad.

    >>> import numpy
    >>> adjoint.from_dlpack(numpy.arange(3))
    tensor([0, 1, 2])
    """
    if device is not None and _core.device(device).type != "cpu":
        raise RuntimeError(f"from_dlpack: the device {device} is not there")
    if isinstance(ext_tensor, Tensor):
        if ext_tensor.requires_grad:
            raise BufferError(
                "Can't export tensors that require gradient, use tensor.detach() before exporting"
            )
        return ext_tensor.clone() if copy else ext_tensor.detach()
    capsule = ext_tensor
    if hasattr(ext_tensor, "__dlpack__"):
        try:  # version 1 can share what is read-only
            capsule = ext_tensor.__dlpack__(max_version=(1, 0))
        except TypeError:
            capsule = ext_tensor.__dlpack__()
    x = _core._from_dlpack(capsule)
    return x.clone() if copy else x


def to_dlpack(tensor: Tensor) -> Any:
    """A capsule of the tensor's memory, to be taken once; a BufferError if a gradient is recorded.

    >>> type(adjoint.to_dlpack(adjoint.ones(2))).__name__
    'PyCapsule'
    """
    return tensor.__dlpack__()


def _shares(x: Tensor, obj: Any) -> bool:
    """Whether `x`, made of `obj`, lies on the memory of it."""
    if isinstance(obj, Tensor):
        return x.data_ptr() == obj.data_ptr()
    interface = getattr(obj, "__array_interface__", None)
    if interface is not None:
        return x.data_ptr() == interface["data"][0]
    try:
        itemsize = memoryview(obj).itemsize
    except TypeError:
        return False
    return bool(itemsize == x.itemsize)


def asarray(
    obj: Any,
    *,
    dtype: Any = None,
    device: Any = None,
    copy: bool | None = None,
    requires_grad: bool | None = None,
) -> Tensor:
    """A tensor of `obj`, on its memory unless `copy` is true or the dtype differs.

    A tensor keeps its history, unless `requires_grad` is False, which detaches it. Bytes are read
    as elements of `dtype` (the default dtype), as by `frombuffer`.

    >>> adjoint.asarray([1, 2])
    tensor([1, 2])
    """
    if isinstance(obj, (bytes, bytearray)) or isinstance(obj, memoryview) and obj.format == "B":
        x = frombuffer(obj, dtype=_core.get_default_dtype() if dtype is None else dtype)
        return (x.clone() if copy else x).requires_grad_(bool(requires_grad))
    x = _core.as_tensor(obj, dtype=dtype, device=device)
    if copy is False and not _shares(x, obj):
        raise ValueError(
            f"asarray: {type(obj).__name__} cannot be a tensor without a copy"
            + (f" as {dtype}" if dtype is not None else "")
        )
    if copy and (x is obj or not isinstance(obj, (list, tuple, int, float))):
        x = x.clone()
    if requires_grad is False and isinstance(obj, Tensor):
        return x.detach()
    return x.requires_grad_() if requires_grad and not x.requires_grad else x


def empty_permuted(size: Any, physical_layout: Any, **kwargs: Any) -> Tensor:
    """An uninitialised tensor whose dims lie in memory in this order, from the outermost.

    Args:
        size: the shape.
        physical_layout: a permutation of the dims; ``(0, 2, 3, 1)`` puts the channels last.

    >>> adjoint.empty_permuted((2, 3, 5, 7), (0, 2, 3, 1)).stride()
    (105, 1, 21, 3)
    """
    order = tuple(physical_layout)
    dims = [d for d, _ in enumerate(size)]
    if sorted(order) != dims:
        raise RuntimeError(f"physical_layout must be a permutation of the dims {dims}, got {order}")
    memory = _core._namespaces[""]["empty"](tuple(size[d] for d in order), **kwargs)
    return memory.permute(tuple(order.index(d) for d in dims))


def get_device(input: Tensor) -> int:
    """The number of the tensor's device: -1 for the CPU."""
    return input.get_device()


def is_tensor(obj: Any) -> bool:
    """Whether `obj` is a tensor."""
    return isinstance(obj, Tensor)


def is_floating_point(input: Tensor) -> bool:
    """Whether the dtype of `input` is floating point."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> bool:
    """Whether the dtype of `input` is complex."""
    return input.is_complex()


def is_conj(input: Tensor) -> bool:
    """Whether the conjugate of `input` is still to be computed: never, `conj` does so at once."""
    return input.is_conj()


def is_neg(input: Tensor) -> bool:
    """Whether the negative of `input` is still to be computed: never."""
    return input.is_neg()


def numel(input: Tensor) -> int:
    """Number of elements of `input`."""
    return input.numel()


def result_type(tensor1: Any, tensor2: Any) -> Any:
    """The dtype of arithmetic between two tensors or numbers.

    >>> adjoint.result_type(adjoint.tensor([1]), 1.0)
    torch.float32
    """
    return _core._result_type(tensor1, tensor2)


def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that all of `shapes` broadcast to; a RuntimeError if there is none.

    >>> adjoint.broadcast_shapes((2, 1), (3,))
    torch.Size([2, 3])
    """
    from adjoint._size import Size

    result: list[int] = []
    for shape in shapes:
        sizes = [shape] if isinstance(shape, int) else list(shape)
        n = max(len(result), len(sizes))
        padded = [1] * (n - len(sizes)) + sizes
        result = [1] * (n - len(result)) + result
        for i, (a, b) in enumerate(zip(result, padded)):
            if a != b and 1 not in (a, b):
                raise RuntimeError(
                    "Shape mismatch: objects cannot be broadcast to a single shape: "
                    + ", ".join(str(tuple(s) if not isinstance(s, int) else (s,)) for s in shapes)
                )
            result[i] = b if a == 1 else a
    return Size(result)


def typename(obj: Any) -> str:
    """The name of a class or function with its module, or of the class of `obj`;
    `torch.FloatTensor` and the like for tensors.

    >>> adjoint.typename(adjoint.ones(2)), adjoint.typename(3)
    ('torch.FloatTensor', 'int')
    """
    if isinstance(obj, Tensor):
        return obj.type()
    named = obj if hasattr(obj, "__qualname__") else type(obj)
    module = getattr(named, "__module__", None)
    return named.__qualname__ if module in (None, "builtins") else f"{module}.{named.__qualname__}"
