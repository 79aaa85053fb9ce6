"""A signed call of which one byte is changed, anywhere, is refused by the right check."""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, b64url, compact, refused
from tests.emulator.keys import pem, private_key, sign

PAYLOAD = '{"name":"Kasse 1"}'
KINDS = ("ed25519", "p256", "rsa")
BYTES, ASCII = range(256), range(128)
IN_A_TARGET = range(0x21, 0x7F)
"""What a request line can carry between its spaces."""

Refused: TypeAlias = tuple[int, str]
"""Status and check."""


@dataclass(frozen=True)
class Change:
    """Another byte at one place, whatever the bytes are."""

    place: int
    shift: int

    def of(self, original: bytes, choices: Sequence[int] = BYTES) -> bytes:
        """The same bytes but for one, which is another of the choices."""
        place = self.place % len(original)
        shift = 1 + self.shift % (len(choices) - 1)
        other = choices[(choices.index(original[place]) + shift) % len(choices)]
        return original[:place] + bytes([other]) + original[place + 1 :]

    def of_text(self, original: str, choices: Sequence[int] = ASCII) -> str:
        return self.of(original.encode("ascii"), choices).decode("ascii")


changes = st.builds(Change, st.integers(0, 511), st.integers(0, 255))
kinds = st.sampled_from(KINDS)


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    """A caller with a key of each kind; the credential has the name of the kind."""
    credentials = {kind: pem(private_key(kind)) for kind in KINDS}
    with (
        Emulator(credentials=credentials) as emulator,
        Caller(emulator.url, emulator.auth_token, "ed25519", private_key("ed25519")) as calling,
    ):
        yield calling


# The call: what is announced against what is sent


@dataclass(frozen=True)
class Renaming:
    """A signed PUT; the connection sends every path as it is."""

    caller: Caller
    path: str
    connection: http.client.HTTPConnection

    def announce(self, path: str, payload: str) -> str:
        return self.caller.user_action("PUT", path, payload)

    def send(self, path: str, body: bytes, action: str) -> Refused:
        headers = {
            "Authorization": f"Bearer {self.caller.token}",
            "Content-Type": "application/json",
            "X-DFNS-USERACTION": action,
        }
        self.connection.request("PUT", path, body, headers)
        response = self.connection.getresponse()
        error = json.loads(response.read()).get("error", {"details": {"check": ""}})
        return response.status, error["details"]["check"]


@pytest.fixture(scope="module")
def renaming(caller: Caller) -> Iterator[Renaming]:
    key = caller.create("/keys", {"scheme": "DH", "curve": "ed25519"})
    parts = urlsplit(caller.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    yield Renaming(caller, f"/keys/{key['id']}", connection)
    connection.close()


def test_unchanged_call_is_accepted(renaming: Renaming) -> None:
    action = renaming.announce(renaming.path, PAYLOAD)

    assert renaming.send(renaming.path, PAYLOAD.encode(), action) == (200, "")


@given(change=changes)
def test_path_with_a_changed_byte_is_refused(renaming: Renaming, change: Change) -> None:
    action = renaming.announce(renaming.path, PAYLOAD)
    target = change.of_text(renaming.path, IN_A_TARGET)

    expected: Refused = 404, "path"
    path = target.partition("?")[0]
    if re.fullmatch("/keys/[^/]+", path):
        expected = 403, "userAction.path"
    elif path == "/keys":
        expected = 405, "method"
    assert renaming.send(target, PAYLOAD.encode(), action) == expected


@given(change=changes)
def test_announced_path_with_a_changed_byte_is_refused(renaming: Renaming, change: Change) -> None:
    announced = change.of_text(renaming.path, IN_A_TARGET)

    if not announced.startswith("/") or announced.startswith("//"):
        refused(renaming.caller.init("PUT", announced, PAYLOAD), 400, "field.value")
    else:
        action = renaming.announce(announced, PAYLOAD)
        answer = renaming.send(renaming.path, PAYLOAD.encode(), action)
        assert answer == (403, "userAction.path")


@given(change=changes)
def test_payload_with_a_changed_byte_is_refused(renaming: Renaming, change: Change) -> None:
    action = renaming.announce(renaming.path, PAYLOAD)
    body = change.of(PAYLOAD.encode())

    expected = (403, "userAction.payload") if is_json(body) else (400, "body.json")
    assert renaming.send(renaming.path, body, action) == expected


@given(change=changes)
def test_announced_payload_with_a_changed_byte_is_refused(
    renaming: Renaming, change: Change
) -> None:
    action = renaming.announce(renaming.path, change.of_text(PAYLOAD))

    answer = renaming.send(renaming.path, PAYLOAD.encode(), action)
    assert answer == (403, "userAction.payload")


def is_json(data: bytes) -> bool:
    try:
        json.loads(data.decode("utf-8"))
    except ValueError:
        return False
    return True


# The assertion: client data and signature, as bytes and as the base64url text of them


def complete(
    caller: Caller, kind: str, member: str, spoil: Callable[[str], str]
) -> tuple[httpx.Response, Refused]:
    """The answer to an assertion of which one member is spoiled, and the one to expect."""
    challenge = caller.challenge()
    content = {"type": "key.get", "challenge": challenge["challenge"], "origin": "http://localhost"}
    client_data = compact(content)
    assertion = {
        "credId": kind,
        "clientData": b64url(client_data),
        "signature": b64url(sign(private_key(kind), client_data)),
    }
    assertion[member] = spoil(assertion[member])
    response = caller.complete(challenge, {"kind": "Key", "credentialAssertion": assertion})
    data = decoded(assertion[member])
    if data is None:
        return response, (400, "base64url")
    if member == "signature":
        return response, refusal_of_signature(data, kind)
    return response, refusal_of_client_data(data, challenge["challenge"])


def refusal_of_client_data(data: bytes, challenge: str) -> Refused:
    if not is_json(data):
        return 400, "clientData.json"
    content: dict[str, Any] = json.loads(data)
    if content.get("type") != "key.get":
        return 400, "clientData.type"
    if content.get("challenge") != challenge:
        return 400, "clientData.challenge"
    return 401, "signature.value"


def refusal_of_signature(data: bytes, kind: str) -> Refused:
    if kind == "p256":
        try:
            decode_dss_signature(data)
        except ValueError:
            return 401, "signature.encoding"
    return 401, "signature.value"


def decoded(text: str) -> bytes | None:
    """The bytes of base64url text; None unless it is exactly what they encode to."""
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None
    return data if b64url(data) == text else None


members = st.sampled_from(["clientData", "signature"])


@given(kind=kinds, member=members, change=changes)
def test_assertion_with_a_changed_byte_is_refused(
    caller: Caller, kind: str, member: str, change: Change
) -> None:
    def spoil(text: str) -> str:
        return b64url(change.of(decoded(text) or b""))

    response, expected = complete(caller, kind, member, spoil)

    refused(response, *expected)


@given(kind=kinds, member=members, change=changes)
def test_assertion_with_a_changed_character_of_base64url_is_refused(
    caller: Caller, kind: str, member: str, change: Change
) -> None:
    response, expected = complete(caller, kind, member, change.of_text)

    refused(response, *expected)
