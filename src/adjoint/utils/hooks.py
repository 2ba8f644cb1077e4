"""The handle that every ``register_*_hook`` returns."""

from __future__ import annotations

import itertools
import warnings
import weakref
from collections import OrderedDict
from types import TracebackType
from typing import Any

__all__ = ["RemovableHandle", "unserializable_hook", "warn_if_has_hooks"]

_next_id = itertools.count().__next__


class RemovableHandle:
    """Removes a hook again: by :meth:`remove`, or at the end of a ``with`` block.

    Args:
        hooks_dict: the ordered dictionary that holds the hook under :attr:`id`.
        extra_dict: dictionaries of flags kept under the same id, removed together with it.

    >>> module = adjoint.nn.ReLU()
    >>> with module.register_forward_hook(lambda module, args, output: output + 1):
    ...     print(module(adjoint.zeros(1)))
    tensor([1.])
    >>> module(adjoint.zeros(1))
    tensor([0.])
    """

    id: int

    def __init__(self, hooks_dict: OrderedDict[int, Any], *, extra_dict: Any = None) -> None:
        self.id = _next_id()
        extra = [] if extra_dict is None else extra_dict
        self._refer(hooks_dict, list(extra) if isinstance(extra, (list, tuple)) else [extra])

    def _refer(self, hooks_dict: OrderedDict[int, Any], extra: list[Any]) -> None:
        # weak, so that a forgotten handle does not keep a module's hooks (and what they hold) alive
        self.hooks_dict_ref = weakref.ref(hooks_dict)
        self.extra_dict_ref = tuple(weakref.ref(d) for d in extra)

    def remove(self) -> None:
        """Remove the hook. Removing it twice is allowed."""
        for ref in (self.hooks_dict_ref, *self.extra_dict_ref):
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self) -> dict[str, Any]:
        dicts = [ref() for ref in (self.hooks_dict_ref, *self.extra_dict_ref)]
        return {"id": self.id, "dicts": dicts}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.id = state["id"]
        hooks, *extra = (OrderedDict() if d is None else d for d in state["dicts"])
        self._refer(hooks, extra)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


def unserializable_hook(f: Any) -> Any:
    """Marks a hook of a tensor, so that saving the tensor does not warn that the hook stays out."""
    f.__torch_unserializable__ = True
    return f


def warn_if_has_hooks(tensor: Any) -> None:
    """A warning for each hook of the tensor that saving it would leave out."""
    for hook in (getattr(tensor, "_backward_hooks", None) or {}).values():
        if not hasattr(hook, "__torch_unserializable__"):
            warnings.warn(
                f"the hook {hook!r} of a tensor is not saved with it; unserializable_hook as its "
                "decorator says that this is meant",
                stacklevel=2,
            )


def add_hook(
    hooks: OrderedDict[int, Any],
    hook: Any,
    *,
    prepend: bool = False,
    flags: tuple[OrderedDict[int, bool], ...] = (),
) -> RemovableHandle:
    """Put ``hook`` into ``hooks`` (first if ``prepend``) and mark its id in each of ``flags``."""
    if not callable(hook):
        raise TypeError(f"a hook must be callable, got {type(hook).__name__}")
    handle = RemovableHandle(hooks, extra_dict=flags)
    hooks[handle.id] = hook
    for flag in flags:
        flag[handle.id] = True
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle
