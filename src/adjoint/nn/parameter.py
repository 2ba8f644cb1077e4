"""Parameter and Buffer: tensors that a module registers when they are assigned to it."""

from __future__ import annotations

import copy
from typing import Any

import adjoint
from adjoint import Tensor

__all__ = ["Buffer", "Parameter"]


def _rebuild(cls: Any, data: Tensor, requires_grad: bool, attributes: dict[str, Any]) -> Tensor:
    tensor = Tensor._make_subclass(cls, data, requires_grad)
    tensor.__dict__.update(attributes)
    return tensor


class _Registered(Tensor):
    """What Parameter and Buffer share: copying and pickling keep the class and the attributes."""

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
