"""What Transit calls our algorithms, as one table.

Sources: the API reference of the Transit secrets engine, and OpenBao 2.7.2.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric import ed25519

from dfns_signers.plugin import Algorithm, PublicKey, Sealed, errors, load_public_key


@dataclass(frozen=True, slots=True)
class KeyType:
    """A type of Transit key that Dfns accepts.

    Attributes:
        name: what Transit calls it.
        algorithm: what it signs with.
        read_public_key: reads the ``public_key`` of a version, as Transit writes it.
        parameters: of a request to sign, beside the message itself.
    """

    name: str
    algorithm: Algorithm
    read_public_key: Callable[[str], PublicKey] = load_public_key
    parameters: Mapping[str, str] = field(default_factory=dict)


def _raw_ed25519(text: str) -> PublicKey:
    # Sealed, for nobody knows what a hostile server sends for a public key.
    given = Sealed(text)
    del text
    try:
        return ed25519.Ed25519PublicKey.from_public_bytes(
            base64.b64decode(given.open(), validate=True)
        )
    except ValueError as error:
        raise errors.UnsupportedKeyError(
            "expected 32 bytes in base64 for an Ed25519 public key"
        ) from error


_ECDSA: Final = {"hash_algorithm": "sha2-256", "marshaling_algorithm": "asn1"}
# Transit's own default is PSS, which Dfns does not accept.
_RSA: Final = {"hash_algorithm": "sha2-256", "signature_algorithm": "pkcs1v15"}

KEY_TYPES: Final[Mapping[str, KeyType]] = {
    key_type.name: key_type
    for key_type in (
        # Neither 'prehashed' nor a hash: with them Vault Enterprise signs Ed25519ph.
        KeyType("ed25519", Algorithm.ED25519, _raw_ed25519),
        KeyType("ecdsa-p256", Algorithm.ES256, parameters=_ECDSA),
        KeyType("rsa-2048", Algorithm.RS256, parameters=_RSA),
        KeyType("rsa-3072", Algorithm.RS256, parameters=_RSA),
        KeyType("rsa-4096", Algorithm.RS256, parameters=_RSA),
    )
}

SUPPORTED: Final = (
    f"supported are {', '.join(KEY_TYPES)} (Transit has no secp256k1 keys; sign ES256K with "
    "another backend)"
)


def key_type_for(algorithm: Algorithm, name: str | None = None) -> KeyType:
    """The type of key to create for an algorithm.

    Args:
        algorithm: what the key is to sign with.
        name: the type, where an algorithm has several; by default the first of the table.

    Raises:
        UnsupportedKeyError: there is no such key type, or it signs with another algorithm.
    """
    fitting = [one.name for one in KEY_TYPES.values() if one.algorithm == algorithm]
    if not fitting:
        raise errors.UnsupportedKeyError(f"Transit has no keys for {algorithm}: {SUPPORTED}")
    if name not in {None, *fitting}:
        raise errors.UnsupportedKeyError(
            f"a key of type {name!r} does not sign {algorithm}; {', '.join(fitting)} do"
        )
    return KEY_TYPES[name or fitting[0]]
