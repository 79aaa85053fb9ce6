"""What is refused before anybody signs."""

from __future__ import annotations

import pytest

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.errors import (
    ConfigurationError,
    KeyAccessError,
    KeyNotFoundError,
    KeyStateError,
    UnsupportedKeyError,
)
from dfns_signers_gcp_kms.key import GcpKmsKey
from tests.plugins.gcp_kms.conftest import OpenKey, google_client
from tests.plugins.gcp_kms.keys import CRYPTO_KEY, seed

FLAGS = "--key key --keyring ring --location europe-west1 --project p-1"

ADVICE = {
    "DISABLED": f"gcloud kms keys versions enable 1 {FLAGS}",
    "DESTROY_SCHEDULED": f"gcloud kms keys versions restore 1 {FLAGS}",
    "DESTROYED": "create a new version",
    "GENERATION_FAILED": f"gcloud kms keys versions create {FLAGS}",
}


@pytest.mark.parametrize("state", ADVICE)
def test_version_that_is_not_enabled_is_refused_with_its_state_and_what_to_do(
    state: str, cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.set_state(version, state)

    with pytest.raises(KeyStateError) as caught:
        open_key(version)

    assert f"cannot open the key {version}: it is {state}: FAILED_PRECONDITION" in str(caught.value)
    assert ADVICE[state] in str(caught.value)


def test_version_that_is_disabled_later_is_refused_when_it_signs(
    cloud_kms: CloudKmsEmulator, key: GcpKmsKey
) -> None:
    cloud_kms.set_state(key.reference, "DISABLED")

    with pytest.raises(KeyStateError, match=r"cannot sign with .*is DISABLED"):
        key.sign(b"m")


def test_state_that_the_refusal_does_not_tell_is_read_from_the_version(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.set_state(version, "DISABLED")
    cloud_kms.faults.add(Fault("GetPublicKey", status="FAILED_PRECONDITION", message="no"))

    with pytest.raises(KeyStateError, match="is DISABLED"):
        open_key(version)


def test_state_that_may_not_be_read_is_said_to_be_unknown(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.deny("cloudkms.cryptoKeyVersions.get", version)
    cloud_kms.faults.add(Fault("GetPublicKey", status="FAILED_PRECONDITION", message="not so"))

    with pytest.raises(KeyStateError) as caught:
        open_key(version)

    assert "lacks the permission cloudkms.cryptoKeyVersions.get" in str(caught.value)
    assert "not so" in str(caught.value)


def test_state_that_cannot_be_read_for_another_reason_is_said_with_that_reason(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.faults.add(
        Fault("GetPublicKey", status="FAILED_PRECONDITION", message="not so"),
        Fault("GetCryptoKeyVersion", status="INTERNAL", message="broken inside"),
    )

    with pytest.raises(KeyStateError, match=r"could not be read.*broken inside") as caught:
        open_key(version)

    assert "permission" not in str(caught.value)


def test_enabled_version_that_is_not_used_is_not_said_to_lack_a_permission(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.faults.add(Fault("GetPublicKey", status="FAILED_PRECONDITION", message="not so"))

    with pytest.raises(KeyStateError, match=r"is ENABLED: .*not so; .*describe 1") as caught:
        open_key(version)

    assert "permission" not in str(caught.value)


def test_enabled_version_with_an_algorithm_that_dfns_refuses_is_unsupported(
    cloud_kms: CloudKmsEmulator, open_key: OpenKey
) -> None:
    version = seed(cloud_kms, "EC_SIGN_P384_SHA384")
    cloud_kms.faults.add(Fault("GetPublicKey", status="FAILED_PRECONDITION", message="not so"))

    with pytest.raises(UnsupportedKeyError, match="EC_SIGN_P384_SHA384"):
        open_key(version)


def test_state_is_found_in_the_text_where_there_are_no_details(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    text = f"{version} is not enabled, current state is: DESTROYED."
    cloud_kms.faults.add(Fault("GetPublicKey", status="FAILED_PRECONDITION", message=text))

    with pytest.raises(KeyStateError, match=r"is DESTROYED: .*; it cannot come back"):
        open_key(version)


def test_version_that_is_being_generated_is_awaited(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.set_state(version, "PENDING_GENERATION")
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            cloud_kms.set_state(version, "ENABLED")

    key = open_key(version, sleep=sleep)

    assert key.sign(b"m")
    assert pauses == [1.0, 1.0, 1.0]


def test_version_that_is_not_generated_in_time_is_refused(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.set_state(version, "PENDING_GENERATION")
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += seconds

    with pytest.raises(KeyStateError, match=r"is PENDING_GENERATION: .*raise generation_timeout"):
        open_key(version, generation_timeout=7.5, clock=lambda: now[0], sleep=sleep)

    assert now[0] == pytest.approx(7.5)


def test_unknown_version_is_not_found(open_key: OpenKey, version: str) -> None:
    missing = version.removesuffix("1") + "7"

    with pytest.raises(KeyNotFoundError, match=f"cannot open the key {missing}: NOT_FOUND: .*"):
        open_key(missing)


def test_crypto_key_is_refused_with_the_correction(
    cloud_kms: CloudKmsEmulator, open_key: OpenKey
) -> None:
    for state in ("DESTROYED", "ENABLED", "DISABLED"):
        cloud_kms.set_state(seed(cloud_kms, "EC_SIGN_ED25519"), state)

    with pytest.raises(ConfigurationError) as caught:
        open_key(CRYPTO_KEY)

    assert str(caught.value).endswith(f"Set key_version = '{CRYPTO_KEY}/cryptoKeyVersions/2'")


def test_crypto_key_with_several_enabled_versions_is_refused_with_all_of_them(
    cloud_kms: CloudKmsEmulator, open_key: OpenKey
) -> None:
    versions = [seed(cloud_kms, "EC_SIGN_ED25519") for _ in range(3)]

    with pytest.raises(ConfigurationError) as caught:
        open_key(CRYPTO_KEY)

    assert all(f"key_version = '{version}'" in str(caught.value) for version in versions)


def test_crypto_key_is_refused_with_the_enabled_versions_of_every_page() -> None:
    with CloudKmsEmulator(page_size=2) as paged:
        versions = [seed(paged, "EC_SIGN_ED25519") for _ in range(5)]
        for destroyed in versions[:2]:
            paged.set_state(destroyed, "DESTROYED")

        with google_client(paged.target) as client, pytest.raises(ConfigurationError) as caught:
            GcpKmsKey(CRYPTO_KEY, client=client)

    found = [version for version in versions if f"key_version = '{version}'" in str(caught.value)]
    assert found == versions[2:]


def test_crypto_key_without_enabled_versions_is_refused_with_how_to_create_one(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.set_state(version, "DISABLED")

    with pytest.raises(ConfigurationError, match=f"gcloud kms keys versions create {FLAGS}"):
        open_key(CRYPTO_KEY)


def test_crypto_key_whose_versions_may_not_be_listed_is_refused_with_how_to_list_them(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.deny("cloudkms.cryptoKeyVersions.list", CRYPTO_KEY)

    with pytest.raises(ConfigurationError) as caught:
        open_key(CRYPTO_KEY)

    assert f"gcloud kms keys versions list {FLAGS}" in str(caught.value)
    assert isinstance(caught.value.__cause__, KeyAccessError)


def test_string_that_is_not_a_name_is_refused(open_key: OpenKey) -> None:
    with pytest.raises(ConfigurationError, match="not the name of a key version"):
        open_key("projects/p-1/keyRings/ring")
