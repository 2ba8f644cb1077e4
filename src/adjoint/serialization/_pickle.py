"""The pickles in torch's files, read by a machine that knows a closed list of constructors.

A pickle is a program for a machine with a stack (PEP 307, PEP 3154). This one does what the program
says with plain data; a constructor that it names is looked up in a table of functions of ours, and
what is not in the table is an error. Nothing is imported and no code of the file's choice runs.
"""

from __future__ import annotations

import contextlib
import pickle
import pickletools
import struct
from collections.abc import Callable, Iterator, Sized
from typing import IO, Any

__all__ = [
    "DAMAGE",
    "Budget",
    "Machine",
    "add_safe_globals",
    "clear_safe_globals",
    "get_safe_globals",
    "safe_globals",
]

_safe: dict[str, Any] = {}


def _names(globals_: list[Any]) -> dict[str, Any]:
    names = {}
    for g in globals_:
        if isinstance(g, tuple):
            value, name = g
        else:
            value, name = g, f"{g.__module__}.{g.__qualname__}"
        names[name] = value
    return names


def add_safe_globals(safe_globals: list[Any]) -> None:
    """Lets `load` make objects of these classes, and call these functions, when a file says so.

    Entries are classes or functions, or pairs of one and the full name that files have for it.

    >>> import fractions
    >>> adjoint.serialization.add_safe_globals([fractions.Fraction])
    >>> adjoint.serialization.get_safe_globals()
    [<class 'fractions.Fraction'>]
    >>> adjoint.serialization.clear_safe_globals()
    """
    _safe.update(_names(safe_globals))


def get_safe_globals() -> list[Any]:
    """What `add_safe_globals` added."""
    return list(_safe.values())


def clear_safe_globals() -> None:
    """Forgets what `add_safe_globals` added."""
    _safe.clear()


@contextlib.contextmanager
def safe_globals(safe_globals: list[Any]) -> Iterator[None]:
    """`add_safe_globals` for a while."""
    before = dict(_safe)
    add_safe_globals(safe_globals)
    try:
        yield
    finally:
        _safe.clear()
        _safe.update(before)


