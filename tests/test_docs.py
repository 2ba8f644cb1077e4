"""What the README and the pages under docs/ say is true: their code runs, their links lead on.

The Python blocks of a page are one program, run from top to bottom. A block of `>>>` lines is
checked against the output that it shows. A block under the comment `<!-- not run -->` is left out.
"""

import doctest
import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^(<!-- not run -->\n+)?```(?:python|pycon)\n(.*?)^```$", re.M | re.S)
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")


def name(page):
    return str(page.relative_to(ROOT))


def code_blocks(text):
    """The first line's number and the text of each block that is to be run."""
    for match in BLOCK.finditer(text):
        if not match[1]:
            yield text.count("\n", 0, match.start(2)), match[2]


def run(block, line, page, namespace):
    if block.lstrip().startswith(">>>"):
        example = doctest.DocTestParser().get_doctest(block, namespace, name(page), str(page), line)
        doctest.DebugRunner(optionflags=doctest.ELLIPSIS).run(example, clear_globs=False)
        namespace.update(example.globs)  # the parser works on a copy
    else:
        # The empty lines make errors point at the line of the page.
        exec(compile("\n" * line + block, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_code_runs(page):
    blocks = list(code_blocks(page.read_text()))
    if not blocks:
        pytest.skip("no code on this page")
    namespace = {"__name__": page.stem}
    for line, block in blocks:
        run(block, line, page, namespace)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_to_files(page):
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def test_the_demonstration_learns_to_read_digits(tmp_path):
    digits = load(ROOT / "examples" / "digits.py")
    digits.torch.manual_seed(0)
    training, held_out = digits.load_digits()
    network = digits.make_network()
    history = digits.train(network, training, held_out, epochs=8, quiet=True)
    _, accuracy, predicted = digits.evaluate(network, *held_out)
    assert accuracy >= 0.97

    digits.matplotlib.use("Agg")
    digits.draw_curves(history, tmp_path / "curves.png")
    digits.draw_predictions(
        *(t.numpy() for t in (*held_out, predicted)), tmp_path / "predictions.png"
    )
    for picture in ("curves.png", "predictions.png"):
        assert (tmp_path / picture).read_bytes().startswith(b"\x89PNG")


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
