"""Algorithms of Cloud KMS as one table: what each means to Dfns, and what is sent for it.

Source: https://cloud.google.com/kms/docs/algorithms and the reference of AsymmetricSign.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import google_crc32c

from dfns_signers.plugin import Algorithm, errors

if TYPE_CHECKING:
    from google.cloud import kms_v1

SOFTWARE: Final = "SOFTWARE"
HSM: Final = "HSM"


def _data(message: bytes) -> dict[str, Any]:
    return {"data": message, "data_crc32c": {"value": google_crc32c.value(message)}}


def _sha256(message: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(message).digest()
    return {"digest": {"sha256": digest}, "digest_crc32c": {"value": google_crc32c.value(digest)}}


@dataclass(frozen=True, slots=True)
class KmsAlgorithm:
    """One algorithm of key versions.

    Attributes:
        algorithm: what Dfns calls it.
        parameters: fields of AsymmetricSignRequest in protobuf for a message, with their checksum.
        verified: field of the response that says that Google checked that checksum.
        levels: protection levels that offer it; that of a new key comes first.
    """

    algorithm: Algorithm
    parameters: Callable[[bytes], dict[str, Any]] = _sha256
    verified: str = "verified_digest_crc32c"
    levels: tuple[str, ...] = (SOFTWARE, HSM)


ALGORITHMS: Final[Mapping[str, KmsAlgorithm]] = {
    "EC_SIGN_ED25519": KmsAlgorithm(Algorithm.ED25519, _data, "verified_data_crc32c"),
    "EC_SIGN_P256_SHA256": KmsAlgorithm(Algorithm.ES256),
    "EC_SIGN_SECP256K1_SHA256": KmsAlgorithm(Algorithm.ES256K, levels=(HSM,)),
    "RSA_SIGN_PKCS1_2048_SHA256": KmsAlgorithm(Algorithm.RS256),
    "RSA_SIGN_PKCS1_3072_SHA256": KmsAlgorithm(Algorithm.RS256),
    "RSA_SIGN_PKCS1_4096_SHA256": KmsAlgorithm(Algorithm.RS256),
}


def require_supported(name: str, key: str) -> KmsAlgorithm:
    """What the table says of an algorithm.

    Raises:
        UnsupportedKeyError: Dfns does not accept its signatures.
    """
    if name not in ALGORITHMS:
        raise errors.UnsupportedKeyError(
            f"the key {key} has the algorithm {name}, whose signatures Dfns does not accept; "
            f"supported are {', '.join(ALGORITHMS)}. Create another key: an algorithm cannot be "
            "changed"
        )
    return ALGORITHMS[name]


def name_for(algorithm: Algorithm, rsa_bits: int) -> str:
    """Cloud KMS's name for new keys of an algorithm."""
    if algorithm is Algorithm.RS256:
        return f"RSA_SIGN_PKCS1_{rsa_bits}_SHA256"
    return next(name for name, known in ALGORITHMS.items() if known.algorithm is algorithm)


def algorithm_name(message: kms_v1.PublicKey | kms_v1.CryptoKeyVersion) -> str:
    """Cloud KMS's name of an algorithm; its number, where Google's client is too old for it."""
    return enum_name(message, "algorithm")


def enum_name(message: Any, field: str) -> str:
    """The name that an enumerated field has; its number, where Google's client does not know it."""
    raw = type(message).pb(message)
    known = raw.DESCRIPTOR.fields_by_name[field].enum_type.values_by_number
    number = getattr(raw, field)
    return str(known[number].name) if number in known else f"number {number}"
