"""Fixtures: a machine without any configuration of its own, and what tests put onto it."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.core.config.support import write_client_config, write_key
from tests.core.keys import public_key, public_pem


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a token is kept that could not be written to its file."""
    path = tmp_path / "tmp"
    path.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(path))
    monkeypatch.setenv("TMPDIR", str(path))
    return path


@pytest.fixture(autouse=True)
def working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, which is empty, as is the home folder."""
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    for name in ("home", "work"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path / "work"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a configuration file, which is not the current one."""
    path = tmp_path / "etc"
    path.mkdir()
    return path


@pytest.fixture
def key_file(folder: Path) -> Path:
    return write_key(folder)


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Knows the public key of the key file as the credential ``Y2kt``."""
    with Emulator(
        exact_payloads=True, credentials={"Y2kt": public_pem(public_key("Ed25519"))}
    ) as running:
        yield running


@pytest.fixture
def client_config(folder: Path, key_file: Path, emulator: Emulator) -> Path:
    """A configuration file whose default profile calls the emulator with the key file."""
    return write_client_config(folder, emulator.url, emulator.auth_token)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of ``sys.path`` for distributions; what is imported from it is forgotten again."""
    path = tmp_path / "site"
    path.mkdir()
    monkeypatch.syspath_prepend(str(path))
    before = set(sys.modules)
    yield path
    for name in set(sys.modules) - before:
        if str(path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]
