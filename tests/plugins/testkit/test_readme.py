"""The suite of a user, as plugins/testkit/README.md shows it, passes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from dfns_signers_testkit.aws import LOCALSTACK, MINISTACK
from dfns_signers_testkit.vault import OPENBAO
from tests.support import ROOT
from tests.support.pages import blocks

README = (ROOT / "plugins" / "testkit" / "README.md").read_text(encoding="utf-8")
BLOCKS = blocks(README, "python")
SUITE = dict(re.findall(r"# (test_\w+\.py)\n(.*)", block, re.DOTALL)[0] for block in BLOCKS[:3])
INSTALLATIONS = (LOCALSTACK.installation, MINISTACK.installation, OPENBAO)


@pytest.fixture
def users_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the virtual environments that the errors tell to make."""
    for installation in INSTALLATIONS:
        (tmp_path / installation.folder).symlink_to(ROOT / installation.folder)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


def test_suite_of_the_page_passes_without_any_other_file(users_project: Path) -> None:
    for name, code in SUITE.items():
        (users_project / name).write_text(code, encoding="utf-8")

    done = run([sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"])

    assert "3 passed" in done.stdout, done.stdout


@pytest.mark.usefixtures("users_project")
def test_example_without_pytest_prints_the_aliases() -> None:
    done = run([sys.executable, "-c", BLOCKS[3]])

    assert re.match(r"http://127\.0\.0\.1:\d+ .*'alias/dfns-es256k'", done.stdout), done.stderr


@pytest.mark.usefixtures("users_project")
def test_every_fixture_is_in_the_page() -> None:
    done = run([sys.executable, "-m", "pytest", "--fixtures"])

    ours = r"^(\w+) \[session scope\] -- .*dfns_signers_testkit"
    offered = re.findall(ours, done.stdout, re.MULTILINE)
    assert offered
    assert set(re.findall(r"^\| `(\w+)` \|", README, re.MULTILINE)) == set(offered)


def test_every_installation_is_in_the_page_with_its_variable() -> None:
    for installation in INSTALLATIONS:
        assert f"| `{installation.folder}` | `{installation.variable}`, " in README
