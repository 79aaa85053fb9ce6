"""The two ways to sign a challenge: an assertion, and the registration of a new credential.

Each builds a correct request and lets a test spoil one thing of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import httpx

from tests.emulator.caller import Caller, answered, b64url, compact
from tests.emulator.keys import PrivateKey, pem, private_key, sign

Json: TypeAlias = dict[str, Any]
Change: TypeAlias = Callable[[Json], None]
"""Spoils a body in place."""

NEW = private_key("p256", 7)
"""The key that registrations register, as ``cr-new``."""


@dataclass(frozen=True)
class Flow:
    """How a challenge is asked for, signed and sent.

    Attributes:
        name: path of the request.
        type: of the client data.
        info: member of the body that holds the client data.
        begin: a new challenge.
        body: a correct body for this challenge and client data.
        send: the request with this body.
    """

    name: str
    type: str
    info: str
    begin: Callable[[Caller], Json]
    body: Callable[[Caller, Json, bytes], Json]
    send: Callable[[Caller, Json], httpx.Response]

    def client_data(self, challenge: Json) -> Json:
        return {"type": self.type, "challenge": challenge["challenge"]}

    def correct(self, caller: Caller, challenge: Json) -> Json:
        """The body that answers this challenge."""
        return self.body(caller, challenge, compact(self.client_data(challenge)))

    def attempt(self, caller: Caller, change: Change = lambda _: None) -> httpx.Response:
        """A correct request, but for what ``change`` does to its body."""
        body = self.correct(caller, self.begin(caller))
        change(body)
        return self.send(caller, body)

    def attempt_with(self, caller: Caller, write: Callable[[Json], bytes]) -> httpx.Response:
        """A correctly signed request whose client data is what ``write`` makes of the right one."""
        challenge = self.begin(caller)
        return self.send(caller, self.body(caller, challenge, write(self.client_data(challenge))))


def put(path: str, value: Any) -> Change:
    """Set the member of this dotted path; a function is given the old value."""

    def change(body: Json) -> None:
        *parents, name = path.split(".")
        for parent in parents:
            body = body[parent]
        body[name] = value(body[name]) if callable(value) else value

    return change


def drop(path: str) -> Change:
    """Remove the member of this dotted path."""

    def change(body: Json) -> None:
        *parents, name = path.split(".")
        for parent in parents:
            body = body[parent]
        del body[name]

    return change


def _action_body(caller: Caller, challenge: Json, client_data: bytes) -> Json:
    factor = caller.signed_factor(client_data, sign(caller.key, client_data))
    return {"challengeIdentifier": challenge["challengeIdentifier"], "firstFactor": factor}


def _send_action(caller: Caller, body: Json) -> httpx.Response:
    return caller.send("POST", "/auth/action", compact(body))


def begin_registration(caller: Caller, kind: str = "Key") -> Json:
    """A challenge for a new credential."""
    return answered(caller.send("POST", "/auth/credentials/init", compact({"kind": kind})))


def fingerprint(client_data: bytes, public_key: str) -> bytes:
    """What the new key signs."""
    hashed = hashlib.sha256(client_data).hexdigest()
    return compact({"clientDataHash": hashed, "publicKey": public_key})


def registration(
    _caller: Caller,
    challenge: Json,
    client_data: bytes,
    *,
    key: PrivateKey = NEW,
    **attestation: Any,
) -> Json:
    """A registration with a correct attestation, but for these members of it."""
    signature = sign(key, fingerprint(client_data, pem(key)))
    attested = {"publicKey": pem(key), "signature": signature.hex(), **attestation}
    return {
        "credentialKind": "Key",
        "credentialName": "rotation",
        "challengeIdentifier": challenge["challengeIdentifier"],
        "credentialInfo": {
            "credId": "cr-new",
            "clientData": b64url(client_data),
            "attestationData": b64url(compact(attested)),
        },
    }


def register(caller: Caller, body: Json) -> httpx.Response:
    return caller.call("POST", "/auth/credentials", body)


def attest(caller: Caller, *, key: PrivateKey = NEW, **attestation: Any) -> httpx.Response:
    """The registration of a key with a correct attestation, but for these members of it."""
    challenge = begin_registration(caller)
    client_data = compact(REGISTRATION.client_data(challenge))
    return register(caller, registration(caller, challenge, client_data, key=key, **attestation))


ACTION = Flow(
    "/auth/action",
    "key.get",
    "firstFactor.credentialAssertion",
    Caller.challenge,
    _action_body,
    _send_action,
)
REGISTRATION = Flow(
    "/auth/credentials",
    "key.create",
    "credentialInfo",
    begin_registration,
    registration,
    register,
)
FLOWS = [ACTION, REGISTRATION]
