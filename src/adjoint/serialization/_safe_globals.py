"""The user's additions to what `load` makes of torch's files."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from adjoint._homes import home

__all__ = [
    "add_safe_globals",
    "clear_safe_globals",
    "find",
    "get_safe_globals",
    "safe_globals",
]

Entry = Callable[..., Any] | tuple[Callable[..., Any], str]

# What runs commands or code is refused even if it was added.
_NEVER = {"os", "posix", "nt", "sys", "subprocess", "shutil", "importlib", "runpy", "ctypes"}
_NEVER_BUILTINS = {"eval", "exec", "compile", "__import__", "open", "input", "getattr", "setattr",
                   "delattr", "globals", "locals", "vars", "breakpoint"}  # fmt: skip

_added: list[Entry] = []


def add_safe_globals(safe_globals: list[Entry]) -> None:
    """Let `load` make objects of these classes (and call these functions) from torch's files.

    Args:
        safe_globals: classes or functions, or pairs of one and the full name that files have for
            it, where that differs. A class of adjoint is also found by its name in torch.

    Objects are made with ``__new__`` and filled with ``__setstate__``, or attribute by attribute:
    add only what is harmless with arguments that somebody else has chosen.

    Raises:
        TypeError: not a list of callables, or of pairs of a callable and a string.
        ValueError: something that executes code or commands, which is never made.

    >>> import argparse
    >>> adjoint.serialization.add_safe_globals([argparse.Namespace])
    >>> adjoint.serialization.get_safe_globals()
    [<class 'argparse.Namespace'>]
    >>> adjoint.serialization.clear_safe_globals()
    """
    for entry in safe_globals:
        target, _ = _split(entry)
        module, _, name = _name(target).rpartition(".")
        if module.partition(".")[0] in _NEVER or (module == "builtins" and name in _NEVER_BUILTINS):
            raise ValueError(f"{module}.{name} cannot be allowed: it reaches beyond data")
    _added.extend(entry for entry in safe_globals if entry not in _added)


def get_safe_globals() -> list[Entry]:
    """What was added by :func:`add_safe_globals`.

    >>> adjoint.serialization.get_safe_globals()
    []
    """
    return list(_added)


def clear_safe_globals() -> None:
    """Forget what was added by :func:`add_safe_globals`.

    >>> adjoint.serialization.clear_safe_globals()
    """
    _added.clear()


@contextlib.contextmanager
def safe_globals(safe_globals: list[Entry]) -> Iterator[None]:
    """Allow classes and functions, as :func:`add_safe_globals` does, inside a ``with`` statement.

    >>> import argparse
    >>> with adjoint.serialization.safe_globals([argparse.Namespace]):
    ...     len(adjoint.serialization.get_safe_globals())
    1
    """
    before = list(_added)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _added[:] = before


def find(name: str) -> Any:
    """What was added under this full name, or None."""
    for entry in _added:
        target, given = _split(entry)
        own = given or _name(target)
        if name == own or (given is None and _is_torch_name(name, target, own)):
            return target
    return None


def _is_torch_name(name: str, target: Any, own: str) -> bool:
    """Whether torch's name of what may be in another module there means the target."""
    if not name.startswith("torch.") or name.rpartition(".")[2] != own.rpartition(".")[2]:
        return False
    module = sys.modules.get(home(name.rpartition(".")[0]))
    return own == "adjoint" + name[5:] or getattr(module, own.rpartition(".")[2], None) is target


def _split(entry: Any) -> tuple[Any, str | None]:
    if isinstance(entry, tuple):
        if len(entry) != 2 or not isinstance(entry[1], str):
            raise TypeError(f"expected a pair of a callable and its full name, got {entry!r}")
        return entry
    if not callable(entry):
        raise TypeError(f"expected a class or a function, got {entry!r}")
    return entry, None


def _name(target: Any) -> str:
    name = getattr(target, "__qualname__", None) or getattr(target, "__name__", "")
    return f"{getattr(target, '__module__', '')}.{name}"
