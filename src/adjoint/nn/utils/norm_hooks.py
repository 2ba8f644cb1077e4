"""What the hooks of the older weight norm and spectral norm have in common."""

from __future__ import annotations

from typing import Any

__all__ = ["find_hook", "refuse_twice"]


def find_hook(module: Any, kind: type, name: str) -> tuple[int, Any]:
    """The key and the hook of this kind for the parameter `name`; a ValueError if there is none."""
    for key, hook in module._forward_pre_hooks.items():
        if isinstance(hook, kind) and hook.name == name:  # type: ignore[attr-defined]
            return key, hook
    raise ValueError(f"{type(module).__name__}: {name!r} has no {kind.__name__} to remove")


def refuse_twice(module: Any, kind: type, name: str) -> None:
    """A RuntimeError if the parameter `name` has a hook of this kind."""
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, kind) and hook.name == name:  # type: ignore[attr-defined]
            raise RuntimeError(f"{type(module).__name__}: {name!r} has a {kind.__name__} already")
