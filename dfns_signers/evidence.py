"""What a key store answered, and how a signature came about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from dfns_signers.algorithms import Algorithm


class KeyResponse(NamedTuple):
    """What a backend's key answered to one request for a signature.

    Attributes:
        signature: canonical bytes: 64 raw for Ed25519, DER for ECDSA, PKCS#1 v1.5 for RSA.
        key_version: version of the key that signed, where the key store reports one.
        request_id: the provider's id of the request, for its support and its audit log.
        attempts: how many requests it took.
    """

    signature: bytes
    key_version: str | None = None
    request_id: str | None = None
    attempts: int = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """How a signature came about: for audit and metrics, never sent to Dfns.

    Attributes:
        algorithm: scheme that signed.
        key: the key as resolved, such as an ARN or a path.
        key_version: version of the key that signed, where the key store reports one.
        fingerprint: ``sha256:…`` of the public key.
        duration: seconds from the request to the checked signature.
        attempts: how many requests it took.
        request_id: the provider's id of the request.
        verified: whether the signature was verified against the public key.
        abandoned: whether its caller was cancelled before it was made, so that nobody has it.
    """

    algorithm: Algorithm
    key: str
    key_version: str | None
    fingerprint: str
    duration: float
    attempts: int
    request_id: str | None
    verified: bool
    abandoned: bool = False


@dataclass(frozen=True, slots=True)
class Signature:
    """A checked signature: its canonical bytes, and how it came about."""

    value: bytes
    evidence: Evidence
