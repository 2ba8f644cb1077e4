"""The state of a module as a flat dictionary, and back."""

from __future__ import annotations

import warnings
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from typing import Any

import adjoint
from adjoint import Tensor
from adjoint.utils.hooks import RemovableHandle, add_hook

from ..parameter import Parameter, is_lazy

_EXTRA_STATE = "_extra_state"


class _IncompatibleKeys(namedtuple("_IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """The keys that ``load_state_dict`` looked for in vain, and those that it had no use for."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return super().__repr__()

    __str__ = __repr__


class _Wrapped:
    """A hook inside another, as an object: a module with it can be pickled, and a deep copy's
    hook is a method of the copy.
    """

    def __init__(self, hook: Any) -> None:
        self.hook = hook


class _ReturnsNothing(_Wrapped):
    def __call__(self, *args: Any) -> None:
        if self.hook(*args) is not None:
            raise RuntimeError(
                "a state_dict post-hook must change the dictionary in place and return None"
            )


class _WithoutModule(_Wrapped):
    def __call__(self, module: Any, *args: Any) -> None:
        self.hook(*args)


class StateDict:
    """The part of :class:`Module` that saves and loads its state."""

    _version: int = 1
    _parameters: dict[str, Any]
    _buffers: dict[str, Any]
    _modules: dict[str, Any]
    _non_persistent_buffers_set: set[str]
    _state_dict_pre_hooks: OrderedDict[int, Any]
    _state_dict_hooks: OrderedDict[int, Any]
    _load_state_dict_pre_hooks: OrderedDict[int, Any]
    _load_state_dict_post_hooks: OrderedDict[int, Any]

    def get_extra_state(self) -> Any:
        """State beyond parameters and buffers; a class that has some defines this method."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: define get_extra_state()")

    def set_extra_state(self, state: Any) -> None:
        """Restore what :meth:`get_extra_state` returned."""
        raise RuntimeError(f"{type(self).__name__} has no extra state: define set_extra_state()")

    def _has_extra_state(self, method: str) -> bool:
        return getattr(type(self), method) is not getattr(StateDict, method)

    def state_dict(
        self, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False
    ) -> Any:
        """The parameters and persistent buffers by path, sharing memory with the module.

        Args:
            destination: a dictionary to fill; a new OrderedDict if None.
            prefix: put before every key.
            keep_vars: keep the Parameters themselves, where otherwise they are detached.

        >>> list(adjoint.nn.Sequential(adjoint.nn.Linear(2, 3)).state_dict())
        ['0.weight', '0.bias']
        """
        if args:  # as older programs have it
            if len(args) > 3:
                raise TypeError(f"state_dict takes at most 3 arguments, got {len(args)}")
            warnings.warn(
                "positional arguments of state_dict are deprecated: name them (destination, "
                "prefix, keep_vars)",
                FutureWarning,
                stacklevel=2,
            )
            given = [*args, *(destination, prefix, keep_vars)[len(args) :]]
            destination, prefix, keep_vars = given
        if destination is None:
            destination = OrderedDict()
            destination._metadata = OrderedDict()
        local_metadata = {"version": self._version}
        if hasattr(destination, "_metadata"):
            destination._metadata[prefix[:-1]] = local_metadata
        for hook in self._state_dict_pre_hooks.values():
            hook(self, prefix, keep_vars)
        self._save_to_state_dict(destination, prefix, keep_vars)
        for name, module in self._modules.items():
            if module is not None:
                module.state_dict(
                    destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars
                )
        for hook in self._state_dict_hooks.values():
            replaced = hook(self, destination, prefix, local_metadata)
            if replaced is not None:
                destination = replaced
        return destination

    def _save_to_state_dict(self, destination: Any, prefix: str, keep_vars: bool) -> None:
        """Put this module's own state, without that of submodules, into ``destination``."""
        for name, tensor in self._own_state().items():
            destination[prefix + name] = tensor if keep_vars else tensor.detach()
        if self._has_extra_state("get_extra_state"):
            destination[prefix + _EXTRA_STATE] = self.get_extra_state()

    def _own_state(self) -> dict[str, Tensor]:
        persistent = (
            (name, buffer)
            for name, buffer in self._buffers.items()
            if name not in self._non_persistent_buffers_set
        )
        both = (*self._parameters.items(), *persistent)
        return {name: tensor for name, tensor in both if tensor is not None}

    def load_state_dict(
        self, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False
    ) -> _IncompatibleKeys:
        """Copy the values of ``state_dict`` into the module's parameters and buffers.

        Everything is checked first: an error leaves the module as it was.

        Args:
            state_dict: tensors by path, as :meth:`state_dict` gives them.
            strict: whether missing and unexpected keys are errors; they are returned if not.
            assign: put the given tensors themselves in place, with their dtype and device,
                instead of copying their values.

        Raises:
            TypeError: ``state_dict`` is not a mapping.
            RuntimeError: keys are missing or unexpected (``strict``), or shapes differ.

        >>> model = adjoint.nn.Linear(2, 1)
        >>> model.load_state_dict({"weight": adjoint.ones(1, 2), "bias": adjoint.zeros(1)})
        <All keys matched successfully>
        >>> model.weight.tolist()
        [[1.0, 1.0]]
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"load_state_dict needs a mapping, got {type(state_dict).__name__}")
        loading = _Loading(getattr(state_dict, "_metadata", None), assign)
        # a copy, because hooks may rename keys
        loading.visit(self, OrderedDict(state_dict), "")
        if not loading.post_hooks:
            loading.raise_errors(self, strict)
        else:
            # post hooks see the loaded module and may forgive keys, so that these are judged later
            loading.raise_errors(self, strict=False)
        for name, write in loading.writes:
            try:
                write()
            except Exception as error:
                raise RuntimeError(f"loading {name!r} failed: {error}") from error
        for module, hook in loading.post_hooks:
            if hook(module, loading.incompatible) is not None:
                raise AssertionError(
                    "a load_state_dict post-hook must change incompatible_keys in place and "
                    "return None"
                )
        if loading.post_hooks:
            loading.raise_errors(self, strict)
        return loading.incompatible

    def _load_from_state_dict(
        self,
        state_dict: Any,
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load this module's own state, without that of submodules.

        Subclasses may override it, to accept older layouts for example. Inside a call of
        ``load_state_dict`` the writes are only noted down, and done when all is checked.
        """
        for hook in self._load_state_dict_pre_hooks.values():
            hook(
                self,
                state_dict,
                prefix,
                local_metadata,
                strict,
                missing_keys,
                unexpected_keys,
                error_msgs,
            )
        assign = local_metadata.get("assign_to_params_buffers", False)
        writes = local_metadata.get(_WRITES)
        own = self._own_state()
        ready: list[tuple[str, Callable[[], Any]]] = []
        for name, tensor in own.items():
            key = prefix + name
            if key not in state_dict:
                if strict:
                    missing_keys.append(key)
                continue
            value = state_dict[key]
            error = _mismatch(key, tensor, value)
            if error:
                error_msgs.append(error)
                continue
            ready.append((key, _writer(self, name, tensor, value, assign)))

        key = prefix + _EXTRA_STATE
        if self._has_extra_state("set_extra_state"):
            if key in state_dict:
                extra = state_dict[key]
                ready.append((key, lambda: self.set_extra_state(extra)))
            elif strict:
                missing_keys.append(key)
        elif strict and key in state_dict:
            unexpected_keys.append(key)
        if strict:
            for key in state_dict:
                if not key.startswith(prefix) or key == prefix + _EXTRA_STATE:
                    continue
                first, dot, _ = key[len(prefix) :].partition(".")
                if first not in (self._modules if dot else own):
                    unexpected_keys.append(key)
        if writes is not None:
            writes.extend(ready)
        else:
            for _, write in ready:
                write()

    def register_state_dict_pre_hook(self, hook: Any) -> RemovableHandle:
        """Run ``hook(module, prefix, keep_vars)`` before ``state_dict`` collects."""
        return add_hook(self._state_dict_pre_hooks, hook)

    def register_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """Run ``hook(module, state_dict, prefix, local_metadata)`` after ``state_dict`` collected.

        The hook changes the dictionary in place and returns None.
        """
        return add_hook(self._state_dict_hooks, _ReturnsNothing(hook))

    def _register_state_dict_hook(self, hook: Any) -> RemovableHandle:
        return add_hook(self._state_dict_hooks, hook)

    def register_load_state_dict_pre_hook(self, hook: Any) -> RemovableHandle:
        """Run ``hook`` before this module's own state is loaded, with the arguments
        ``(module, state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys,
        error_msgs)``; it may change the dictionary and the lists in place.
        """
        return add_hook(self._load_state_dict_pre_hooks, hook)

    def _register_load_state_dict_pre_hook(
        self, hook: Any, with_module: bool = False
    ) -> RemovableHandle:
        if with_module:
            return self.register_load_state_dict_pre_hook(hook)
        return self.register_load_state_dict_pre_hook(_WithoutModule(hook))

    def register_load_state_dict_post_hook(self, hook: Any) -> RemovableHandle:
        """Run ``hook(module, incompatible_keys)`` after loading; it may edit the two lists."""
        return add_hook(self._load_state_dict_post_hooks, hook)


_WRITES = "_writes"


class _Loading:
    """One call of ``load_state_dict``: what was found wrong, and what is to be written."""

    def __init__(self, metadata: Any, assign: bool) -> None:
        self.metadata = metadata
        self.assign = assign
        self.incompatible = _IncompatibleKeys([], [])
        self.errors: list[str] = []
        self.writes: list[tuple[str, Callable[[], Any]]] = []
        self.post_hooks: list[tuple[Any, Any]] = []

    def visit(self, module: Any, state_dict: Any, prefix: str) -> None:
        local_metadata = {} if self.metadata is None else dict(self.metadata.get(prefix[:-1], {}))
        local_metadata["assign_to_params_buffers"] = self.assign
        local_metadata[_WRITES] = self.writes
        missing, unexpected = self.incompatible
        module._load_from_state_dict(
            state_dict, prefix, local_metadata, True, missing, unexpected, self.errors
        )
        for name, child in module._modules.items():
            if child is not None:
                path = f"{prefix}{name}."
                below = OrderedDict((k, v) for k, v in state_dict.items() if k.startswith(path))
                self.visit(child, below, path)
        self.post_hooks += [(module, hook) for hook in module._load_state_dict_post_hooks.values()]

    def raise_errors(self, module: Any, strict: bool) -> None:
        errors = list(self.errors)
        if strict:
            missing, unexpected = self.incompatible
            if unexpected:
                errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}.")
            if missing:
                errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}.")
        if errors:
            listed = "\n\t".join(errors)
            raise RuntimeError(
                f"Error(s) in loading state_dict for {type(module).__name__}:\n\t{listed}"
            )


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


