"""However a transfer is spelled, what the API does is within the rule that allowed it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any, Final

import httpx
import pytest
from hypothesis import HealthCheck, event, given, settings

from tests.core.policy.spelled_transfers import TEXTS
from tests.core.policy.support import DESTINATION, TRANSFER
from tests.gateway.running import DIGEST, LISTEN, client_of, running_gateway

CALLER: Final = f"""
[gateway.callers.payments]
token_sha256 = ["{DIGEST}"]

[[gateway.callers.payments.allow]]
name = "wallets"
call = "POST /wallets"

[[gateway.callers.payments.allow]]
name = "payouts"
call = "POST /wallets/{{walletId}}/transfers"
body = {{ kind = "Native", to = "{DESTINATION}", amount = {{ max = "1000" }} }}
require = ["externalId"]
"""


class Wallet:
    """A wallet behind a gateway, with what it has paid.

    Args:
        caller: of the gateway.
        api: a client of the API itself.
    """

    def __init__(self, caller: httpx.Client, api: httpx.Client) -> None:
        created = caller.post("/wallets", json={"network": "Ethereum"}).json()
        self._path = f"/wallets/{created['id']}"
        self._caller, self._api = caller, api
        self._numbers = itertools.count()

    def transfer(self, text: str) -> dict[str, Any] | None:
        """Ask for a transfer, and have it confirmed; what was asked for, if it was made."""
        fresh = text.replace("order-7", f"order-{next(self._numbers)}")
        answer = self._caller.post(
            f"{self._path}/transfers",
            content=fresh.encode(),
            headers={"Content-Type": "application/json"},
        )
        if not answer.is_success:
            return None
        transfer: dict[str, Any] = answer.json()
        one = f"{self._path}/transfers/{transfer['id']}"
        while self._api.get(one).json()["status"] not in {"Confirmed", "Failed"}:
            pass
        asked: dict[str, Any] = transfer["requestBody"]
        return asked

    def payments(self) -> list[dict[str, Any]]:
        """What has left it."""
        entries = self._api.get(f"{self._path}/history?limit=500").json()["items"]
        return [entry for entry in entries if entry["direction"] == "Out"]


@pytest.fixture(scope="module")
def wallet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wallet]:
    with running_gateway(tmp_path_factory.mktemp("gateway"), LISTEN + CALLER) as gateway:
        emulator = gateway.emulator
        with gateway.client() as caller, client_of(emulator.url, emulator.auth_token) as api:
            yield Wallet(caller, api)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(text=TEXTS)
def test_what_the_api_does_is_within_the_rule(wallet: Wallet, text: str) -> None:
    before = len(wallet.payments())

    asked = wallet.transfer(text)

    event("made" if asked else "refused")
    payments = wallet.payments()
    assert asked is None or asked.keys() == TRANSFER.keys()
    assert len(payments) - before <= (asked is not None)  # the same externalId makes none
    for paid in payments:
        assert (paid["kind"], paid["to"].lower()) == ("NativeTransfer", DESTINATION)
        assert int(paid["value"]) <= 1000
