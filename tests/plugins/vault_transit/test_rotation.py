"""A key is rotated on a real server: its next version takes over."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.plugins.rotating import assert_rotates
from tests.plugins.vault_transit.operator import Operator


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa-p256", "rsa-2048"])
def test_next_version_of_a_key_takes_over(
    key_type: str,
    operator: Operator,
    dfns_emulator: Emulator,
    tmp_path: Path,
) -> None:
    table = {
        "backend": "vault-transit",
        "address": operator.server.address,
        "auth": {"method": "token", "token": operator.server.token},
        "mount": operator.mount,
        "key": operator.key(key_type),
        "key_version": 1,
        "batch": {},
    }

    assert_rotates(dfns_emulator, tmp_path, table)


def test_next_version_is_reached_with_the_literal_token_of_the_profile(
    operator: Operator, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    table = {
        "backend": "vault-transit",
        "address": operator.server.address,
        "mount": operator.mount,
        "key": operator.key("ed25519"),
        "key_version": 1,
        "auth": {"method": "token", "token": operator.server.token},
    }

    assert_rotates(dfns_emulator, tmp_path, table)
