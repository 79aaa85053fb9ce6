"""A visitor of the example: a browser with an authenticator, in software."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dfns_signers import PemKey
from dfns_signers.encodings import base64url_encode
from dfns_signers.public_keys import public_key_pem
from dfns_signers.registration import attest
from tests.emulator.passkeys import Authenticator

TO = "0x" + "5a" * 20


@dataclass
class Visitor:
    """Does what the page does.

    Attributes:
        http: an HTTP client that sends the origin of the page.
        authenticator: has the passkeys.
        recovery: the recovery key, once there is one.
    """

    http: httpx.Client
    authenticator: Authenticator
    recovery: PemKey | None = None

    @classmethod
    @contextmanager
    def of(cls, origin: str) -> Iterator[Visitor]:
        """Somebody who opens the page at its origin."""
        with httpx.Client(base_url=origin, headers={"origin": origin}) as http:
            yield cls(http, Authenticator(origin))

    def call(self, method: str, path: str, body: Any = None) -> Any:
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, answer.text
        return answer.json()

    def refused(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and message of a refusal."""
        answer = self.http.request(method, path, json=body)
        assert answer.is_error
        return answer.status_code, answer.json()["error"]

    def register(self, email: str) -> Any:
        made = self.new_credentials(self.call("POST", "/registration", {"email": email}))
        return self.call("PUT", "/registration", made)

    def login(self, email: str) -> Any:
        challenge = self.call("POST", "/login", {"email": email})
        return self.call("PUT", "/login", self.authenticator.get(challenge))

    def recover(self, email: str) -> Any:
        assert self.recovery
        old, old_id = self.recovery, credential_id(self.recovery)
        asked = {"email": email, "credentialId": old_id}
        new = self.new_credentials(self.call("POST", "/recovery", asked))
        recovery = recovery_assertion(old, old_id, new)
        return self.call("PUT", "/recovery", {"recovery": recovery, "newCredentials": new})

    def act(self, path: str, body: Any = None) -> Any:
        challenge = self.call("POST", path, body)
        return self.call("PUT", "/action", self.authenticator.get(challenge))

    def new_credentials(self, challenge: Any) -> dict[str, Any]:
        self.recovery = PemKey(Ed25519PrivateKey.generate(), reference="recovery key")
        passkey = self.authenticator.create(challenge)
        info = attest(self.recovery, challenge, credential_id(self.recovery))
        return {
            "firstFactorCredential": {"credentialKind": "Fido2", "credentialInfo": passkey},
            "recoveryCredential": {"credentialKind": "RecoveryKey", "credentialInfo": info},
        }


def credential_id(key: PemKey) -> str:
    return base64url_encode(hashlib.sha256(public_key_pem(key.public_key).encode()).digest())


def recovery_assertion(key: PemKey, credential: str, new: dict[str, Any]) -> dict[str, Any]:
    signed = json.dumps(new, separators=(",", ":"))
    challenge = base64url_encode(signed.encode())
    client_data = json.dumps({"type": "key.get", "challenge": challenge}).encode()
    assertion = {
        "credId": credential,
        "clientData": base64url_encode(client_data),
        "signature": base64url_encode(key.sign(client_data)),
    }
    return {"kind": "RecoveryKey", "credentialAssertion": assertion}
