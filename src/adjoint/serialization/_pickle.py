"""A reader of pickles that executes nothing.

It keeps Python's stack machine of opcodes, but what a file may name is looked up in a table (see
`_constructors`), never imported, and calling goes through the checks of that table.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pickle import UnpicklingError
from typing import Any, Protocol

from adjoint.serialization._budget import Budget
from adjoint.serialization._files import FileError

__all__ = ["UnpicklingError", "unpickle"]


class Table(Protocol):
    """What names stand for, and what may be done with it."""

    def find(self, name: str) -> Any:
        """What a full name stands for."""

    def call(self, function: Any, arguments: tuple[Any, ...], budget: Budget) -> Any:
        """The result of a call of something that was found."""

    def new(self, cls: Any, arguments: tuple[Any, ...]) -> Any:
        """An empty object of a class that was found."""

    def build(self, value: Any, state: Any) -> Any:
        """The object with this state."""

    def persistent(self, key: Any) -> Any:
        """What the file keeps beside the pickle under this key."""


def unpickle(
    data: bytes, where: str, table: Table, begin: int = 0, encoding: str = "utf-8"
) -> tuple[Any, int]:
    """The value of the pickle that begins at ``begin``, and where the pickle ends.

    Raises:
        pickle.UnpicklingError: it asks for what is not in the table.
        RuntimeError: it is cut short or damaged.
    """
    machine = _Machine(data, table, begin, encoding)
    try:
        return machine.run(), machine.at
    except FileError:
        raise
    except UnpicklingError as error:
        raise UnpicklingError(f"{where}: {error}") from error
    except Exception as error:
        place = f"byte {machine.at} of its pickle"
        raise RuntimeError(f"{where} is damaged ({place}): {_reason(error)}") from error


def _reason(error: Exception) -> str:
    if isinstance(error, (IndexError, struct.error)):
        return "it is cut short, or takes values that it has not made"
    if isinstance(error, KeyError):
        return f"it takes the value {error}, which it has not kept"
    return str(error) or type(error).__name__


class _Machine:
    def __init__(self, data: bytes, table: Table, begin: int, encoding: str) -> None:
        self.data, self.table, self.at, self.encoding = data, table, begin, encoding
        self.stack: list[Any] = []
        self.below: list[list[Any]] = []  # the stacks under the marks
        self.memo: dict[int, Any] = {}
        self.budget = Budget(64 * len(data) + 65536)

    def run(self) -> Any:
        opcodes = _OPCODES
        while True:
            code = self.data[self.at]
            self.at += 1
            if code == 0x2E:  # STOP
                if self.below or len(self.stack) != 1:
                    raise ValueError("it does not end with one value")
                return self.stack.pop()
            operate = opcodes.get(code)
            if operate is None:
                raise ValueError(f"the opcode {code:#04x} is not one that torch writes")
            operate(self)

    def take(self, n: int) -> bytes:
        end = self.at + n
        if n < 0 or end > len(self.data):
            raise IndexError
        taken = self.data[self.at : end]
        self.at = end
        return taken

    def number(self, form: str) -> Any:
        """The number of this `struct` format that comes next."""
        (value,) = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return value

    def line(self) -> str:
        end = self.data.index(b"\n", self.at, self.at + 1000)
        return self.take(end + 1 - self.at)[:-1].decode("utf-8")

    def to_mark(self) -> list[Any]:
        values = self.stack
        self.stack = self.below.pop()
        return values

    def put(self, key: int) -> None:
        self.memo[key] = self.stack[-1]

    def text(self, raw: bytes) -> str:
        return raw.decode("utf-8", "surrogatepass")

    def old_text(self, raw: bytes) -> Any:
        """The `str` of Python 2, which is bytes."""
        if self.encoding == "bytes":
            return raw
        return raw.decode(self.encoding)

    def append(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, list):
            raise ValueError(f"values are appended to a {type(target).__name__}")
        target.extend(values)

    def add(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, set):
            raise ValueError(f"values are added to a {type(target).__name__}")
        target.update(map(self.budget.key, values))

    def set_items(self, values: list[Any]) -> None:
        target = self.stack[-1]
        if not isinstance(target, dict):
            raise ValueError(f"entries are set in a {type(target).__name__}")
        if len(values) % 2:
            raise ValueError("a key has no value")
        for key, value in zip(values[::2], values[1::2]):
            target[self.budget.key(key)] = value

    def tuple_of(self, n: int) -> None:
        if len(self.stack) < n:
            raise IndexError
        self.stack[-n:] = [tuple(self.stack[-n:])]

    def name(self, module: Any, name: Any) -> None:
        if type(module) is not str or type(name) is not str:
            raise ValueError("a name is not text")
        full = f"{module}.{name}".replace("__builtin__.", "builtins.", 1)
        self.stack.append(self.table.find("builtins.range" if full == "builtins.xrange" else full))

    def reduce(self) -> None:
        arguments = self.stack.pop()
        if type(arguments) is not tuple:
            raise ValueError("the arguments of a call are no tuple")
        function = self.stack.pop()
        for value in arguments:
            if isinstance(value, (list, tuple, set, dict)):
                self.budget.spend(16 * len(value))  # calls make copies of their arguments
            elif isinstance(value, (str, bytes, bytearray)):
                self.budget.spend(len(value))
        self.stack.append(self.table.call(function, arguments, self.budget))

    def new_object(self) -> None:
        arguments = self.stack.pop()
        if type(arguments) is not tuple:
            raise ValueError("the arguments of a class are no tuple")
        self.stack.append(self.table.new(self.stack.pop(), arguments))

    def protocol(self) -> None:
        version = self.number("<B")
        if version > 5:
            raise ValueError(f"its protocol {version} is not known")


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


def _pair(machine: _Machine) -> tuple[Any, Any]:
    second = machine.stack.pop()
    return machine.stack.pop(), second


def _mark(machine: _Machine) -> None:
    machine.below.append(machine.stack)
    machine.stack = []


def _push(make: Callable[[_Machine], Any]) -> Callable[[_Machine], None]:
    def operate(m: _Machine) -> None:
        value = make(m)  # which may replace the stack
        m.stack.append(value)

    return operate


def _text(form: str) -> Callable[[_Machine], None]:
    return _push(lambda m: m.text(m.take(m.number(form))))


def _bytes(form: str) -> Callable[[_Machine], None]:
    return _push(lambda m: m.take(m.number(form)))


def _old_text(form: str) -> Callable[[_Machine], None]:
    return _push(lambda m: m.old_text(m.take(m.number(form))))


_OPCODES: dict[int, Callable[[_Machine], Any]] = {
    ord(code): operate
    for code, operate in {
        # the pickle itself
        "\x80": _Machine.protocol,
        "\x95": lambda m: m.take(8),  # FRAME: only a hint
        "(": _mark,
        "0": lambda m: m.stack.pop() if m.stack else m.to_mark(),  # POP
        "1": lambda m: m.to_mark(),  # POP_MARK
        "2": lambda m: m.stack.append(m.stack[-1]),  # DUP
        # what was kept
        "q": lambda m: m.put(m.number("<B")),
        "r": lambda m: m.put(m.number("<I")),
        "\x94": lambda m: m.put(len(m.memo)),  # MEMOIZE
        "h": _push(lambda m: m.memo[m.number("<B")]),
        "j": _push(lambda m: m.memo[m.number("<I")]),
        # values
        "N": _push(lambda m: None),
        "\x88": _push(lambda m: True),
        "\x89": _push(lambda m: False),
        "J": _push(lambda m: m.number("<i")),
        "K": _push(lambda m: m.number("<B")),
        "M": _push(lambda m: m.number("<H")),
        "\x8a": _push(lambda m: _signed(m.take(m.number("<B")))),  # LONG1
        "\x8b": _push(lambda m: _signed(m.take(m.number("<i")))),  # LONG4
        "G": _push(lambda m: m.number(">d")),
        "X": _text("<I"),
        "\x8c": _text("<B"),
        "\x8d": _text("<Q"),
        "C": _bytes("<B"),
        "B": _bytes("<I"),
        "\x8e": _bytes("<Q"),
        "\x96": _push(lambda m: bytearray(m.take(m.number("<Q")))),
        "U": _old_text("<B"),
        "T": _old_text("<i"),
        # containers
        "]": _push(lambda m: []),
        "}": _push(lambda m: {}),
        ")": _push(lambda m: ()),
        "\x8f": _push(lambda m: set()),
        "\x91": _push(lambda m: frozenset(map(m.budget.key, m.to_mark()))),
        "\x90": lambda m: m.add(m.to_mark()),
        "a": lambda m: m.append([m.stack.pop()]),
        "e": lambda m: m.append(m.to_mark()),
        "s": lambda m: m.set_items([*_pair(m)]),
        "u": lambda m: m.set_items(m.to_mark()),
        "t": _push(lambda m: tuple(m.to_mark())),
        "\x85": lambda m: m.tuple_of(1),
        "\x86": lambda m: m.tuple_of(2),
        "\x87": lambda m: m.tuple_of(3),
        # objects
        "c": lambda m: m.name(m.line(), m.line()),  # GLOBAL
        "\x93": lambda m: m.name(*_pair(m)),  # STACK_GLOBAL
        "R": _Machine.reduce,
        "\x81": _Machine.new_object,  # NEWOBJ
        "b": lambda m: m.stack.append(m.table.build(*_pair(m))),  # BUILD
        "Q": _push(lambda m: m.table.persistent(m.stack.pop())),
    }.items()
}
