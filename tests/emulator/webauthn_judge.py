"""Another reading of WebAuthn, the library ``webauthn``, as judge of what the emulator takes."""

from __future__ import annotations

import base64
from typing import Any

import webauthn
from cryptography.exceptions import UnsupportedAlgorithm
from fido2 import cbor
from webauthn.helpers.exceptions import WebAuthnException

from tests.emulator.passkeys import Json, Passkey, cose_key

RP_ID, ORIGIN = "localhost", "http://localhost:8000"


def accepts_registration(challenge: str, info: Json) -> bool:
    """Whether the library takes a new passkey."""
    credential = {
        "id": info["credId"],
        "rawId": info["credId"],
        "type": "public-key",
        "response": {
            "clientDataJSON": info["clientData"],
            "attestationObject": info["attestationData"],
        },
    }
    return any(
        _accepts(
            webauthn.verify_registration_response,
            credential=credential,
            expected_challenge=expected,
            require_user_verification=True,
        )
        for expected in _forms(challenge)
    )


def accepts_assertion(challenge: str, passkey: Passkey, last: int, assertion: Json) -> bool:
    """Whether the library takes what a passkey has signed, after a counter of ``last``."""
    credential = {
        "id": assertion["credId"],
        "rawId": assertion["credId"],
        "type": "public-key",
        "response": {
            "clientDataJSON": assertion["clientData"],
            "authenticatorData": assertion["authenticatorData"],
            "signature": assertion["signature"],
        },
    }
    return any(
        _accepts(
            webauthn.verify_authentication_response,
            credential=credential,
            expected_challenge=expected,
            credential_public_key=cbor_of(passkey),
            credential_current_sign_count=last,
            require_user_verification=True,
        )
        for expected in _forms(challenge)
    )


def cbor_of(passkey: Passkey) -> bytes:
    return cbor.encode(cose_key(passkey.key))


def _forms(challenge: str) -> tuple[bytes, bytes]:
    """The bytes of the challenge's text, and those that it encodes."""
    return challenge.encode(), base64.urlsafe_b64decode(challenge + "=" * (-len(challenge) % 4))


def _accepts(verify: Any, **arguments: Any) -> bool:
    try:
        verify(expected_rp_id=RP_ID, expected_origin=ORIGIN, **arguments)
    except (WebAuthnException, UnsupportedAlgorithm, ValueError, LookupError, TypeError):
        return False
    return True
