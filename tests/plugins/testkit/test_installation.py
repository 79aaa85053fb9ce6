"""Where servers are looked for, and what installs them."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from dfns_signers_testkit.aws import LOCALSTACK, MINISTACK
from dfns_signers_testkit.installation import Installation
from dfns_signers_testkit.servers import ServerStartError
from dfns_signers_testkit.vault import OPENBAO
from tests.support import ROOT

EACH = pytest.mark.parametrize(
    "installation",
    [LOCALSTACK.installation, MINISTACK.installation, OPENBAO],
    ids=lambda one: one.name,
)


def pins_of(installation: Installation) -> dict[str, str]:
    """What ``make`` installs."""
    name = installation.folder.removeprefix(".venv-")
    file = ROOT / "localstack" / "requirements" / f"{name}.txt"
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    pins = (line.split("==") for line in lines)
    return {canonicalize_name(name): version for name, version in pins}


@EACH
def test_command_of_the_error_and_make_install_the_same_server(installation: Installation) -> None:
    pins = pins_of(installation)

    for one in map(Requirement, installation.requirements):
        assert one.specifier.contains(pins[canonicalize_name(one.name)])


@EACH
def test_command_installs_where_the_server_is_looked_for(installation: Installation) -> None:
    words = shlex.split(installation.command())

    assert words == [
        *("python3", "-m", "venv", installation.folder, "&&"),
        *(f"{installation.folder}/bin/pip", "install", *installation.requirements),
    ]
    assert installation.program.startswith("bin/")


@EACH
def test_variable_names_another_program(installation: Installation) -> None:
    assert installation.find({installation.variable: sys.executable}) == Path(sys.executable)


@EACH
def test_variable_that_names_no_file_is_an_error_that_says_so(
    installation: Installation, tmp_path: Path
) -> None:
    missing = tmp_path / "missing"

    with pytest.raises(ServerStartError, match=f"{installation.variable} names {missing}, which"):
        installation.find({installation.variable: str(missing)})


def test_program_is_found_in_the_environment_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / OPENBAO.folder / OPENBAO.program
    program.parent.mkdir(parents=True)
    program.touch()
    monkeypatch.chdir(tmp_path)

    assert OPENBAO.find({}) == program
