"""The private keys of the double, and what AWS reports about each key spec."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from tests.core.keys import private_key

ALGORITHMS = {
    "ECC_NIST_EDWARDS25519": "Ed25519",
    "ECC_NIST_P256": "ES256",
    "ECC_SECG_P256K1": "ES256K",
    "RSA_2048": "RS256",
    "RSA_3072": "RS256",
    "RSA_4096": "RS256",
}
"""What Dfns calls the algorithm of each key spec that it accepts."""

_RSA = [f"RSASSA_{scheme}_SHA_{n}" for scheme in ("PSS", "PKCS1_V1_5") for n in (256, 384, 512)]

SIGNING_ALGORITHMS = {
    "ECC_NIST_EDWARDS25519": ["ED25519_SHA_512", "ED25519_PH_SHA_512"],
    "ECC_NIST_P256": ["ECDSA_SHA_256"],
    "ECC_SECG_P256K1": ["ECDSA_SHA_256"],
    "ECC_NIST_P384": ["ECDSA_SHA_384"],
    "RSA_2048": _RSA,
}


@dataclass
class StoredKey:
    """A key in the double."""

    spec: str
    private_key: Any
    usage: str = "SIGN_VERIFY"
    state: str = "Enabled"
    description: str = ""
    multi_region: bool = False

    def sign(self, message: bytes, kind: str) -> bytes:
        """As AWS: a digest is signed as it is, a raw message is hashed first."""
        if self.spec == "ECC_NIST_EDWARDS25519":
            return bytes(self.private_key.sign(message))
        chosen: Any = Prehashed(hashes.SHA256()) if kind == "DIGEST" else hashes.SHA256()
        if self.spec.startswith("RSA"):
            return bytes(self.private_key.sign(message, padding.PKCS1v15(), chosen))
        return bytes(self.private_key.sign(message, ec.ECDSA(chosen)))


def stored_key(spec: str, **changes: Any) -> StoredKey:
    if "private_key" not in changes:
        algorithm = ALGORITHMS.get(spec)
        own = private_key(algorithm) if algorithm else ec.generate_private_key(ec.SECP384R1())
        changes["private_key"] = own
    return StoredKey(spec, **changes)
