"""Every defence of the threat model is held by a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support import ROOT

ROWS = re.findall(
    r"^\|.*\| `([\w/]+\.py)::(test_\w+)` \|$",
    (ROOT / "docs/security.md").read_text(encoding="utf-8"),
    re.MULTILINE,
)


def functions_in(path: Path) -> set[str]:
    """The names of the functions in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize(("file", "test"), ROWS)
def test_defence_is_held_by_a_test_that_exists(file: str, test: str) -> None:
    assert test in functions_in(ROOT / "tests" / file)


def test_every_line_of_the_model_names_a_test() -> None:
    page = (ROOT / "docs/security.md").read_text(encoding="utf-8")
    table = page.partition("## Threat model")[2].partition("\n## ")[0]
    lines = [line for line in table.splitlines() if line.startswith("|")]

    assert len(ROWS) == len(lines) - 2
