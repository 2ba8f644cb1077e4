"""`import torch` means adjoint: a finder for torch and its submodules, and its record of what the
program asked for and did not find."""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import re
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import Any

import adjoint

__all__ = ["TORCH_VERSION", "install", "installed", "missing"]

# Programs ask `torch.__version__` which functions there are: the answer is the release of torch
# whose behaviour the tests compare adjoint's with. The part after "+" says who answers.
TORCH_VERSION = "2.13.0+adjoint"

# Built against torch's own binaries: absent, even where they are installed.
_BOUND_TO_TORCH = ("torchvision", "torchaudio", "torchtext")

missing: dict[str, None] = {}  # names of torch that were asked for and are not there, in order


class Version(str):
    """A version that compares by its numbers, with a string or a tuple."""

    def _numbers(self) -> tuple[int, ...]:
        return _numbers(self)

    def __lt__(self, other: Any) -> bool:
        return _numbers(self) < _numbers(other)

    def __le__(self, other: Any) -> bool:
        return _numbers(self) <= _numbers(other)

    def __gt__(self, other: Any) -> bool:
        return _numbers(self) > _numbers(other)

    def __ge__(self, other: Any) -> bool:
        return _numbers(self) >= _numbers(other)

    def __eq__(self, other: Any) -> bool:
        if isinstance(other, str) and "+" in other:
            return str.__eq__(self, other)
        return _numbers(self) == _numbers(other)

    def __ne__(self, other: Any) -> bool:
        return not self == other

    __hash__ = str.__hash__


def _numbers(version: Any) -> tuple[int, ...]:
    if isinstance(version, str):
        parts = re.match(r"\s*v?(\d+(?:\.\d+)*)", version)
        version = parts[1].split(".") if parts else ()
    try:
        numbers = [int(part) for part in version]
    except (TypeError, ValueError):
        numbers = []
    return tuple(numbers + [0] * (3 - len(numbers)))


class _Torch(ModuleType):
    """The module `torch`: adjoint's names, under torch's version."""

    def __init__(self, name: str, source: ModuleType) -> None:
        super().__init__(name, source.__doc__)
        self.__dict__.update(_source=source, __version__=Version(TORCH_VERSION))
        if hasattr(source, "__path__"):
            self.__dict__["__path__"] = []

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [n for n in dir(self._source) if not n.startswith("_")]
        submodule = f"{self.__name__}.{name}"
        try:
            value = getattr(self._source, name)
        except AttributeError:
            if submodule in sys.modules:
                return sys.modules[submodule]
            if not name.startswith("__"):
                missing[submodule] = None
            raise AttributeError(
                f"module '{self.__name__}' has no attribute '{name}' (adjoint runs in its place)",
                name=name,
                obj=self,
            ) from None
        if submodule == "torch.version":
            value = importlib.import_module(submodule)
        elif isinstance(value, ModuleType) and value.__name__.startswith("adjoint."):
            _alias(value.__name__)
            value = sys.modules.get(submodule, value)
        self.__dict__[name] = value  # the next time without coming here
        return value

    def __setattr__(self, name: str, value: Any) -> None:
        if not name.startswith("__") and not isinstance(value, ModuleType):
            setattr(self._source, name, value)
        self.__dict__[name] = value

    def __delattr__(self, name: str) -> None:
        self.__dict__.pop(name, None)
        if hasattr(self._source, name):
            delattr(self._source, name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(self._source), *self.__dict__})

    def __repr__(self) -> str:
        return f"<module {self.__name__!r} (adjoint {adjoint.__version__})>"


class _Loader(importlib.abc.Loader):
    """Loads `torch.x` by importing `adjoint.x`: they are one module."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        if spec.name == "torch":
            return _Torch("torch", adjoint)
        source = importlib.import_module("adjoint" + spec.name[len("torch") :])
        if spec.name == "torch.version":
            return _Torch(spec.name, source)
        self._own_spec = source.__spec__
        return source

    def exec_module(self, module: ModuleType) -> None:
        if not isinstance(module, _Torch):
            module.__spec__ = self._own_spec  # the import system has put the one of torch.x there
            _alias(module.__name__)


def _alias(name: str) -> None:
    """Lets torch.x, and what is below it, be imported where adjoint.x has been."""
    for loaded, module in list(sys.modules.items()):
        if loaded == name or loaded.startswith(name + "."):
            other = "torch" + loaded[len("adjoint") :]
            if other != "torch.version":
                sys.modules.setdefault(other, module)


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        top = name.partition(".")[0]
        if top in _BOUND_TO_TORCH:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
        if top != "torch":
            return None
        mine = "adjoint" + name[len("torch") :]
        if mine not in sys.modules:
            try:
                found = importlib.util.find_spec(mine)
            except ModuleNotFoundError:
                found = None
            if found is None:
                missing[name] = None
                raise ModuleNotFoundError(
                    f"No module named {name!r} (adjoint runs in place of torch)", name=name
                )
        is_package = name == "torch" or hasattr(sys.modules.get(mine), "__path__")
        return importlib.machinery.ModuleSpec(name, _Loader(), is_package=is_package)


class _Install:
    """Unpickled in a new process of multiprocessing, before its program: installs the finder."""

    def __reduce__(self) -> Any:
        return install, ()


def installed() -> bool:
    """Whether `import torch` means adjoint in this process."""
    return any(isinstance(finder, _Finder) for finder in sys.meta_path)


def install() -> None:
    """From now on `import torch` means adjoint, here and in processes of multiprocessing.

    Raises:
        RuntimeError: torch itself has been imported already.
    """
    if installed():
        return
    if "torch" in sys.modules:
        raise RuntimeError("torch has been imported already: adjoint can no longer take its place")
    sys.meta_path.insert(0, _Finder())

    # Forked processes inherit the finder. Spawned ones read this data before anything else.
    import multiprocessing
    from multiprocessing import spawn

    prepare = spawn.get_preparation_data

    def get_preparation_data(name: str) -> dict[str, Any]:
        return {**prepare(name), "adjoint": _Install()}

    spawn.get_preparation_data = get_preparation_data
    if "forkserver" in multiprocessing.get_all_start_methods():
        # the server must not import the program itself, as it would without the finder
        from multiprocessing import forkserver

        forkserver.set_forkserver_preload([])
