"""Algorithms of key versions as one table: how each makes a key, and signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

SIGN: Final = "ASYMMETRIC_SIGN"
DECRYPT: Final = "ASYMMETRIC_DECRYPT"

_SHA256: Final = ("sha256", hashes.SHA256())
_SHA384: Final = ("sha384", hashes.SHA384())
_SHA512: Final = ("sha512", hashes.SHA512())
_ANYWHERE: Final = frozenset({"SOFTWARE", "HSM"})
_HSM_ONLY: Final = frozenset({"HSM"})


@dataclass(frozen=True, slots=True)
class KeyAlgorithm:
    """What there is to know about one algorithm.

    Attributes:
        generate: makes a private key.
        digest: field of ``Digest`` that it signs, and the hash; None where it signs data only.
        sign: signature by a private key over the digest, or over the data where there is none.
        purpose: purpose of the crypto keys that have it.
        levels: protection levels that offer it.
    """

    generate: Callable[[], Any]
    digest: tuple[str, hashes.HashAlgorithm] | None
    sign: Callable[[Any, bytes], bytes]
    purpose: str = SIGN
    levels: frozenset[str] = _ANYWHERE


def _ecdsa(
    curve: ec.EllipticCurve,
    digest: tuple[str, hashes.HashAlgorithm],
    levels: frozenset[str] = _ANYWHERE,
) -> KeyAlgorithm:
    scheme = ec.ECDSA(Prehashed(digest[1]))
    return KeyAlgorithm(
        generate=lambda: ec.generate_private_key(curve),
        digest=digest,
        sign=lambda key, value: key.sign(value, scheme),
        levels=levels,
    )


def _rsa_key(bits: int) -> Callable[[], rsa.RSAPrivateKey]:
    return lambda: rsa.generate_private_key(public_exponent=65537, key_size=bits)


def _rsa(
    bits: int, digest: tuple[str, hashes.HashAlgorithm], pad: padding.AsymmetricPadding
) -> KeyAlgorithm:
    return KeyAlgorithm(
        generate=_rsa_key(bits),
        digest=digest,
        sign=lambda key, value: key.sign(value, pad, Prehashed(digest[1])),
    )


def _pkcs1(bits: int, digest: tuple[str, hashes.HashAlgorithm]) -> KeyAlgorithm:
    return _rsa(bits, digest, padding.PKCS1v15())


def _pss(bits: int, digest: tuple[str, hashes.HashAlgorithm]) -> KeyAlgorithm:
    mask = padding.MGF1(digest[1])
    return _rsa(bits, digest, padding.PSS(mask, salt_length=digest[1].digest_size))


def _oaep(bits: int) -> KeyAlgorithm:
    def sign(_key: Any, _value: bytes) -> bytes:
        raise AssertionError("a decryption key is refused before it signs")

    return KeyAlgorithm(_rsa_key(bits), _SHA256, sign, purpose=DECRYPT)


ALGORITHMS: Final[Mapping[str, KeyAlgorithm]] = {
    "EC_SIGN_ED25519": KeyAlgorithm(
        ed25519.Ed25519PrivateKey.generate, None, lambda key, data: key.sign(data)
    ),
    "EC_SIGN_P256_SHA256": _ecdsa(ec.SECP256R1(), _SHA256),
    "EC_SIGN_P384_SHA384": _ecdsa(ec.SECP384R1(), _SHA384),
    "EC_SIGN_SECP256K1_SHA256": _ecdsa(ec.SECP256K1(), _SHA256, _HSM_ONLY),
    "RSA_SIGN_PKCS1_2048_SHA256": _pkcs1(2048, _SHA256),
    "RSA_SIGN_PKCS1_3072_SHA256": _pkcs1(3072, _SHA256),
    "RSA_SIGN_PKCS1_4096_SHA256": _pkcs1(4096, _SHA256),
    "RSA_SIGN_PKCS1_4096_SHA512": _pkcs1(4096, _SHA512),
    "RSA_SIGN_PSS_2048_SHA256": _pss(2048, _SHA256),
    "RSA_SIGN_PSS_3072_SHA256": _pss(3072, _SHA256),
    "RSA_SIGN_PSS_4096_SHA256": _pss(4096, _SHA256),
    "RSA_SIGN_PSS_4096_SHA512": _pss(4096, _SHA512),
    "RSA_DECRYPT_OAEP_2048_SHA256": _oaep(2048),
    "RSA_DECRYPT_OAEP_3072_SHA256": _oaep(3072),
    "RSA_DECRYPT_OAEP_4096_SHA256": _oaep(4096),
}


def public_pem(private_key: Any) -> str:
    """The public half as PEM SubjectPublicKeyInfo."""
    pem: bytes = private_key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode("ascii")
