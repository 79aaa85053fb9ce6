"""What is said of a key whose backend failed, or answered with anything but a signature by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dfns_signers.errors import (
    DfnsSignersError,
    EncodingError,
    FingerprintMismatchError,
    InvalidSignatureError,
    SigningKeyError,
)
from dfns_signers.evidence import KeyResponse

if TYPE_CHECKING:
    from dfns_signers.key_lifetime import KeyLifetime
    from dfns_signers.signing_key import SigningKey


def backend_failure(key: KeyLifetime, error: Exception) -> DfnsSignersError:
    """The error to raise for what a backend raised; the same if it is one of ours."""
    if isinstance(error, EncodingError):
        return InvalidSignatureError(
            f"the backend of the key {key.reference} returned no {key.algorithm} signature: "
            f"{error}; report it to the author of the backend"
        )
    if isinstance(error, DfnsSignersError):
        return error
    # Without the text of the error: what a stranger's library puts into it is unknown.
    return SigningKeyError(
        f"cannot sign with the key {key.reference}: its backend ({type(key).__module__}) "
        f"failed with {type(error).__name__}; report it to the author of the backend"
    )


def not_a_response(key: SigningKey, answer: object) -> InvalidSignatureError:
    """The backend returned something else than a KeyResponse."""
    return InvalidSignatureError(
        f"the backend of the key {key.reference} returned {type(answer).__name__}, "
        "expected a KeyResponse; report it to the author of the backend"
    )


def invalid_signature(
    key: SigningKey, response: KeyResponse, error: DfnsSignersError
) -> InvalidSignatureError:
    """The signature is not canonical (EncodingError), or not by the key over the message."""
    version = f" (version {response.key_version} signed)" if response.key_version else ""
    request = f"; request id {response.request_id}" if response.request_id else ""
    advice = "Check whether the key was replaced or rotated"
    if isinstance(error, EncodingError):
        advice += "; otherwise report it to the author of the backend"
    return InvalidSignatureError(
        f"the key {key.reference}{version} returned an invalid {key.algorithm} signature "
        f"for the public key it had when it was opened ({key.fingerprint}): {error}. "
        f"Nothing was sent to Dfns. {advice}{request}"
    )


def other_key(key: SigningKey, pinned: str) -> FingerprintMismatchError:
    """The key has another fingerprint than the one that was pinned."""
    return FingerprintMismatchError(
        f"the key {key.reference} has the fingerprint {key.fingerprint}, and {pinned} "
        f"is pinned: it is another key. If it was replaced "
        "on purpose, register the new public key with Dfns and pin its fingerprint"
    )