class _Safe:
    """A class or function of the user's."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def __call__(self, *args: Any) -> Any:
        return self.value(*args)


def refused(name: str) -> pickle.UnpicklingError:
    return pickle.UnpicklingError(
        f"the file asks for {name!r}, which is not among what files may hold (tensors, numbers, "
        "strings and containers of these). Nothing of it was run. If you trust the file and "
        f"{name!r} is a class of yours, allow it with adjoint.serialization.add_safe_globals(["
        f"{name.rpartition('.')[2]}]); else save the state_dict() where the file was written"
    )


_MARK = object()

# What reading a file that is not as it should be runs into.
DAMAGE = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError,
          NotImplementedError, EOFError, OSError, struct.error)  # fmt: skip


class Budget:
    """Copies may hold as many elements as the file has bytes, and not many times as many."""

    def __init__(self, size: int) -> None:
        self._left = 4 * size + 1000

    def spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise ValueError("what it describes is far larger than the file")


class Machine:
    """Reads one pickle from a file, which stands behind it afterwards.

    Args:
        constructors: by full name, functions of the arguments that a pickle gives; or values.
        persistent: a function of the ids of what lies elsewhere in the file.
        budget: what constructors may copy.
    """

    def __init__(
        self, constructors: dict[str, Any], persistent: Callable[[Any], Any], budget: Budget
    ) -> None:
        self._constructors = constructors
        self._persistent = persistent
        self._budget = budget

    def load(self, file: IO[bytes]) -> Any:
        stack: list[Any] = []
        memo: dict[int, Any] = {}
        argument: Any
        for opcode, argument, _ in pickletools.genops(file):
            name = opcode.name
            if name in _VALUES:
                stack.append(argument)
            elif name in _CONSTANTS:
                stack.append(_CONSTANTS[name]())
            elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
                memo[argument] = stack[-1]
            elif name == "MEMOIZE":
                memo[len(memo)] = stack[-1]
            elif name in ("BINGET", "LONG_BINGET", "GET"):
                stack.append(memo[argument])
            elif name == "STOP":
                return stack.pop()
            elif name not in ("PROTO", "FRAME"):
                self._step(name, argument, stack)
        raise ValueError("the pickle has no end")

    def _step(self, name: str, argument: Any, stack: list[Any]) -> None:
        if name in ("TUPLE1", "TUPLE2", "TUPLE3"):
            n = int(name[-1])
            entries = tuple(stack[-n:])
            if len(entries) != n or _MARK in map(_identity, entries):
                raise ValueError("a tuple of what is not there")
            stack[-n:] = [entries]
        elif name == "TUPLE":
            stack.append(tuple(_marked(stack)))
        elif name == "LIST":
            stack.append(_marked(stack))
        elif name == "DICT":
            stack.append(_pairs(_marked(stack)))
        elif name == "FROZENSET":
            stack.append(frozenset(_marked(stack)))
        elif name == "APPEND":
            value = stack.pop()
            _expect(stack[-1], list).append(value)
        elif name == "APPENDS":
            values = _marked(stack)
            _expect(stack[-1], list).extend(values)
        elif name == "ADDITEMS":
            values = _marked(stack)
            _expect(stack[-1], set).update(values)
        elif name == "SETITEM":
            value, key = stack.pop(), stack.pop()
            _expect(stack[-1], dict)[key] = value
        elif name == "SETITEMS":
            values = _marked(stack)
            _expect(stack[-1], dict).update(_pairs(values))
        elif name == "GLOBAL":
            stack.append(self._find(argument.replace(" ", ".", 1)))
        elif name == "STACK_GLOBAL":
            attribute, module = stack.pop(), stack.pop()
            stack.append(self._find(f"{_expect(module, str)}.{_expect(attribute, str)}"))
        elif name == "REDUCE":
            args, function = _expect(stack.pop(), tuple), stack.pop()
            self._budget.spend(sum(len(a) for a in args if isinstance(a, Sized)))
            stack.append(_call(function, args))
        elif name in ("NEWOBJ", "NEWOBJ_EX"):
            kwargs = _expect(stack.pop(), dict) if name == "NEWOBJ_EX" else {}
            args, cls = _expect(stack.pop(), tuple), stack.pop()
            stack.append(_new(cls, args, kwargs))
        elif name == "BUILD":
            state = stack.pop()
            _build(stack[-1], state)
        elif name == "BINPERSID":
            stack.append(self._persistent(stack.pop()))
        elif name == "MARK":
            stack.append(_MARK)
        elif name == "POP":
            stack.pop()
        elif name == "POP_MARK":
            _marked(stack)
        elif name == "DUP":
            stack.append(stack[-1])
        else:
            raise refused(f"the pickle opcode {name}")

    def _find(self, name: str) -> Any:
        name = name.replace("__builtin__.", "builtins.", 1)
        if name in self._constructors:
            return self._constructors[name]
        if name in _safe:
            return _Safe(_safe[name])
        raise refused(name)


_CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
_VALUES = frozenset(
    "INT BININT BININT1 BININT2 LONG LONG1 LONG4 FLOAT BINFLOAT UNICODE BINUNICODE "
    "SHORT_BINUNICODE BINUNICODE8 BINBYTES SHORT_BINBYTES BINBYTES8 BYTEARRAY8".split()
)


def _identity(value: Any) -> Any:
    return _MARK if value is _MARK else None


def _marked(stack: list[Any]) -> list[Any]:
    """What lies above the topmost mark, taken off with it."""
    for i in range(len(stack) - 1, -1, -1):
        if stack[i] is _MARK:
            values = stack[i + 1 :]
            del stack[i:]
            return values
    raise ValueError("a mark is missing")


def _expect(value: Any, type_: type) -> Any:
    if not isinstance(value, type_):
        raise ValueError(f"a {type_.__name__} was expected, got {type(value).__name__}")
    return value


def _pairs(values: list[Any]) -> dict[Any, Any]:
    if len(values) % 2:
        raise ValueError("a key has no value")
    return dict(zip(values[::2], values[1::2], strict=True))


def _call(function: Any, args: tuple[Any, ...]) -> Any:
    if not callable(function):
        raise ValueError(f"{function!r} is called, which is no function")
    return function(*args)


def _new(cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if isinstance(cls, _Safe):
        return cls.value.__new__(cls.value, *args, **kwargs)
    if kwargs:
        raise ValueError("arguments by name for a class that takes none")
    return _call(cls, args)


def _build(value: Any, state: Any) -> None:
    if type(value) in map(type_of_safe, _safe.values()):
        if hasattr(value, "__setstate__"):
            value.__setstate__(state)
        elif isinstance(state, dict):
            value.__dict__.update(state)
    elif hasattr(value, "set_pickled_state"):
        value.set_pickled_state(state)
    elif isinstance(value, dict) and isinstance(state, dict):
        if set(state) - {"_metadata"}:
            raise ValueError(f"attributes {sorted(map(str, state))} of a dict")
        if "_metadata" in state:
            value._metadata = state["_metadata"]  # type: ignore[attr-defined]
    else:
        raise ValueError(f"a state for a {type(value).__name__}")


def type_of_safe(value: Any) -> Any:
    return value if isinstance(value, type) else None
