"""Assertions made elsewhere, assembled from the protocol with cryptography alone."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from tests.core.keys import PrivateKey, make_signature


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def key_factor(
    challenge: Any, key: PrivateKey, credential_id: str, kind: str = "Key"
) -> dict[str, Any]:
    """An assertion of kind Key or PasswordProtectedKey."""
    client_data = json.dumps({"type": "key.get", "challenge": challenge["challenge"]}).encode()
    return {
        "kind": kind,
        "credentialAssertion": {
            "credId": credential_id,
            "clientData": encode(client_data),
            "signature": encode(make_signature(key, client_data)),
        },
    }


def fido2_factor(challenge: Any, key: PrivateKey, credential_id: str) -> dict[str, Any]:
    """What a browser makes of a passkey."""
    client_data = json.dumps(
        {
            "type": "webauthn.get",
            "challenge": challenge["challenge"],
            "origin": "http://localhost:8000",
            "crossOrigin": False,
        }
    ).encode()
    authenticator_data = hashlib.sha256(b"localhost").digest() + b"\x05" + bytes(4)
    signed = authenticator_data + hashlib.sha256(client_data).digest()
    return {
        "kind": "Fido2",
        "credentialAssertion": {
            "credId": credential_id,
            "clientData": encode(client_data),
            "authenticatorData": encode(authenticator_data),
            "signature": encode(make_signature(key, signed)),
            "userHandle": "",
        },
    }
