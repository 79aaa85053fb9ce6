"""What systemd and hadolint say of the files in ``deploy/gateway``: ``make deployment``."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.support import ROOT

FOLDER = ROOT / "deploy" / "gateway"
BIN = Path(sys.executable).parent
MOST_EXPOSED = 20  # of 100, as ``systemd-analyze security`` counts


def run(*words: object) -> str:
    """What a tool says, which must find nothing."""
    program = shutil.which(str(words[0]))
    assert program is not None, f"{words[0]} not found: apt-get install systemd"
    done = subprocess.run(
        [program, *map(str, words[1:])], capture_output=True, text=True, check=False
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "dfns-gateway.service"
    text = (FOLDER / unit.name).read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/dfns-signers/bin", str(BIN)), encoding="utf-8")

    assert run("systemd-analyze", "verify", "--man=no", unit) == ""


def test_unit_is_as_confined_as_systemd_knows_how() -> None:
    unit = FOLDER / "dfns-gateway.service"

    run("systemd-analyze", "security", "--offline=yes", f"--threshold={MOST_EXPOSED}", unit)


def test_dockerfile_has_no_known_mistake() -> None:
    assert run(BIN / "hadolint", FOLDER / "Dockerfile") == ""
