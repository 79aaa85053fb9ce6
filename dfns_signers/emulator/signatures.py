"""Judging signatures: ECDSA in DER, Ed25519 of 64 bytes, RSA PKCS#1 v1.5, SHA-256.

When a signature is wrong, the near misses that people produce with a KMS are tried, so that
the message can name the mistake.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from dfns_signers.emulator.base64url import encode
from dfns_signers.emulator.public_keys import PublicKey

ED25519_BYTES = 64
SHA256: Final = hashes.SHA256()
PKCS1: Final = padding.PKCS1v15()

# Digest names of the member `algorithm` that mean what is verified here (Dfns docs, newest
# TypeScript SDK).
ALGORITHMS = ("SHA256", "RSA-SHA256")


@dataclass(frozen=True)
class Fault:
    """Why a signature is refused."""

    check: str
    message: str
    found: str


def find_fault(key: PublicKey, signature: bytes, message: bytes) -> Fault | None:
    """None for a signature by the key over the message; else what is wrong with it."""
    fault = _encoding_fault(key, signature)
    if fault:
        return Fault("signature.encoding", *fault)
    if _verifies(key, signature, message):
        return None
    found = next(_near_misses(key, signature, message), "")
    hint = f"it is a signature {found}" if found else "by another key, or over other bytes"
    expected = f"expected a signature by the registered key over the bytes, {_scheme(key)}"
    return Fault("signature.value", f"{expected}; found: {hint}", found)


def _encoding_fault(key: PublicKey, signature: bytes) -> tuple[str, str] | None:
    found = f"{len(signature)} bytes"
    if isinstance(key, ed25519.Ed25519PublicKey):
        if len(signature) != ED25519_BYTES:
            return f"an Ed25519 signature has {ED25519_BYTES} bytes, found {found}", found
        return None
    if isinstance(key, ec.EllipticCurvePublicKey):
        try:
            decode_dss_signature(signature)
        except ValueError:
            if len(signature) == 2 * ((key.key_size + 7) // 8):
                found += ", the length of r and s side by side (IEEE P1363): convert it"
            return f"an ECDSA signature is ASN.1 DER of r and s, found {found}", found
        return None
    size = (key.key_size + 7) // 8
    if len(signature) != size:
        return f"a signature by this RSA key has {size} bytes, found {found}", found
    return None


def _verifies(
    key: PublicKey,
    signature: bytes,
    message: bytes,
    digest: hashes.HashAlgorithm = SHA256,
    rsa_padding: padding.AsymmetricPadding = PKCS1,
) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(digest))
        else:
            key.verify(signature, message, rsa_padding, digest)
    except InvalidSignature:
        return False
    return True


def _scheme(key: PublicKey) -> str:
    if isinstance(key, ed25519.Ed25519PublicKey):
        return "Ed25519 without hashing them first"
    if isinstance(key, ec.EllipticCurvePublicKey):
        return "ECDSA with SHA-256"
    return "RSA PKCS#1 v1.5 with SHA-256"


_OTHER_MESSAGES: dict[str, Callable[[bytes], bytes]] = {
    "over the SHA-256 digest of the bytes: they were hashed once too often": lambda message: (
        hashlib.sha256(message).digest()
    ),
    "over the base64url text of the bytes, not over the bytes": lambda message: encode(
        message
    ).encode("ascii"),
}
_OTHER_DIGESTS: tuple[hashes.HashAlgorithm, ...] = (hashes.SHA384(), hashes.SHA512())


def _near_misses(key: PublicKey, signature: bytes, message: bytes) -> Iterator[str]:
    for name, change in _OTHER_MESSAGES.items():
        if _verifies(key, signature, change(message)):
            yield name
    if isinstance(key, ed25519.Ed25519PublicKey):
        return
    for digest in _OTHER_DIGESTS:
        if _verifies(key, signature, message, digest):
            yield f"with SHA-{digest.digest_size * 8}"
    if not isinstance(key, ec.EllipticCurvePublicKey):
        pss = padding.PSS(padding.MGF1(SHA256), padding.PSS.AUTO)
        if _verifies(key, signature, message, rsa_padding=pss):
            yield "with RSA PSS padding"
