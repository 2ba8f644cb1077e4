"""Parameter and Buffer: tensors that a module registers when they are assigned to it."""

from __future__ import annotations

import copy
from typing import Any

import adjoint
from adjoint import Tensor, _core

__all__ = ["Buffer", "Parameter", "UninitializedBuffer", "UninitializedParameter", "is_lazy"]


def _rebuild(cls: Any, data: Tensor, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    tensor = Tensor._make_subclass(cls, data, requires_grad)
    tensor.__dict__.update(attributes)
    return tensor


class _Registered(Tensor):
    """What Parameter and Buffer share: copying and pickling keep the class and the attributes."""

    __torch_function__ = _core._disabled_torch_function_impl  # results are plain tensors

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            twin = _rebuild(type(self), self.detach().clone(), self.requires_grad, {})
            memo[id(self)] = twin
            twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
        return memo[id(self)]

    def __reduce_ex__(self, protocol: Any) -> Any:
        return _rebuild, (type(self), self.detach(), self.requires_grad, self.__dict__)

    def __repr__(self) -> str:
        return repr(self.detach().requires_grad_(self.requires_grad))

    def __format__(self, spec: str) -> str:
        return super().__format__(spec) if spec else str(self)


class Parameter(_Registered):
    """A tensor to be trained: assigned to a :class:`Module`, it appears in ``parameters()``.

    Args:
        data: the values, any shape; its storage is shared, not copied. Empty if left out.
        requires_grad: whether gradients are recorded. Needs a floating point or complex dtype.

    Raises:
        TypeError: ``data`` is not a tensor.
        RuntimeError: ``requires_grad`` with an integer or bool dtype.

    >>> adjoint.nn.Parameter(adjoint.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Tensor | None = None, requires_grad: bool = True) -> Parameter:
        if data is None:
            data = adjoint.empty(0)
        if not isinstance(data, Tensor):
            raise TypeError(f"Parameter is made from a Tensor, got {type(data).__name__}")
        return Tensor._make_subclass(cls, data, requires_grad)

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()


class Buffer(_Registered):
    """A tensor that belongs to a module's state but is not trained.

    Args:
        data: the values, any shape; its storage is shared, not copied. Empty if left out.
        persistent: whether it is part of the module's ``state_dict``.

    Raises:
        TypeError: ``data`` is not a tensor.

    >>> module = adjoint.nn.Module()
    >>> module.mean = adjoint.nn.Buffer(adjoint.zeros(2))
    >>> module.state_dict()["mean"]
    tensor([0., 0.])
    """

    persistent: bool

    def __new__(cls, data: Tensor | None = None, *, persistent: bool = True) -> Buffer:
        if data is None:
            data = adjoint.empty(0)
        if not isinstance(data, Tensor):
            raise TypeError(f"Buffer is made from a Tensor, got {type(data).__name__}")
        buffer = Tensor._make_subclass(cls, data, data.requires_grad)
        buffer.persistent = persistent
        return buffer


# What a tensor without a shape can tell, and do.
_SHAPELESS = frozenset(
    """bfloat16 cls_to_become cpu cuda data detach device double dtype float grad grad_fn half
    is_complex is_cuda is_floating_point is_leaf layout materialize persistent register_hook
    requires_grad requires_grad_ retain_grad share_memory_ to type""".split()
)


class UninitializedTensorMixin:
    """A parameter or buffer whose shape is not known yet; :meth:`materialize` gives it one.

    Until then, asking for its shape is a RuntimeError and computing with it a ValueError.
    """

    cls_to_become: Any = None
    data: Any

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Become a tensor of ``shape`` (its values are whatever the memory holds) and of the
        class that was to come."""
        data = self.data
        dtype = data.dtype if dtype is None else dtype
        device = data.device if device is None else device
        with adjoint.no_grad():
            self.data = adjoint.empty(tuple(shape), dtype=dtype, device=device)
        self.__class__ = self.cls_to_become

    def __getattribute__(self, name: str) -> Any:
        if (
            name.startswith("_")
            or name in _SHAPELESS
            or name in super().__getattribute__("__dict__")
        ):
            return super().__getattribute__(name)
        kind = type(self).__name__
        if name == "shape":
            raise RuntimeError(
                f"an {kind} has no shape yet: call its lazy module once, or materialize() it"
            )
        if hasattr(Tensor, name):
            raise ValueError(
                f"{name} of an {kind}: call its lazy module once before it is used, or "
                "materialize() it"
            )
        return super().__getattribute__(name)

    def _refuse(self, *args: Any) -> Any:
        raise ValueError(
            f"computing with an {type(self).__name__}: call its lazy module once before it is "
            "used, or materialize() it"
        )

    __add__ = __radd__ = __iadd__ = __sub__ = __rsub__ = __isub__ = _refuse
    __mul__ = __rmul__ = __imul__ = __truediv__ = __rtruediv__ = __itruediv__ = _refuse
    __matmul__ = __rmatmul__ = __neg__ = __pow__ = __rpow__ = _refuse
    __len__ = __getitem__ = __setitem__ = __iter__ = __float__ = __bool__ = _refuse

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"


def is_lazy(param: Any) -> bool:
    """Whether ``param`` waits for its shape."""
    return isinstance(param, UninitializedTensorMixin)


class UninitializedParameter(UninitializedTensorMixin, Parameter):
    """A Parameter without a shape, as lazy modules have before their first call.

    >>> p = adjoint.nn.UninitializedParameter()
    >>> p.materialize((2, 3))
    >>> type(p).__name__, p.shape
    ('Parameter', torch.Size([2, 3]))
    """

    cls_to_become = Parameter

    def __new__(
        cls, requires_grad: bool = True, device: Any = None, dtype: Any = None
    ) -> UninitializedParameter:
        data = adjoint.empty(0, device=device, dtype=dtype)
        return Tensor._make_subclass(cls, data, requires_grad)


class UninitializedBuffer(UninitializedTensorMixin, Buffer):
    """A Buffer without a shape.

    >>> b = adjoint.nn.UninitializedBuffer()
    >>> b.materialize((3,))
    >>> b.shape
    torch.Size([3])
    """

    cls_to_become = Buffer

    def __new__(
        cls,
        requires_grad: bool = False,
        device: Any = None,
        dtype: Any = None,
        persistent: bool = True,
    ) -> UninitializedBuffer:
        data = adjoint.empty(0, device=device, dtype=dtype)
        buffer = Tensor._make_subclass(cls, data, requires_grad)
        buffer.persistent = persistent
        return buffer
