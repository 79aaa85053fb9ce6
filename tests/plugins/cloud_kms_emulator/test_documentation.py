"""The README says what the code says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from cloud_kms_emulator.algorithms import ALGORITHMS
from cloud_kms_emulator.command_line import main

ROOT = Path(__file__).parents[3]
README = (ROOT / "plugins" / "cloud-kms-emulator" / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def calls_table() -> str:
    operations = CloudKmsEmulator()._dispatcher._operations
    return "\n".join(
        f"| `{name}` | `cloudkms.{one.permission}` |" for name, one in operations.items()
    )


def test_every_call_of_the_emulator_is_in_the_readme_with_its_permission() -> None:
    assert f"|---|---|\n{calls_table()}\n\n" in README


def test_every_algorithm_of_the_emulator_is_in_the_readme() -> None:
    _, _, rest = README.partition("Algorithms: ")

    assert re.findall(r"`([A-Z0-9_]+)`", rest.partition(".\n")[0]) == list(ALGORITHMS)


def test_faults_in_the_readme_can_be_loaded() -> None:
    (faults,) = [json.loads(block) for block in blocks("json") if "method" in block]
    emulator = CloudKmsEmulator()

    emulator.faults.load(faults)

    assert len(emulator.faults) == len(faults) == 4


def test_every_option_of_the_command_line_is_in_the_readme(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])

    offered = set(re.findall(r"^  (--[a-z-]+)", capsys.readouterr().out, re.MULTILINE))
    assert {name for name in offered if f"| `{name} " in README} == offered
    assert offered


def test_test_in_the_readme_runs() -> None:
    (code,) = [block for block in blocks("python") if "def test_" in block]
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)

    with CloudKmsEmulator() as emulator:
        names["test_of_yours"](emulator)
        assert len(emulator.faults) == 1
