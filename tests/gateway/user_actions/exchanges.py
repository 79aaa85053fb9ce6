"""User actions of a gateway step by step, without a server."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import pytest

from dfns_signers.gateway.callers.callers import Caller, Credential
from dfns_signers.gateway.requests.messages import Answer, Incoming, Peer, Refusal
from dfns_signers.gateway.requests.observing import Exchange as Observed
from dfns_signers.gateway.user_actions.single_use import InMemory
from dfns_signers.gateway.user_actions.user_actions import UserActions
from dfns_signers.policy.policy import Policy
from dfns_signers.policy.rule import Rule
from tests.core.keys import make_signature
from tests.emulator.caller import b64url, compact
from tests.gateway.user_actions.signing_callers import CALLER_KEY, CREDENTIAL
from tests.support.clock import Clock

T = TypeVar("T")

INIT = "/auth/action/init"
SIGNED_AS = ("the-organisation", "cr-1")
RULES = [
    Rule(name="wallets", call="POST /wallets"),
    Rule(name="tags", call="PUT /wallets/{walletId}"),
]
PAYMENTS = Caller(
    "payments",
    Policy(RULES, title="the caller 'payments'", default_deny=True),
    credential=Credential(CREDENTIAL, CALLER_KEY.public_key()),
)
ALLOWED = replace(PAYMENTS, policy=Policy([], title="the caller 'payments'"))
REPORTS = replace(PAYMENTS, name="reports")
PLAIN = replace(PAYMENTS, credential=None)


def done(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def incoming(
    method: str, path: str, body: bytes = b"", query: str = "", user_action: str | None = None
) -> Incoming:
    headers = {} if user_action is None else {"x-dfns-useraction": user_action}
    return Incoming(method, path, query, headers, body, Peer("127.0.0.1:8787"))


@dataclass
class Exchange:
    """The steps of a user action, each taken when a test says so."""

    actions: UserActions
    caller: Caller = PAYMENTS

    def announce(self, method: str, path: str, payload: str = "", **more: str) -> dict[str, Any]:
        body = {
            "userActionPayload": payload,
            "userActionHttpMethod": method,
            "userActionHttpPath": path,
            "userActionServerKind": "Api",
            **more,
        }
        return self.announce_body(compact(body))

    def announce_body(self, body: bytes) -> dict[str, Any]:
        request = incoming("POST", INIT, body)
        return read(done(self.actions.announce(request, self.caller, Observed(request.peer))))

    def complete(self, challenge: dict[str, Any], factor: Any = None, **more: Any) -> str:
        body = {
            "challengeIdentifier": challenge["challengeIdentifier"],
            "firstFactor": factor or factor_for(challenge),
            **more,
        }
        request = incoming("POST", "/auth/action", compact(body))
        return str(read(done(self.actions.complete(request, self.caller)))["userAction"])

    def user_action(self, method: str, path: str, payload: str = "") -> str:
        return self.complete(self.announce(method, path, payload))

    def redeem(self, request: Incoming) -> None:
        done(self.actions.redeem(request, self.caller))


def read(answer: Answer) -> dict[str, Any]:
    assert answer.status == 200
    found: dict[str, Any] = json.loads(answer.body)
    return found


def factor_for(
    challenge: dict[str, Any], key: Any = CALLER_KEY, credential: str = CREDENTIAL
) -> dict[str, Any]:
    client_data = compact({"type": "key.get", "challenge": challenge["challenge"]})
    assertion = {
        "credId": credential,
        "clientData": b64url(client_data),
        "signature": b64url(make_signature(key, client_data)),
    }
    return {"kind": "Key", "credentialAssertion": assertion}


@contextmanager
def refused(status: int, check: str) -> Iterator[list[Refusal]]:
    """The block is refused with this status by this check; the refusal is added to the list."""
    caught: list[Refusal] = []
    with pytest.raises(Refusal) as raised:
        yield caught
    assert (raised.value.status, raised.value.check) == (status, check)
    caught.append(raised.value)


def new_exchange(caller: Caller = PAYMENTS) -> Exchange:
    """With actions of its own."""
    return Exchange(UserActions([], InMemory(), Clock(), signed_as=SIGNED_AS), caller)
