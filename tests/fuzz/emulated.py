"""The emulator without a server: requests go to its service in this process."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dfns_signers import KeySigner
from dfns_signers.emulator import Emulator
from dfns_signers.emulator.requests.messages import Answer, Incoming


class Api:
    """An emulator with one user, whose key signs what is to be signed."""

    def __init__(self, signer: KeySigner) -> None:
        public = signer.key.public_key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self._emulator = Emulator(credentials={signer.credential_id: public})
        self._signer = signer

    def send(
        self, method: str, target: str, headers: Sequence[tuple[str, str]], body: bytes
    ) -> Answer:
        """The answer to a request with the user's token, and a user action if it has ``signed``."""
        own = [("authorization", f"Bearer {self._emulator.auth_token}")]
        if not any(name == "content-type" for name, _ in headers):
            own.append(("content-type", "application/json"))
        if any(name == "signed" for name, _ in headers):
            own.append(("x-dfns-useraction", self._user_action(method, target, body)))
        path, _, query = target.partition("?")
        request = Incoming(method, path, query, (*own, *headers), body)
        return self._emulator._service.answer(request)

    def _user_action(self, method: str, target: str, body: bytes) -> str:
        announcement = {
            "userActionPayload": body.decode("utf-8", "replace"),
            "userActionHttpMethod": method,
            "userActionHttpPath": target.partition("?")[0],
            "userActionServerKind": "Api",
        }
        challenge = self._step("/auth/action/init", announcement)
        if "challenge" not in challenge:
            return ""
        completion = {
            "challengeIdentifier": challenge["challengeIdentifier"],
            "firstFactor": self._signer.sign(challenge),
        }
        return str(self._step("/auth/action", completion)["userAction"])

    def _step(self, path: str, body: dict[str, Any]) -> Any:
        reply = self.send("POST", path, (), json.dumps(body).encode())
        return json.loads(reply.content)
