"""How a module is called: ``__call__``, the hooks around ``forward``, and their registration."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from adjoint.utils.hooks import RemovableHandle, add_hook

from .failure import note_path

__all__ = [
    "register_module_backward_hook",
    "register_module_buffer_registration_hook",
    "register_module_forward_hook",
    "register_module_forward_pre_hook",
    "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook",
    "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]

Hook = Callable[..., Any]

# Hooks that apply to every module.
_forward_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
_forward_hooks: OrderedDict[int, Hook] = OrderedDict()
_forward_hooks_with_kwargs: OrderedDict[int, bool] = OrderedDict()
_forward_hooks_always_called: OrderedDict[int, bool] = OrderedDict()
_backward_pre_hooks: OrderedDict[int, Hook] = OrderedDict()
_backward_hooks: OrderedDict[int, Hook] = OrderedDict()
_registration_hooks: dict[str, OrderedDict[int, Hook]] = {
    "parameter": OrderedDict(),
    "buffer": OrderedDict(),
    "module": OrderedDict(),
}


class Hooks:
    """The part of :class:`Module` that calls ``forward`` and runs hooks around it."""

    forward: Callable[..., Any]
    _forward_pre_hooks: OrderedDict[int, Hook]
    _forward_pre_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks: OrderedDict[int, Hook]
    _forward_hooks_with_kwargs: OrderedDict[int, bool]
    _forward_hooks_always_called: OrderedDict[int, bool]
    _backward_pre_hooks: OrderedDict[int, Hook]
    _backward_hooks: OrderedDict[int, Hook]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or _forward_hooks
            or _forward_pre_hooks
            or _backward_hooks
            or _backward_pre_hooks
        ):
            try:
                return self.forward(*args, **kwargs)
            except Exception as error:
                note_path(error, self, args)
                raise
        return self._call_with_hooks(args, kwargs)

    _call_impl = __call__  # programs that wrap a module's call know it by this name

    def _call_with_hooks(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        called: set[int] = set()
        result = None
        try:
            args, kwargs = self._run_forward_pre_hooks(args, kwargs)
            backward = None
            if (
                self._backward_hooks
                or self._backward_pre_hooks
                or _backward_hooks
                or _backward_pre_hooks
            ):
                from .backward_hooks import BackwardHooks

                backward = BackwardHooks(
                    self,
                    [*_backward_hooks.values(), *self._backward_hooks.values()],
                    [*_backward_pre_hooks.values(), *self._backward_pre_hooks.values()],
                )
                args = backward.watch_inputs(args)
            result = self.forward(*args, **kwargs)
            for hook_id, hook, with_kwargs in self._all_forward_hooks():
                called.add(hook_id)
                inputs = (args, kwargs) if with_kwargs else (args,)
                replaced = hook(self, *inputs, result)
                if replaced is not None:
                    result = replaced
            if backward is not None:
                result = backward.watch_outputs(result)
            return result
        except Exception as error:
            note_path(error, self, args)
            self._run_always_called(called, args, kwargs, result)
            raise

    def _run_forward_pre_hooks(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        for hook_id, hook in [*_forward_pre_hooks.items(), *self._forward_pre_hooks.items()]:
            if hook_id in self._forward_pre_hooks_with_kwargs:
                replaced = hook(self, args, kwargs)
                if replaced is None:
                    continue
                if not (isinstance(replaced, tuple) and len(replaced) == 2):
                    raise RuntimeError(
                        "a forward pre-hook registered with_kwargs=True must return None or "
                        f"(args, kwargs), got {replaced!r}"
                    )
                args, kwargs = replaced
            else:
                replaced = hook(self, args)
                if replaced is not None:
                    args = replaced if isinstance(replaced, tuple) else (replaced,)
        return args, kwargs

    def _all_forward_hooks(self) -> list[tuple[int, Hook, bool]]:
        return [
            (hook_id, hook, hook_id in flags)
            for hooks, flags in (
                (_forward_hooks, _forward_hooks_with_kwargs),
                (self._forward_hooks, self._forward_hooks_with_kwargs),
            )
            for hook_id, hook in hooks.items()
        ]

    def _run_always_called(
        self, called: set[int], args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
    ) -> None:
        """After an exception: run the ``always_call`` hooks that have not had their turn."""
        for hook_id, hook, with_kwargs in self._all_forward_hooks():
            always = (
                hook_id in _forward_hooks_always_called
                or hook_id in self._forward_hooks_always_called
            )
            if not always or hook_id in called:
                continue
            try:
                inputs = (args, kwargs) if with_kwargs else (args,)
                replaced = hook(self, *inputs, result)
                if replaced is not None:
                    result = replaced
            except Exception as error:
                warnings.warn(
                    "a forward hook registered with always_call=True raised while another "
                    f"exception was being handled; it is dropped: {error!r}",
                    stacklevel=2,
                )

    def register_forward_pre_hook(
        self, hook: Hook, *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Run ``hook(module, args)`` before ``forward``; what it returns replaces ``args``.

        With ``with_kwargs``, the hook is ``hook(module, args, kwargs)`` and returns None or
        ``(args, kwargs)``. ``prepend`` puts it before the module's other pre-hooks.

        >>> module = adjoint.nn.ReLU()
        >>> handle = module.register_forward_pre_hook(lambda module, args: -args[0])
        >>> module(adjoint.tensor([-1., 2.]))
        tensor([1., 0.])
        """
        flags = (self._forward_pre_hooks_with_kwargs,) if with_kwargs else ()
        return add_hook(self._forward_pre_hooks, hook, prepend=prepend, flags=flags)

    def register_forward_hook(
        self,
        hook: Hook,
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Run ``hook(module, args, output)`` after ``forward``; its result replaces ``output``.

        With ``with_kwargs``, the hook is ``hook(module, args, kwargs, output)``. ``prepend`` puts
        it before the module's other hooks; with ``always_call`` it runs even if an exception is
        raised on the way.

        >>> module = adjoint.nn.ReLU()
        >>> handle = module.register_forward_hook(lambda module, args, output: 2 * output)
        >>> module(adjoint.tensor([-1., 2.]))
        tensor([0., 4.])
        """
        flags: list[OrderedDict[int, bool]] = []
        if with_kwargs:
            flags.append(self._forward_hooks_with_kwargs)
        if always_call:
            flags.append(self._forward_hooks_always_called)
        return add_hook(self._forward_hooks, hook, prepend=prepend, flags=tuple(flags))

    def register_full_backward_pre_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(module, grad_output)`` before gradients pass back through the module.

        ``grad_output`` is a tuple with an entry for each output (None where it has no gradient);
        what the hook returns replaces it.

        >>> module, x = adjoint.nn.Identity(), adjoint.ones(1, requires_grad=True)
        >>> handle = module.register_full_backward_pre_hook(lambda module, grads: (3 * grads[0],))
        >>> module(x).backward()
        >>> x.grad
        tensor([3.])
        """
        return add_hook(self._backward_pre_hooks, hook, prepend=prepend)

    def register_full_backward_hook(self, hook: Hook, prepend: bool = False) -> RemovableHandle:
        """Run ``hook(module, grad_input, grad_output)`` once the inputs' gradients are known.

        Both are tuples with an entry for each positional input or output, None where there is no
        gradient; what the hook returns replaces ``grad_input``. If no input requires a gradient,
        the hook runs when those of the outputs are known, and may not return anything.

        >>> module, x = adjoint.nn.Identity(), adjoint.ones(1, requires_grad=True)
        >>> hook = lambda module, grad_input, grad_output: (grad_input[0] + 1,)
        >>> handle = module.register_full_backward_hook(hook)
        >>> module(x).backward()
        >>> x.grad
        tensor([2.])
        """
        return add_hook(self._backward_hooks, hook, prepend=prepend)

    def register_backward_hook(self, hook: Hook) -> RemovableHandle:
        """The older name of :meth:`register_full_backward_hook`."""
        return self.register_full_backward_hook(hook)


def register_module_forward_pre_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, args)`` before the ``forward`` of every module.

    >>> with adjoint.nn.modules.register_module_forward_pre_hook(lambda module, args: -args[0]):
    ...     print(adjoint.nn.ReLU()(adjoint.tensor([-1.0, 2.0])))
    tensor([1., 0.])
    """
    return add_hook(_forward_pre_hooks, hook)


def register_module_forward_hook(
    hook: Hook, *, with_kwargs: bool = False, always_call: bool = False
) -> RemovableHandle:
    """Run ``hook(module, args, output)`` after the ``forward`` of every module.

    >>> hook = lambda module, args, output: print(module, output.shape)
    >>> with adjoint.nn.modules.register_module_forward_hook(hook):
    ...     _ = adjoint.nn.ReLU()(adjoint.zeros(2, 3))
    ReLU() torch.Size([2, 3])
    """
    flags: list[OrderedDict[int, bool]] = []
    if with_kwargs:
        flags.append(_forward_hooks_with_kwargs)
    if always_call:
        flags.append(_forward_hooks_always_called)
    return add_hook(_forward_hooks, hook, flags=tuple(flags))


def register_module_full_backward_pre_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, grad_output)`` before the backward of every module.

    >>> hook = lambda module, grad_output: print(module, grad_output)
    >>> with adjoint.nn.modules.register_module_full_backward_pre_hook(hook):
    ...     adjoint.nn.ReLU()(adjoint.ones(1, requires_grad=True)).backward()
    ReLU() (tensor([1.]),)
    """
    return add_hook(_backward_pre_hooks, hook)


