"""docs/delegated-signing.md quotes the example as it is."""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import indent

import pytest

PAGE = Path("docs/delegated-signing.md")
EXAMPLE = Path("examples/delegated_signing")
QUOTATION = re.compile(
    r"^\[`(?P<file>[^`]+)`\]\(\S+\):\n\n```\w+\n(?P<code>.*?)\n```$", re.MULTILINE | re.DOTALL
)
QUOTATIONS = [found.group("file", "code") for found in QUOTATION.finditer(PAGE.read_text("utf-8"))]


def test_both_sides_of_a_signature_are_quoted() -> None:
    assert {file for file, _ in QUOTATIONS} == {"app.py", "page/passkeys.js"}


@pytest.mark.parametrize(("file", "code"), QUOTATIONS)
def test_quoted_functions_are_in_the_example(file: str, code: str) -> None:
    source = (EXAMPLE / file).read_text("utf-8")

    for function in re.split(r"\n\n+(?=\S)", code):
        as_method = indent(function, "    ")
        assert function in source or as_method in source
