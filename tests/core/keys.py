"""Key pairs, signatures made and checked with cryptography alone, and keys that answer at will."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from dfns_signers.signing_key import KeyResponse, SigningKey

PrivateKey: TypeAlias = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey: TypeAlias = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey

ALGORITHMS: Final = ("Ed25519", "ES256", "ES256K", "RS256")
ECDSA: Final = ("ES256", "ES256K")

_GENERATE: Final[dict[str, Callable[[], PrivateKey]]] = {
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "ES256K": lambda: ec.generate_private_key(ec.SECP256K1()),
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
}


@cache
def private_key(algorithm: str) -> PrivateKey:
    return _GENERATE[algorithm]()


@cache
def stranger(algorithm: str) -> PrivateKey:
    """Another key of the same kind."""
    return _GENERATE[algorithm]()


@cache
def public_key(algorithm: str) -> PublicKey:
    return private_key(algorithm).public_key()


@cache
def small_rsa_key(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def make_signature(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, ed25519.Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return key.sign(message, ec.ECDSA(hashes.SHA256()))
    return key.sign(message, padding.PKCS1v15(), hashes.SHA256())


def is_signature(key: PublicKey, message: bytes, signature: bytes) -> bool:
    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(hashes.SHA256()))
        else:
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def private_pem(
    key: Any,
    passphrase: bytes | None = None,
    form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8,
) -> bytes:
    encryption: serialization.KeySerializationEncryption = (
        serialization.BestAvailableEncryption(passphrase)
        if passphrase
        else serialization.NoEncryption()
    )
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, form, encryption)
    return pem


def public_pem(key: Any) -> bytes:
    pem: bytes = key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem


def public_der(key: Any) -> bytes:
    der: bytes = key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return der


class AnsweringKey(SigningKey):
    """A remote key whose store answers what the test wants, and that counts its uses."""

    def __init__(
        self,
        algorithm: str,
        answer: Callable[[bytes], KeyResponse] | None = None,
        *,
        reference: str = "store/key-1",
        verify_signatures: bool = True,
    ) -> None:
        super().__init__(
            public_key(algorithm), reference=reference, verify_signatures=verify_signatures
        )
        self._answer = answer or (
            lambda message: KeyResponse(make_signature(private_key(algorithm), message))
        )
        self.is_native = False  # whether its client is asynchronous
        self.uses = 0
        self.releases = 0

    def _sign(self, message: bytes) -> KeyResponse:
        self.uses += 1
        return self._answer(message)

    async def _asign(self, message: bytes) -> KeyResponse:
        return self._sign(message) if self.is_native else await super()._asign(message)

    def _close(self) -> None:
        self.releases += 1
