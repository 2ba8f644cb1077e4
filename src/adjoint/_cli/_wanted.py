"""Which names of torch a failed program wanted and adjoint lacks."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import sysconfig
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import adjoint

from ._torch import missing

__all__ = ["wanted_names"]


def wanted_names(error: BaseException) -> list[str]:
    """The names, if one of them ended the program: that one, those that it asked for before, and
    those that stand in the source of its own modules."""
    culprits = [name for cause in _chain(error) for name in _names(cause)]
    if not culprits:
        return []
    written = [name for source in _sources() for name in _absent_in(source)]
    return list(dict.fromkeys([*culprits, *missing, *written]))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _names(error: BaseException) -> list[str]:
    if isinstance(error, AttributeError):
        owner = _torch_name(error.obj)
        return [f"{owner}.{error.name}"] if owner and error.name else []
    if isinstance(error, ModuleNotFoundError):
        name = error.name or ""
        return [name] if name.startswith("torch.") else []
    if isinstance(error, ImportError) and re.match(r"(adjoint|torch)\b", error.name or ""):
        found = re.match(r"cannot import name '(\w+)'", str(error))
        module = re.sub(r"^adjoint\b", "torch", error.name or "")
        return [f"{module}.{found[1]}"] if found else []
    return []


def _torch_name(owner: Any) -> str | None:
    """What torch calls the module, the class, or the class of the object; None if not its."""
    if isinstance(owner, ModuleType):
        name = owner.__name__
    else:
        kind = owner if isinstance(owner, type) else type(owner)
        if issubclass(kind, adjoint.Tensor):
            return "torch.Tensor"
        if not kind.__module__.startswith("adjoint."):
            return None  # of a class of the program, or none of ours
        # nn.Linear, not nn.modules.linear.Linear
        module = kind.__module__
        while "." in module and hasattr(sys.modules.get(module.rpartition(".")[0]), kind.__name__):
            module = module.rpartition(".")[0]
        name = f"{module}.{kind.__name__}"
    if not re.match(r"(adjoint|torch)(\.|$)", name):
        return None
    return re.sub(r"^adjoint(\._core)?\b", "torch", name)


def _sources() -> Iterator[str]:
    """The source of the program's own modules: not those of Python, nor installed packages."""
    installed = tuple({sysconfig.get_path(name) for name in ("stdlib", "purelib", "platlib")})
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        ours = name.partition(".")[0] in ("adjoint", "torch")
        if not file or ours or not file.endswith(".py") or file.startswith(installed):
            continue
        try:
            with open(file, "rb") as opened:
                yield opened.read().decode("utf-8", "replace")
        except OSError:
            continue


def _absent_in(source: str) -> Iterator[str]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    known: dict[str, str] = {}  # a name in the source to its name in torch
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.partition(".")[0] == "torch":
                    name = alias.name if alias.asname else "torch"
                    known[alias.asname or "torch"] = name
                    yield from _if_absent(alias.name)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            if node.module.partition(".")[0] == "torch":
                for alias in node.names:
                    if alias.name != "*":
                        known[alias.asname or alias.name] = f"{node.module}.{alias.name}"
                        yield from _if_absent(f"{node.module}.{alias.name}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            names: list[str] = []
            inner: ast.expr = node
            while isinstance(inner, ast.Attribute):
                names.append(inner.attr)
                inner = inner.value
            if isinstance(inner, ast.Name) and inner.id in known:
                yield from _if_absent(".".join([known[inner.id], *reversed(names)]))


def _if_absent(name: str) -> Iterator[str]:
    """The first part of the dotted name that adjoint does not have."""
    value: Any = adjoint
    mine = "adjoint"
    for part in name.split(".")[1:]:
        try:
            value = getattr(value, part)
        except AttributeError:
            try:
                value = importlib.import_module(f"{mine}.{part}")
            except ImportError:
                if mine == value.__name__ if isinstance(value, ModuleType) else False:
                    yield f"torch{mine[len('adjoint') :]}.{part}"
                return
        except Exception:  # a name that says, when it is asked for, that it is not offered
            return
        mine = f"{mine}.{part}"
        if not isinstance(value, ModuleType):
            return
