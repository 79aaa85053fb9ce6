"""GetPublicKey, AsymmetricSign, AsymmetricDecrypt."""

from __future__ import annotations

from typing import Final

from cryptography.hazmat.primitives import hashes
from google.cloud import kms_v1

from cloud_kms_emulator.algorithms import (
    ALGORITHMS,
    DECRYPT,
    SIGN,
    KeyAlgorithm,
    public_pem,
)
from cloud_kms_emulator.checksums import check_sent, crc32c
from cloud_kms_emulator.refusals import invalid, unimplemented, wrong_purpose
from cloud_kms_emulator.store import State, Store, Version

MAX_DATA: Final = 65_536
"""Bytes of ``data`` in one request, as Google's own fake has it."""


class SigningOperations:
    """What the emulator does with private keys."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def get_public_key(self, request: kms_v1.GetPublicKeyRequest) -> kms_v1.PublicKey:
        """The public key of an enabled version, in PEM with its checksum."""
        with self._store.lock:
            version = self._store.version(request.name)
            version.require(State.ENABLED)
            pem = public_pem(version.private_key)
        return kms_v1.PublicKey(
            pem=pem,
            pem_crc32c=crc32c(pem.encode("ascii")),
            name=version.name,
            algorithm=version.key.algorithm,
            protection_level=version.key.level,
        )

    def asymmetric_sign(
        self, request: kms_v1.AsymmetricSignRequest
    ) -> kms_v1.AsymmetricSignResponse:
        """A signature over data or a digest, with checksums both ways."""
        with self._store.lock:
            version = self._store.version(request.name)
            _require_purpose(version, SIGN, "AsymmetricSign")
            version.require(State.ENABLED)
            private_key = version.private_key
        algorithm = ALGORITHMS[version.key.algorithm]
        has_data, has_digest = bool(request.data), "digest" in request
        if has_data == has_digest:
            raise invalid("Exactly one of data and digest is required.")
        if has_data:
            value, verified_data, verified_digest = *_data(request, algorithm), False
        else:
            value, verified_digest, verified_data = *_digest(request, algorithm), False
        signature = algorithm.sign(private_key, value)
        return kms_v1.AsymmetricSignResponse(
            signature=signature,
            signature_crc32c=crc32c(signature),
            verified_data_crc32c=verified_data,
            verified_digest_crc32c=verified_digest,
            name=version.name,
            protection_level=version.key.level,
        )

    def asymmetric_decrypt(
        self, request: kms_v1.AsymmetricDecryptRequest
    ) -> kms_v1.AsymmetricDecryptResponse:
        """Refused: by a signing key for its purpose, by any other as not emulated."""
        version = self._store.version(request.name)
        _require_purpose(version, DECRYPT, "AsymmetricDecrypt")
        raise unimplemented("does not decrypt")


def _require_purpose(version: Version, purpose: str, operation: str) -> None:
    if version.key.purpose != purpose:
        raise wrong_purpose(version.name, version.key.purpose, operation)


def _data(request: kms_v1.AsymmetricSignRequest, algorithm: KeyAlgorithm) -> tuple[bytes, bool]:
    """What is signed for a request with data, and whether its checksum was verified."""
    if "digest_crc32c" in request:
        raise invalid("digest_crc32c was sent without a digest.")
    if len(request.data) > MAX_DATA:
        raise invalid(f"data has {len(request.data)} bytes; at most {MAX_DATA} are allowed.")
    verified = check_sent("data", request.data, request.data_crc32c)
    if algorithm.digest is None:
        return request.data, verified
    hasher = hashes.Hash(algorithm.digest[1])
    hasher.update(request.data)
    return hasher.finalize(), verified


def _digest(request: kms_v1.AsymmetricSignRequest, algorithm: KeyAlgorithm) -> tuple[bytes, bool]:
    """What is signed for a request with a digest, and whether its checksum was verified."""
    if "data_crc32c" in request:
        raise invalid("data_crc32c was sent without data.")
    if algorithm.digest is None:
        raise invalid("This algorithm signs data, not a digest.")
    kind, length = algorithm.digest[0], algorithm.digest[1].digest_size
    value: bytes = getattr(request.digest, kind)
    if len(value) != length:
        raise invalid(f"This algorithm signs a {kind} digest of {length} bytes, not {len(value)}.")
    return value, check_sent("digest", value, request.digest_crc32c)
