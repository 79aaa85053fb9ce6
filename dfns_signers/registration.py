"""Prove possession of a new key, so that Dfns registers it as a credential."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from dfns_signers.assertions import (
    CredentialInfo,
    attestation_message,
    key_attestation,
    read_challenge,
)
from dfns_signers.encodings import base64url_encode
from dfns_signers.errors import ConfigurationError
from dfns_signers.public_keys import public_key_pem
from dfns_signers.signing_key import SigningKey


def new_credential_id() -> str:
    """A fresh ``credId``: 32 random bytes in base64url, as the official SDKs choose it."""
    return base64url_encode(secrets.token_bytes(32))


def attest(
    key: SigningKey, challenge: Mapping[str, Any], credential_id: str | None = None
) -> CredentialInfo:
    """Sign the proof that a key is ours.

    Args:
        key: the new key.
        challenge: the JSON object that ``POST /auth/credentials/init`` returned.
        credential_id: the ``credId`` of the new credential; a fresh one if not given.

    Returns:
        The ``credentialInfo`` of ``POST /auth/credentials``; its ``credId`` is what a KeySigner
        takes as ``credential_id``.

    Raises:
        ConfigurationError: the key is not a SigningKey.
        ChallengeError: the challenge is malformed.
        SigningKeyError: the key could not sign.
    """
    pem, text = public_key_to_register(key), read_challenge(challenge)
    signature = key.sign(attestation_message(text, pem))
    return key_attestation(credential_id or new_credential_id(), text, pem, signature)


async def aattest(
    key: SigningKey, challenge: Mapping[str, Any], credential_id: str | None = None
) -> CredentialInfo:
    """Like ``attest``, without blocking the event loop."""
    pem, text = public_key_to_register(key), read_challenge(challenge)
    signature = await key.asign(attestation_message(text, pem))
    return key_attestation(credential_id or new_credential_id(), text, pem, signature)


def public_key_to_register(key: SigningKey) -> str:
    """SPKI PEM of a signing key; ConfigurationError if it is something else."""
    if not isinstance(key, SigningKey):
        raise ConfigurationError(
            f"expected the signing key to be registered, found {type(key).__name__}: open one, "
            "such as with PemKey.from_file(path)"
        )
    return public_key_pem(key.public_key)
