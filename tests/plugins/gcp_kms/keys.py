"""Private keys that the tests put onto the emulator: made once, for RSA keys take a while."""

from __future__ import annotations

from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from cloud_kms_emulator import CloudKmsEmulator

RING = "projects/p-1/locations/europe-west1/keyRings/ring"
CRYPTO_KEY = f"{RING}/cryptoKeys/key"

SIGNING = {
    "EC_SIGN_ED25519": "Ed25519",
    "EC_SIGN_P256_SHA256": "ES256",
    "EC_SIGN_SECP256K1_SHA256": "ES256K",
    "RSA_SIGN_PKCS1_2048_SHA256": "RS256",
    "RSA_SIGN_PKCS1_3072_SHA256": "RS256",
    "RSA_SIGN_PKCS1_4096_SHA256": "RS256",
}
"""What Dfns calls the algorithms of Cloud KMS that it accepts."""

REFUSED = (
    "EC_SIGN_P384_SHA384",
    "RSA_SIGN_PKCS1_4096_SHA512",
    "RSA_SIGN_PSS_2048_SHA256",
    "RSA_SIGN_PSS_3072_SHA256",
    "RSA_SIGN_PSS_4096_SHA256",
    "RSA_SIGN_PSS_4096_SHA512",
)


def level_of(algorithm: str) -> str:
    return "HSM" if algorithm == "EC_SIGN_SECP256K1_SHA256" else "SOFTWARE"


@cache
def rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@cache
def private_key(algorithm: str) -> Any:
    if algorithm == "EC_SIGN_ED25519":
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm == "EC_SIGN_P256_SHA256":
        return ec.generate_private_key(ec.SECP256R1())
    if algorithm == "EC_SIGN_P384_SHA384":
        return ec.generate_private_key(ec.SECP384R1())
    if algorithm == "EC_SIGN_SECP256K1_SHA256":
        return ec.generate_private_key(ec.SECP256K1())
    return rsa_key(next(bits for bits in (2048, 3072, 4096) if str(bits) in algorithm))


def seed(emulator: CloudKmsEmulator, algorithm: str, name: str = CRYPTO_KEY) -> str:
    """A version with a known private key; returns its name."""
    return emulator.add_version(
        name,
        algorithm,
        protection_level=level_of(algorithm),
        private_key=private_key(algorithm),
    )


_HASHES = {
    "SHA256": hashes.SHA256(),
    "SHA384": hashes.SHA384(),
    "SHA512": hashes.SHA512(),
}


def verify(algorithm: str, public_key: Any, signature: bytes, message: bytes) -> None:
    """Verify with cryptography alone what a key of this algorithm signed."""
    if algorithm == "EC_SIGN_ED25519":
        public_key.verify(signature, message)
        return
    digest = _HASHES[algorithm.rsplit("_", 1)[1]]
    if algorithm.startswith("EC_"):
        public_key.verify(signature, message, ec.ECDSA(digest))
    elif "PSS" in algorithm:
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        public_key.verify(signature, message, pss, digest)
    else:
        public_key.verify(signature, message, padding.PKCS1v15(), digest)
