"""Creation that goes on where it was stopped: what exists is found, and completed."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.algorithms import Algorithm
from dfns_signers.backends.management import KeyDescription
from dfns_signers.errors import KeyAccessError, KeyStateError, SigningKeyError, UnsupportedKeyError
from dfns_signers_gcp_kms.options import GcpKmsCreate
from dfns_signers_gcp_kms.plugin import GcpKmsBackend
from tests.plugins.gcp_kms.conftest import names_of_versions, opens
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, RING, seed

BACKEND = GcpKmsBackend()


def asked(cloud_kms: CloudKmsEmulator, **options: Any) -> GcpKmsCreate:
    values = {"crypto_key": CRYPTO_KEY, "endpoint": cloud_kms.endpoint, **options}
    return GcpKmsCreate.model_validate(values)


def found_or_created(options: GcpKmsCreate, algorithm: Algorithm) -> KeyDescription:
    """What a setup does that may have been stopped before."""
    return BACKEND.find(algorithm, options) or BACKEND.create(algorithm, options)


@pytest.mark.parametrize(
    "stopped",
    [
        [Fault("CreateKeyRing", status="UNAVAILABLE")],
        [Fault("CreateCryptoKey", status="UNAVAILABLE")],
        [Fault("CreateCryptoKeyVersion", status="UNAVAILABLE")],
        [Fault("CreateCryptoKeyVersion", corrupt="response.name")],
        [Fault("GetCryptoKeyVersion", status="UNAVAILABLE")] * 3,
    ],
    ids=["at the start", "after the ring", "after the key", "answer lost", "after the version"],
)
@pytest.mark.parametrize("algorithm", list(Algorithm))
def test_creation_stopped_anywhere_goes_on_and_makes_nothing_twice(
    stopped: list[Fault], algorithm: Algorithm, cloud_kms: CloudKmsEmulator
) -> None:
    options = asked(cloud_kms, create_key_ring=True)
    cloud_kms.faults.add(*stopped)
    with pytest.raises(SigningKeyError):
        found_or_created(options, algorithm)

    resumed = found_or_created(options, algorithm)
    again = found_or_created(options, algorithm)

    assert resumed == again
    assert opens(resumed)
    assert (resumed.algorithm, resumed.state) == (algorithm, "ENABLED")
    assert names_of_versions(cloud_kms) == [f"{CRYPTO_KEY}/cryptoKeyVersions/1"]


def test_creation_of_a_key_in_a_ring_that_exists_goes_on_after_the_key_was_made(
    cloud_kms: CloudKmsEmulator,
) -> None:
    seed(cloud_kms, "EC_SIGN_ED25519", f"{RING}/cryptoKeys/other")
    cloud_kms.faults.add(Fault("CreateCryptoKeyVersion", status="UNAVAILABLE"))
    options = asked(cloud_kms)
    with pytest.raises(SigningKeyError):
        found_or_created(options, Algorithm.ES256)

    resumed = found_or_created(options, Algorithm.ES256)

    assert resumed.reference == f"{CRYPTO_KEY}/cryptoKeyVersions/1"
    assert resumed.kind == "EC_SIGN_P256_SHA256 (SOFTWARE)"


def test_key_without_versions_that_was_made_for_another_algorithm_gets_none(
    cloud_kms: CloudKmsEmulator,
) -> None:
    options = asked(cloud_kms, create_key_ring=True)
    cloud_kms.faults.add(Fault("CreateCryptoKeyVersion", status="UNAVAILABLE"))
    with pytest.raises(SigningKeyError):
        BACKEND.create(Algorithm.ED25519, options)

    with pytest.raises(UnsupportedKeyError, match=r"EC_SIGN_ED25519 at .*EC_SIGN_P256_SHA256 at"):
        BACKEND.find(Algorithm.ES256, options)

    assert names_of_versions(cloud_kms) == []


def test_nothing_is_found_where_nothing_was_created(cloud_kms: CloudKmsEmulator) -> None:
    assert BACKEND.find(Algorithm.ES256, asked(cloud_kms)) is None
    assert {call.method for call in cloud_kms.calls} == {"ListCryptoKeyVersions"}


def test_newest_version_is_found_and_not_read_again(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    newest = seed(cloud_kms, "EC_SIGN_ED25519")
    disabled = seed(cloud_kms, "EC_SIGN_ED25519")
    cloud_kms.set_state(disabled, "DISABLED")

    found = BACKEND.find(Algorithm.ED25519, asked(cloud_kms))

    assert found is not None
    assert found.reference == newest
    assert [call.method for call in cloud_kms.calls] == ["ListCryptoKeyVersions"]


def test_key_of_another_algorithm_is_found_as_what_it_is(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    found = BACKEND.find(Algorithm.ES256, asked(cloud_kms))

    assert found is not None
    assert (found.reference, found.algorithm) == (version, Algorithm.ED25519)


@pytest.mark.parametrize(
    ("kind", "algorithm", "options"),
    [
        ("EC_SIGN_ED25519", Algorithm.ED25519, {"protection_level": "HSM"}),
        ("RSA_SIGN_PKCS1_2048_SHA256", Algorithm.RS256, {"rsa_bits": 4096}),
    ],
)
def test_key_that_is_less_than_was_asked_for_is_not_taken_for_it(
    kind: str, algorithm: Algorithm, options: dict[str, Any], cloud_kms: CloudKmsEmulator
) -> None:
    seed(cloud_kms, kind)

    with pytest.raises(UnsupportedKeyError, match=f"{kind} at the protection level SOFTWARE, and"):
        BACKEND.find(algorithm, asked(cloud_kms, **options))


def test_size_and_level_that_were_not_asked_for_are_those_of_the_key(
    cloud_kms: CloudKmsEmulator,
) -> None:
    cloud_kms.add_version(CRYPTO_KEY, "RSA_SIGN_PKCS1_3072_SHA256", protection_level="HSM")

    found = BACKEND.find(Algorithm.RS256, asked(cloud_kms))

    assert found is not None
    assert found.kind == "RSA_SIGN_PKCS1_3072_SHA256 (HSM)"


def test_version_whose_generation_failed_is_replaced(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.set_state(version, "GENERATION_FAILED")

    resumed = found_or_created(asked(cloud_kms), Algorithm.ED25519)

    assert resumed.reference == f"{CRYPTO_KEY}/cryptoKeyVersions/2"


@pytest.mark.parametrize("state", ["DISABLED", "DESTROY_SCHEDULED", "DESTROYED"])
def test_key_that_was_put_out_of_use_is_left_as_it_is(
    state: str, cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.set_state(version, state)

    with pytest.raises(SigningKeyError, match=r"exists already: .*new_version=true"):
        found_or_created(asked(cloud_kms), Algorithm.ED25519)

    assert names_of_versions(cloud_kms) == [version]


def test_new_version_is_made_beside_one_that_is_enabled(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    added = found_or_created(asked(cloud_kms, new_version=True), Algorithm.ED25519)

    assert added.reference == f"{CRYPTO_KEY}/cryptoKeyVersions/2"


def test_new_version_that_is_being_generated_is_awaited() -> None:
    # Each look at the clock takes a second.
    with CloudKmsEmulator(generation_delay=9.0, clock=itertools.count().__next__) as slow:
        seed(slow, "EC_SIGN_ED25519")
        slow.set_state(f"{CRYPTO_KEY}/cryptoKeyVersions/1", "DISABLED")
        options = asked(slow, new_version=True)
        with pytest.raises(KeyStateError, match="PENDING_GENERATION"):
            BACKEND.create(Algorithm.ED25519, options.model_copy(update={"generation_timeout": 0}))

        found = BACKEND.find(Algorithm.ED25519, options)

    assert found is not None
    assert (found.reference, found.state) == (f"{CRYPTO_KEY}/cryptoKeyVersions/2", "ENABLED")


def test_denied_search_names_the_permission(cloud_kms: CloudKmsEmulator, version: str) -> None:
    cloud_kms.deny("cloudkms.cryptoKeyVersions.list", CRYPTO_KEY)

    with pytest.raises(KeyAccessError, match=r"cloudkms\.cryptoKeyVersions\.list"):
        BACKEND.find(Algorithm.ED25519, asked(cloud_kms))
