"""What stands in for networks: hashes, fees, prices, and which kinds are taken where."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.emulator.caller import answered
from tests.emulator.holdings import ETHER, TOKEN, Holdings
from tests.emulator.transfer_kinds import ADDRESS, ADDRESSES

BASE58 = "[1-9A-HJ-NP-Za-km-z]{43,88}"
HEXADECIMAL = "(0x)?[0-9a-f]{64}"


@pytest.mark.parametrize(
    ("network", "form"),
    [
        ("Solana", BASE58),
        ("Sui", BASE58),
        ("Iota", BASE58),
        ("Near", BASE58),
        ("Bitcoin", HEXADECIMAL),
        ("Base", HEXADECIMAL),
        ("Tron", HEXADECIMAL),
        ("Stellar", HEXADECIMAL),
    ],
)
def test_hash_of_a_transaction_is_random_in_the_form_of_its_network(
    holdings: Holdings, network: str, form: str
) -> None:
    wallet = holdings.wallet(network)

    hashes = [holdings.transfer(wallet, to=wallet["address"])["txHash"] for _ in range(2)]

    assert all(re.fullmatch(form, one) for one in hashes), hashes
    assert hashes[0] != hashes[1]


@pytest.mark.parametrize(
    ("noun", "body"),
    [
        ("transfers", {"kind": "Asset", "assetId": "7", "amount": "1"}),
        ("transfers", {"kind": "Coin", "coin": "0x2::sui::SUI", "amount": "1"}),
        ("transactions", {"kind": "SignDocDirect", "signDoc": "0a00"}),
        ("transactions", {"kind": "FunctionCall", "call": {"function": "f"}}),
        ("transactions", {"kind": "TransferPreapproval"}),
    ],
    ids=lambda value: value if isinstance(value, str) else value["kind"],
)
@pytest.mark.parametrize("network", ["Base", "Solana", "Stellar"])
def test_kind_whose_networks_are_not_certain_is_taken_on_every_network(
    holdings: Holdings, network: str, noun: str, body: dict[str, Any]
) -> None:
    wallet = holdings.wallet(network)
    if noun == "transfers":
        body = {**body, "to": ADDRESSES.get(network, ADDRESS)}

    assert holdings.finished(wallet, noun, body)["status"] == "Confirmed"


@pytest.mark.parametrize(
    ("network", "body"),
    [
        ("Bitcoin", {"kind": "Psbt", "psbt": "70736274ff"}),
        ("InternetComputer", {"kind": "FunctionCall", "call": {"function": "f"}}),
    ],
    ids=["psbt", "contract"],
)
def test_what_is_not_read_moves_and_costs_nothing(
    holdings: Holdings, network: str, body: dict[str, Any]
) -> None:
    wallet = holdings.wallet(network)
    holdings.emulator.funds.deposit(wallet["id"], ETHER)

    done = holdings.finished(wallet, "transactions", body)

    assert done["status"] == "Confirmed"
    assert "fee" not in done
    assert holdings.balances(wallet) == {"Native": ETHER}


@pytest.mark.parametrize(("network", "fee"), [("Base", 21_000 * 10**9), ("Solana", 5_000)])
@pytest.mark.parametrize("priority", ["Slow", "Fast"])
def test_fee_is_the_same_for_every_priority(
    holdings: Holdings, network: str, fee: int, priority: str
) -> None:
    wallet = holdings.wallet(network)

    done = holdings.transfer(wallet, to=wallet["address"], priority=priority)

    assert done["fee"] == str(fee)


def test_token_has_six_decimals_and_is_worth_one_dollar(holdings: Holdings) -> None:
    wallet = holdings.wallet()
    holdings.emulator.funds.deposit(wallet["id"], 1_000_000, **TOKEN)

    shown = holdings.read(wallet, "assets?netWorth=true")

    assert shown["assets"][0]["decimals"] == 6
    assert shown["netWorth"] == {"USD": 1.0}


def test_fees_of_a_network_never_change(holdings: Holdings) -> None:
    def fees() -> dict[str, Any]:
        found = answered(holdings.caller.get("/networks/fees?network=Base"))
        return {name: found[name] for name in ("slow", "standard", "fast")}

    before = fees()
    wallet = holdings.wallet()
    holdings.transfer(wallet, to=wallet["address"])

    assert fees() == before


def test_deposit_comes_from_the_emulator_where_there_is_no_zero_address(
    holdings: Holdings,
) -> None:
    wallet = holdings.wallet("Solana")

    holdings.emulator.funds.deposit(wallet["id"], 5)

    (entry,) = holdings.history(wallet)
    assert entry["from"] == "emulator"


@pytest.mark.parametrize("form", ["application/json", "text/csv", "*/*"])
def test_history_of_all_wallets_is_json_whatever_is_asked_for(
    holdings: Holdings, form: str
) -> None:
    query = "startTime=2000-01-01T00:00:00Z&endTime=2100-01-01T00:00:00Z"

    response = holdings.caller.send(
        "GET", f"/wallets/all/history?{query}", headers={"Accept": form}
    )

    assert "items" in answered(response)
