"""What the official SDK for Go sends: https alone, and the query in the path that is signed.

Source: the requests of v2 of the SDK, recorded.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from dfns_signers.emulator import Emulator
from tests.core.keys import make_signature
from tests.emulator.caller import answered, b64url
from tests.gateway.interop.permissive_rules import every_operation
from tests.gateway.running import TOKEN, running_gateway
from tests.gateway.user_actions.signing_callers import CALLER_KEY, CREDENTIAL, signing_caller
from tests.support.certificates import Authority

LISTEN = """
listen = ["localhost:0?tls=local"]

[gateway.tls.local]
certificate = "gateway.pem"
key = { file = "gateway.key" }
"""


def marshalled(value: Any) -> bytes:
    """JSON as Go writes it: sorted members, and no character that HTML gives a meaning."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text.encode()


@dataclass(frozen=True)
class Go:
    """The client of the SDK."""

    http: httpx.Client
    emulator: Emulator

    def call(self, method: str, target: str, body: Any = None) -> httpx.Response:
        content = b"" if body is None else marshalled(body)
        challenge = self._post(
            "/auth/action/init",
            {
                "userActionPayload": content.decode(),
                "userActionHttpMethod": method,
                "userActionHttpPath": target,
                "userActionServerKind": "Api",
            },
        )
        assert {"id": CREDENTIAL, "type": "public-key"} in challenge["allowCredentials"]["key"]
        client_data = marshalled(
            {"type": "key.get", "challenge": challenge["challenge"], "crossOrigin": False}
        )
        assertion = {
            "credId": CREDENTIAL,
            "clientData": b64url(client_data),
            "signature": b64url(make_signature(CALLER_KEY, client_data)),
        }
        factor = {"kind": "Key", "credentialAssertion": assertion}
        completion = {
            "challengeIdentifier": challenge["challengeIdentifier"],
            "firstFactor": factor,
        }
        user_action = self._post("/auth/action", completion)["userAction"]
        headers = {"X-DFNS-USERACTION": user_action}
        return self.http.request(method, target, content=content, headers=headers)

    def _post(self, path: str, body: Any) -> dict[str, Any]:
        return answered(self.http.post(path, content=marshalled(body)))


@pytest.fixture
def go(tmp_path: Path) -> Iterator[Go]:
    Authority(tmp_path).issue("gateway", "localhost")
    (tmp_path / "gateway.key").chmod(0o600)
    caller = signing_caller(tmp_path, every_operation("payments"))
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    with (
        running_gateway(tmp_path, LISTEN + caller) as gateway,
        httpx.Client(
            base_url=gateway.urls[0],
            headers=headers,
            verify=ssl.create_default_context(cafile=str(tmp_path / "ca.pem")),
            trust_env=False,
        ) as http,
    ):
        yield Go(http, gateway.emulator)


def test_body_is_announced_as_it_is_sent(go: Go) -> None:
    answer = go.call("POST", "/wallets", {"network": "Bitcoin", "name": "é <&>"})

    assert answered(answer)["name"] == "é <&>"


def test_call_without_a_body_is_announced_without_one(go: Go) -> None:
    account = go.emulator.add_identity("account", service_account=True)

    answer = go.call("PUT", f"/auth/service-accounts/{account.user_id}/deactivate")

    assert answered(answer)["userInfo"]["isActive"] is False


def test_query_is_signed_with_the_path(go: Go) -> None:
    account = go.emulator.add_identity("account", service_account=True)

    answered(go.call("DELETE", f"/auth/service-accounts/{account.user_id}?force=true"))

    assert go.emulator.requests[-1].query == "force=true"
