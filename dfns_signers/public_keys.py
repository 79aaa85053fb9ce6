"""Public keys: PEM and DER, and the fingerprint that pins one."""

from __future__ import annotations

import re

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization

from dfns_signers.algorithms import PublicKey, algorithm_of
from dfns_signers.encodings import sha256_hex
from dfns_signers.errors import ConfigurationError, UnsupportedKeyError
from dfns_signers.sealed import Sealed


def public_key_der(public_key: PublicKey) -> bytes:
    """The key as DER SubjectPublicKeyInfo."""
    return public_key.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def public_key_pem(public_key: PublicKey) -> str:
    """The key as PEM SubjectPublicKeyInfo, the form in which Dfns registers a credential."""
    return public_key.public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    ).decode("ascii")


def load_public_key(data: bytes | str) -> PublicKey:
    """Read a public key from PEM (text or bytes) or DER SubjectPublicKeyInfo.

    Raises:
        UnsupportedKeyError: not a public key, or one that Dfns does not accept.
    """
    # Sealed, for it may be the private key that somebody gave by mistake.
    given = Sealed(data.encode("utf-8", "replace") if isinstance(data, str) else data)
    del data
    is_pem = b"-----BEGIN" in given.open()
    load = serialization.load_pem_public_key if is_pem else serialization.load_der_public_key
    try:
        key = load(given.open())
    except (ValueError, UnsupportedAlgorithm) as error:
        hint = ""
        if b"PRIVATE KEY-----" in given.open():
            hint = "; this is a private key: 'openssl pkey -in KEY -pubout' writes its public half"
        raise UnsupportedKeyError(
            "not a public key: expected PEM that begins with '-----BEGIN PUBLIC KEY-----', or DER"
            + hint
        ) from error
    algorithm_of(key)
    return key  # type: ignore[return-value]  # narrowed by algorithm_of


def fingerprint(public_key: PublicKey) -> str:
    """``sha256:`` and the lower-case hex SHA-256 of the DER SubjectPublicKeyInfo.

    The same as ``openssl pkey -pubin -in key.pub -outform DER | sha256sum`` prints.
    """
    return "sha256:" + sha256_hex(public_key_der(public_key))


def parse_fingerprint(text: str) -> str:
    """Normalise a fingerprint: ``sha256:`` is optional, as are colons between bytes, and case."""
    given: object = text
    written = given if isinstance(given, str) else ""
    digits = written.strip().lower().removeprefix("sha256:").replace(":", "")
    if not re.fullmatch(r"[0-9a-f]{64}", digits):
        raise ConfigurationError(
            "expected a fingerprint such as 'sha256:' and 64 hex digits, the SHA-256 of the public "
            "key in DER; 'dfns-signers public-key --json' prints it"
        )
    return "sha256:" + digits
