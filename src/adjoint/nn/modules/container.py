"""Containers of modules: Sequential, ModuleList, ModuleDict."""

from __future__ import annotations

import operator
import warnings
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from .module import Module, _addindent

__all__ = ["Container", "ModuleDict", "ModuleList", "Sequential"]

Self = TypeVar("Self", bound="_Numbered")


class Container(Module):
    """The older name of a module that is made of others, with a warning."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__()
        warnings.warn(
            "nn.Container is deprecated: it does what every Module does",
            FutureWarning,
            stacklevel=2,
        )
        for name, module in kwargs.items():
            self.add_module(name, module)


class _Numbered(Module):
    """Submodules named "0", "1", ...: the list operations of Sequential and ModuleList.

    A Sequential may be given other names; removing or inserting a module numbers them anew.
    """

    def _name_at(self, index: Any) -> str:
        try:
            i = operator.index(index)
        except TypeError:
            raise TypeError(
                f"{type(self).__name__} is indexed by ints and slices, got {type(index).__name__}"
            ) from None
        n = len(self)
        if not -n <= i < n:
            raise IndexError(f"index {i} is out of range for {n} modules")
        return list(self._modules)[i % n]

    _get_abs_string_index = _name_at  # for classes written elsewhere

    def _replace_all(self, modules: Iterable[Any]) -> None:
        self._modules.clear()
        for module in modules:
            self.append(module)

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._modules.values())

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), module)

    def __delitem__(self, index: int | slice) -> None:
        if isinstance(index, slice):
            for name in list(self._modules)[index]:
                delattr(self, name)
        else:
            delattr(self, self._name_at(index))
        # the names follow the positions again
        modules = list(self._modules.values())
        self._replace_all(modules)

    def __dir__(self) -> list[str]:
        return [name for name in super().__dir__() if not name.isdigit()]

    def append(self: Self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self: Self, modules: Iterable[Module]) -> Self:
        """Add all of ``modules`` at the end."""
        if not isinstance(modules, Iterable):
            raise TypeError(f"extend() takes an iterable of modules, got {type(modules).__name__}")
        for module in list(modules):
            self.append(module)
        return self

    def insert(self: Self, index: int, module: Module) -> Self:
        """Put a module before position ``index``; the later ones move up.

        Raises:
            IndexError: the index is outside ``[-len, len]``.
            TypeError: it is not a Module.
        """
        if not isinstance(module, Module):
            raise TypeError(f"insert() takes a Module, got {type(module).__name__}")
        n = len(self)
        if not -n <= index <= n:
            raise IndexError(f"index {index} is out of range for {n} modules")
        modules = list(self)
        modules.insert(index, module)
        self._replace_all(modules)
        return self

    def pop(self, index: int | slice = -1) -> Any:
        """Remove a module and return it."""
        module = self[index]  # type: ignore[index]
        del self[index]
        return module

    def __iadd__(self: Self, modules: Iterable[Module]) -> Self:
        return self.extend(modules)


class Sequential(_Numbered):
    """Modules applied one after the other.

    Takes the modules as arguments, or one OrderedDict of them.

    >>> model = adjoint.nn.Sequential(adjoint.nn.Linear(4, 3), adjoint.nn.ReLU())
    >>> model(adjoint.zeros(2, 4)).shape
    torch.Size([2, 3])
    >>> model[1]
    ReLU()
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        if len(args) == 1 and isinstance(args[0], OrderedDict):
            for name, module in args[0].items():
                self.add_module(name, module)
        else:
            for i, module in enumerate(args):
                self.add_module(str(i), module)

    def _get_item_by_idx(self, iterator: Iterable[Any], idx: int) -> Any:
        """The entry at a position of the modules, their names or both."""
        self._name_at(idx)
        return list(iterator)[idx]

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)  # type: ignore[misc]
        return input

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._name_at(index)]

    def __add__(self, other: Sequential) -> Sequential:
        if not isinstance(other, Sequential):
            raise ValueError(f"only a Sequential can be added, got {type(other).__name__}")
        return Sequential(*self, *other)

    def __mul__(self, times: int) -> Sequential:
        if not isinstance(times, int):
            raise TypeError(f"a Sequential is repeated by an int, got {type(times).__name__}")
        if times <= 0:
            raise ValueError(f"a Sequential is repeated at least once, got {times}")
        return Sequential(*list(self) * times)

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Sequential:
        return self.extend(list(self * times)[len(self) :])


class ModuleList(_Numbered):
    """A list whose modules are registered. It has no ``forward``.

    >>> layers = adjoint.nn.ModuleList(adjoint.nn.Linear(3, 3) for _ in range(2))
    >>> layers
    ModuleList(
      (0-1): 2 x Linear(in_features=3, out_features=3, bias=True)
    )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self._modules[self._name_at(index)]

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        groups: list[list[Any]] = []  # [first index, last index, repr]
        for i, module in enumerate(self):
            text = repr(module)
            if groups and groups[-1][2] == text:
                groups[-1][1] = i
            else:
                groups.append([i, i, text])
        if not groups:
            return f"{self._get_name()}()"
        lines = [
            f"({first}): {_addindent(text, 2)}"
            if first == last
            else f"({first}-{last}): {last - first + 1} x {_addindent(text, 2)}"
            for first, last, text in groups
        ]
        return f"{self._get_name()}(\n  " + "\n  ".join(lines) + "\n)"


class ModuleDict(Module):
    """A dictionary whose modules are registered; keeps the order of insertion. No ``forward``.

    >>> choices = adjoint.nn.ModuleDict({"relu": adjoint.nn.ReLU(), "tanh": adjoint.nn.Tanh()})
    >>> choices["tanh"]
    Tanh()
    """

    def __init__(self, modules: Mapping[str, Module] | Iterable[Any] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Any:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()

    def pop(self, key: str) -> Any:
        """Remove the module at ``key`` and return it."""
        return self._modules.pop(key)

    def keys(self) -> Any:
        """The names."""
        return self._modules.keys()

    def values(self) -> Any:
        """The modules."""
        return self._modules.values()

    def items(self) -> Any:
        """Pairs of name and module."""
        return self._modules.items()

    def update(self, modules: Mapping[str, Module] | Iterable[Any]) -> None:
        """Add the modules of a mapping or of an iterable of pairs, replacing equal keys.

        Raises:
            TypeError: the argument is not iterable, or an element is not a pair.
            ValueError: a pair has not two elements.
        """
        for name, module in pairs_of(modules):
            self[name] = module


def pairs_of(values: Any) -> list[Any]:
    """The (key, value) pairs of a mapping, a container like one, or an iterable of pairs.

    Raises:
        TypeError: ``values`` is not iterable, or an element is not a pair.
        ValueError: a pair has not two elements.
    """
    if not isinstance(values, Iterable):
        raise TypeError(
            "update() takes a mapping or an iterable of (key, value) pairs, "
            f"got {type(values).__name__}"
        )
    if isinstance(values, Mapping) or hasattr(values, "items"):
        return list(values.items())
    pairs = list(values)
    for i, pair in enumerate(pairs):
        if not isinstance(pair, (tuple, list)):
            raise TypeError(f"element {i} is not a pair but {type(pair).__name__}")
        if len(pair) != 2:
            raise ValueError(f"element {i} has {len(pair)} entries, a pair has 2")
    return pairs
