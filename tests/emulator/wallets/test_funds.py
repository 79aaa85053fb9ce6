"""What wallets are given and what they pay."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.emulator.caller import Caller
from tests.emulator.holdings import ETHER, NFT, NOWHERE, TOKEN, Holdings

ELSEWHERE = "0x" + "ef" * 20


@pytest.fixture
def holdings(emulator: Emulator, caller: Caller) -> Holdings:
    return Holdings(emulator, caller)


def test_new_wallet_holds_nothing(holdings: Holdings) -> None:
    wallet = holdings.wallet()

    assert holdings.read(wallet, "assets")["assets"] == []
    assert holdings.read(wallet, "nfts")["nfts"] == []
    assert holdings.history(wallet) == []


def test_deposit_is_held_and_comes_from_nowhere(holdings: Holdings) -> None:
    wallet = holdings.wallet()

    holdings.emulator.funds.deposit(wallet["id"], ETHER)
    holdings.emulator.funds.deposit(wallet["id"], "500", **TOKEN)

    assert holdings.balances(wallet) == {"Native": ETHER, "Erc20": 500}
    native, token = holdings.history(wallet)
    assert (native["kind"], native["value"]) == ("NativeTransfer", str(ETHER))
    assert (token["kind"], token["value"]) == ("Erc20Transfer", "500")
    assert {entry["direction"] for entry in (native, token)} == {"In"}
    assert {entry["from"] for entry in (native, token)} == {NOWHERE}
    assert {entry["to"] for entry in (native, token)} == {wallet["address"]}


def test_nft_is_held_once(holdings: Holdings) -> None:
    wallet = holdings.wallet()

    holdings.emulator.funds.deposit(wallet["id"], **NFT)

    assert holdings.read(wallet, "nfts")["nfts"] == [NFT]
    assert holdings.balances(wallet) == {}


def test_confirmed_transfer_takes_the_amount_and_the_fee(holdings: Holdings) -> None:
    wallet = holdings.wallet()
    holdings.emulator.funds.deposit(wallet["id"], ETHER)

    transfer = holdings.transfer(wallet, to=ELSEWHERE, amount="1000")

    assert transfer["status"] == "Confirmed"
    assert holdings.balances(wallet) == {"Native": ETHER - 1000 - int(transfer["fee"])}
    entry = holdings.history(wallet)[-1]
    assert (entry["direction"], entry["value"]) == ("Out", "1000")
    assert (entry["from"], entry["to"]) == (wallet["address"], ELSEWHERE)
    assert (entry["fee"], entry["txHash"]) == (transfer["fee"], transfer["txHash"])


def test_transfer_that_is_not_confirmed_takes_nothing(holdings: Holdings) -> None:
    wallet = holdings.wallet()
    holdings.emulator.funds.deposit(wallet["id"], ETHER)
    body = {"kind": "Native", "to": ELSEWHERE, "amount": "1"}
    identifier = holdings.caller.create(f"/wallets/{wallet['id']}/transfers", body)["id"]

    holdings.emulator.progress.step(identifier)
    holdings.emulator.progress.step(identifier)
    holdings.emulator.progress.fail(identifier)

    assert holdings.balances(wallet) == {"Native": ETHER}
    assert len(holdings.history(wallet)) == 1


def test_sponsor_pays_the_fee(holdings: Holdings) -> None:
    wallet = holdings.wallet()
    holdings.emulator.funds.deposit(wallet["id"], 1000)

    transfer = holdings.transfer(wallet, to=ELSEWHERE, amount="1000", feeSponsorId="fs-1")

    assert transfer["status"] == "Confirmed"
    assert holdings.balances(wallet) == {}
    assert "fee" not in holdings.history(wallet)[-1]


@pytest.mark.parametrize("form", [str, str.upper, str.lower])
def test_wallet_of_the_emulator_receives_what_is_sent_to_its_address(
    holdings: Holdings, form: Any
) -> None:
    sender, receiver = holdings.wallet(), holdings.wallet()
    address = "0x" + form(receiver["address"][2:])

    transfer = holdings.transfer(sender, to=address, amount="5", **TOKEN)

    (entry,) = holdings.history(receiver)
    assert (entry["direction"], entry["value"]) == ("In", "5")
    assert (entry["from"], entry["txHash"]) == (sender["address"], transfer["txHash"])
    assert holdings.balances(receiver) == {"Erc20": 5}


def test_address_on_another_network_receives_nothing(holdings: Holdings) -> None:
    sender, receiver = holdings.wallet("Base"), holdings.wallet("Polygon")

    holdings.transfer(sender, to=receiver["address"])

    assert holdings.balances(receiver) == {}


def test_nft_goes_from_wallet_to_wallet(holdings: Holdings) -> None:
    sender, receiver = holdings.wallet(), holdings.wallet()
    holdings.emulator.funds.deposit(sender["id"], **NFT)
    body = {**NFT, "to": receiver["address"]}

    assert holdings.finished(sender, "transfers", body)["status"] == "Confirmed"
    assert holdings.read(sender, "nfts")["nfts"] == []
    assert holdings.read(receiver, "nfts")["nfts"] == [NFT]


def test_wallet_that_was_given_nothing_is_given_what_it_pays(holdings: Holdings) -> None:
    wallet = holdings.wallet()

    transfer = holdings.transfer(wallet, to=ELSEWHERE, amount="1000")

    assert transfer["status"] == "Confirmed"
    assert holdings.balances(wallet) == {}
    given, sent = holdings.history(wallet)
    assert (given["direction"], sent["direction"]) == ("In", "Out")
    assert int(given["value"]) == 1000 + int(transfer["fee"])


@pytest.mark.parametrize(
    ("deposit", "amount"), [(1000, "1000"), (ETHER, str(ETHER)), (ETHER, str(2 * ETHER))]
)
def test_transfer_above_what_was_given_fails_before_it_is_broadcast(
    holdings: Holdings, deposit: int, amount: str
) -> None:
    wallet = holdings.wallet()
    holdings.emulator.funds.deposit(wallet["id"], deposit)

    transfer = holdings.transfer(wallet, to=ELSEWHERE, amount=amount)

    assert transfer["status"] == "Failed"
    assert transfer["reason"].startswith("insufficient funds: ")
    assert f"the wallet holds {deposit}" in transfer["reason"]
    assert "txHash" not in transfer
    assert holdings.balances(wallet) == {"Native": deposit}


def test_of_two_transfers_that_share_a_balance_the_second_fails(holdings: Holdings) -> None:
    wallet, progress = holdings.wallet(), holdings.emulator.progress
    holdings.emulator.funds.deposit(wallet["id"], 10, **TOKEN)
    path = f"/wallets/{wallet['id']}/transfers"
    body = {**TOKEN, "to": ELSEWHERE, "amount": "6"}
    first, second = (holdings.caller.create(path, body)["id"] for _ in range(2))

    for identifier in (first, second):
        progress.step(identifier)
        progress.step(identifier)
    progress.finish(first)
    progress.finish(second)

    items = holdings.read(wallet, "transfers")["items"]
    assert [item["status"] for item in items] == ["Confirmed", "Failed"]
    assert holdings.balances(wallet)["Erc20"] == 4


def test_asset_that_was_not_given_is_not_limited_by_one_that_was(holdings: Holdings) -> None:
    wallet = holdings.wallet()
    holdings.emulator.funds.deposit(wallet["id"], 10, **TOKEN)

    assert holdings.transfer(wallet, to=ELSEWHERE)["status"] == "Confirmed"


def test_contract_is_the_same_asset_in_any_case(holdings: Holdings) -> None:
    wallet = holdings.wallet()
    holdings.emulator.funds.deposit(wallet["id"], 10, **TOKEN)
    shouted = {**TOKEN, "contract": "0x" + TOKEN["contract"][2:].upper()}

    holdings.transfer(wallet, to=ELSEWHERE, amount="4", **shouted)

    assert holdings.balances(wallet)["Erc20"] == 6


@pytest.mark.parametrize("value", ["16", "0x10"])
@pytest.mark.parametrize("kind", ["Evm", "Eip1559"])
def test_transaction_moves_its_value(holdings: Holdings, kind: str, value: str) -> None:
    sender, receiver = holdings.wallet(), holdings.wallet()
    body = {"kind": kind, "to": receiver["address"], "value": value}

    holdings.finished(sender, "transactions", body)

    assert holdings.balances(receiver) == {"Native": 16}


def test_user_operations_move_their_values_without_a_fee(holdings: Holdings) -> None:
    sender, first, second = (holdings.wallet() for _ in range(3))
    holdings.emulator.funds.deposit(sender["id"], 10)
    operations = [{"to": first["address"], "value": "3"}, {"to": second["address"], "value": "4"}]
    body = {"kind": "UserOperations", "userOperations": operations, "feeSponsorId": "fs-1"}

    holdings.finished(sender, "transactions", body)

    assert holdings.balances(sender) == {"Native": 3}
    assert holdings.balances(first) == {"Native": 3}
    assert holdings.balances(second) == {"Native": 4}


def test_serialized_transaction_moves_nothing(holdings: Holdings) -> None:
    wallet = holdings.wallet()

    transaction = holdings.finished(
        wallet, "transactions", {"kind": "Transaction", "transaction": {"nonce": 1}}
    )

    assert transaction["status"] == "Confirmed"
    assert "fee" not in transaction
    assert holdings.history(wallet) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"wallet_id": "wa-1"}, 'Wallet "wa-1" not found'),
        ({"amount": 0}, "above 0"),
        ({"amount": -1}, "integer in base units"),
        ({"amount": "1.5"}, "integer in base units"),
        ({"amount": True}, "integer in base units"),
        ({"amount": 10**78}, "1 to 78 decimal digits"),
        ({"kind": "Erc2"}, 'no assets of kind "Erc2".*Erc20'),
        ({"kind": "Erc20"}, "kind Erc20 is named by contract, and was given none"),
        ({"contract": "0x"}, "kind Native is named by no other argument, and was given contract"),
        ({"kind": "Spl", "mint": "m"}, "kind Spl is for the networks of Solana"),
        ({**NFT, "amount": 2}, "amount of an NFT must be 1, and is 2"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_deposit_that_makes_no_sense_is_refused(
    holdings: Holdings, arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"(?i){message}"):
        holdings.emulator.funds.deposit(**{"wallet_id": holdings.wallet()["id"], **arguments})
