"""Contract: key rings, keys and versions, on the emulator or the real service."""

from __future__ import annotations

from typing import Any

import pytest
from google.api_core import exceptions as google
from google.cloud.kms_v1 import CryptoKey, CryptoKeyVersion, ProtectionLevel

from tests.plugins.cloud_kms_emulator.conftest import (
    Service,
    State,
    create_key,
    unique,
    wait_until_enabled,
)

P256 = "EC_SIGN_P256_SHA256"


@pytest.fixture
def key(service: Service, ring: str) -> CryptoKey:
    return create_key(service.client, ring, P256)


def add_version(service: Service, key: CryptoKey) -> Any:
    return service.client.create_crypto_key_version(parent=key.name, crypto_key_version={})


def test_key_ring_is_found_by_name_and_in_its_location(service: Service, ring: str) -> None:
    assert service.client.get_key_ring(name=ring).name == ring
    assert ring in [one.name for one in service.client.list_key_rings(parent=service.location)]


def test_key_is_found_by_name_and_in_its_ring(service: Service, ring: str, key: CryptoKey) -> None:
    found = service.client.get_crypto_key(name=key.name)

    assert found == key
    assert found.purpose == CryptoKey.CryptoKeyPurpose.ASYMMETRIC_SIGN
    assert found.version_template.protection_level == ProtectionLevel.SOFTWARE
    assert found.destroy_scheduled_duration.days == 30
    assert "primary" not in found
    assert key.name in [one.name for one in service.client.list_crypto_keys(parent=ring)]


def test_version_is_generated_and_then_enabled(service: Service, key: CryptoKey) -> None:
    created = add_version(service, key)

    assert created.state == State.PENDING_GENERATION
    wait_until_enabled(service.client, created.name)
    found = service.client.get_crypto_key_version(name=created.name)
    assert found.algorithm == CryptoKeyVersion.CryptoKeyVersionAlgorithm.EC_SIGN_P256_SHA256
    assert "generate_time" in found


def test_versions_are_numbered_and_listed_page_by_page(service: Service, key: CryptoKey) -> None:
    created = [add_version(service, key).name for _ in range(3)]

    pager = service.client.list_crypto_key_versions(request={"parent": key.name, "page_size": 2})
    pages = [[one.name for one in page.crypto_key_versions] for page in pager.pages]

    assert created == [f"{key.name}/cryptoKeyVersions/{number}" for number in (1, 2, 3)]
    assert [len(page) for page in pages] == [2, 1]
    assert sorted(name for page in pages for name in page) == created


def test_first_version_comes_with_the_key_unless_it_is_skipped(service: Service, ring: str) -> None:
    key = service.client.create_crypto_key(
        parent=ring,
        crypto_key_id=unique("with-version"),
        crypto_key={"purpose": "ASYMMETRIC_SIGN", "version_template": {"algorithm": P256}},
    )

    (version,) = service.client.list_crypto_key_versions(parent=key.name)
    assert version.name == f"{key.name}/cryptoKeyVersions/1"


def test_version_is_disabled_enabled_destroyed_and_restored(
    service: Service, key: CryptoKey
) -> None:
    name = add_version(service, key).name
    wait_until_enabled(service.client, name)

    def update(state: str) -> Any:
        return service.client.update_crypto_key_version(
            crypto_key_version={"name": name, "state": state}, update_mask={"paths": ["state"]}
        )

    states = [
        update("DISABLED").state,
        update("ENABLED").state,
        service.client.destroy_crypto_key_version(name=name).state,
        service.client.restore_crypto_key_version(name=name).state,
        service.client.destroy_crypto_key_version(name=name).state,
    ]

    destroyed = State.DESTROY_SCHEDULED
    assert states == [State.DISABLED, State.ENABLED, destroyed, State.DISABLED, destroyed]
    assert "destroy_time" in service.client.get_crypto_key_version(name=name)


def test_version_that_is_scheduled_for_destruction_cannot_be_enabled(
    service: Service, key: CryptoKey
) -> None:
    name = add_version(service, key).name
    wait_until_enabled(service.client, name)
    service.client.destroy_crypto_key_version(name=name)

    with pytest.raises(google.FailedPrecondition, match="DESTROY_SCHEDULED"):
        service.client.update_crypto_key_version(
            crypto_key_version={"name": name, "state": "ENABLED"},
            update_mask={"paths": ["state"]},
        )


def test_version_that_is_not_scheduled_for_destruction_cannot_be_restored(
    service: Service, key: CryptoKey
) -> None:
    name = add_version(service, key).name
    wait_until_enabled(service.client, name)

    with pytest.raises(google.FailedPrecondition):
        service.client.restore_crypto_key_version(name=name)


def test_name_that_is_taken_is_refused(service: Service, ring: str, key: CryptoKey) -> None:
    template = {"purpose": "ASYMMETRIC_SIGN", "version_template": {"algorithm": P256}}

    with pytest.raises(google.AlreadyExists):
        service.client.create_key_ring(
            parent=service.location, key_ring_id=ring.rsplit("/", 1)[1], key_ring={}
        )
    with pytest.raises(google.AlreadyExists):
        service.client.create_crypto_key(
            parent=ring, crypto_key_id=key.name.rsplit("/", 1)[1], crypto_key=template
        )


WRONG_KEYS = {
    "no algorithm": {"purpose": "ASYMMETRIC_SIGN"},
    "an algorithm for another purpose": {
        "purpose": "ASYMMETRIC_DECRYPT",
        "version_template": {"algorithm": P256},
    },
    "secp256k1 in software": {
        "purpose": "ASYMMETRIC_SIGN",
        "version_template": {
            "algorithm": "EC_SIGN_SECP256K1_SHA256",
            "protection_level": "SOFTWARE",
        },
    },
    "a day too short for destruction": {
        "purpose": "ASYMMETRIC_SIGN",
        "version_template": {"algorithm": P256},
        "destroy_scheduled_duration": {"seconds": 3600},
    },
}


@pytest.mark.parametrize("what", WRONG_KEYS)
def test_key_that_cannot_be_is_an_invalid_argument(what: str, service: Service, ring: str) -> None:
    with pytest.raises(google.InvalidArgument):
        service.client.create_crypto_key(
            parent=ring, crypto_key_id=unique("wrong"), crypto_key=WRONG_KEYS[what]
        )


@pytest.mark.parametrize("key_id", ["", "a" * 64, "with space", "slash/ed", "ümlaut", "dot.ted"])
def test_id_that_is_none_is_an_invalid_argument(key_id: str, service: Service, ring: str) -> None:
    with pytest.raises(google.InvalidArgument):
        service.client.create_crypto_key(
            parent=ring,
            crypto_key_id=key_id,
            crypto_key={"purpose": "ASYMMETRIC_SIGN", "version_template": {"algorithm": P256}},
        )


def test_what_is_missing_is_not_found(service: Service, ring: str) -> None:
    with pytest.raises(google.NotFound):
        service.client.get_key_ring(name=f"{service.location}/keyRings/missing")
    with pytest.raises(google.NotFound):
        service.client.get_crypto_key(name=f"{ring}/cryptoKeys/missing")
    with pytest.raises(google.NotFound):
        service.client.create_crypto_key_version(
            parent=f"{ring}/cryptoKeys/missing", crypto_key_version={}
        )
    with pytest.raises(google.NotFound):
        create_key(service.client, f"{service.location}/keyRings/missing", P256)
