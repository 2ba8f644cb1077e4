"""Pages of the site that are made from something else: the README, operators, examples, tests."""

import ast
import logging
import re
import sys
from pathlib import Path
from types import BuiltinFunctionType

DOCS = Path(__file__).parent
ROOT = DOCS.parent
log = logging.getLogger("mkdocs.hooks")


def on_config(config):
    pages = sorted((DOCS / "decisions").glob("*.md"))
    config.nav.append({"Decisions": [f"decisions/{page.name}" for page in pages]})


def on_page_markdown(markdown, page, **_):
    made = {
        "examples.md": examples,
        "supported.md": supported,
        "reference/functions.md": lambda: functions(""),
        "reference/nn-functional.md": lambda: functions("nn.functional"),
        "reference/linalg.md": lambda: functions("linalg"),
        "reference/fft.md": lambda: functions("fft"),
        "reference/special.md": lambda: functions("special"),
    }
    if page.file.src_uri == "index.md":
        return first_page()
    if page.file.src_uri in made:
        return markdown + made[page.file.src_uri]()
    return markdown


def first_page():
    """The README; what lies outside docs/ has no page on the site: its links become words."""
    text = re.sub(
        r"\[([^\]]*)\]\((?!https?:|docs/)[^)]*\)", r"\1", (ROOT / "README.md").read_text()
    )
    return text.replace("](docs/", "](")


def functions(space):
    """The operators of a namespace, with the signatures and the text of their definitions."""
    import adjoint
    from adjoint import _core

    if space:
        found = _core._namespaces[space]
    else:
        found = {name: getattr(adjoint, name) for name in dir(adjoint)}
    return "".join(
        f"\n## {name}\n\n{markdown_of(function.__doc__)}\n"
        for name, function in sorted(found.items())
        if isinstance(function, BuiltinFunctionType) and function.__doc__ and name[0] != "_"
    )


def markdown_of(docstring):
    """Signatures (`name(...) -> type`) and examples (`>>> ...`) become blocks of code."""
    text = re.sub(r"^([\w.]+\(.*\) -> .*)$", r"```python\n\1\n```\n", docstring, flags=re.M)
    return re.sub(r"^(>>> (?:.+\n?)+)", r"```pycon\n\1\n```\n", text, flags=re.M)


def examples():
    """Each example: its docstring, the pictures that are kept of it, its source folded away."""
    text = ""
    for path in sorted((ROOT / "examples").glob("[!_]*.py")):
        source = path.read_text()
        title, usage, *rest = ast.get_docstring(ast.parse(source)).split("\n\n")
        folded = "".join(f"    {line}\n" if line else "\n" for line in source.splitlines())
        pictures = sorted((DOCS / "pictures").glob(f"{path.stem}-*.png"))
        text += f"\n## {path.stem}\n\n{title}\n\n```text\n{usage.strip()}\n```\n\n"
        text += "\n\n".join(rest) + "\n\n"
        text += "".join(f"![{p.stem.replace('-', ' ')}](pictures/{p.name})\n\n" for p in pictures)
        text += f'??? example "{path.name}"\n\n    ```python\n{folded}    ```\n'
    return text


def supported():
    """Tables of the operators of each namespace, and what the test matrix checks of each."""
    sys.path.insert(0, str(ROOT / "tests"))
    try:
        from ops import collect
    except ImportError as error:
        log.info("no table of what is supported: the tests need %s", error.name)
        return f"\nThe table is missing: to build it the tests need `{error.name}`.\n"
    finally:
        sys.path.pop(0)

    spaces = {}
    for case in collect.KNOWN:
        space, _, name = case.name.rpartition(".")
        if not space.startswith("_") and not name.startswith("_"):
            spaces.setdefault(space, []).append((name, collect.kind(case), checks(case, collect)))
    total = sum(map(len, spaces.values()))
    text = f"\n{total} operators, overloads and second names counted.\n"
    for space in sorted(spaces):
        rows = sorted(spaces[space])
        text += f"\n## {f'adjoint.{space}'.rstrip('.')}\n\n"
        text += "| operator | kind | reference | reverse | forward | second | vmap |\n"
        text += "|---|---|:-:|:-:|:-:|:-:|:-:|\n"
        for name, kind, marks in [*rows, (f"*of {len(rows)}*", "", sums(rows))]:
            name = name if name[0] == "*" else f"`{name}`"
            text += f"| {name} | {kind} | {' | '.join(marks)} |\n"
    return text


def checks(case, collect):
    """The marks of one operator; where a check is off, the reason that the case gives."""
    said = lambda check: "✓" if check is True else str(check or "no").replace("|", "\\|")
    derived = collect.differentiable(case)
    reference = "✓" if case.reference else "–"
    orders = ["✓", "✓", said(case.second)] if derived else ["·"] * 3
    return [reference, *orders, "·" if collect.kind(case) == "factory" else said(case.vmap)]


def sums(rows):
    return [str(sum(mark == "✓" for mark in column)) for column in zip(*(row[2] for row in rows))]
