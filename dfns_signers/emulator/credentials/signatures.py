"""Public keys and signatures: ECDSA in DER, Ed25519 of 64 bytes, RSA PKCS#1 v1.5, SHA-256.

When a signature is wrong, the near misses that people produce with a KMS are tried, so that
the message can name the mistake.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from dfns_signers.emulator.requests.wire import to_base64url

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

# Dfns OpenAPI: pattern of `publicKey`, for service accounts, tokens and credentials alike.
_PEM: Final = re.compile(
    r"-----BEGIN (RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\n\r\\]+-----END (RSA )?PUBLIC KEY-----\s?"
)
_CURVES: Final = (ec.SECP256R1, ec.SECP256K1, ec.SECP384R1, ec.SECP521R1)
_RSA_BITS: Final = 2048  # Dfns docs: the smallest size of their examples

# Digest names of the member `algorithm` that mean what is verified here (Dfns docs, newest
# TypeScript SDK).
ALGORITHMS: Final = ("SHA256", "RSA-SHA256")
ED25519_BYTES: Final = 64

_SHA256: Final = hashes.SHA256()
_PKCS1: Final = padding.PKCS1v15()
_PSS: Final = padding.PSS(padding.MGF1(_SHA256), padding.PSS.AUTO)
_OTHER_MESSAGES: Final[Mapping[str, Callable[[bytes], bytes]]] = {
    "over the SHA-256 digest of the bytes: they were hashed once too often": lambda message: (
        hashlib.sha256(message).digest()
    ),
    "over the base64url text of the bytes, not over the bytes": lambda message: to_base64url(
        message
    ).encode("ascii"),
}
_OTHER_DIGESTS: Final[tuple[hashes.HashAlgorithm, ...]] = (hashes.SHA384(), hashes.SHA512())


def load_public_key(pem: str) -> PublicKey:
    """Load a PEM public key of a kind that Dfns accepts.

    Raises:
        ValueError: not PEM as the OpenAPI pattern wants it, or not an accepted key.
    """
    if "PRIVATE KEY-----" in pem:
        raise ValueError(
            "a private key, where its public half is expected: 'openssl pkey -in KEY -pubout'"
            " writes that"
        )
    if not _PEM.fullmatch(pem):
        raise ValueError(
            "not a PEM public key: expected -----BEGIN PUBLIC KEY----- or"
            " -----BEGIN RSA PUBLIC KEY----- with nothing before it, and no more than one"
            " newline after the last line"
        )
    try:
        key = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        raise ValueError("the text between the PEM lines is not a public key") from None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, _CURVES):
        return key
    if isinstance(key, rsa.RSAPublicKey) and key.key_size >= _RSA_BITS:
        return key
    raise ValueError(
        "expected Ed25519, ECDSA on P-256, secp256k1, P-384 or P-521, or RSA of at least"
        f" {_RSA_BITS} bits, and found {_described(key)}"
    )


def _described(key: object) -> str:
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"an elliptic curve key on {key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"an RSA key of {key.key_size} bits"
    return f"a key of type {type(key).__name__.removesuffix('PublicKey')}"


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a signature is refused."""

    check: Literal["signature.encoding", "signature.value"]
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
    size = (key.key_size + 7) // 8
    if isinstance(key, ec.EllipticCurvePublicKey):
        try:
            decode_dss_signature(signature)
        except ValueError:
            if len(signature) == 2 * size:
                found += ", the length of r and s side by side (IEEE P1363): convert it"
            return f"an ECDSA signature is ASN.1 DER of r and s, found {found}", found
        return None
    if len(signature) != size:
        return f"a signature by this RSA key has {size} bytes, found {found}", found
    return None


def _verifies(
    key: PublicKey,
    signature: bytes,
    message: bytes,
    digest: hashes.HashAlgorithm = _SHA256,
    rsa_padding: padding.AsymmetricPadding = _PKCS1,
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


def _near_misses(key: PublicKey, signature: bytes, message: bytes) -> Iterator[str]:
    for name, change in _OTHER_MESSAGES.items():
        if _verifies(key, signature, change(message)):
            yield name
    # Ed25519 has neither digest nor padding, and ECDSA no padding: these find nothing there.
    for digest in _OTHER_DIGESTS:
        if _verifies(key, signature, message, digest):
            yield f"with SHA-{digest.digest_size * 8}"
    if _verifies(key, signature, message, rsa_padding=_PSS):
        yield "with RSA PSS padding"
