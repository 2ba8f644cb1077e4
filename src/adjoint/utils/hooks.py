"""The handle that every ``register_*_hook`` returns."""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from types import TracebackType
from typing import Any

__all__ = ["RemovableHandle"]

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
        dicts = [hooks_dict, *(extra if isinstance(extra, (list, tuple)) else [extra])]
        # weak, so that a forgotten handle does not keep a module's hooks (and what they hold) alive
        self._dicts = [weakref.ref(d) for d in dicts]

    def remove(self) -> None:
        """Remove the hook. Removing it twice is allowed."""
        for ref in self._dicts:
            hooks = ref()
            if hooks is not None:
                hooks.pop(self.id, None)

    def __getstate__(self) -> dict[str, Any]:
        return {"id": self.id, "dicts": [ref() for ref in self._dicts]}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.id = state["id"]
        dicts = [OrderedDict() if d is None else d for d in state["dicts"]]
        self._dicts = [weakref.ref(d) for d in dicts]

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.remove()


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
