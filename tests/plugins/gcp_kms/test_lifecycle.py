"""The life of a key of the Cloud KMS emulator, from ``setup`` to the version that follows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.algorithms import Algorithm
from dfns_signers.emulator import Emulator
from tests.core.cli.support import Command
from tests.plugins.gcp_kms.conftest import names_of_versions
from tests.plugins.gcp_kms.keys import RING
from tests.plugins.gcp_kms.relay import GrpcRelay
from tests.plugins.life import KeyStore, Life
from tests.plugins.lifecycle import (
    assert_lives,
    assert_rotation_goes_on,
    assert_setup_goes_on,
    assert_survives_kills,
)
from tests.support.relay import Relay


def cloud_kms_store(emulator: CloudKmsEmulator, endpoint: str = "") -> KeyStore:
    where = {"endpoint": endpoint or emulator.endpoint, "create_key_ring": "true"}
    return KeyStore(
        "gcp-kms",
        lambda profile: {**where, "crypto_key": f"{RING}/cryptoKeys/{profile}"},
        lambda: names_of_versions(emulator),
    )


@pytest.fixture
def life(
    command: Command, dfns_emulator: Emulator, tmp_path: Path, cloud_kms: CloudKmsEmulator
) -> Life:
    return Life(command, dfns_emulator, tmp_path, cloud_kms_store(cloud_kms))


@pytest.mark.parametrize("algorithm", Algorithm)
def test_key_lives(life: Life, algorithm: str) -> None:
    assert_lives(life, algorithm)


def test_setup_goes_on(life: Life, monkeypatch: pytest.MonkeyPatch) -> None:
    assert_setup_goes_on(life, "ES256", monkeypatch)


def test_rotation_goes_on(life: Life) -> None:
    assert_rotation_goes_on(life, "Ed25519")


def test_killed_processes_leave_nothing_that_is_made_twice(
    command: Command, dfns_emulator: Emulator, tmp_path: Path, cloud_kms: CloudKmsEmulator
) -> None:
    with Relay(dfns_emulator.url) as dfns, GrpcRelay(cloud_kms.target) as kms:
        store = cloud_kms_store(cloud_kms, kms.endpoint)
        life = Life(command, dfns_emulator, tmp_path, store, dfns.url)

        assert_survives_kills(
            life,
            "Ed25519",
            dfns.killing,
            kms.killing,
            created="CreateCryptoKeyVersion",
            followed="CreateCryptoKeyVersion",
        )
