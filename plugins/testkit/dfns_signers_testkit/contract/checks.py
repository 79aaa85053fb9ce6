"""What the contract finds out by itself: signatures with cryptography alone, and what hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from hashlib import sha256
from typing import TypeVar

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dfns_signers.algorithms import PublicKey

T = TypeVar("T")


def is_signature(key: PublicKey, message: bytes, signature: bytes) -> bool:
    """Whether a signature is that of a message, in SHA-256 but for Ed25519."""
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


def is_canonical(key: PublicKey, signature: bytes) -> bool:
    """Whether a signature is encoded as Dfns wants it: 64 raw, DER, or as long as the modulus."""
    if isinstance(key, ed25519.Ed25519PublicKey):
        return len(signature) == 64  # noqa: PLR2004  # RFC 8032
    if isinstance(key, ec.EllipticCurvePublicKey):
        return encode_dss_signature(*decode_dss_signature(signature)) == signature
    return len(signature) == key.key_size // 8


def der(key: PublicKey) -> bytes:
    """SubjectPublicKeyInfo in DER."""
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: PublicKey) -> str:
    """``sha256:`` and the hex digest of the DER public key."""
    return f"sha256:{sha256(der(key)).hexdigest()}"


def within(seconds: float, work: Callable[[], T]) -> T:
    """What a function returns or raises; a failure of the test if it takes longer."""
    future: Future[T] = Future()

    def run() -> None:
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001  # raised in the test's thread
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    if not wait([future], seconds).done:
        pytest.fail(f"hangs: it was not done after {seconds:g} seconds")
    return future.result()
