"""What a key signs, and how it asks Cloud KMS to."""

from __future__ import annotations

import hashlib

import anyio
import google_crc32c
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cloud_kms_emulator import CloudKmsEmulator
from dfns_signers.errors import SigningKeyError
from dfns_signers_gcp_kms.key import GcpKmsKey
from tests.plugins.gcp_kms.conftest import OpenKey
from tests.plugins.gcp_kms.keys import REFUSED, SIGNING, private_key, seed, verify

MESSAGE = b'{"type":"key.get"}'


@pytest.mark.parametrize("algorithm", SIGNING)
def test_signature_verifies_with_the_public_key_sync_and_async(
    algorithm: str, cloud_kms: CloudKmsEmulator, open_key: OpenKey
) -> None:
    key = open_key(seed(cloud_kms, algorithm))

    signatures = key.sign(MESSAGE), anyio.run(key.asign, MESSAGE)

    assert str(key.algorithm) == SIGNING[algorithm]
    for signature in signatures:
        verify(algorithm, private_key(algorithm).public_key(), signature, MESSAGE)


# One key for all examples: it has no state that an example could change.
@settings(
    deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(message=st.binary(min_size=1, max_size=5000))
def test_message_of_any_bytes_is_signed(message: bytes, key: GcpKmsKey) -> None:
    signature = key.sign(message)

    verify("EC_SIGN_ED25519", key.public_key, signature, message)


def test_ed25519_key_is_sent_the_message_with_its_checksum(
    key: GcpKmsKey, cloud_kms: CloudKmsEmulator
) -> None:
    key.sign(MESSAGE)

    request = cloud_kms.calls[-1].request
    assert request.data == MESSAGE
    assert request.data_crc32c == google_crc32c.value(MESSAGE)
    assert "digest" not in request


@pytest.mark.parametrize("algorithm", sorted(SIGNING.keys() - {"EC_SIGN_ED25519"}))
def test_other_keys_are_sent_the_sha256_digest_with_its_checksum(
    algorithm: str, cloud_kms: CloudKmsEmulator, open_key: OpenKey
) -> None:
    open_key(seed(cloud_kms, algorithm)).sign(MESSAGE)

    request, digest = cloud_kms.calls[-1].request, hashlib.sha256(MESSAGE).digest()
    assert request.digest.sha256 == digest
    assert request.digest_crc32c == google_crc32c.value(digest)
    assert not request.data


def test_signature_carries_its_evidence(key: GcpKmsKey, version: str) -> None:
    evidence = key.sign_with_evidence(MESSAGE).evidence

    assert evidence.key == version
    assert evidence.key_version == "1"
    assert evidence.attempts == 1
    assert evidence.verified


def test_signing_needs_no_permission_but_to_view_the_public_key_and_to_sign(
    cloud_kms: CloudKmsEmulator, version: str, open_key: OpenKey
) -> None:
    for permission in ("cryptoKeys.get", "cryptoKeyVersions.get", "cryptoKeyVersions.list"):
        cloud_kms.deny(f"cloudkms.{permission}", "projects/p-1")

    assert open_key(version).sign(MESSAGE)


@pytest.mark.parametrize("algorithm", [*REFUSED, "RSA_DECRYPT_OAEP_2048_SHA256"])
def test_key_of_another_algorithm_is_refused_by_name(
    algorithm: str, cloud_kms: CloudKmsEmulator, open_key: OpenKey
) -> None:
    name = seed(cloud_kms, algorithm)

    with pytest.raises(SigningKeyError, match=f"{name} has the algorithm {algorithm}") as caught:
        open_key(name)

    assert all(supported in str(caught.value) for supported in SIGNING)
