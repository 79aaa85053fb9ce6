"""Every defence of the threat models is held by a test that exists."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.pages import rows, section

PAGES = {"security.md": "Threat model", "gateway-threats.md": "Threats"}
HELD_BY = re.compile(r"^\|.*\| `([\w/]+\.py)::(test_\w+)` \|$", re.MULTILINE)
ROWS = [row for page, title in PAGES.items() for row in HELD_BY.findall(section(page, title))]


def functions_in(path: Path) -> set[str]:
    """The names of the functions in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name for node in ast.walk(tree) if isinstance(node, kinds)}


@pytest.mark.parametrize(("file", "test"), ROWS)
def test_defence_is_held_by_a_test_that_exists(file: str, test: str) -> None:
    assert test in functions_in(ROOT / "tests" / file)


@pytest.mark.parametrize(("page", "title"), PAGES.items())
def test_every_line_of_the_model_names_a_test(page: str, title: str) -> None:
    text = section(page, title)

    assert len(HELD_BY.findall(text)) == len(rows(text))
