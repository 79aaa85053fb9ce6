"""The version that follows a configured one: found, or created once."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from google.cloud.kms_v1 import CryptoKeyVersion
from hypothesis import given
from hypothesis import strategies as st

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.errors import (
    ConfigurationError,
    KeyNotFoundError,
    KeyStateError,
    SigningKeyError,
    UnsupportedKeyError,
)
from dfns_signers_gcp_kms.options import GcpKmsOptions
from dfns_signers_gcp_kms.plugin import GcpKmsBackend
from dfns_signers_gcp_kms.versions import following
from tests.plugins.gcp_kms.conftest import names_of_versions, opens
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, seed

BACKEND = GcpKmsBackend()


def configured(cloud_kms: CloudKmsEmulator, version: str, **options: Any) -> GcpKmsOptions:
    values = {"key_version": version, "endpoint": cloud_kms.endpoint, **options}
    return GcpKmsOptions.model_validate(values)


@pytest.mark.parametrize(
    "kind", ["EC_SIGN_ED25519", "EC_SIGN_P256_SHA256", "EC_SIGN_SECP256K1_SHA256"]
)
def test_next_version_is_made_once_with_the_same_algorithm_and_reached_in_the_same_way(
    kind: str, cloud_kms: CloudKmsEmulator
) -> None:
    options = configured(cloud_kms, seed(cloud_kms, kind), fingerprint=f"sha256:{'0' * 64}")

    following_one = BACKEND.create_next(options)
    again = BACKEND.create_next(options)

    assert following_one == again
    assert following_one.reference == f"{CRYPTO_KEY}/cryptoKeyVersions/2"
    assert following_one.kind.startswith(f"{kind} (")
    assert dict(following_one.signer) == {
        "backend": "gcp-kms",
        "key_version": following_one.reference,
        "endpoint": cloud_kms.endpoint,
    }
    assert opens(following_one)


@pytest.mark.parametrize(
    "stopped",
    [
        [Fault("CreateCryptoKeyVersion", status="UNAVAILABLE")],
        [Fault("CreateCryptoKeyVersion", corrupt="response.name")],
        [Fault("GetCryptoKeyVersion", status="UNAVAILABLE")] * 3,
    ],
    ids=["at the start", "answer lost", "key not read"],
)
def test_next_version_stopped_anywhere_goes_on_and_is_made_once(
    stopped: list[Fault], cloud_kms: CloudKmsEmulator, version: str
) -> None:
    options = configured(cloud_kms, version)
    cloud_kms.faults.add(*stopped)
    with pytest.raises(SigningKeyError):
        BACKEND.create_next(options)

    resumed = BACKEND.create_next(options)

    assert names_of_versions(cloud_kms) == [version, resumed.reference]


def test_next_version_that_is_being_generated_is_awaited() -> None:
    with CloudKmsEmulator(generation_delay=9.0, clock=itertools.count().__next__) as slow:
        options = configured(slow, seed(slow, "EC_SIGN_ED25519"))
        with pytest.raises(KeyStateError, match="PENDING_GENERATION"):
            BACKEND.create_next(options.model_copy(update={"generation_timeout": 0}))

        resumed = BACKEND.create_next(options)

        assert resumed.state == "ENABLED"
        assert names_of_versions(slow) == [options.key_version, resumed.reference]


def test_next_version_follows_one_that_is_disabled(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.set_state(version, "DISABLED")

    assert BACKEND.create_next(configured(cloud_kms, version)).reference.endswith("/2")


def test_next_version_is_not_made_where_its_key_gives_it_another_algorithm(
    cloud_kms: CloudKmsEmulator, version: str
) -> None:
    cloud_kms.faults.add(
        Fault("GetCryptoKey", corrupt="response.version_template.algorithm"),
    )

    with pytest.raises(UnsupportedKeyError, match=f"{version} has EC_SIGN_ED25519: change the"):
        BACKEND.create_next(configured(cloud_kms, version))

    assert names_of_versions(cloud_kms) == [version]


def test_key_without_a_version_has_no_next_one(cloud_kms: CloudKmsEmulator, version: str) -> None:
    with pytest.raises(ConfigurationError, match=f"Set key_version = '{version}'"):
        BACKEND.create_next(configured(cloud_kms, CRYPTO_KEY))
    with pytest.raises(KeyNotFoundError):
        BACKEND.create_next(configured(cloud_kms, f"{version}9"))


STATES = ["ENABLED", "PENDING_GENERATION", "DISABLED", "DESTROYED", "GENERATION_FAILED"]
KINDS = ["EC_SIGN_ED25519", "RSA_SIGN_PKCS1_2048_SHA256", "RSA_SIGN_PKCS1_4096_SHA256"]


def message(number: int, state: str, kind: str) -> CryptoKeyVersion:
    name = f"{CRYPTO_KEY}/cryptoKeyVersions/{number}"
    return CryptoKeyVersion(name=name, state=state, algorithm=kind)


@given(
    versions=st.lists(
        st.tuples(st.integers(1, 12), st.sampled_from(STATES), st.sampled_from(KINDS)),
        unique_by=lambda one: one[0],
        min_size=1,
    )
)
def test_version_that_follows_is_the_lowest_above_that_can_sign_in_the_same_way(
    versions: list[tuple[int, str, str]],
) -> None:
    current, *_ = versions
    is_rsa = current[2].startswith("RSA")
    fitting = [
        number
        for number, state, kind in versions
        if number > current[0]
        and state in {"ENABLED", "PENDING_GENERATION"}
        and kind.startswith("RSA") is is_rsa
    ]

    found = following((message(*one) for one in versions), message(*current))

    expected = f"{CRYPTO_KEY}/cryptoKeyVersions/{min(fitting)}" if fitting else None
    assert (found.name if found else None) == expected
