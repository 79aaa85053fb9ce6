"""``docs/audit.md`` says what is so, and its scripts verify a trail."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from dfns_signers.audit.settings import AuditSettings
from dfns_signers.config.loading import load_profile
from tests.core.audit.trails import lines, write
from tests.core.config.support import write_config
from tests.support.pages import DOCS, blocks, option_rows, rows, section

PAGE = "audit.md"
TEXT = (DOCS / PAGE).read_text(encoding="utf-8")
(SCRIPT,) = blocks(TEXT, "python")
SHELL = blocks(section(PAGE, "Verify it"), "sh")[1]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "audit.jsonl"
    write(file, 3)
    return file


def run(script: str, file: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script, file.name],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_settings_are_those_of_the_model() -> None:
    assert rows(section(PAGE, "Settings")) == option_rows(AuditSettings)


def test_example_of_a_profile_is_loaded(tmp_path: Path) -> None:
    (example,) = blocks(TEXT, "toml")

    audit = load_profile("production", config=write_config(tmp_path, example)).settings.audit

    assert audit is not None
    assert audit.file == Path("/var/lib/payments/audit.jsonl")


def test_script_of_the_page_accepts_a_trail_and_prints_its_head(file: Path) -> None:
    done = run(SCRIPT, file)

    assert (done.returncode, done.stdout.strip()) == (0, lines(file)[-1]["hash"])


@pytest.mark.parametrize("change", ["changed", "removed"])
def test_script_of_the_page_finds_a_change(file: Path, change: str) -> None:
    content = file.read_bytes().splitlines(keepends=True)
    if change == "changed":
        content[2] = content[2].replace(b"signed", b"failed")
    else:
        del content[2]
    file.write_bytes(b"".join(content))

    done = run(SCRIPT, file)

    assert done.returncode == 1
    assert re.search("record 3 was changed|after record 2 does not follow", done.stderr)


def test_shell_of_the_page_prints_the_hash_of_each_line(file: Path) -> None:
    done = subprocess.run(
        ["sh", "-e", "-c", SHELL],
        cwd=file.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout.split() == [line["hash"] for line in lines(file)]
