"""The four signature schemes that Dfns accepts for Key credentials, as one table.

Source: Dfns documentation on credentials, and what the official SDKs send. ECDSA and RSA hash with
SHA-256; RSA pads with PKCS#1 v1.5 (PSS is not accepted); Ed25519 is the pure variant.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa

from dfns_signers.encodings import check_ecdsa_form
from dfns_signers.errors import EncodingError, InvalidSignatureError, UnsupportedKeyError

PublicKey: TypeAlias = ed25519.Ed25519PublicKey | ec.EllipticCurvePublicKey | rsa.RSAPublicKey

FormCheck: TypeAlias = Callable[[bytes], object]
"""Takes a signature; raises EncodingError unless it is canonical for the key it was made for."""

Verification: TypeAlias = Callable[[bytes, bytes], None]
"""Takes message and signature; raises what ``verify`` raises."""

MIN_RSA_BITS: Final = 2048


class Algorithm(str, Enum):
    """A signature scheme, by its JOSE name."""

    ED25519 = "Ed25519"
    ES256 = "ES256"
    ES256K = "ES256K"
    RS256 = "RS256"

    __str__ = str.__str__


@dataclass(frozen=True, slots=True)
class Scheme:
    """What there is to know about one algorithm.

    Attributes:
        title: name of the scheme for people.
        accepts: whether a public key belongs to this scheme.
        form_check: makes, for a public key, the function that raises EncodingError unless the
            signature bytes are canonical for that key.
        parameters: what cryptography's ``sign`` and ``verify`` take besides signature and message.
    """

    title: str
    accepts: Callable[[object], bool]
    form_check: Callable[[Any], FormCheck]
    parameters: tuple[Any, ...] = ()


def _is_ed25519(key: object) -> bool:
    return isinstance(key, ed25519.Ed25519PublicKey)


def _is_on(curve: type[ec.EllipticCurve]) -> Callable[[object], bool]:
    return lambda key: isinstance(key, ec.EllipticCurvePublicKey) and isinstance(key.curve, curve)


def _is_rsa(key: object) -> bool:
    return isinstance(key, rsa.RSAPublicKey) and key.key_size >= MIN_RSA_BITS


def _of_length(expected: int) -> FormCheck:
    def check(signature: bytes) -> None:
        if len(signature) != expected:
            raise EncodingError(f"expected {expected} bytes, found {len(signature)}")

    return check


def _of_ed25519(_key: ed25519.Ed25519PublicKey) -> FormCheck:
    return _of_length(64)


def _of_ecdsa(_key: ec.EllipticCurvePublicKey) -> FormCheck:
    return check_ecdsa_form


def _of_rsa(key: rsa.RSAPublicKey) -> FormCheck:
    return _of_length((key.key_size + 7) // 8)


_ECDSA: Final = (ec.ECDSA(hashes.SHA256()),)
_PKCS1: Final = (padding.PKCS1v15(), hashes.SHA256())

SCHEMES: Final[Mapping[Algorithm, Scheme]] = {
    Algorithm.ED25519: Scheme("Ed25519", _is_ed25519, _of_ed25519),
    Algorithm.ES256: Scheme("ECDSA P-256", _is_on(ec.SECP256R1), _of_ecdsa, _ECDSA),
    Algorithm.ES256K: Scheme("ECDSA secp256k1", _is_on(ec.SECP256K1), _of_ecdsa, _ECDSA),
    Algorithm.RS256: Scheme("RSA PKCS#1 v1.5, 2048 bits and up", _is_rsa, _of_rsa, _PKCS1),
}

SUPPORTED: Final = ", ".join(scheme.title for scheme in SCHEMES.values())


def algorithm_of(public_key: object) -> Algorithm:
    """The algorithm that a public key signs with.

    Raises:
        UnsupportedKeyError: Dfns accepts no such key; the message says what was found.
    """
    for algorithm, scheme in SCHEMES.items():
        if scheme.accepts(public_key):
            return algorithm
    raise UnsupportedKeyError(
        f"found {describe(public_key)}, which Dfns does not accept; supported are {SUPPORTED}"
    )


def describe(key: object) -> str:
    """Name a key of any kind for an error message, such as ``an RSA key of 1024 bits``."""
    curve = getattr(key, "curve", None)
    if isinstance(curve, ec.EllipticCurve):
        return f"an elliptic curve key on {curve.name}"
    kind = type(key).__name__.removesuffix("PrivateKey").removesuffix("PublicKey").lstrip("_")
    size = getattr(key, "key_size", None)
    article = "an" if kind.startswith(("E", "M", "R", "X")) else "a"
    return f"{article} {kind} key of {size} bits" if size else f"{article} {kind} key"


def check_form(public_key: PublicKey, signature: bytes) -> None:
    """Check length and form of a signature, not its validity.

    Canonical are 64 raw bytes for Ed25519, DER for ECDSA, modulus-length bytes for RSA.

    Raises:
        EncodingError: the signature is not canonical for this key.
    """
    form_check(public_key)(signature)


def form_check(public_key: PublicKey) -> FormCheck:
    """``check_form`` for many signatures of one key: what depends on the key is looked up once."""
    return SCHEMES[algorithm_of(public_key)].form_check(public_key)


def verify(public_key: PublicKey, message: bytes, signature: bytes) -> None:
    """Verify a canonical signature over a message.

    Raises:
        EncodingError: the signature is not canonical for this key.
        InvalidSignatureError: it is canonical, and not by this key over this message.
    """
    verification(public_key)(message, signature)


def verification(public_key: PublicKey) -> Verification:
    """``verify`` for many signatures of one key: what depends on the key is looked up once."""
    parameters = SCHEMES[algorithm_of(public_key)].parameters
    check_form = form_check(public_key)
    verify_with: Any = public_key.verify

    def check(message: bytes, signature: bytes) -> None:
        try:
            # OpenSSL takes no form but the canonical one: it parses a signature as strictly.
            verify_with(signature, message, *parameters)
        except InvalidSignature as error:
            check_form(signature)
            raise InvalidSignatureError(
                "the signature is not by this key over this message"
            ) from error

    return check


if not TYPE_CHECKING:
    _KEY_NAMES: Final = frozenset({"fingerprint", "load_public_key", "public_key_pem"})

    def __getattr__(name: str) -> Any:
        # Callers that import these names from here go on working.
        if name in _KEY_NAMES:
            return getattr(import_module("dfns_signers.public_keys"), name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