def _mismatch(key: str, tensor: Tensor, value: Any) -> str | None:
    """What stands against copying ``value`` into ``tensor``, if anything."""
    if not isinstance(value, Tensor):
        return f'"{key}" must be a Tensor, the state_dict has {type(value).__name__}.'
    if is_lazy(value) or is_lazy(tensor):
        if is_lazy(value) and is_lazy(tensor):
            return None
        which = "state_dict" if is_lazy(value) else "module"
        return f'"{key}" has no shape in the {which}: its lazy module was not called yet.'
    # files of PyTorch before 0.4 hold a scalar as a tensor of one element
    old_scalar = tensor.dim() == 0 and tuple(value.shape) == (1,)
    if value.shape != tensor.shape and not old_scalar:
        return (
            f"size mismatch for {key}: the state_dict has shape {tuple(value.shape)}, "
            f"the module has {tuple(tensor.shape)}."
        )
    return None


def _writer(module: Any, name: str, tensor: Tensor, value: Tensor, assign: bool) -> Any:
    def write() -> None:
        if is_lazy(value):
            return
        source = value.reshape(tensor.shape) if value.shape != tensor.shape else value
        if not assign:
            with adjoint.no_grad():
                tensor.copy_(source)
        elif not isinstance(tensor, Parameter):
            setattr(module, name, source)
        elif isinstance(source, Parameter):
            setattr(module, name, source.requires_grad_(tensor.requires_grad))
        else:
            setattr(module, name, Parameter(source, requires_grad=tensor.requires_grad))

    return write