def register_module_full_backward_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, grad_input, grad_output)`` in the backward of every module.

    >>> hook = lambda module, grad_input, grad_output: print(module, grad_input)
    >>> with adjoint.nn.modules.register_module_full_backward_hook(hook):
    ...     adjoint.nn.ReLU()(adjoint.tensor([-1.0], requires_grad=True)).backward()
    ReLU() (tensor([0.]),)
    """
    return add_hook(_backward_hooks, hook)


def register_module_backward_hook(hook: Hook) -> RemovableHandle:
    """The older name of :func:`register_module_full_backward_hook`."""
    return register_module_full_backward_hook(hook)


def register_module_parameter_registration_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, name, parameter)`` when a parameter is registered; its result is used.

    >>> hook = lambda module, name, parameter: print(name)
    >>> with adjoint.nn.modules.register_module_parameter_registration_hook(hook):
    ...     _ = adjoint.nn.Linear(2, 3)
    weight
    bias
    """
    return add_hook(_registration_hooks["parameter"], hook)


def register_module_buffer_registration_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, name, buffer)`` when a buffer is registered; its result is used.

    >>> hook = lambda module, name, buffer: print(name)
    >>> with adjoint.nn.modules.register_module_buffer_registration_hook(hook):
    ...     adjoint.nn.Module().register_buffer("mean", adjoint.zeros(2))
    mean
    """
    return add_hook(_registration_hooks["buffer"], hook)


def register_module_module_registration_hook(hook: Hook) -> RemovableHandle:
    """Run ``hook(module, name, child)`` when a submodule is registered; its result is used.

    >>> hook = lambda module, name, child: print(name, child)
    >>> with adjoint.nn.modules.register_module_module_registration_hook(hook):
    ...     _ = adjoint.nn.Sequential(adjoint.nn.ReLU())
    0 ReLU()
    """
    return add_hook(_registration_hooks["module"], hook)


def run_registration_hooks(kind: str, module: Any, name: str, value: Any) -> Any:
    for hook in _registration_hooks[kind].values():
        replaced = hook(module, name, value)
        if replaced is not None:
            value = replaced
    return value
