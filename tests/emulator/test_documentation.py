from __future__ import annotations

import re
from pathlib import Path

from dfns_signers.emulator.resources import build_router

GUIDE = Path(__file__).parents[2] / "docs" / "emulator.md"


def test_table_of_operations_is_complete() -> None:
    _, _, table = GUIDE.read_text("utf-8").partition("## Operations")
    documented = {
        (method, template)
        for template, methods in re.findall(
            r"^\| `(/[^`]+)` \| ([A-Z, ]+) \|$", table, re.MULTILINE
        )
        for method in methods.split(", ")
    }

    emulated = {(route.method, route.template) for route in build_router().routes}

    assert documented == emulated
