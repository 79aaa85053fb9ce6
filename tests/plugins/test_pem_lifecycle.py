"""The life of a key in a PEM file, from ``setup`` to the credential that follows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.emulator import Emulator
from tests.core.cli.support import Command
from tests.plugins.life import KeyStore, Life
from tests.plugins.lifecycle import (
    assert_lives,
    assert_registrations_survive_kills,
    assert_rotation_goes_on,
    assert_setup_goes_on,
    assert_survives_kills,
)
from tests.support.relay import Killing, Relay


def pem_life(command: Command, emulator: Emulator, folder: Path, url: str = "") -> Life:
    def names() -> list[str]:
        return [path.name for path in folder.glob("*.pem")]

    store = KeyStore("pem", lambda _: {}, names, more={"verify": True})
    return Life(command, emulator, folder, store, url)


@pytest.fixture
def life(command: Command, dfns_emulator: Emulator, tmp_path: Path) -> Life:
    return pem_life(command, dfns_emulator, tmp_path)


@pytest.mark.parametrize("algorithm", Algorithm)
def test_key_lives(life: Life, algorithm: str) -> None:
    assert_lives(life, algorithm)


def test_setup_goes_on(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_setup_goes_on(life, "Ed25519", monkeypatch)


def test_rotation_goes_on(life: Life) -> None:
    assert_rotation_goes_on(life, "Ed25519")


def test_killed_processes_leave_nothing_that_is_made_twice(
    command: Command, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    with Relay(dfns_emulator.url) as relay:
        life = pem_life(command, dfns_emulator, tmp_path, relay.url)

        assert_survives_kills(life, "ES256", relay.killing, Killing(), created="", followed="")


def test_killed_registrations_leave_nothing_that_is_made_twice(
    command: Command, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    with Relay(dfns_emulator.url) as relay:
        life = pem_life(command, dfns_emulator, tmp_path, relay.url)

        assert_registrations_survive_kills(life, "ES256", relay.killing)
