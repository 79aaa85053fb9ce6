"""``docs/from-a-pem-to-a-kms.md`` works as it stands, from its first command to its last line."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers import DfnsClient
from dfns_signers.errors import CredentialNotAllowedError
from tests.core.cli.support import Started
from tests.support.pages import DOCS

PAGE: Final = (DOCS / "from-a-pem-to-a-kms.md").read_text(encoding="utf-8")
STEPS: Final = re.findall(r"^```(sh|python)\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
ADDRESS: Final = "http://127.0.0.1:8080"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def key_store() -> Iterator[str]:
    with CloudKmsEmulator() as emulator:
        yield emulator.endpoint


@pytest.fixture
def local_api(home: Path) -> Iterator[str]:
    with Started("emulator", "--admin", "emulator") as emulator:
        emulator.line()
        yield (
            (home / ".config/dfns-signers/config.toml")
            .read_text("utf-8")
            .split('base_url = "')[1]
            .partition('"')[0]
        )


def carried_out(language: str, text: str) -> str:
    if language == "python":
        with contextlib.redirect_stdout(None):
            exec(compile(text, "page", "exec"), {})
        return ""
    done = subprocess.run(
        ["sh", "-e", "-c", text], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_step_of_the_page_works(home: Path, key_store: str, local_api: str) -> None:
    for language, text in STEPS:
        kms = f"--backend gcp-kms -o endpoint={key_store}"
        carried_out(language, text.replace("--backend gcp-kms", kms).replace(ADDRESS, local_api))

    with DfnsClient.from_config("production") as dfns:
        assert len(list(dfns.wallets.list())) == 3
        states = {one["name"]: one["isActive"] for one in dfns.auth.credentials.list()}
    assert sorted(states.values()) == [False, False, True]
    assert not states["production"]
    with DfnsClient.from_config("laptop") as dfns, pytest.raises(CredentialNotAllowedError):
        dfns.wallets.create(network="EthereumSepolia")
