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

import adjoint
from adjoint import _core

TARGET = Path(__file__).resolve().parent.parent / "src" / "adjoint" / "_core.pyi"

HEADER = '''"""Made by tools/stubs.py from the registry of operators: do not edit."""

from builtins import bool as builtins_bool
from builtins import complex as builtins_complex
from typing import Any, Sequence

_Number = int | float | bool | builtins_complex
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


def parameter(text: str) -> str:
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


def definition(name: str, signature: str, method: bool, factory: bool) -> str:
    """One `def` line of an operator with a single signature."""
    inside, result = re.match(r"\w+\((.*?)\)(?: -> (.*))?$", signature, re.S).groups()
    parts = split(inside)
    returns = {"Tensor": "Tensor", "Tensor[]": "tuple[Tensor, ...]"}.get(result, "Any")
    spread = [i for i, p in enumerate(parts) if ": int[]" in p and i <= method]
    if spread:  # view(2, 3) is view((2, 3))
        parameters = ["self"] * method + ["*args: Any", "**kwargs: Any"]
    else:
        parameters = ["self"] if method else []
        parameters += [p if p == "*" else parameter(p) for p in parts[method:]]
        if "*" not in parameters:
            parameters.append("*")
        parameters.append("**kwargs: Any")
        if parameters[-2] == "*":
            parameters.pop(-2)
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
            line = definition(spelling, op["signature"], method, factory)
            by_name.setdefault(spelling, []).append(line)
    out = []
    for name, lines in sorted(by_name.items()):
        if method and in_python(name):
            continue
        if not method and getattr(adjoint, name, None) is not getattr(_core, name):
            out.append(f"{name}: Any")  # another one of that name is written in Python
            continue
        several = f"def {name}({'self, ' * method}*args: Any, **kwargs: Any) -> Any: ..."
        out.append(lines[0] if len(lines) == 1 else several)
    return out


def tensor_lines() -> list[str]:
    """Members of Tensor that are not made from the registry: methods in Python may replace them."""
    skipped = ("__doc__", "__module__", "__weakref__", "__dict__", "__new__", "__hash__")
    made = registry_names(method=True)
    return [
        f"{name}: Any"
        for name in sorted(vars(_core.Tensor))
        if name not in skipped and (name not in made or in_python(name))
    ]


def registry_names(method: bool) -> set[str]:
    names = set()
    for op in _core._registry():
        name = op["name"].split(":")[0]
        if "." not in name and (op["method"] or not method):
            names |= {name, name + "_"} if op["in_place"] else {name}
    return names


def in_python(name: str) -> bool:
    return inspect.isfunction(vars(_core.Tensor).get(name))


def render() -> str:
    made = registry_names(method=False)
    text = [HEADER]
    text.append("class Tensor:")
    text += ["    " + line for line in tensor_lines() + registry_lines(method=True)]
    text.append("")
    for name in sorted(vars(_core)):
        value = getattr(_core, name)
        if name == "Tensor" or name.startswith("__") or name in made:
            continue
        if isinstance(value, type):
            text.append(f"class {name}:")
            text.append("    def __init__(self, *args: Any, **kwargs: Any) -> None: ...")
            text += [f"    {n}: Any" for n in sorted(vars(value)) if not n.startswith("__")]
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
