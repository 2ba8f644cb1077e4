"""Questions about `__torch_function__`, which tensors of adjoint do not dispatch on.

>>> from adjoint.overrides import has_torch_function
>>> has_torch_function((adjoint.ones(1),))
False
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NoReturn

from adjoint import Tensor

__all__ = ["handle_torch_function", "has_torch_function", "has_torch_function_unary",
           "has_torch_function_variadic", "is_tensor_like",
           "is_tensor_method_or_property"]  # fmt: skip


def has_torch_function(relevant_args: Iterable[Any]) -> bool:
    """Whether an argument takes calls of functions over: no function here asks it to."""
    return False


def has_torch_function_unary(obj: Any) -> bool:
    """`has_torch_function` of one argument: False."""
    return False


def has_torch_function_variadic(*objects: Any) -> bool:
    """`has_torch_function` of arguments one by one: False."""
    return False


def handle_torch_function(
    public_api: Callable[..., Any], relevant_args: Iterable[Any], *args: Any, **kwargs: Any
) -> NoReturn:
    """A TypeError: no argument takes the call over."""
    name = getattr(public_api, "__name__", public_api)
    raise TypeError(f"no implementation found for {name}: no argument has taken the call over")


def is_tensor_like(inp: Any) -> bool:
    """Whether it is a tensor, or has `__torch_function__`.

    >>> from adjoint.overrides import is_tensor_like
    >>> is_tensor_like(adjoint.ones(1)), is_tensor_like(0.5)
    (True, False)
    """
    return isinstance(inp, Tensor) or hasattr(inp, "__torch_function__")


def is_tensor_method_or_property(func: Any) -> bool:
    """Whether it is an attribute of `Tensor`.

    >>> from adjoint.overrides import is_tensor_method_or_property
    >>> is_tensor_method_or_property(adjoint.Tensor.add)
    True
    """
    return any(func is getattr(Tensor, name, None) for name in dir(Tensor))
