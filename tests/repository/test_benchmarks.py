"""Each area of ``make bench`` can be measured, and the documentation names those that exist."""

from __future__ import annotations

import re
from importlib import import_module

import pytest

from bench import areas
from tests.support import ROOT

PAGES = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/README.md")]
ARGUMENTS = re.compile(r'make bench ARGS=(?:"([^"]+)"|(\w+))')


def areas_named_in(text: str) -> set[str]:
    given = [word for several, one in ARGUMENTS.findall(text) for word in (several or one).split()]
    return {word for word in given if not word.startswith("-")}


@pytest.mark.parametrize("area", areas.names())
def test_area_can_be_imported_and_has_rows(area: str) -> None:
    assert callable(import_module(f"bench.{area}").rows)


def test_documentation_names_areas_that_exist() -> None:
    named = {area for page in PAGES for area in areas_named_in(page.read_text(encoding="utf-8"))}

    assert named
    assert named <= set(areas.names())
