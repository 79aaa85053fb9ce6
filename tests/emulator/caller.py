"""A plain HTTP caller that does, by hand, what the Dfns docs say a client does."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx
from typing_extensions import Self

from tests.emulator.keys import PrivateKey, sign


def b64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode("ascii").rstrip("=")


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8")


@dataclass
class Caller:
    """Calls with one token, one credential and one key."""

    url: str
    token: str
    credential_id: str
    key: PrivateKey

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.url, trust_env=False, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.http.close()

    def send(
        self,
        method: str,
        target: str,
        body: bytes = b"",
        *,
        user_action: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> httpx.Response:
        """One request, with the bearer token and without any signing."""
        sent = {"Authorization": f"Bearer {self.token}"}
        if body:
            sent["Content-Type"] = "application/json"
        if user_action is not None:
            sent["X-DFNS-USERACTION"] = user_action
        return self.http.request(method, target, content=body, headers={**sent, **(headers or {})})

    def get(self, target: str) -> httpx.Response:
        return self.send("GET", target)

    def init(self, method: str, path: str, payload: str = "") -> httpx.Response:
        body = {
            "userActionPayload": payload,
            "userActionHttpMethod": method,
            "userActionHttpPath": path,
            "userActionServerKind": "Api",
        }
        return self.send("POST", "/auth/action/init", compact(body))

    def challenge(
        self, method: str = "POST", path: str = "/wallets", payload: str = ""
    ) -> dict[str, Any]:
        """An answered challenge."""
        return answered(self.init(method, path, payload))

    def factor(self, challenge: dict[str, Any]) -> dict[str, Any]:
        """A correct Key factor for the challenge."""
        client_data = compact({"type": "key.get", "challenge": challenge["challenge"]})
        return self.signed_factor(client_data, sign(self.key, client_data))

    def signed_factor(self, client_data: bytes, signature: bytes) -> dict[str, Any]:
        assertion = {
            "credId": self.credential_id,
            "clientData": b64url(client_data),
            "signature": b64url(signature),
        }
        return {"kind": "Key", "credentialAssertion": assertion}

    def complete(
        self, challenge: dict[str, Any], factor: dict[str, Any], **more: Any
    ) -> httpx.Response:
        """``POST /auth/action``."""
        body = {
            "challengeIdentifier": challenge["challengeIdentifier"],
            "firstFactor": factor,
            **more,
        }
        return self.send("POST", "/auth/action", compact(body))

    def user_action(self, method: str, path: str, payload: str = "") -> str:
        """A user action for a call."""
        challenge = self.challenge(method, path, payload)
        token: str = answered(self.complete(challenge, self.factor(challenge)))["userAction"]
        return token

    def call(self, method: str, path: str, value: Any = None, *, query: str = "") -> httpx.Response:
        """A whole signed operation."""
        body = b"" if value is None else compact(value)
        action = self.user_action(method, path, body.decode("utf-8"))
        return self.send(method, path + query, body, user_action=action)

    def create(self, path: str, value: Any) -> dict[str, Any]:
        """The entity that a signed POST makes."""
        return answered(self.call("POST", path, value))


def answered(response: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The JSON object of an answer of this status."""
    assert response.status_code == status, response.text
    body = response.json()
    assert isinstance(body, dict)
    return body


def refused(response: httpx.Response, status: int, check: str, words: str = "") -> dict[str, Any]:
    """The error of an answer that this check, and no other, has refused."""
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert isinstance(error, dict)
    assert error["status"] == status
    assert error["id"]
    assert error["details"]["check"] == check, error
    assert words in error["message"]
    return error
