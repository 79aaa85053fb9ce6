"""The life of a key on a real server, from ``setup`` to the version that follows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.core.cli.support import Command
from tests.plugins.life import KeyStore, Life
from tests.plugins.lifecycle import (
    assert_lives,
    assert_rotation_goes_on,
    assert_setup_goes_on,
    assert_survives_kills,
)
from tests.plugins.vault_transit.operator import Operator, unique
from tests.support.relay import Relay


def transit(operator: Operator, prefix: str, address: str = "") -> KeyStore:
    where = {
        "address": address or operator.server.address,
        "mount": operator.mount,
        # A literal, which no printed table has, and the file and the next key keep.
        "auth.method": "token",
        "auth.token": operator.server.token,
    }
    return KeyStore(
        "vault-transit",
        lambda profile: {**where, "key": f"{prefix}-{profile}"},
        lambda: operator.versions(prefix),
        more={"batch": {}},
    )


@pytest.fixture
def life(command: Command, dfns_emulator: Emulator, tmp_path: Path, operator: Operator) -> Life:
    return Life(command, dfns_emulator, tmp_path, transit(operator, unique("life")))


@pytest.mark.parametrize("algorithm", ["Ed25519", "ES256", "RS256"])
def test_key_lives(life: Life, algorithm: str) -> None:
    assert_lives(life, algorithm)


def test_setup_goes_on(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_setup_goes_on(life, "ES256", monkeypatch)


def test_rotation_goes_on(life: Life) -> None:
    assert_rotation_goes_on(life, "Ed25519")


def test_killed_processes_leave_nothing_that_is_made_twice(
    command: Command, dfns_emulator: Emulator, tmp_path: Path, operator: Operator
) -> None:
    prefix = unique("killed")
    key = f"POST /v1/{operator.mount}/keys/{prefix}-new"
    with Relay(dfns_emulator.url) as dfns, Relay(operator.server.address) as vault:
        store = transit(operator, prefix, vault.url)
        life = Life(command, dfns_emulator, tmp_path, store, dfns.url)

        assert_survives_kills(
            life, "Ed25519", dfns.killing, vault.killing, created=key, followed=f"{key}/rotate"
        )
