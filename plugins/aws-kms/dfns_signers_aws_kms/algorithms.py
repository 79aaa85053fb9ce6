"""What each AWS KMS key spec signs with, and how it wants to be asked."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from dfns_signers.plugin import Algorithm, errors

if TYPE_CHECKING:
    from mypy_boto3_kms.literals import KeySpecType, MessageTypeType, SigningAlgorithmSpecType
    from mypy_boto3_kms.type_defs import SignRequestTypeDef

MAX_RAW_BYTES: Final = 4096
"""What Sign takes as a message of type RAW (API reference of Sign, parameter Message)."""


@dataclass(frozen=True, slots=True)
class KeySpec:
    """One key spec of AWS KMS that Dfns accepts.

    Attributes:
        name: the key spec as AWS writes it.
        algorithm: the scheme as Dfns names it.
        signing_algorithm: member SigningAlgorithm of a Sign request.
        message_type: DIGEST where AWS takes the SHA-256 of a message, of any length; RAW
            where it takes the message itself.
    """

    name: KeySpecType
    algorithm: Algorithm
    signing_algorithm: SigningAlgorithmSpecType
    message_type: MessageTypeType = "DIGEST"

    def request(self, arn: str, message: bytes) -> SignRequestTypeDef:
        """A Sign request for a message.

        Raises:
            SigningKeyError: the message is too long for AWS KMS.
        """
        return {
            "KeyId": arn,
            "Message": self._body(message),
            "MessageType": self.message_type,
            "SigningAlgorithm": self.signing_algorithm,
        }

    def _body(self, message: bytes) -> bytes:
        if self.message_type == "DIGEST":
            return hashlib.sha256(message).digest()
        if len(message) > MAX_RAW_BYTES:
            raise errors.SigningKeyError(
                f"AWS KMS signs at most {MAX_RAW_BYTES} bytes with a key of the spec {self.name}, "
                f"and the message has {len(message)}; a key of another spec signs a digest of it, "
                "whatever its length"
            )
        return message


KEY_SPECS: Final[Mapping[str, KeySpec]] = {
    spec.name: spec
    for spec in (
        KeySpec("ECC_NIST_EDWARDS25519", Algorithm.ED25519, "ED25519_SHA_512", "RAW"),
        KeySpec("ECC_NIST_P256", Algorithm.ES256, "ECDSA_SHA_256"),
        KeySpec("ECC_SECG_P256K1", Algorithm.ES256K, "ECDSA_SHA_256"),
        KeySpec("RSA_2048", Algorithm.RS256, "RSASSA_PKCS1_V1_5_SHA_256"),
        KeySpec("RSA_3072", Algorithm.RS256, "RSASSA_PKCS1_V1_5_SHA_256"),
        KeySpec("RSA_4096", Algorithm.RS256, "RSASSA_PKCS1_V1_5_SHA_256"),
    )
}

WHAT_WORKS: Final = (
    "what works is a key with the key usage SIGN_VERIFY and one of the key specs "
    f"{', '.join(KEY_SPECS)}; 'dfns-signers keys create' makes one"
)


def created_spec(algorithm: Algorithm, rsa_bits: int) -> KeySpec:
    """The key spec that a key for an algorithm is created with; ``rsa_bits`` is for RSA alone."""
    if algorithm is Algorithm.RS256:
        return KEY_SPECS[f"RSA_{rsa_bits}"]
    return next(spec for spec in KEY_SPECS.values() if spec.algorithm is algorithm)


def usable_spec(key: str, *, spec: str, usage: str) -> KeySpec:
    """The key spec of a key with the KeySpec and KeyUsage that AWS reports.

    Raises:
        UnsupportedKeyError: another spec or another usage.
    """
    found = KEY_SPECS.get(spec)
    if found is None or usage != "SIGN_VERIFY":
        raise errors.UnsupportedKeyError(
            f"the key {key} has the key spec {spec or 'unknown'} and the key usage "
            f"{usage or 'unknown'}, and cannot sign for Dfns; {WHAT_WORKS}"
        )
    return found
