"""Passkeys, as a browser signs with them."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.emulator.caller import b64url, compact
from tests.emulator.keys import PrivateKey, sign

AUTHENTICATOR_DATA = hashlib.sha256(b"localhost").digest() + b"\x05" + b"\0\0\0\1"


def passkey_factor(
    challenge: dict[str, Any],
    key: PrivateKey,
    credential_id: str,
    *,
    authenticator_data: bytes = AUTHENTICATOR_DATA,
    kind: str = "webauthn.get",
) -> dict[str, Any]:
    """A Fido2 factor as a browser makes it."""
    client_data = compact(
        {"type": kind, "challenge": challenge["challenge"], "origin": "http://localhost"}
    )
    message = authenticator_data + hashlib.sha256(client_data).digest()
    assertion = {
        "credId": credential_id,
        "clientData": b64url(client_data),
        "authenticatorData": b64url(authenticator_data),
        "signature": b64url(sign(key, message)),
    }
    return {"kind": "Fido2", "credentialAssertion": assertion}
