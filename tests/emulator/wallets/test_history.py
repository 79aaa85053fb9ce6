"""Assets, NFTs, history and fees as the API shows them."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfns_signers.emulator import Emulator
from dfns_signers.networks import EVM_NETWORKS, NETWORKS
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock
from tests.emulator.holdings import ETHER, NFT, NOWHERE, TOKEN, Holdings
from tests.emulator.transfer_kinds import ADDRESS, ADDRESSES, KINDS, NFTS

ALL = "/wallets/all/history"
EVER = "startTime=2000-01-01T00:00:00Z&endTime=2100-01-01T00:00:00Z"


def test_net_worth_is_asked_for(holdings: Holdings) -> None:
    wallet = holdings.wallet()
    holdings.emulator.funds.deposit(wallet["id"], 2 * ETHER)
    holdings.emulator.funds.deposit(wallet["id"], 3_000_000, **TOKEN)

    plain = holdings.read(wallet, "assets")
    worth = holdings.read(wallet, "assets?netWorth=true")

    assert worth["netWorth"] == {"USD": 5.0}
    assert [asset.pop("quotes") for asset in worth["assets"]] == [{"USD": 1.0}] * 2
    assert plain["assets"] == worth["assets"]
    assert "netWorth" not in plain


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("?direction=In", 2),
        ("?direction=Out", 1),
        ("?kind=NativeTransfer", 1),
        ("?kind=Erc20Transfer&direction=Out", 1),
        (f"?contract={TOKEN['contract']}", 2),
        (f"?contract={TOKEN['contract'].replace('ab', 'AB')}", 2),
        (f"?contract={NFT['contract']}", 0),
    ],
)
def test_history_is_filtered(holdings: Holdings, query: str, count: int) -> None:
    wallet = holdings.wallet()
    holdings.emulator.funds.deposit(wallet["id"], 10, **TOKEN)
    holdings.emulator.funds.deposit(wallet["id"], ETHER)
    holdings.transfer(wallet, to=NOWHERE, **TOKEN)

    assert len(holdings.history(wallet, query)) == count


def test_history_comes_in_pages(holdings: Holdings) -> None:
    wallet = holdings.wallet()
    for amount in (1, 2, 3):
        holdings.emulator.funds.deposit(wallet["id"], amount)

    first = holdings.read(wallet, "history?limit=2")
    rest = holdings.read(wallet, f"history?limit=2&paginationToken={first['nextPageToken']}")

    values = [entry["value"] for page in (first, rest) for entry in page["items"]]
    assert values == ["1", "2", "3"]
    assert "nextPageToken" not in rest


def test_history_of_all_wallets_is_of_a_time(
    emulator: Emulator, caller: Caller, clock: Clock
) -> None:
    holdings = Holdings(emulator, caller)
    wallets = [holdings.wallet() for _ in range(3)]
    for wallet in wallets:
        clock.now += 60
        emulator.funds.deposit(wallet["id"], ETHER)
    _, middle, _ = (holdings.history(wallet)[0]["timestamp"] for wallet in wallets)

    page = answered(caller.get(f"{ALL}?startTime={middle}&endTime={middle}"))

    assert page["orgId"] == emulator.org_id
    (row,) = page["items"]
    assert row["walletId"] == wallets[1]["id"]
    assert (row["amount"], row["symbol"], row["decimals"]) == (str(ETHER), "ETH", "18")


@pytest.mark.parametrize("query", ["", "?startTime=2026-01-01", "?endTime=2026-01-01"])
def test_history_of_all_wallets_needs_both_times(holdings: Holdings, query: str) -> None:
    refused(holdings.caller.get(f"{ALL}{query}"), 400, "field.missing")


@pytest.mark.parametrize(("network", "kind", "asset"), KINDS, ids=lambda value: str(value)[:12])
def test_transfer_of_every_kind_is_in_the_history(
    holdings: Holdings, network: str, kind: str, asset: dict[str, str]
) -> None:
    wallet = holdings.wallet(network)
    amount = {} if kind in NFTS else {"amount": "1"}
    body = {"kind": kind, "to": ADDRESSES.get(network, ADDRESS), **asset, **amount}

    holdings.finished(wallet, "transfers", body)

    entry = holdings.history(wallet, "?direction=Out")[-1]
    assert entry["kind"] == f"{kind}Transfer"
    assert entry.get("value", "1") == "1"
    if kind == "Aip21":
        asset = {"metadataAddress": asset["metadata"]}
    assert {name: entry[name].lower() for name in asset} == {
        name: value.lower() for name, value in asset.items()
    }


def test_history_of_bitcoin_has_the_ends_of_transactions(holdings: Holdings) -> None:
    wallet = holdings.wallet("Bitcoin")
    address = f"bc1q{'q' * 38}"

    holdings.transfer(wallet, to=address)

    entry = holdings.history(wallet)[-1]
    assert entry["kind"] == "UtxoTransfer"
    assert (entry["froms"], entry["tos"]) == ([wallet["address"]], [address])


@pytest.mark.parametrize("what", ["assets", "nfts", "history"])
def test_wallet_that_is_a_bare_key_holds_nothing_to_show(holdings: Holdings, what: str) -> None:
    wallet = holdings.wallet("KeyEdDSA")

    refused(holdings.caller.get(f"/wallets/{wallet['id']}/{what}"), 400, "network", "no blockchain")


@pytest.mark.parametrize("network", NETWORKS)
def test_native_asset_of_every_network_has_a_symbol(holdings: Holdings, network: str) -> None:
    wallet = holdings.wallet(network)

    holdings.emulator.funds.deposit(wallet["id"], 1)

    (asset,) = holdings.read(wallet, "assets")["assets"]
    assert (asset["symbol"] == "ETH") <= (network in EVM_NETWORKS)
    assert 6 <= asset["decimals"] <= 24


@pytest.mark.parametrize(
    ("network", "kind", "member"),
    [
        ("Ethereum", "Eip1559", "maxFeePerGas"),
        ("BitcoinSignet", "Bitcoin", "feeRate"),
        ("SolanaDevnet", "Solana", "computeUnitPrice"),
    ],
)
def test_fees_rise_with_the_speed(holdings: Holdings, network: str, kind: str, member: str) -> None:
    fees = answered(holdings.caller.get(f"/networks/fees?network={network}"))

    slow, standard, fast = (int(fees[name][member]) for name in ("slow", "standard", "fast"))
    assert (fees["kind"], fees["network"]) == (kind, network)
    assert slow < standard < fast


AMOUNTS = st.integers(1, 3 * ETHER)
ENDS = st.integers(0, 3)  # three wallets and an address elsewhere
STEPS = st.one_of(
    st.tuples(st.just("deposit"), st.integers(0, 2), ENDS, AMOUNTS, st.booleans()),
    st.tuples(st.just("transfer"), st.integers(0, 2), ENDS, AMOUNTS, st.booleans()),
)


@settings(max_examples=25)
@given(steps=st.lists(STEPS, max_size=8))
def test_assets_are_the_sums_of_history(
    holdings: Holdings, steps: list[tuple[str, int, int, int, bool]]
) -> None:
    wallets = [holdings.wallet() for _ in range(3)]
    addresses = [*(wallet["address"] for wallet in wallets), ADDRESS]
    confirmed: list[str] = []

    for what, owner, end, amount, is_token in steps:
        asset: dict[str, Any] = TOKEN if is_token else {"kind": "Native"}
        if what == "deposit":
            holdings.emulator.funds.deposit(wallets[owner]["id"], amount, **asset)
        else:
            made = holdings.transfer(
                wallets[owner], **{**asset, "to": addresses[end], "amount": str(amount)}
            )
            confirmed += [made["txHash"]] if made["status"] == "Confirmed" else []

    histories = [holdings.history(wallet) for wallet in wallets]
    for wallet, entries in zip(wallets, histories, strict=True):
        assert holdings.balances(wallet) == sums(entries)
    sent = [entry for entries in histories for entry in entries if entry["direction"] == "Out"]
    assert Counter(entry["txHash"] for entry in sent) == Counter(confirmed)


def sums(entries: list[dict[str, Any]]) -> dict[str, int]:
    """What is left of each kind of asset; never less than nothing at any time."""
    totals: Counter[str] = Counter()
    for entry in entries:
        sign = 1 if entry["direction"] == "In" else -1
        totals["Native"] -= int(entry.get("fee", "0"))
        totals[entry["kind"].removesuffix("Transfer")] += sign * int(entry["value"])
        assert min(totals.values()) >= 0
    return {kind: total for kind, total in totals.items() if total}
