"""The version that follows the configured one: found if it is there, else made by a rotation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription
from dfns_signers.errors import (
    ConfigurationError,
    KeyAccessError,
    KeyNotFoundError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers_vault_transit.options import VaultTransitOptions
from dfns_signers_vault_transit.plugin import VaultTransitBackend
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey, open_with, settings_for
from tests.plugins.vault_transit.operator import Operator
from tests.plugins.vault_transit.relay import CUTS, Cut, Relay


@pytest.fixture(autouse=True)
def _token(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPERATORS_TOKEN", operator.server.token)


def table(operator: Operator, key: str, **options: Any) -> dict[str, Any]:
    auth = {"method": "token", "token": {"env": "OPERATORS_TOKEN"}}
    return {**settings_for(operator), "auth": auth, "key": key, "key_version": 1, **options}


def create_next(operator: Operator, key: str, **options: Any) -> KeyDescription:
    settings = VaultTransitOptions.model_validate(table(operator, key, **options))
    return VaultTransitBackend().create_next(settings)


@pytest.mark.parametrize(
    ("kind", "algorithm"),
    [
        ("ed25519", Algorithm.ED25519),
        ("ecdsa-p256", Algorithm.ES256),
        ("rsa-3072", Algorithm.RS256),
    ],
)
def test_key_without_a_newer_version_is_rotated_once_and_the_table_opens_it(
    kind: str, algorithm: Algorithm, operator: Operator
) -> None:
    name = operator.key(kind)

    first = create_next(operator, name)
    again = create_next(operator, name)

    assert first == again
    assert (first.algorithm, first.kind, first.signer["key_version"]) == (algorithm, kind, 2)
    assert operator.described(name)["latest_version"] == 2
    opened = dict(first.signer)
    assert opened.pop("backend") == "vault-transit"
    with open_with(opened) as key:
        assert is_signature(operator.public_key(name, 2), b"message", key.sign(b"message"))


def test_configured_version_stays_as_it_is(operator: Operator, open_key: OpenKey) -> None:
    name = operator.key()
    before = operator.described(name)["keys"]["1"]

    create_next(operator, name)

    assert operator.described(name)["keys"]["1"] == before
    signature = open_key(name, key_version=1).sign(b"message")
    assert is_signature(operator.public_key(name, 1), b"message", signature)


def test_of_several_newer_versions_the_lowest_that_signs_is_next(operator: Operator) -> None:
    name = operator.key(versions=11)
    assert create_next(operator, name, key_version=2).signer["key_version"] == 3
    operator.configure(name, min_encryption_version=9)

    assert create_next(operator, name, key_version=2).signer["key_version"] == 9
    assert create_next(operator, name, key_version=10).signer["key_version"] == 11
    assert operator.described(name)["latest_version"] == 11


def test_version_that_is_archived_has_a_next_one(operator: Operator) -> None:
    name = operator.key(versions=3)
    operator.configure(name, min_decryption_version=3)

    assert create_next(operator, name).signer["key_version"] == 3


@pytest.mark.parametrize("cut", CUTS, ids=str)
def test_interrupted_rotation_is_found_again(cut: Cut, operator: Operator) -> None:
    name = operator.key()
    with Relay(operator.server.address, cut) as relay, pytest.raises(SigningKeyError):
        create_next(operator, name, address=relay.url)

    resumed = create_next(operator, name)

    assert resumed.signer["key_version"] == 2
    assert operator.described(name)["latest_version"] == 2


def test_rotation_whose_answer_is_lost_is_not_sent_again(operator: Operator) -> None:
    name = operator.key()
    rotating = Cut(3, has_arrived=True)

    with (
        Relay(operator.server.address, rotating) as relay,
        pytest.raises(SigningKeyError, match=f"cannot rotate the key {operator.mount}/{name}"),
    ):
        create_next(operator, name, address=relay.url, max_attempts=3)

    assert operator.described(name)["latest_version"] == 2


@pytest.mark.parametrize(
    "pin", [{}, {"fingerprint": f"sha256:{'0' * 64}"}], ids=["", "fingerprint"]
)
def test_key_whose_version_is_not_configured_is_not_rotated(
    pin: dict[str, str], operator: Operator
) -> None:
    name = operator.key(versions=2)

    with pytest.raises(ConfigurationError, match=f"{name}.*set key_version = 2 wherever"):
        create_next(operator, name, key_version=None, **pin)

    assert operator.described(name)["latest_version"] == 2


def test_version_that_there_is_not_has_no_next_one(operator: Operator) -> None:
    name = operator.key(versions=2)

    with pytest.raises(KeyNotFoundError, match="no version 3; its latest is 2"):
        create_next(operator, name, key_version=3)

    assert operator.described(name)["latest_version"] == 2


def test_key_that_dfns_does_not_accept_is_not_rotated(operator: Operator) -> None:
    name = operator.key("ecdsa-p384")

    with pytest.raises(UnsupportedKeyError, match="ecdsa-p384"):
        create_next(operator, name)

    assert operator.described(name)["latest_version"] == 1


def test_rotation_that_is_denied_names_the_rule_and_with_it_works(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = operator.key()
    reading = f'path "{operator.mount}/keys/{name}" {{ capabilities = ["read"] }}'
    rotating = f'path "{operator.mount}/keys/{name}/rotate" {{ capabilities = ["update"] }}'

    def next_with(*rules: str) -> Any:
        token = operator.token(operator.policy("\n".join(rules)), no_default_policy=True)
        monkeypatch.setenv("OPERATORS_TOKEN", token)
        return create_next(operator, name).signer["key_version"]

    with pytest.raises(KeyAccessError) as refused:
        next_with(reading)
    assert rotating in str(refused.value)
    assert next_with(reading, rotating) == 2


def test_rotation_that_makes_no_version_is_an_error(fake: ScriptedApi, operator: Operator) -> None:
    described = operator.described(operator.key())
    fake.on("/v1/transit/keys/k", always=Reply(body={"data": described}))

    with pytest.raises(SigningKeyError, match="rotated, and has no version above 1"):
        create_next(operator, "k", address=fake.url, mount="transit")


def test_table_has_all_that_reaching_the_key_takes_and_no_secret(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = operator.key()
    approle = operator.approle(operator.signing_policy(name))
    (tmp_path / "secret-id").write_text(approle.secret_id)
    monkeypatch.setenv("ROLE_ID", approle.role_id)
    auth = {
        "method": "approle",
        "path": approle.path,
        "role_id": {"env": "ROLE_ID"},
        "secret_id": {"file": str(tmp_path / "secret-id")},
    }
    operator.rotate(name)

    found = create_next(operator, name, auth=auth, timeout=20.0, batch={"max_size": 7})

    assert found.signer == {
        "backend": "vault-transit",
        "address": operator.server.address,
        "mount": operator.mount,
        "key": name,
        "key_version": 2,
        "auth": auth,
        "timeout": 20.0,
        "max_attempts": 1,
        "batch": {"max_size": 7},
    }


def test_literal_secret_is_left_out_of_the_table(operator: Operator) -> None:
    auth = settings_for(operator)["auth"]

    found = create_next(operator, operator.key(), auth=auth, batch=False)

    assert found.signer["auth"] == {"method": "token"}
    assert found.signer["batch"] is False


def test_place_that_the_environment_names_is_written_out(
    operator: Operator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAULT_ADDR", operator.server.address)
    monkeypatch.setenv("VAULT_CACERT", str(tmp_path))
    monkeypatch.setenv("VAULT_CLIENT_TIMEOUT", "7s")
    settings = table(operator, operator.key())
    del settings["address"]

    found = VaultTransitBackend().create_next(VaultTransitOptions.model_validate(settings))

    assert found.signer["address"] == operator.server.address
    assert found.signer["ca_cert"] == str(tmp_path)
    assert "read_timeout" not in found.signer
