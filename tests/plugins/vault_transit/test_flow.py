"""The whole Dfns flow with each type of key, by configuration alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from dfns_signers.emulator import Emulator
from tests.core.keys import is_signature
from tests.plugins.flow import assert_signs_the_whole_flow
from tests.plugins.gateway import assert_signs_behind_a_gateway
from tests.plugins.vault_transit.conftest import OpenKey
from tests.plugins.vault_transit.operator import Operator

ALGORITHMS = {
    "ed25519": "Ed25519",
    "ecdsa-p256": "ES256",
    "rsa-2048": "RS256",
    "rsa-3072": "RS256",
    "rsa-4096": "RS256",
}


@pytest.mark.parametrize("key_type", ALGORITHMS)
def test_key_of_each_type_signs_the_whole_flow_by_configuration_alone(
    key_type: str,
    operator: Operator,
    dfns_emulator: Emulator,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("VAULT_ADDR", operator.server.address)
    monkeypatch.setenv("VAULT_TOKEN", operator.server.token)
    key = operator.key(key_type)
    table = {"backend": "vault-transit", "mount": operator.mount, "key": key, "key_version": 1}

    assert_signs_the_whole_flow(dfns_emulator, tmp_path, table)


@pytest.mark.parametrize("key_type", ALGORITHMS)
def test_key_of_each_type_signs_behind_a_gateway(
    key_type: str, operator: Operator, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    key = operator.key(key_type)
    table = {
        "backend": "vault-transit",
        "address": operator.server.address,
        "auth": {"method": "token", "token": operator.server.token},
        "mount": operator.mount,
        "key": key,
        "key_version": 1,
    }

    assert_signs_behind_a_gateway(dfns_emulator, tmp_path, table)


def test_batching_key_with_an_approle_signs_the_whole_flow(
    operator: Operator, dfns_emulator: Emulator, tmp_path: Path
) -> None:
    key = operator.key()
    table = {
        "backend": "vault-transit",
        "address": operator.server.address,
        "mount": operator.mount,
        "key": key,
        "key_version": 1,
        "auth": operator.approle(operator.signing_policy(key)).auth,
        "batch": {},
    }

    assert_signs_the_whole_flow(dfns_emulator, tmp_path, table)


@pytest.mark.parametrize(("key_type", "algorithm"), ALGORITHMS.items())
def test_signature_of_each_type_is_valid_over_messages_of_any_length(
    key_type: str, algorithm: str, operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key(key_type)
    public = operator.public_key(name)

    key = open_key(name)

    assert key.algorithm == algorithm
    for message in (b"", b"message", b"x" * 100_000):
        assert is_signature(public, message, key.sign(message))


def test_evidence_has_version_request_id_and_reference(
    operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key(versions=3)

    evidence = open_key(name, key_version=2).sign_with_evidence(b"message").evidence

    assert evidence.key_version == "2"
    assert evidence.request_id
    assert len(evidence.request_id) == 36
    assert evidence.attempts == 1
    assert evidence.verified
    assert evidence.key == (
        f"vault-transit {operator.mount}/{name} version 2 at {operator.server.address}"
    )
