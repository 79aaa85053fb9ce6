"""Public keys that Dfns accepts for a credential."""

from __future__ import annotations

import re
from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey | rsa.RSAPublicKey

# Dfns OpenAPI: pattern of `publicKey`, for service accounts, tokens and credentials alike.
_PEM = re.compile(
    r"-----BEGIN (RSA )?PUBLIC KEY-----[A-Za-z0-9+/=\n\r\\]+-----END (RSA )?PUBLIC KEY-----\s?"
)
_CURVES = (ec.SECP256R1, ec.SECP256K1, ec.SECP384R1, ec.SECP521R1)
_RSA_BITS = 2048  # Dfns docs: the smallest size of their examples


def load_public_key(pem: str) -> PublicKey:
    """Load a PEM public key of a kind that Dfns accepts.

    Raises:
        ValueError: not PEM as the OpenAPI pattern wants it, or not an accepted key.
    """
    if not _PEM.fullmatch(pem):
        msg = (
            "not a PEM public key: expected -----BEGIN PUBLIC KEY----- or"
            " -----BEGIN RSA PUBLIC KEY----- with nothing before it, and no more than one"
            " newline after the last line"
        )
        raise ValueError(msg)
    try:
        key = load_pem_public_key(pem.encode("ascii"))
    except (ValueError, UnsupportedAlgorithm):
        msg = "the text between the PEM lines is not a public key"
        raise ValueError(msg) from None
    return _accepted(key)


def _accepted(key: object) -> PublicKey:
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey):
        if isinstance(key.curve, _CURVES):
            return key
        found = f"an elliptic curve key on {key.curve.name}"
    elif isinstance(key, rsa.RSAPublicKey):
        if key.key_size >= _RSA_BITS:
            return key
        found = f"an RSA key of {key.key_size} bits"
    else:
        found = f"a key of type {type(key).__name__.removesuffix('PublicKey')}"
    msg = (
        f"expected Ed25519, ECDSA on P-256, secp256k1, P-384 or P-521, or RSA of at least"
        f" {_RSA_BITS} bits, and found {found}"
    )
    raise ValueError(msg)
