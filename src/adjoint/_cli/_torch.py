"""`import torch` means adjoint: a finder for torch and its submodules, and its record of what the
program asked for and did not find."""

from __future__ import annotations

import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from os import PathLike
from pathlib import Path
from types import ModuleType
from typing import Any

import adjoint
from adjoint._homes import HOMES, home
from adjoint.torch_version import TorchVersion

__all__ = ["TORCH_VERSION", "install", "installed", "missing"]

# Programs ask `torch.__version__` which functions there are: the answer is the release of torch
# whose behaviour the tests compare adjoint's with. The part after "+" says who answers.
TORCH_VERSION = "2.13.0+adjoint"

# Their releases are built against torch's own binaries: those are absent, even where they are
# installed. A package of that name without binaries (a program's own) is imported.
_BOUND_TO_TORCH = ("torchvision", "torchaudio", "torchtext")
_BINARIES = (".so", ".pyd", ".dylib", ".dll")

missing: dict[str, None] = {}  # names of torch that were asked for and are not there, in order


class _Torch(ModuleType):
    """The module `torch`: adjoint's names, under torch's version."""

    def __init__(self, name: str, source: ModuleType) -> None:
        super().__init__(name, source.__doc__)
        self.__dict__.update(_source=source, __version__=TorchVersion(TORCH_VERSION))
        if hasattr(source, "__path__"):
            self.__dict__["__path__"] = []

    def __getattr__(self, name: str) -> Any:
        if name == "__all__":
            return [n for n in dir(self._source) if not n.startswith("_")]
        if name == self.__name__ == "torch":  # a name in torch's own file
            return self
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

    _own_spec: importlib.machinery.ModuleSpec | None = None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        if spec.name == "torch":
            return _Torch("torch", adjoint)
        name = home(spec.name)
        source = sys.modules["torch"] if name == "adjoint" else importlib.import_module(name)
        if spec.name == "torch.version":
            return _Torch(spec.name, source)
        self._own_spec = source.__spec__
        return source

    def exec_module(self, module: ModuleType) -> None:
        if self._own_spec is not None:
            module.__spec__ = self._own_spec  # the import system has put the one of torch.x there
            if not isinstance(module, _Torch):
                _alias(module.__name__)


def _alias(name: str) -> None:
    """Lets torch.x, and what is below it, be imported where adjoint.x has been."""
    for loaded, module in list(sys.modules.items()):
        if loaded == name or loaded.startswith(name + "."):
            other = "torch" + loaded[len("adjoint") :]
            if other != "torch.version":
                sys.modules.setdefault(other, module)
    # A module that torch keeps elsewhere is there too as soon as the package around is: found now,
    # its import does not replace a function of its name in that package.
    for path, mine in HOMES.items():
        package, _, last = f"torch.{path}".rpartition(".")
        found = sys.modules.get(f"adjoint.{mine}")
        if found is not None and package in sys.modules:
            sys.modules.setdefault(f"torch.{path}", found)
            if not hasattr(sys.modules[package], last):
                setattr(sys.modules[package], last, found)


def _has_binaries(package: str) -> bool:
    spec = importlib.machinery.PathFinder.find_spec(package)
    folders = (spec.submodule_search_locations or ()) if spec else ()
    return any(
        file.suffix in _BINARIES for folder in folders for file in Path(folder).glob("**/*.*")
    )


class _Distribution(metadata.Distribution):
    """What `importlib.metadata` tells of torch, which need not be installed."""

    _FILES = {
        "METADATA": f"Metadata-Version: 2.1\nName: torch\nVersion: {TORCH_VERSION}\n",
        "top_level.txt": "torch\n",
    }

    def read_text(self, filename: str) -> str | None:
        return self._FILES.get(filename)

    def locate_file(self, path: str | PathLike[str]) -> Any:
        return Path(adjoint.__path__[0]).parent / path


def _spec_or_none(
    find_spec: Callable[..., importlib.machinery.ModuleSpec | None],
) -> Callable[..., importlib.machinery.ModuleSpec | None]:
    """`importlib.util.find_spec` that answers None for what is absent here, instead of the error
    that tells an import why."""

    @functools.wraps(find_spec)
    def find(name: str, package: str | None = None) -> importlib.machinery.ModuleSpec | None:
        try:
            return find_spec(name, package)
        except ModuleNotFoundError as error:
            if error.name == name and isinstance(error, _AbsentHere):
                return None
            raise

    return find


class _AbsentHere(ModuleNotFoundError):
    """Installed, perhaps, or a part of torch: not there while adjoint runs in torch's place."""


# a traceback calls it by the name that programs know
_AbsentHere.__name__ = _AbsentHere.__qualname__ = "ModuleNotFoundError"
_AbsentHere.__module__ = "builtins"


class _Finder(importlib.abc.MetaPathFinder):
    def find_distributions(
        self, context: metadata.DistributionFinder.Context | None = None
    ) -> Iterable[metadata.Distribution]:
        name = context.name if context else None
        return [_Distribution()] if name in (None, "torch") else []

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        top = name.partition(".")[0]
        if name in _BOUND_TO_TORCH and _has_binaries(name):
            raise _AbsentHere(
                f"No module named {name!r} (the one installed is built against torch's own "
                "binaries, and adjoint runs in place of torch)",
                name=name,
            )
        if top != "torch":
            return None
        mine = home(name)
        if mine not in sys.modules:
            try:
                found = importlib.util.find_spec(mine)
            except ModuleNotFoundError:
                found = None
            if found is None:
                missing[name] = None
                raise _AbsentHere(
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
    importlib.util.find_spec = _spec_or_none(importlib.util.find_spec)

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
