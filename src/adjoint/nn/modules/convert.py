"""Moving and casting the tensors of a module: ``to``, ``double``, ``cpu`` and the like."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import adjoint
from adjoint import Tensor

from ..parameter import is_lazy

Self = TypeVar("Self", bound="Conversion")


class Conversion:
    """The part of :class:`Module` that replaces the data of its parameters and buffers."""

    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    children: Callable[[], Iterator[Any]]

    def _apply(self: Self, fn: Callable[[Tensor], Tensor], recurse: bool = True) -> Self:
        """Replace every tensor by ``fn`` of it; parameters keep their identity."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for param in self._parameters.values():
            if param is None:
                continue
            grad = param.grad
            with adjoint.no_grad():
                data = fn(param.data)
                new_grad = None if grad is None else fn(grad)
            # the gradient goes first: its dtype must agree with that of the data at all times
            param.grad = None
            param.data = data
            if grad is not None and new_grad is not None:
                param.grad = new_grad.requires_grad_(grad.requires_grad)
        for name, buffer in self._buffers.items():
            if is_lazy(buffer):
                buffer.data = fn(buffer.data)  # keeps waiting for its shape
            elif buffer is not None:
                self._buffers[name] = fn(buffer)
        return self

    def to(self: Self, *args: Any, **kwargs: Any) -> Self:
        """Move or cast the module in place: ``to(device)``, ``to(dtype)``, ``to(device, dtype)``
        or ``to(tensor)``. A dtype applies to floating point and complex tensors only.

        Raises:
            TypeError: the dtype is neither floating point nor complex.

        >>> adjoint.nn.Linear(2, 2).to(adjoint.float64).weight.dtype
        torch.float64
        """
        device, dtype, non_blocking = _parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(f"a module can only be cast to a floating point dtype, got {dtype}")

        def convert(tensor: Tensor) -> Tensor:
            inexact = tensor.is_floating_point() or tensor.is_complex()
            new_dtype = dtype if dtype is not None and inexact else tensor.dtype
            new_device = tensor.device if device is None else device
            return tensor.to(new_device, new_dtype, non_blocking=non_blocking)

        return self._apply(convert)

    def to_empty(self: Self, *, device: Any, recurse: bool = True) -> Self:
        """Move to ``device`` without copying: the values are whatever the memory holds."""
        return self._apply(lambda tensor: adjoint.empty_like(tensor, device=device), recurse)

    def share_memory(self: Self) -> Self:
        """Call ``share_memory_()`` of every parameter and buffer."""
        return self._apply(lambda tensor: tensor.share_memory_())

    def cpu(self: Self) -> Self:
        """Move to the CPU."""
        return self._apply(lambda tensor: tensor.cpu())

    def cuda(self: Self, device: Any = None) -> Self:
        """Move to a CUDA device, the current one if None."""
        return self._apply(lambda tensor: tensor.cuda(device))

    def type(self: Self, dst_type: Any) -> Self:
        """Cast every parameter and buffer, integer ones included, to ``dst_type``."""
        return self._apply(lambda tensor: tensor.type(dst_type))

    def float(self: Self) -> Self:
        """Cast floating point parameters and buffers to float32."""
        return self._cast_floating(adjoint.float32)

    def double(self: Self) -> Self:
        """Cast floating point parameters and buffers to float64."""
        return self._cast_floating(adjoint.float64)

    def half(self: Self) -> Self:
        """Cast floating point parameters and buffers to float16."""
        return self._cast_floating(adjoint.float16)

    def bfloat16(self: Self) -> Self:
        """Cast floating point parameters and buffers to bfloat16."""
        return self._cast_floating(adjoint.bfloat16)

    def _cast_floating(self: Self, dtype: Any) -> Self:
        return self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, bool]:
    """The device, the dtype (None where not given) and ``non_blocking`` of a call of ``to``."""
    known = {"device", "dtype", "non_blocking", "copy", "memory_format", "tensor"}
    unknown = sorted(set(kwargs) - known)
    if unknown:
        raise TypeError(f"to() got an unexpected keyword argument {unknown[0]!r}")
    device, dtype = kwargs.get("device"), kwargs.get("dtype")
    non_blocking = kwargs.get("non_blocking", False)
    rest = list(args)
    if "tensor" in kwargs:
        rest.insert(0, kwargs["tensor"])
    if rest and isinstance(rest[0], Tensor):
        other = rest.pop(0)
        device, dtype = other.device, other.dtype
    else:
        if rest and (rest[0] is None or isinstance(rest[0], (str, int, adjoint.device))):
            device = rest.pop(0)
        if rest and (rest[0] is None or isinstance(rest[0], adjoint.dtype)):
            dtype = rest.pop(0)
    if rest and isinstance(rest[0], bool):
        non_blocking = rest.pop(0)
    if rest and isinstance(rest[0], bool):
        rest.pop(0)  # copy: parameters are replaced in place either way
    if rest:
        raise TypeError(f"to() takes a device, a dtype or a tensor, got {rest[0]!r}")
    return None if device is None else adjoint.device(device), dtype, non_blocking
