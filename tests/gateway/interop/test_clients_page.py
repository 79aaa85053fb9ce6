"""docs/gateway-clients.md names the versions that were tried."""

from __future__ import annotations

import json
from importlib.metadata import version

from tests.support import ROOT
from tests.support.pages import rows, section

TRIED = {
    row.split("|")[1].strip(): row.split("|")[2].strip()
    for row in rows(section("gateway-clients.md", "What was tried"))
}


def test_version_of_the_python_sdk_is_the_one_of_the_tests() -> None:
    assert TRIED["`dfns_sdk`"] == version("dfns_sdk")


def test_versions_of_the_typescript_sdk_are_those_of_the_tests() -> None:
    package = json.loads((ROOT / "tests/official_sdks/package.json").read_text(encoding="utf-8"))
    names = package["dependencies"]

    assert TRIED[", ".join(f"`{name}`" for name in names)] == ", ".join(names.values())
