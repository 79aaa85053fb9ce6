"""The README says what the code says."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from cloud_kms_emulator.algorithms import ALGORITHMS
from cloud_kms_emulator.command_line import main
from cloud_kms_emulator.iam import IamOperations
from cloud_kms_emulator.operations import operations
from cloud_kms_emulator.permissions import Permissions
from cloud_kms_emulator.resources import ResourceOperations
from cloud_kms_emulator.signing import SigningOperations
from cloud_kms_emulator.store import Store
from tests.plugins.cloud_kms_emulator.conftest import plain_client
from tests.support import ROOT
from tests.support.pages import blocks

README = (ROOT / "plugins" / "cloud-kms-emulator" / "README.md").read_text(encoding="utf-8")


def calls_table() -> str:
    store = Store(time.time, generation_delay=0.0)
    table = operations(
        ResourceOperations(store, page_size=1),
        SigningOperations(store),
        IamOperations(store, Permissions()),
    )
    return "\n".join(
        f"| `{name}` | {f'`cloudkms.{one.permission}`' if one.permission else 'none'} |"
        for name, one in table.items()
    )


def test_every_call_of_the_emulator_is_in_the_readme_with_its_permission() -> None:
    assert f"|---|---|\n{calls_table()}\n\n" in README


def test_every_algorithm_of_the_emulator_is_in_the_readme() -> None:
    _, _, rest = README.partition("Algorithms: ")

    assert re.findall(r"`([A-Z0-9_]+)`", rest.partition(".\n")[0]) == list(ALGORITHMS)


def test_faults_in_the_readme_can_be_loaded() -> None:
    (faults,) = [json.loads(block) for block in blocks(README, "json") if "method" in block]
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


def test_commands_for_versions_in_the_readme_change_the_version_of_the_readme(
    capsys: pytest.CaptureFixture[str],
) -> None:
    (block,) = [one for one in blocks(README, "sh") if " versions " in one]
    ((key, algorithm),) = set(re.findall(r"--key (projects\S+)=(\w+)", README))
    with CloudKmsEmulator() as emulator:
        emulator.add_version(key, algorithm)
        for line in block.replace("\\\n", " ").splitlines():
            program, *words = shlex.split(line)
            assert program == "cloud-kms-emulator"
            assert main([*words, "--endpoint", emulator.endpoint]) == 0

    states = [line.partition(": ")[2][:17] for line in capsys.readouterr().out.splitlines()]
    assert states == ["DISABLED", "ENABLED", "DESTROY_SCHEDULED", "DISABLED"]


def test_python_in_the_readme_is_a_suite_that_passes(tmp_path: Path) -> None:
    suite = tmp_path / "test_readme.py"
    suite.write_text("\n".join(blocks(README, "python")), encoding="utf-8")

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", suite],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert "1 passed" in done.stdout, done.stdout


def test_command_in_the_readme_starts_an_emulator_with_the_version_it_names() -> None:
    (command,) = re.findall(r"^cloud-kms-emulator (.*\\\n.*)$", README, re.MULTILINE)
    (version,) = re.findall(r"^The key has one version, `(.*)`\.$", README, re.MULTILINE)
    arguments = shlex.split(command.replace(":8085", ":0").replace("\\\n", " "))

    with subprocess.Popen(
        [sys.executable, "-m", "cloud_kms_emulator", *arguments], stdout=subprocess.PIPE
    ) as process:
        try:
            assert process.stdout is not None
            announced = json.loads(process.stdout.readline())
            with plain_client(announced["target"]) as client:
                assert client.get_public_key(name=version).pem
        finally:
            process.terminate()
