"""The cases of all families, and which of them a check applies to."""

import importlib
from pathlib import Path

import pytest

from ops import matrix
from ops.case import CASES, start_family
from ops.matrix import REGISTRY

FAMILIES = sorted(p.stem[6:] for p in Path(__file__).parent.glob("cases_*.py"))
BROKEN = {}
for _family in FAMILIES:
    start_family(_family)
    try:
        importlib.import_module(f"ops.cases_{_family}")
    except Exception as error:
        BROKEN[_family] = error
KNOWN = [c for c in CASES.values() if c.name in REGISTRY]


def cases(applies=lambda c: True, aliases=False):
    """Runs a test for each case that it applies to; for second names only if asked."""
    chosen = [c for c in KNOWN if (aliases or not c.alias_of) and applies(c)]
    ids = [f"{c.family}-{c.name}" for c in chosen]
    return pytest.mark.parametrize("case", chosen, ids=ids)


def kind(case):
    return REGISTRY[case.name]["kind"]


def differentiable(case):
    if not case.grad or kind(case) in ("constant", "factory"):
        return False
    return any(matrix.variables_of(call) for call in case.draw())
