"""Operators of one's own: `custom_op` names a Python function and gives it a derivative.

The function is found again as `adjoint.ops.namespace.name`.

>>> @adjoint.library.custom_op("docs::cube", mutates_args=())
... def cube(x: adjoint.Tensor) -> adjoint.Tensor:
...     return x ** 3
>>> cube.register_autograd(
...     lambda ctx, grad: 3 * ctx.saved_tensors[0] ** 2 * grad,
...     setup_context=lambda ctx, inputs, output: ctx.save_for_backward(*inputs))
>>> x = adjoint.tensor(2., requires_grad=True)
>>> adjoint.ops.docs.cube(x).backward()
>>> x.grad
tensor(12.)
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from typing import Any

from adjoint.autograd import Function

__all__ = ["CustomOpDef", "Library", "custom_op", "define", "impl", "register_autograd",
           "register_fake", "register_kernel", "register_vmap"]  # fmt: skip

_operators: dict[str, CustomOpDef] = {}  # by "namespace::name"


class CustomOpDef:
    """An operator that `custom_op` made: called as its function."""

    def __init__(self, name: str, function: Callable[..., Any] | None, names: list[str] | None,
                 mutates: bool) -> None:  # fmt: skip
        self._qualname = name
        self._namespace, self._name = name.split("::")
        self._function = function
        self._signature = None if function is None else inspect.signature(function)
        self._names = names
        self._mutates = mutates
        self._backward: Any = None
        self._setup_context: Any = None
        self._vmap: Any = None
        self._node: Any = None
        self.__name__ = self._name
        self.__doc__ = getattr(function, "__doc__", None)

    def __repr__(self) -> str:
        return f"<CustomOpDef({self._qualname})>"

    @property
    def default(self) -> CustomOpDef:
        """The operator itself, as the only one of its name."""
        return self

    _opoverload = default

    def register_autograd(self, backward: Callable[..., Any], /, *,
                          setup_context: Callable[..., None] | None = None) -> None:  # fmt: skip
        """The derivative: `backward(ctx, *grads)` gives one gradient (or None) per argument.

        `setup_context(ctx, inputs, output)` keeps what it needs. Both as in `autograd.Function`;
        keyword-only arguments, if there are any, come as `keyword_only_inputs`.

        Raises:
            RuntimeError: the operator writes to its arguments.
        """
        if self._mutates:
            raise RuntimeError(
                f"cannot register autograd for {self._qualname}, which writes to its arguments"
            )
        self._backward, self._setup_context, self._node = backward, setup_context, None

    def register_fake(self, fn: Callable[..., Any]) -> Callable[..., Any]:
        """Accepted: what a compiler would be told about the shapes of results."""
        return fn

    register_abstract = register_fake

    def register_kernel(self, device_types: Any, fn: Any = None) -> Any:
        """Another function for the CPU; for other devices it is accepted and not used."""

        def register(fn: Callable[..., Any]) -> Callable[..., Any]:
            devices = [device_types] if isinstance(device_types, str) else device_types
            if devices is None or "cpu" in devices:
                self._function = fn
                if self._signature is None:
                    self._signature = inspect.signature(fn)
            return fn

        return register if fn is None else register(fn)

    def register_vmap(self, func: Any = None) -> Any:
        """The rule of `vmap`: `func(info, in_dims, *args)` gives the result and its out_dims."""

        def register(func: Callable[..., Any]) -> Callable[..., Any]:
            self._vmap, self._node = func, None
            return func

        return register if func is None else register(func)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._function is None or self._signature is None:
            raise NotImplementedError(
                f"{self._qualname} has no implementation for the CPU: register one with impl"
            )
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        if self._mutates:
            return self._function(*bound.args, **bound.kwargs)
        if self._node is None:
            self._node = self._make_node()
        return self._node.apply(bound.kwargs, *bound.args)

    def _make_node(self) -> Any:
        op = self

        class Node(Function):
            @staticmethod
            def forward(keywords: dict[str, Any], *args: Any) -> Any:
                result = op._function(*args, **keywords)  # type: ignore[misc]
                return tuple(result) if isinstance(result, list) else result

            @staticmethod
            def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
                keywords, *args = inputs
                ctx.needs_input_grad = ctx.needs_input_grad[1:]
                if op._setup_context is not None:
                    more = {"keyword_only_inputs": keywords} if keywords else {}
                    op._setup_context(ctx=ctx, inputs=tuple(args), output=output, **more)

            @staticmethod
            def backward(ctx: Any, *grads: Any) -> Any:
                if op._backward is None:
                    raise RuntimeError(
                        f"{op._qualname} has no derivative: give it one with register_autograd"
                    )
                result = op._backward(ctx, *grads)
                return None, *(result if isinstance(result, (tuple, list)) else (result,))

            if op._vmap is not None:

                @staticmethod
                def vmap(info: Any, in_dims: Any, keywords: Any, *args: Any) -> Any:
                    return op._vmap(info, in_dims[1:], *args, **keywords)

        Node.__name__ = Node.__qualname__ = self._name
        return Node


def _qualified(name: str) -> str:
    if not re.fullmatch(r"\w+::\w+(\.\w+)?", name):
        raise ValueError(f"the name of an operator is 'namespace::name', got {name!r}")
    return name.partition(".")[0]


def custom_op(name: str, fn: Callable[..., Any] | None = None, /, *,
              mutates_args: str | Iterable[str], device_types: Any = None,
              schema: str | None = None, tags: Any = None) -> Any:  # fmt: skip
    """An operator of the function `fn`, or a decorator that makes one.

    Without `register_autograd` it has no derivative: a backward through it is a RuntimeError.

    Args:
        name: "namespace::name".
        mutates_args: the names of the arguments that it writes to; () for none.
    """
    name = _qualified(name)

    def make(fn: Callable[..., Any]) -> CustomOpDef:
        names = [*inspect.signature(fn).parameters]
        written = [mutates_args] if isinstance(mutates_args, str) else [*mutates_args]
        unknown = [n for n in written if n not in names and n != "unknown"]
        if unknown:
            raise ValueError(f"mutates_args names {unknown}, which are no arguments of {name}")
        operator = CustomOpDef(name, fn, names, bool(written))
        _operators[name] = operator
        return operator

    return make if fn is None else make(fn)


def _find(op: Any) -> CustomOpDef:
    if isinstance(op, CustomOpDef):
        return op
    name = _qualified(str(op))
    if name not in _operators:
        raise RuntimeError(f"no operator {name} has been defined by adjoint.library")
    return _operators[name]


def register_autograd(op: Any, backward: Callable[..., Any], /, *, setup_context: Any = None,
                      lib: Any = None) -> None:  # fmt: skip
    """`CustomOpDef.register_autograd` of an operator or its name."""
    _find(op).register_autograd(backward, setup_context=setup_context)


def register_fake(op: Any, func: Any = None, /, *, lib: Any = None, **options: Any) -> Any:
    """Accepted: what a compiler would be told about the shapes of results."""
    return func if func is not None else lambda func: func


register_abstract = impl_abstract = register_fake


def register_kernel(op: Any, device_types: Any, func: Any = None, /, *, lib: Any = None) -> Any:
    """`CustomOpDef.register_kernel` of an operator or its name."""
    return _find(op).register_kernel(device_types, func)


def register_vmap(op: Any, func: Any = None, /, *, lib: Any = None) -> Any:
    """`CustomOpDef.register_vmap` of an operator or its name."""
    return _find(op).register_vmap(func)


def define(qualname: str, schema: Any, *, lib: Any = None, tags: Any = ()) -> None:
    """An operator without an implementation; `schema` is "(Tensor x, ...) -> Tensor"."""
    name = _qualified(qualname)
    text = str(schema)
    _operators[name] = CustomOpDef(name, None, None, re.search(r"\w\(\w+!\)", text) is not None)


def impl(qualname: str, types: Any, func: Any = None, *, lib: Any = None) -> Any:
    """The function of an operator for devices ("cpu", "default"); others are not used."""

    def register(func: Callable[..., Any]) -> Callable[..., Any]:
        kinds = [types] if isinstance(types, str) else [*types]
        if any(k.lower() in ("cpu", "default", "compositeexplicitautograd",
                             "compositeimplicitautograd", "") for k in kinds):  # fmt: skip
            _find(qualname).register_kernel("cpu", func)
        return func

    return register if func is None else register(func)


class Library:
    """Operators of one namespace: `define` names them and `impl` implements them.

    >>> lib = adjoint.library.Library("docs", "FRAGMENT")
    >>> lib.define("twice(Tensor x) -> Tensor")
    'twice'
    >>> lib.impl("twice", lambda x: 2 * x, "CPU")
    >>> adjoint.ops.docs.twice(adjoint.ones(1))
    tensor([2.])
    """

    def __init__(self, ns: str, kind: str, dispatch_key: str = "") -> None:
        if kind not in ("DEF", "IMPL", "FRAGMENT"):
            raise ValueError(f"Unsupported kind: {kind}; it is DEF, IMPL or FRAGMENT")
        self.ns, self.kind, self.dispatch_key = ns, kind, dispatch_key

    def define(self, schema: str, alias_analysis: str = "", *, tags: Any = ()) -> str:
        """An operator "name(Tensor x, ...) -> Tensor"; its name."""
        name, bracket, rest = schema.partition("(")
        define(f"{self.ns}::{name.strip()}", bracket + rest)
        return name.strip()

    def impl(self, op_name: Any, fn: Callable[..., Any], dispatch_key: str = "", *,
             with_keyset: bool = False, allow_override: bool = False) -> None:  # fmt: skip
        """The function of an operator; of the dispatch keys those for the CPU are used."""
        name = op_name._qualname if isinstance(op_name, CustomOpDef) else str(op_name)
        if "::" not in name:
            name = f"{self.ns}::{name}"
        impl(name, (dispatch_key or self.dispatch_key or "CPU"), fn)

    def _register_fake(self, op_name: Any, fn: Any, **options: Any) -> None:
        """Accepted."""

    def _destroy(self) -> None:
        """Takes the operators of the namespace away."""
        for name in [name for name in _operators if name.startswith(f"{self.ns}::")]:
            del _operators[name]
