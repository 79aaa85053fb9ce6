"""Contract: public keys and signatures, on the emulator or the real service."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import google_crc32c
import pytest
from cryptography.hazmat.primitives import serialization
from google.api_core import exceptions as google
from google.cloud.kms_v1 import CryptoKeyVersion, ProtectionLevel

from tests.plugins.cloud_kms_emulator.conftest import Service
from tests.plugins.gcp_kms.keys import REFUSED, SIGNING, level_of, verify

ALGORITHMS = (*SIGNING, *REFUSED)
MESSAGE = b"message"


def crc(data: bytes) -> int:
    return int(google_crc32c.value(data))


def digest_of(algorithm: str, message: bytes) -> tuple[str, bytes]:
    kind = algorithm.rsplit("_", 1)[1].lower()
    return kind, hashlib.new(kind, message).digest()


def request_for(algorithm: str, version: str) -> dict[str, Any]:
    if algorithm == "EC_SIGN_ED25519":
        return {"name": version, "data": MESSAGE, "data_crc32c": crc(MESSAGE)}
    kind, digest = digest_of(algorithm, MESSAGE)
    return {"name": version, "digest": {kind: digest}, "digest_crc32c": crc(digest)}


@pytest.mark.parametrize("driver", ["sync", "async"])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_signature_verifies_and_checksums_fit(
    algorithm: str, driver: str, service: Service
) -> None:
    version = service.version(algorithm)
    request = request_for(algorithm, version)

    if driver == "sync":
        public = service.client.get_public_key(name=version)
        answer = service.client.asymmetric_sign(request=request)
    else:
        public = service.call_async(lambda client: client.get_public_key(name=version))
        answer = service.call_async(lambda client: client.asymmetric_sign(request=request))

    key = serialization.load_pem_public_key(public.pem.encode())
    verify(algorithm, key, answer.signature, MESSAGE)
    assert public.algorithm == CryptoKeyVersion.CryptoKeyVersionAlgorithm[algorithm]  # type: ignore[misc]
    assert public.protection_level == answer.protection_level
    assert public.protection_level == ProtectionLevel[level_of(algorithm)]  # type: ignore[misc]
    assert (public.name, answer.name) == (version, version)
    assert public.pem_crc32c == crc(public.pem.encode())
    assert answer.signature_crc32c == crc(answer.signature)
    by_data = algorithm == "EC_SIGN_ED25519"
    assert (answer.verified_data_crc32c, answer.verified_digest_crc32c) == (by_data, not by_data)


@pytest.mark.parametrize("algorithm", ["EC_SIGN_ED25519", "EC_SIGN_P256_SHA256"])
def test_data_is_signed_and_its_checksum_verified_only_if_sent(
    algorithm: str, service: Service
) -> None:
    version = service.version(algorithm)

    answer = service.client.asymmetric_sign(request={"name": version, "data": MESSAGE})

    public = service.client.get_public_key(name=version)
    key = serialization.load_pem_public_key(public.pem.encode())
    verify(algorithm, key, answer.signature, MESSAGE)
    assert not answer.verified_data_crc32c


P256 = "EC_SIGN_P256_SHA256"
ED25519 = "EC_SIGN_ED25519"
SHA256 = hashlib.sha256(MESSAGE).digest()

WRONG: dict[str, tuple[str, dict[str, Any]]] = {
    "neither data nor digest": (P256, {}),
    "a digest for an Ed25519 key": (ED25519, {"digest": {"sha256": SHA256}}),
    "a digest of another hash": (P256, {"digest": {"sha384": bytes(48)}}),
    "a digest that is too short": (P256, {"digest": {"sha256": SHA256[:-1]}}),
    "a checksum that does not fit the digest": (
        P256,
        {"digest": {"sha256": SHA256}, "digest_crc32c": crc(SHA256) ^ 1},
    ),
    "a checksum that does not fit the data": (
        ED25519,
        {"data": MESSAGE, "data_crc32c": crc(MESSAGE) ^ 1},
    ),
    "data and a digest": (P256, {"data": MESSAGE, "digest": {"sha256": SHA256}}),
    "a checksum of a digest beside data": (ED25519, {"data": MESSAGE, "digest_crc32c": 1}),
    "a checksum of data beside a digest": (P256, {"digest": {"sha256": SHA256}, "data_crc32c": 1}),
    "more than 64 KiB of data": (ED25519, {"data": bytes(65_537)}),
}


@pytest.mark.parametrize("what", WRONG)
def test_wrong_request_is_an_invalid_argument(what: str, service: Service) -> None:
    algorithm, fields = WRONG[what]

    with pytest.raises(google.InvalidArgument):
        service.client.asymmetric_sign(
            request={"name": service.version(algorithm), **fields}, retry=None
        )


Call = Callable[[Service, str], object]


@pytest.mark.parametrize(
    "call",
    [
        lambda service, name: service.client.get_public_key(name=name),
        lambda service, name: service.client.asymmetric_sign(request={"name": name, "data": b"m"}),
        lambda service, name: service.client.get_crypto_key_version(name=name),
    ],
    ids=["GetPublicKey", "AsymmetricSign", "GetCryptoKeyVersion"],
)
def test_unknown_version_is_not_found_and_another_name_invalid(
    call: Call, service: Service
) -> None:
    version = service.version(ED25519)

    with pytest.raises(google.NotFound):
        call(service, version.removesuffix("1") + "999")
    with pytest.raises(google.InvalidArgument):
        call(service, version.rsplit("/cryptoKeyVersions/", 1)[0])
