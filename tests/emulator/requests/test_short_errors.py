"""An error, and its line in the log, quote a short part of what was sent, however long it is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.emulator.caller import Caller, compact
from tests.emulator.flows import ACTION, REGISTRATION, put

LONG = "x" * 50_000
MAXIMUM = 1_500


def signed(path: str, body: Any) -> Callable[[Caller], httpx.Response]:
    return lambda caller: caller.call("POST", path, body)


def with_header(name: str) -> Callable[[Caller], httpx.Response]:
    return lambda caller: caller.send("POST", "/wallets", b"{}", headers={name: LONG})


REQUESTS: dict[str, Callable[[Caller], httpx.Response]] = {
    "path": lambda caller: caller.get(f"/{LONG}"),
    "identifier": lambda caller: caller.get(f"/wallets/{LONG}"),
    "method": lambda caller: caller.send(LONG, "/wallets"),
    "query parameter": lambda caller: caller.get(f"/wallets?{LONG}=1"),
    "query value": lambda caller: caller.get(f"/wallets?limit={LONG}"),
    "pagination token": lambda caller: caller.get(f"/wallets?paginationToken={LONG}"),
    "token": with_header("Authorization"),
    "user action": with_header("X-DFNS-USERACTION"),
    "content type": with_header("Content-Type"),
    "member": signed("/wallets", {LONG: 1}),
    "inner member": signed("/wallets", {"network": "Base", "signingKey": {LONG: 1}}),
    "network": signed("/wallets", {"network": LONG}),
    "tag": signed("/wallets", {"network": "Base", "tags": [LONG + " "]}),
    "choice": signed("/keys", {"scheme": LONG, "curve": "stark"}),
    "kind": signed("/keys/x/signatures", {"kind": LONG}),
    "public key": signed("/auth/pats", {"name": "n", "publicKey": LONG}),
    "member twice": lambda caller: caller.send(
        "POST", "/auth/action/init", f'{{"{LONG}":1,"{LONG}":1}}'.encode()
    ),
    "announced path": lambda caller: caller.init("POST", LONG),
    "announced method": lambda caller: caller.init(LONG, "/wallets"),
    "announced payload": lambda caller: caller.send(
        "POST", "/wallets", b"{}", user_action=caller.user_action("POST", "/wallets", LONG)
    ),
    "another path": lambda caller: caller.send(
        "POST", "/wallets", b"{}", user_action=caller.user_action("POST", f"/{LONG}", "{}")
    ),
    "credential": lambda caller: ACTION.attempt(
        caller, put("firstFactor.credentialAssertion.credId", LONG)
    ),
    "signature": lambda caller: ACTION.attempt(
        caller, put("firstFactor.credentialAssertion.signature", LONG)
    ),
    "challenge": lambda caller: ACTION.attempt(caller, put("challengeIdentifier", LONG)),
    "attestation": lambda caller: REGISTRATION.attempt(
        caller, put("credentialInfo.attestationData", LONG)
    ),
    "client data": lambda caller: caller.complete(
        (challenge := caller.challenge()),
        caller.signed_factor(compact({"type": LONG, "challenge": challenge["challenge"]}), b"x"),
    ),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_error_and_its_line_are_short(
    caller: Caller,
    caplog: pytest.LogCaptureFixture,
    request_: Callable[[Caller], httpx.Response],
) -> None:
    caplog.set_level(logging.INFO, "dfns_signers.emulator")

    response = request_(caller)

    assert 400 <= response.status_code < 500
    assert len(response.content) < MAXIMUM
    lines = [r.getMessage() for r in caplog.records if r.name == "dfns_signers.emulator"]
    assert lines
    assert max(map(len, lines)) < MAXIMUM
