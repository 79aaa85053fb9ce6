"""Damage on the way, each kind provoked and detected."""

from __future__ import annotations

import pytest

from cloud_kms_emulator import CloudKmsEmulator, Fault
from dfns_signers.errors import KeyStoreUnavailableError
from dfns_signers_gcp_kms.errors import DamagedAnswerError
from tests.plugins.gcp_kms.conftest import MAX_ATTEMPTS, OpenKey
from tests.plugins.gcp_kms.keys import seed

SIGNATURE_DAMAGE = [
    ("EC_SIGN_ED25519", "response.signature", "the signature was damaged"),
    ("EC_SIGN_ED25519", "response.signature_crc32c", "the signature was damaged"),
    ("EC_SIGN_ED25519", "response.verified_data_crc32c", "verified_data_crc32c is false"),
    ("EC_SIGN_ED25519", "response.name", "answered for"),
    ("EC_SIGN_ED25519", "request.data", "_crc32c"),
    ("EC_SIGN_ED25519", "request.data_crc32c", "_crc32c"),
    ("EC_SIGN_P256_SHA256", "response.signature", "the signature was damaged"),
    ("EC_SIGN_P256_SHA256", "response.verified_digest_crc32c", "verified_digest_crc32c is false"),
    ("EC_SIGN_P256_SHA256", "request.digest.sha256", "_crc32c"),
    ("EC_SIGN_P256_SHA256", "request.digest_crc32c", "_crc32c"),
]
PUBLIC_KEY_DAMAGE = [
    ("response.pem", "the public key was damaged"),
    ("response.pem_crc32c", "the public key was damaged"),
    ("response.name", "answered for"),
]


@pytest.mark.parametrize(("algorithm", "corrupt", "said"), SIGNATURE_DAMAGE)
def test_damage_while_signing_is_detected_each_time_and_reported(
    algorithm: str, corrupt: str, said: str, cloud_kms: CloudKmsEmulator, open_key: OpenKey
) -> None:
    key = open_key(seed(cloud_kms, algorithm))
    cloud_kms.faults.add(*[Fault("AsymmetricSign", corrupt=corrupt)] * MAX_ATTEMPTS)

    with pytest.raises(DamagedAnswerError, match=said) as caught:
        key.sign(b"m")

    assert isinstance(caught.value, KeyStoreUnavailableError)
    assert caught.value.retriable
    assert len(cloud_kms.faults) == 0


@pytest.mark.parametrize(("algorithm", "corrupt", "said"), SIGNATURE_DAMAGE)
def test_damage_that_happens_once_is_mended_by_asking_again(
    algorithm: str, corrupt: str, said: str, cloud_kms: CloudKmsEmulator, open_key: OpenKey
) -> None:
    key = open_key(seed(cloud_kms, algorithm))
    cloud_kms.faults.add(Fault("AsymmetricSign", corrupt=corrupt))

    assert key.sign_with_evidence(b"m").evidence.attempts == 2


@pytest.mark.parametrize(("corrupt", "said"), PUBLIC_KEY_DAMAGE)
def test_damage_of_the_public_key_is_detected_each_time_and_reported(
    corrupt: str, said: str, cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.faults.add(*[Fault("GetPublicKey", corrupt=corrupt)] * MAX_ATTEMPTS)

    with pytest.raises(DamagedAnswerError, match=said):
        open_key(version)

    assert len(cloud_kms.faults) == 0


@pytest.mark.parametrize(("corrupt", "said"), PUBLIC_KEY_DAMAGE)
def test_damage_of_the_public_key_that_happens_once_is_mended_by_asking_again(
    corrupt: str, said: str, cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    cloud_kms.faults.add(Fault("GetPublicKey", corrupt=corrupt))

    assert open_key(version).sign(b"m")
