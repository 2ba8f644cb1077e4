"""Pages of the site that are made from something else: the first one, and that of the functions."""

import re
from pathlib import Path
from types import BuiltinFunctionType

DOCS = Path(__file__).parent
README = DOCS.parent / "README.md"


def on_config(config):
    pages = sorted((DOCS / "decisions").glob("*.md"))
    config.nav.append({"Decisions": [f"decisions/{page.name}" for page in pages]})


def on_page_markdown(markdown, page, **_):
    if page.file.src_uri == "index.md":
        return first_page()
    if page.file.src_uri == "reference/functions.md":
        return markdown + functions()
    return markdown


def first_page():
    """The README; what lies outside docs/ has no page on the site, so its links become words."""
    text = re.sub(r"\[([^\]]*)\]\((?!https?:|docs/)[^)]*\)", r"\1", README.read_text())
    return text.replace("](docs/", "](")


def functions():
    """Every operator of the core, with the signatures and the text of its definition."""
    import adjoint

    found = {name: getattr(adjoint, name) for name in dir(adjoint) if not name.startswith("_")}
    return "".join(
        f"\n## {name}\n\n{markdown_of(function.__doc__)}\n"
        for name, function in sorted(found.items())
        if isinstance(function, BuiltinFunctionType) and function.__doc__
    )


def markdown_of(docstring):
    """Signatures (`name(...) -> type`) and examples (`>>> ...`) become blocks of code."""
    text = re.sub(r"^(\w+\(.*\) -> .*)$", r"```python\n\1\n```\n", docstring, flags=re.M)
    return re.sub(r"^(>>> (?:.+\n?)+)", r"```pycon\n\1\n```\n", text, flags=re.M)
