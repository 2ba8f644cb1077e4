"""Module: what it holds (parameters, buffers, submodules), and how these are found again.

Calling and hooks are in ``hooks.py``, state dicts in ``state_dict.py``, moving and casting in
``convert.py``; :class:`Module` joins them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

from adjoint import Tensor
from adjoint.utils.gradients import clear_grad

from ..parameter import Buffer, Parameter
from .convert import Conversion
from .hooks import *  # noqa: F403  (torch, too, has the hooks of all modules here)
from .hooks import Hooks, run_registration_hooks
from .state_dict import StateDict, _IncompatibleKeys  # noqa: F401  (torch has both here)

__all__ = ["Module"]

Self = TypeVar("Self", bound="Module")


def _fresh_state() -> dict[str, Any]:
    return {
        "training": True,
        "_parameters": {},
        "_buffers": {},
        "_non_persistent_buffers_set": set(),
        "_modules": {},
        "_forward_pre_hooks": OrderedDict(),
        "_forward_pre_hooks_with_kwargs": OrderedDict(),
        "_forward_hooks": OrderedDict(),
        "_forward_hooks_with_kwargs": OrderedDict(),
        "_forward_hooks_always_called": OrderedDict(),
        "_backward_pre_hooks": OrderedDict(),
        "_backward_hooks": OrderedDict(),
        "_state_dict_pre_hooks": OrderedDict(),
        "_state_dict_hooks": OrderedDict(),
        "_load_state_dict_pre_hooks": OrderedDict(),
        "_load_state_dict_post_hooks": OrderedDict(),
    }


class Module(Hooks, StateDict, Conversion):
    """Base class of every layer and model: a function with parameters.

    A subclass calls ``super().__init__()`` first, assigns parameters and submodules as attributes
    and defines ``forward``; calling the module calls ``forward`` with its hooks around it.

    >>> class Scale(adjoint.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = adjoint.nn.Parameter(adjoint.tensor(2.0))
    ...     def forward(self, x):
    ...         return self.factor * x
    >>> model = adjoint.nn.Sequential(Scale(), adjoint.nn.ReLU())
    >>> [name for name, _ in model.named_parameters()]
    ['0.factor']
    >>> model(adjoint.tensor([-1.0, 3.0])).tolist()
    [0.0, 6.0]
    """

    # A class that sets call_super_init passes __init__'s arguments on to its other bases.
    call_super_init: bool = False
    dump_patches: bool = False
    T_destination = TypeVar("T_destination", bound="dict[str, Any]")
    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and (args or kwargs):
            given = ", ".join([*map(repr, args), *kwargs])
            raise TypeError(
                f"{type(self).__name__}: Module.__init__() takes no arguments, got {given}"
            )
        self.__dict__.update(_fresh_state())
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the module's output; every subclass defines it."""
        raise NotImplementedError(f"{type(self).__name__} does not define forward()")

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Hold ``param`` under ``name``; None reserves the name (as ``bias=False`` does).

        Raises:
            KeyError: the name is empty, has a dot or is taken.
            TypeError: the name is not a string, or ``param`` not a Parameter.
            ValueError: ``param`` is the result of an operation, not a leaf.
        """
        self._check_name("parameter", name, self.__dict__.get("_parameters"))
        if param is not None:
            if not isinstance(param, Parameter):
                raise TypeError(
                    f"parameter {name!r} must be a Parameter or None, got {type(param).__name__}"
                )
            if param.grad_fn is not None:
                raise ValueError(
                    f"parameter {name!r} is the result of an operation ({param.grad_fn.name()}); "
                    "a parameter must be a leaf. To compute it from other tensors, do so in "
                    "forward()"
                )
            param = run_registration_hooks("parameter", self, name, param)
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Hold ``tensor``, which is state but not trained; saved only if ``persistent``.

        Raises:
            KeyError: the name is empty, has a dot or is taken.
            TypeError: the name is not a string, or ``tensor`` not a Tensor.

        >>> module = adjoint.nn.Module()
        >>> module.register_buffer("steps", adjoint.tensor(0))
        >>> module.steps
        tensor(0)
        """
        self._check_name("buffer", name, self.__dict__.get("_buffers"))
        if tensor is not None:
            if not isinstance(tensor, Tensor):
                raise TypeError(
                    f"buffer {name!r} must be a Tensor or None, got {type(tensor).__name__}"
                )
            tensor = run_registration_hooks("buffer", self, name, tensor)
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def register_module(self, name: str, module: Module | None) -> None:
        """Hold the submodule ``module`` under ``name``.

        Raises:
            KeyError: the name is empty, has a dot or is taken.
            TypeError: the name is not a string, or ``module`` not a Module.
        """
        self._check_name("module", name, self.__dict__.get("_modules"))
        if module is not None:
            if not isinstance(module, Module):
                raise TypeError(
                    f"submodule {name!r} must be a Module or None, got {type(module).__name__}"
                )
            module = run_registration_hooks("module", self, name, module)
        self._modules[name] = module

    def add_module(self, name: str, module: Module | None) -> None:
        """Another name of :meth:`register_module`."""
        self.register_module(name, module)

    def _check_name(self, kind: str, name: Any, holder: dict[str, Any] | None) -> None:
        if holder is None:
            raise AttributeError(
                f"cannot assign {kind} {name!r}: call super().__init__() first in "
                f"{type(self).__name__}.__init__"
            )
        if not isinstance(name, str):
            raise TypeError(f"a {kind}'s name must be a string, got {type(name).__name__}")
        if name == "" or "." in name:
            raise KeyError(f"a {kind}'s name can neither be empty nor contain a dot, got {name!r}")
        if name not in holder and hasattr(self, name):
            raise KeyError(f"{type(self).__name__} already has an attribute {name!r}")

    def __getattr__(self, name: str) -> Any:
        # reached when there is no plain attribute; parameters first, they are read in each forward
        for holder in ("_parameters", "_buffers", "_modules"):
            try:
                return self.__dict__[holder][name]
            except KeyError:
                pass
        raise AttributeError(
            f"{type(self).__name__!r} object has no attribute {name!r}", name=name, obj=self
        )

    def __setattr__(self, name: str, value: Any) -> None:
        state = self.__dict__
        params, modules = state.get("_parameters"), state.get("_modules")
        buffers = state.get("_buffers")
        if isinstance(value, Parameter):
            self._forget(name, "_buffers", "_modules")
            self.register_parameter(name, value)
        elif params is not None and name in params:
            if value is not None:
                self._refuse("parameter", name, value, "a Parameter")
            self.register_parameter(name, None)
        elif isinstance(value, Module):
            self._forget(name, "_parameters", "_buffers")
            self.register_module(name, value)
        elif modules is not None and name in modules:
            if value is not None:
                self._refuse("submodule", name, value, "a Module")
            self.register_module(name, None)
        elif isinstance(value, Buffer):
            self._forget(name, "_parameters", "_modules")
            self.register_buffer(name, value, value.persistent)
        elif buffers is not None and name in buffers:
            if value is not None and not isinstance(value, Tensor):
                self._refuse("buffer", name, value, "a Tensor")
            self.register_buffer(name, value, name not in self._non_persistent_buffers_set)
        else:
            super().__setattr__(name, value)

    def _forget(self, name: str, *holders: str) -> None:
        """Drop another kind of attribute of this name, so that the new one is not hidden."""
        self.__dict__.pop(name, None)
        for holder in holders:
            self.__dict__.get(holder, {}).pop(name, None)
        if "_buffers" in holders:
            self.__dict__.get("_non_persistent_buffers_set", set()).discard(name)

    def _refuse(self, kind: str, name: str, value: Any, wanted: str) -> None:
        raise TypeError(
            f"cannot assign {type(value).__name__} as {kind} {name!r}: {wanted} or None is needed "
            f"(to use the name for something else, del {type(self).__name__}.{name} first)"
        )

    def __delattr__(self, name: str) -> None:
        for held in (self._parameters, self._buffers, self._modules):
            if name in held:
                del held[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*super().__dir__(), *self._parameters, *self._buffers, *self._modules}
        # the names of a list's entries are numbers, no use for completion
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update({**_fresh_state(), **state})

    def _named_members(
        self,
        get_members: Callable[[Module], Iterable[tuple[str, Any]]],
        prefix: str = "",
        recurse: bool = True,
        remove_duplicate: bool = True,
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse
            else [(prefix, self)]
        )
        for path, module in modules:
            for name, member in get_members(module):
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield f"{path}.{name}" if path else name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Pairs of path and parameter; a shared parameter once unless ``remove_duplicate=False``.

        >>> [name for name, _ in adjoint.nn.Linear(2, 3).named_parameters(prefix="head")]
        ['head.weight', 'head.bias']
        """
        return self._named_members(
            lambda module: module._parameters.items(), prefix, recurse, remove_duplicate
        )

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """The parameters of the module and, with ``recurse``, of its submodules."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Pairs of path and buffer; a shared buffer once unless ``remove_duplicate=False``."""
        return self._named_members(
            lambda module: module._buffers.items(), prefix, recurse, remove_duplicate
        )

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """The buffers of the module and, with ``recurse``, of its submodules."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Pairs of name and immediate submodule, each submodule once."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The immediate submodules."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Pairs of path and module, from this one (path ``""``) down.

        >>> model = adjoint.nn.Sequential(adjoint.nn.Sequential(adjoint.nn.ReLU()))
        >>> [path for path, _ in model.named_modules()]
        ['', '0', '0.0']
        """
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                path = f"{prefix}.{name}" if prefix else name
                yield from module.named_modules(memo, path, remove_duplicate)

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def get_submodule(self, target: str) -> Module:
        """The submodule at the path ``target``; ``""`` is the module itself.

        Raises:
            AttributeError: nothing is there, or it is not a module.

        >>> adjoint.nn.Sequential(adjoint.nn.Sequential(adjoint.nn.ReLU())).get_submodule("0.0")
        ReLU()
        """
        module: Any = self
        path: list[str] = []
        for name in target.split(".") if target else []:
            if not hasattr(module, name):
                raise AttributeError(f"{_placed(module, path)} has no submodule {name!r}")
            module = getattr(module, name)
            path.append(name)
            if not isinstance(module, Module):
                raise AttributeError(f"{'.'.join(path)!r} is not a Module")
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put ``module`` at the path ``target``; with ``strict`` it must replace a submodule.

        Raises:
            AttributeError: the path leads nowhere.
            ValueError: ``target`` is empty or ``module`` is not a Module.
        """
        if target == "":
            raise ValueError("set_submodule needs the path of a submodule, got an empty string")
        if not isinstance(module, Module):
            raise ValueError(f"set_submodule needs a Module, got {type(module).__name__}")
        parent_path, _, name = target.rpartition(".")
        parent = self.get_submodule(parent_path)
        if strict or hasattr(parent, name):
            parent.get_submodule(name)
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at the path ``target``, or an AttributeError."""
        return self._get_member(target, Parameter, "parameter")

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at the path ``target``, or an AttributeError."""
        module_path, _, name = target.rpartition(".")
        buffer = self._get_member(target, Tensor, "buffer")
        if name not in self.get_submodule(module_path)._buffers:
            raise AttributeError(f"{target!r} is not a buffer")
        return buffer

    def _get_member(self, target: str, kind: Any, what: str) -> Any:
        module_path, _, name = target.rpartition(".")
        module = self.get_submodule(module_path)
        if not hasattr(module, name):
            raise AttributeError(f"{_placed(module, [module_path])} has no {name!r}")
        member = getattr(module, name)
        if not isinstance(member, kind):
            raise AttributeError(f"{target!r} is not a {what}")
        return member

    def apply(self: Self, fn: Callable[[Module], Any]) -> Self:
        """Call ``fn`` with every module, submodules first, this one last."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def train(self: Self, mode: bool = True) -> Self:
        """Set training mode here and in all submodules (dropout and the like look at it)."""
        if not isinstance(mode, bool):
            raise ValueError(f"train() takes True or False, got {mode!r}")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: Self) -> Self:
        """Set evaluation mode: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: Self, requires_grad: bool = True) -> Self:
        """Set ``requires_grad`` of every parameter; False freezes the module."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of all parameters, or fill them with zeros."""
        for param in self.parameters():
            clear_grad(param, set_to_none)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Accepted, as programs for torch call it; the module runs as it is."""

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """What ``repr`` shows between the parentheses, before the submodules."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        children = self._modules.items()
        entries = [f"({name}): {_addindent(repr(child), 2)}" for name, child in children]
        if not entries and len(lines) <= 1:
            return f"{self._get_name()}({extra})"
        body = "\n  ".join([*lines, *entries])
        return f"{self._get_name()}(\n  {body}\n)"


def _addindent(text: str, spaces: int) -> str:
    """The lines after the first, moved to the right."""
    return text.replace("\n", "\n" + " " * spaces)


def _placed(module: Any, path: list[str]) -> str:
    """A module's class, and its path unless it is the root."""
    place = ".".join(path)
    return type(module).__name__ + (f" at {place!r}" if place else "")
