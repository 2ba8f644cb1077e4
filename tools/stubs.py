"""Writes src/adjoint/_core.pyi from the registry and the extension module.

    python tools/stubs.py          writes it
    python tools/stubs.py --check  fails if the committed file is stale
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from pathlib import Path

from adjoint import _core

TARGET = Path(__file__).resolve().parent.parent / "src" / "adjoint" / "_core.pyi"

HEADER = '''"""Made by tools/stubs.py from the registry of operators: do not edit."""

from typing import Any, Sequence, overload

_Number = int | float | bool
'''

TYPES = {
    "Tensor": "Tensor",
    "Operand": "Tensor | _Number",
    "Number": "_Number",
    "Tensor[]": "Sequence[Tensor]",
    "int": "int",
    "int[]": "Sequence[int] | int",
    "float": "float",
    "bool": "builtins_bool",
    "str": "str",
    "dtype": "Any",
    "device": "Any",
    "Generator": "Any",
}


def parameter(text: str, optional_first: bool) -> str:
    name, _, rest = text.partition(":")
    kind, _, default = (part.strip() for part in rest.partition("="))
    optional = kind.endswith("?")
    annotation = TYPES[kind.rstrip("?")]
    if optional or default == "None":
        annotation += " | None"
    return f"{name.strip()}: {annotation}" + (" = ..." if default else "")


def split(parameters: str) -> list[str]:
    """At the commas that are not inside brackets."""
    return [p.strip() for p in re.split(r",(?![^\[]*\])", parameters) if p.strip()]


def definition(name: str, signature: str, first: str | None, factory: bool) -> str:
    """One `def` line; `first` replaces the first parameter (`self` of a method)."""
    inside, result = re.match(r"\w+\((.*)\)(?: -> (.*))?$", signature, re.S).groups()
    parts = split(inside)
    if first:
        parts = [first, *parts[1:]]
    lists = [p for p in parts if ": int[]" in p]
    parameters = [p if p in ("*", first) else parameter(p, False) for p in parts]
    if lists and not first or (lists and len(parts) > 1 and parts[1] in lists):
        parameters = [parameters[0] if first else "*args: Any"] + (["*args: Any"] if first else [])
        parameters += ["**kwargs: Any"]
    else:
        if "*" not in parameters:
            parameters.append("*")
        parameters.append("out: Any = ...")
        if factory:
            parameters.append("**kwargs: Any")
    returns = "Any"
    if result == "Tensor":
        returns = "Tensor"
    elif result == "Tensor[]":
        returns = "tuple[Tensor, ...]"
    return f"def {name}({', '.join(parameters)}) -> {returns}: ..."


def registry_lines(method: bool) -> list[str]:
    by_name: dict[str, list[str]] = {}
    for op in _core._registry():
        space, _, full = op["name"].rpartition(".")
        if space or (method and not op["method"]):
            continue
        name = full.split(":")[0]
        factory = op["kind"] == "factory" or name.endswith("_like")
        for spelling in [name] + ([name + "_"] if op["in_place"] else []):
            line = definition(spelling, op["signature"], "self" if method else None, factory)
            lines = by_name.setdefault(spelling, [])
            if line not in lines:
                lines.append(line)
    out = []
    for name in sorted(by_name):
        for line in by_name[name]:
            if len(by_name[name]) > 1:
                out.append("@overload")
            out.append(line)
    return out


def tensor_lines() -> list[str]:
    made = {op["name"].split(":")[0] for op in _core._registry() if op["method"]}
    lines = []
    for name, value in sorted(vars(_core.Tensor).items()):
        base = name[:-1] if name.endswith("_") and not name.endswith("__") else name
        if name in ("__doc__", "__module__", "__weakref__", "__dict__", "__new__", "__hash__"):
            continue
        if base in made or name in made:
            continue
        if inspect.isgetsetdescriptor(value) or isinstance(value, property):
            lines.append(f"{name}: Any")
        else:
            lines.append(f"def {name}(self, *args: Any, **kwargs: Any) -> Any: ...")
    return lines


def render() -> str:
    import adjoint  # noqa: F401  (adds the methods that are written in Python)

    made = {op["name"].split(":")[0] for op in _core._registry() if "." not in op["name"]}
    text = [HEADER.replace("from typing", "from builtins import bool as builtins_bool\nfrom typing")]
    text.append("class Tensor:")
    text += ["    " + line for line in tensor_lines() + registry_lines(method=True)]
    text.append("")
    for name in sorted(vars(_core)):
        value = getattr(_core, name)
        base = name[:-1] if name.endswith("_") else name
        if name == "Tensor" or name.startswith("__") or base in made:
            continue
        if isinstance(value, type):
            text.append(f"class {name}:")
            text.append("    def __init__(self, *args: Any, **kwargs: Any) -> None: ...")
            text.append("    def __getattr__(self, name: str) -> Any: ...")
        elif callable(value):
            text.append(f"def {name}(*args: Any, **kwargs: Any) -> Any: ...")
        else:
            text.append(f"{name}: Any")
    text += ["", *registry_lines(method=False), ""]
    return "\n".join(text)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the file is stale")
    text = render()
    if parser.parse_args().check:
        if TARGET.read_text() == text:
            return 0
        print(f"{TARGET.name} is stale: run python tools/stubs.py", file=sys.stderr)
        return 1
    TARGET.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
