"""The code in the documentation runs as it stands."""

from __future__ import annotations

import gc
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from dfns_signers import load_signer
from dfns_signers.emulator import Emulator
from tests.core.cli.support import PROGRAM, Started
from tests.support import ROOT
from tests.support.pages import blocks

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = sorted([ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/README.md")])
CREDENTIAL_ID = "Y2ktM3E5Y2Y"
RUNNABLE = [code for code in blocks(README, "python") if "def test_" not in code]

# The suite runs where nothing but Python and make is installed; the README's commands need openssl.
OPENSSL = """#!{python}
import sys
from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
if sys.argv[1:5] == ["genpkey", "-algorithm", "ed25519", "-out"]:
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(s.Encoding.PEM, s.PrivateFormat.PKCS8, s.NoEncryption())
    open(sys.argv[5], "wb").write(pem)
elif sys.argv[1:3] == ["pkey", "-in"] and sys.argv[4] == "-pubout":
    key = s.load_pem_private_key(open(sys.argv[3], "rb").read(), None).public_key()
    pem = key.public_bytes(s.Encoding.PEM, s.PublicFormat.SubjectPublicKeyInfo)
    target = open(sys.argv[6], "w") if sys.argv[5:6] == ["-out"] else sys.stdout
    target.write(pem.decode())
else:
    sys.exit("this stand-in knows the commands of the README only")
"""


def _write_stand_in_for_openssl(folder: Path) -> None:
    folder.mkdir()
    program = folder / "openssl"
    program.write_text(OPENSSL.format(python=sys.executable), encoding="utf-8")
    program.chmod(0o755)


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], str]:
    """Runs lines in a new home folder; returns what they print."""
    if shutil.which("openssl") is None:
        _write_stand_in_for_openssl(tmp_path / "bin")
        monkeypatch.setenv("PATH", str(tmp_path / "bin"), prepend=os.pathsep)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)

    def run(lines: str) -> str:
        done = subprocess.run(
            ["sh", "-e", "-c", lines], stdout=subprocess.PIPE, text=True, check=True, timeout=60
        )
        return done.stdout

    return run


@pytest.fixture
def configured(
    dfns_emulator: Emulator,
    shell: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the README has told its reader to set up by then, with the emulator for Dfns."""
    make_key, *_ = blocks(README, "sh")
    (config,) = blocks(README, "toml")
    dfns_emulator.enrol(shell(make_key).encode(), CREDENTIAL_ID)
    folder = tmp_path / ".config" / "dfns-signers"
    (folder / "config.toml").write_text(config, encoding="utf-8")
    for token in ("DFNS_LAPTOP_TOKEN", "DFNS_AUTH_TOKEN"):
        monkeypatch.setenv(token, dfns_emulator.auth_token)
    monkeypatch.setenv("DFNS_BASE_URL", dfns_emulator.url)
    monkeypatch.setenv("DFNS_CREDENTIAL_ID", CREDENTIAL_ID)
    monkeypatch.chdir(folder)


def test_readme_key_is_found_and_no_one_else_can_read_it(
    configured: None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with load_signer() as signer:
        assert signer.credential_id == CREDENTIAL_ID
        assert signer.key.reference == f"file {tmp_path}/.config/dfns-signers/key.pem"
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_readme_emulator_works_without_an_account(
    shell: Callable[[str], str], tmp_path: Path
) -> None:
    _, first, second = blocks(README, "sh")
    *make_key, start = first.splitlines()
    shell("\n".join(make_key))
    program, *arguments = start.replace(":8080", ":0").split()
    assert program == Path(PROGRAM).name

    with Started(*arguments) as emulator:
        url = json.loads(emulator.line())["url"]
        wallet = json.loads(shell(second.replace("http://127.0.0.1:8080", url)))

    assert wallet["network"] == "EthereumSepolia"


@pytest.mark.parametrize("code", RUNNABLE)
@pytest.mark.usefixtures("configured")
def test_readme_example_creates_a_wallet(
    code: str, dfns_emulator: Emulator, capsys: pytest.CaptureFixture[str]
) -> None:
    with warnings.catch_warnings():
        # The official SDK's client has no way to be closed.
        warnings.simplefilter("ignore", ResourceWarning)
        exec(compile(code, "README.md", "exec"), {})
        gc.collect()

    created = [r for r in dfns_emulator.requests if (r.method, r.raw_path) == ("POST", "/wallets")]
    assert len(created) == 1
    assert "wa-" in capsys.readouterr().out


def test_readme_test_of_a_user_passes(dfns_emulator: Emulator) -> None:
    (code,) = [code for code in blocks(README, "python") if "def test_" in code]
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)

    names["test_creates_a_wallet"](dfns_emulator)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("page", "code"),
    [
        (page.name, code)
        for page in PAGES
        for code in blocks(page.read_text(encoding="utf-8"), "python")
    ],
)
def test_example_is_valid_python(page: str, code: str) -> None:
    compile(code, page, "exec")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_link_leads_to_a_file_of_the_repository(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))

    assert [t for t in targets if not (page.parent / t).exists()] == []
