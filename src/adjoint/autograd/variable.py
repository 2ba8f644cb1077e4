"""`Variable`, the name tensors that require grad once had: `Variable(x)` is a tensor."""

from __future__ import annotations

from typing import Any

from adjoint._core import Tensor

__all__ = ["Variable", "VariableMeta"]


class VariableMeta(type):
    """The type of `Variable`: every tensor is one."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)


class Variable(metaclass=VariableMeta):
    """`Variable(x, requires_grad=False)` is a new leaf tensor that shares the storage of `x`.

    >>> x = adjoint.autograd.Variable(adjoint.ones(2), requires_grad=True)
    >>> type(x) is adjoint.Tensor, x.requires_grad
    (True, True)
    """

    def __new__(cls, data: Any, requires_grad: bool = False) -> Any:
        if not isinstance(data, Tensor):
            raise TypeError(f"Variable needs a tensor, got {type(data).__name__}: use tensor(data)")
        leaf = data.detach()
        return leaf.requires_grad_() if requires_grad else leaf
