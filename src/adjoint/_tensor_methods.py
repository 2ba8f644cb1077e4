"""Methods of Tensor that are written in Python: conversions and copies that are no hot path."""

from __future__ import annotations

import numbers
from collections.abc import Callable
from typing import Any

from adjoint import _comparison, _core, _layouts, _random_fill
from adjoint._core import Tensor

_TYPES = {"float32": "Float", "float64": "Double", "float16": "Half", "bfloat16": "BFloat16",
          "uint8": "Byte", "int8": "Char", "int16": "Short", "int32": "Int", "int64": "Long",
          "bool": "Bool", "complex64": "ComplexFloat", "complex128": "ComplexDouble"}  # fmt: skip


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    setattr(Tensor, function.__name__, function)
    return function


@_method
def numpy(self: Tensor, *, force: bool = False) -> Any:
    """A NumPy array on the same memory. `force` detaches first; otherwise a tensor that requires
    grad is a RuntimeError.

    >>> adjoint.tensor([1., 2.]).numpy()
    array([1., 2.], dtype=float32)
    """
    import numpy

    if self.requires_grad:
        if not force:
            raise RuntimeError(
                "Can't call numpy() on Tensor that requires grad. "
                "Use tensor.detach().numpy() instead."
            )
        self = self.detach()
    if _core._is_wrapped(self):
        raise RuntimeError("numpy() cannot be called on a tensor under a transform (vmap, jvp)")
    if self.dtype is _core.bfloat16:
        raise TypeError("Got unsupported ScalarType BFloat16: NumPy has none; use x.float()")
    return numpy.asarray(_core._buffer(self))


@_method
def __array__(self: Tensor, dtype: Any = None, copy: bool | None = None) -> Any:
    array = self.numpy()
    if dtype is not None and array.dtype != dtype:
        if copy is False:
            raise ValueError(
                f"an array of {dtype} cannot share the memory of a tensor {self.dtype}"
            )
        return array.astype(dtype)
    return array.copy() if copy else array


@_method
def __array_wrap__(
    self: Tensor, array: Any, context: Any = None, return_scalar: bool = False
) -> Tensor:
    """What NumPy's ufuncs make of tensors becomes a tensor."""
    return _core.as_tensor(array)


Tensor.__array_priority__ = 1000


def _torch_function(cls: type, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
    from adjoint import overrides

    return overrides._torch_function_of_tensor(cls, func, types, args, kwargs)


Tensor.__torch_function__ = classmethod(_torch_function)


@_method
def __dlpack__(self: Tensor, *, stream: Any = None, max_version: Any = None, dl_device: Any = None,
               copy: bool | None = None) -> Any:  # fmt: skip
    if self.requires_grad:
        raise BufferError(
            "Can't export tensors that require gradient, use tensor.detach() before exporting"
        )
    if stream is not None:
        raise AssertionError(f"stream should be None on cpu, got {stream}")
    if dl_device is not None and tuple(map(int, dl_device)) != self.__dlpack_device__():
        raise BufferError(f"a tensor on cpu cannot be exported to the DLPack device {dl_device}")
    x = self.clone() if copy else self
    if max_version is None or max_version[0] < 1:
        return _core._to_dlpack(x)
    return _core._to_dlpack(x, True, bool(copy))


@_method
def __dlpack_device__(self: Tensor) -> tuple[int, int]:
    return (1, 0)  # kDLCPU


@_method
def __iter__(self: Tensor) -> Any:
    if self.dim() == 0:
        raise TypeError("iteration over a 0-d tensor")
    return iter(self.unbind(0))


@_method
def __contains__(self: Tensor, element: Any) -> bool:
    if isinstance(element, (Tensor, numbers.Number)):
        return bool((self == element).any())
    raise RuntimeError(
        f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}."
    )


@_method
def __complex__(self: Tensor) -> complex:
    return complex(self.item())


@_method
def __reversed__(self: Tensor) -> Tensor:
    return self if self.dim() == 0 else self.flip(0)


@_method
def __format__(self: Tensor, spec: str) -> str:
    if self.dim() == 0 and not _core._is_wrapped(self):
        return self.item().__format__(spec)
    return object.__format__(self, spec)


