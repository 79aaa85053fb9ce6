"""``POST /_emulator/...``: what tests in any language do to the world of an emulator."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.broadcasts import BODIES, Requests
from tests.emulator.caller import Caller, answered
from tests.emulator.holdings import NFT, TOKEN, Holdings
from tests.emulator.policies import policy


@pytest.fixture
def outside(emulator: Emulator) -> Iterator[httpx.Client]:
    """Another program, without a token."""
    with httpx.Client(base_url=f"{emulator.url}/_emulator/", trust_env=False, timeout=10) as client:
        yield client


@pytest.fixture
def transfers(emulator: Emulator, caller: Caller) -> Requests:
    wallet = caller.create("/wallets", {"network": "Base"})["id"]
    return Requests(emulator, caller, f"/wallets/{wallet}/transfers", BODIES["transfers"])


def refusal(response: httpx.Response) -> str:
    assert response.status_code == 400
    return str(response.json()["error"]["message"])


def test_entity_goes_to_its_last_status(outside: httpx.Client, transfers: Requests) -> None:
    identifier = transfers.new()

    assert answered(outside.post("finish", json={"id": identifier})) == {}

    assert transfers.shown(identifier)["status"] == "Confirmed"
    again = refusal(outside.post("finish", json={"id": identifier}))
    assert f"{identifier} has no status to move to" in again


@pytest.mark.parametrize(
    ("given", "shown"),
    [({"reason": "out of gas"}, "out of gas"), ({}, "failed on request of the test")],
)
def test_entity_fails_with_a_reason(
    outside: httpx.Client, transfers: Requests, given: dict[str, str], shown: str
) -> None:
    identifier = transfers.new()

    answered(outside.post("fail", json={"id": identifier, **given}))

    found = transfers.shown(identifier)
    assert (found["status"], found["reason"]) == ("Failed", shown)


@pytest.mark.parametrize(("value", "status"), [("Approved", "Confirmed"), ("Denied", "Rejected")])
def test_approval_is_decided(
    outside: httpx.Client, caller: Caller, transfers: Requests, value: str, status: str
) -> None:
    caller.create("/v2/policies", policy())
    identifier = transfers.new()
    approval = transfers.shown(identifier)["approvalId"]

    answered(outside.post("approvals/decide", json={"id": approval, "value": value}))
    outside.post("finish", json={"id": identifier})

    assert transfers.shown(identifier)["status"] == status


def test_user_who_may_not_decide_is_named(
    emulator: Emulator, outside: httpx.Client, caller: Caller, transfers: Requests
) -> None:
    group = {"quorum": 1, "approvers": {}}
    caller.create(
        "/v2/policies", policy(action={"kind": "RequestApproval", "approvalGroups": [group]})
    )
    approval = transfers.shown(transfers.new())["approvalId"]
    decision = {"id": approval, "value": "Approved", "user": emulator.user_id}

    said = refusal(outside.post("approvals/decide", json=decision))

    assert f"{emulator.user_id} may not decide {approval}" in said


def test_wallet_is_given_assets(emulator: Emulator, outside: httpx.Client, caller: Caller) -> None:
    holdings = Holdings(emulator, caller)
    wallet = holdings.wallet()

    for asset in ({"amount": "5"}, {"amount": 6, **TOKEN}, NFT):
        answered(outside.post("deposit", json={"walletId": wallet["id"], **asset}))

    assert holdings.balances(wallet) == {"Native": 5, "Erc20": 6}
    assert len(holdings.read(wallet, "nfts")["nfts"]) == 1


def test_code_that_was_sent_is_read(emulator: Emulator, outside: httpx.Client) -> None:
    sent = {"username": "emulator-user", "orgId": emulator.org_id}
    asked = {"purpose": "login", "username": "emulator-user"}
    unsent = refusal(outside.post("mail", json=asked))
    answered(httpx.post(f"{emulator.url}/auth/login/code", json=sent, trust_env=False))

    code = answered(outside.post("mail", json=asked))["code"]

    assert "no login code was sent to emulator-user" in unsent
    assert code == emulator.mail.code("login", "emulator-user")


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("finish", {}, "id is required, and is missing"),
        ("finish", {"id": 1}, "id must be a string"),
        ("finish", [], "expected a JSON object with id"),
        ("webhooks/retry", [], "expected a JSON object with no members"),
        ("fail", {"id": "xfr-1", "raeson": "x"}, "(did you mean 'reason'?)"),
        ("approvals/decide", {"id": "ap-1", "value": "Aproved"}, "Approved"),
        ("approvals/decide", {"id": "ap-1", "value": "Denied"}, "no approval ap-1 waits"),
        ("mail", {"purpose": "lgin", "username": "x"}, "(did you mean 'login'?)"),
        ("deposit", {"walletId": "wa-1", "amount": "1"}, '"wa-1" not found'),
    ],
)
def test_mistake_is_named(outside: httpx.Client, path: str, body: Any, said: str) -> None:
    assert said in refusal(outside.post(path, json=body))


@pytest.mark.parametrize("amount", [1.5, -1, True, [], {}, None, "x"])
def test_amount_that_is_none_is_refused(
    emulator: Emulator, outside: httpx.Client, caller: Caller, amount: object
) -> None:
    wallet = Holdings(emulator, caller).wallet()["id"]

    said = refusal(outside.post("deposit", json={"walletId": wallet, "amount": amount}))

    assert "amount must be" in said


def test_misspelt_path_is_hinted_at(outside: httpx.Client) -> None:
    answer = outside.post("finsh", json={})

    assert answer.status_code == 404
    assert "/_emulator/finish" in answer.json()["error"]["message"]