@_method
def __deepcopy__(self: Tensor, memo: dict[Any, Any]) -> Tensor:
    if not self.is_leaf:
        raise RuntimeError(
            "Only Tensors created explicitly by the user (graph leaves) support the deepcopy "
            "protocol at the moment; detach() or clone() first."
        )
    if id(self) in memo:
        return memo[id(self)]
    import copy

    # Tensors on one memory stay on one memory: the storage is copied once, and seen as before.
    key = ("storage", self._storage_ptr(), self.dtype)
    if key not in memo:
        everything = self.detach().as_strided((self._storage_bytes() // self.itemsize,), (1,), 0)
        memo[key] = everything.clone()
    data = memo[key].as_strided(self.shape, self.stride(), self.storage_offset())
    new = Tensor._make_subclass(type(self), data, self.requires_grad)
    memo[id(self)] = new
    for name, value in self.__dict__.items():
        new.__dict__[name] = copy.deepcopy(value, memo)
    if self.grad is not None:
        new.grad = copy.deepcopy(self.grad, memo)
    return new


@_method
def __copy__(self: Tensor) -> Tensor:
    new = Tensor._make_subclass(type(self), self, self.requires_grad)
    new.__dict__.update(self.__dict__)
    return new


def _rebuild(cls: type, data: bytes, dtype: str, shape: tuple[int, ...], requires_grad: bool,
             attributes: dict[str, Any]) -> Tensor:  # fmt: skip
    x = _core._tensor_from_bytes(data, getattr(_core, dtype), shape)
    x = Tensor._make_subclass(cls, x, requires_grad)
    x.__dict__.update(attributes)
    return x


@_method
def __reduce_ex__(self: Tensor, protocol: int) -> Any:
    # one that was computed comes back as a leaf: its history stays here
    data = _core._tensor_to_bytes(self.detach().contiguous())
    return _rebuild, (type(self), data, str(self.dtype)[6:], tuple(self.shape), self.requires_grad,
                      dict(self.__dict__))  # fmt: skip


@_method
def __dir__(self: Tensor) -> list[str]:
    return sorted(set(dir(type(self))) | set(self.__dict__))


def _type(self: Tensor, dtype: Any = None, non_blocking: bool = False) -> Any:
    """The name of the tensor type (`torch.FloatTensor`), or the tensor as another dtype."""
    if dtype is None:
        return f"torch.{_TYPES[str(self.dtype)[6:]]}Tensor"
    if dtype is Tensor or dtype == "torch.Tensor":  # the type of the default dtype
        return self.to(_core.get_default_dtype())
    if callable(dtype):  # torch.FloatTensor itself
        dtype = f"{dtype.__module__}.{getattr(dtype, '__name__', dtype)}"
    if isinstance(dtype, str):
        names = {f"torch.{v}Tensor": k for k, v in _TYPES.items()}
        if dtype not in names:
            raise ValueError(f"invalid type: '{dtype}'")
        dtype = getattr(_core, names[dtype])
    return self.to(dtype)


Tensor.type = _type  # not named so here, where `type` is Python's


@_method
def lu(self: Tensor, pivot: bool = True, get_infos: bool = False) -> Any:
    """`adjoint.lu` of the tensor.

    >>> adjoint.eye(2).lu()[1]
    tensor([1, 2], dtype=torch.int32)
    """
    from adjoint import _older_names

    return _older_names.lu(self, pivot, get_infos)


@_method
def type_as(self: Tensor, other: Tensor) -> Tensor:
    """The tensor as the dtype of `other`."""
    return self.to(other.dtype)


@_method
def cpu(self: Tensor, memory_format: Any = None) -> Tensor:
    """The tensor on the CPU: itself, if it is there."""
    return self.to("cpu")


@_method
def cuda(self: Tensor, device: Any = None, non_blocking: bool = False) -> Tensor:
    """A RuntimeError: this build has no CUDA devices."""
    return self.to("cuda")


@_method
def element_size(self: Tensor) -> int:
    """Bytes per element."""
    return self.itemsize


@_method
def get_device(self: Tensor) -> int:
    """Number of the CUDA device; -1 on the CPU."""
    return -1


@_method
def is_shared(self: Tensor) -> bool:
    """Whether the memory is shared between processes."""
    return False


@_method
def share_memory_(self: Tensor) -> Tensor:
    """Accepted for compatibility; memory is not shared between processes."""
    return self


@_method
def is_pinned(self: Tensor) -> bool:
    """Whether the memory is page-locked; never, without CUDA."""
    return False


@_method
def pin_memory(self: Tensor, device: Any = None) -> Tensor:
    """Accepted for compatibility."""
    return self


@_method
def is_signed(self: Tensor) -> bool:
    """Whether the dtype has negative values."""
    return self.dtype.is_signed


@_method
def is_same_size(self: Tensor, other: Tensor) -> bool:
    """Whether both have the same shape."""
    return self.shape == other.shape


@_method
def untyped_storage(self: Tensor) -> Any:
    """The memory of the tensor in bytes, shared with its views: a `storage.UntypedStorage`."""
    from adjoint.storage import UntypedStorage

    return UntypedStorage._of(self)


@_method
def storage(self: Tensor) -> Any:
    """The memory of the tensor as elements of its dtype: a `storage.TypedStorage`."""
    from adjoint.storage import TypedStorage

    return TypedStorage(wrap_storage=self.untyped_storage(), dtype=self.dtype)


Tensor._typed_storage = storage


@_method
def set_(self: Tensor, source: Any = None, storage_offset: Any = 0, size: Any = None,
         stride: Any = None) -> Tensor:  # fmt: skip
    """Makes this tensor share the memory, shape and strides of the tensor `source`, or one of those
    sizes and strides (None: all of it, in a row) on the storage `source` or that of the tensor.

    Raises:
        RuntimeError: this is a leaf that requires grad, and grad mode is on.

    >>> x = adjoint.arange(4.)
    >>> adjoint.empty(0).set_(x.untyped_storage(), 1, (2,), (2,))
    tensor([1., 3.])
    """
    if self.requires_grad and self.is_leaf and _core.is_grad_enabled():
        raise RuntimeError(
            "a leaf Variable that requires grad is being used in an in-place operation (set_). "
            "Write under torch.no_grad()."
        )
    if source is None:
        source = _core._namespaces[""]["empty"]((0,), dtype=self.dtype)
    if not isinstance(source, Tensor):
        from adjoint.storage import set_to

        source = set_to(self, source, storage_offset, size, stride)
    elif size is not None:
        source = _core._on_memory(source, source.dtype, tuple(size), stride, storage_offset)
    self.data = source
    return self


@_method
def new_tensor(self: Tensor, data: Any, *, dtype: Any = None, device: Any = None,
               requires_grad: bool = False) -> Tensor:  # fmt: skip
    """A tensor of `data` with this tensor's dtype unless another is given."""
    return _core.tensor(data, dtype=dtype or self.dtype, device=device, requires_grad=requires_grad)


def _new(name: str) -> Callable[..., Tensor]:
    function = _core._namespaces[""][name]

    def new(self: Tensor, *args: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return function(*args, dtype=dtype or self.dtype, **kwargs)

    new.__name__ = f"new_{name}"
    new.__doc__ = f"`adjoint.{name}` with this tensor's dtype unless another is given."
    return new


@_method
def histogram(self: Tensor, *args: Any, **kwargs: Any) -> Any:
    """`adjoint.histogram` of this tensor."""
    from adjoint._histograms import histogram

    return histogram(self, *args, **kwargs)


@_method
def polygamma(self: Tensor, n: int) -> Tensor:
    """`adjoint.polygamma(n, self)`.

    >>> adjoint.tensor([1.0, 0.5]).polygamma(1)
    tensor([1.6449, 4.9348])
    """
    return _core.polygamma(n, self)


@_method
def polygamma_(self: Tensor, n: int) -> Tensor:
    """`polygamma`, written into this tensor."""
    if n < 0:
        raise RuntimeError(f"polygamma(n, x) does not support negative n, got {n}")
    return _core._namespaces["_nodes"]["polygamma_"](self, n) if n else self.digamma_()


@_method
def __array_namespace__(self: Tensor, *, api_version: str | None = None) -> Any:
    """The namespace of the array API standard: `adjoint.array_api`."""
    from adjoint import array_api

    versions = ("2021.12", "2022.12", "2023.12", "2024.12", "2025.12")
    if api_version is not None and api_version not in versions:
        raise ValueError(f"version {api_version!r} of the array API standard is not there")
    return array_api


@_method
def to_device(self: Tensor, device: Any, /, *, stream: Any = None) -> Tensor:
    """The array API standard's name of `to`.

    >>> adjoint.ones(1).to_device("cpu")
    tensor([1.])
    """
    return self.to(device)


Tensor.cauchy_, Tensor.geometric_ = _random_fill.cauchy_, _random_fill.geometric_
Tensor.log_normal_ = _random_fill.log_normal_
Tensor.__rdiv__ = Tensor.__rtruediv__
Tensor.equal, Tensor.allclose = _comparison.equal, _comparison.allclose

for _name in ("zeros", "ones", "empty", "full"):
    setattr(Tensor, f"new_{_name}", _new(_name))

Tensor.new = lambda self, *args: Tensor(*args).to(self.dtype)
Tensor.names = property(lambda self: (None,) * self.dim())
Tensor.layout = property(lambda self: _layouts.strided)

from adjoint import _tensor_layout as _tensor_layout  # noqa: E402
