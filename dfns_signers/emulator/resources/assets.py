"""What wallets hold, and what went into them and out of them."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.chains.assets import QUOTES, Asset, check_network, description
from dfns_signers.emulator.chains.settlement import history
from dfns_signers.emulator.requests.fields import date_in_query
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import parse_date
from dfns_signers.emulator.state import PAGING, Record


def list_assets(call: Call) -> Record:
    """The fungible assets of a wallet; with ``netWorth`` also what they are worth."""
    wallet = _wallet(call)
    network = wallet["network"]
    worth, items = 0.0, []
    for asset, amount in call.state.balances.of(wallet["id"]).items():
        if not asset.is_unique:
            about = description(network, asset)
            worth += amount / 10 ** about["decimals"] * QUOTES["USD"]
            items.append({**_named(asset), **about, "balance": str(amount)})
    if "netWorth" not in call.query:
        return {"walletId": wallet["id"], "network": network, "assets": items}
    return {
        "walletId": wallet["id"],
        "network": network,
        "assets": [{**item, "quotes": QUOTES} for item in items],
        "netWorth": {"USD": worth},
    }


def list_nfts(call: Call) -> Record:
    """The assets of a wallet of which there is one each."""
    wallet = _wallet(call)
    held = call.state.balances.of(wallet["id"])
    return {
        "walletId": wallet["id"],
        "network": wallet["network"],
        "nfts": [_named(asset) for asset in held if asset.is_unique],
    }


def list_history(call: Call) -> Record:
    """A page of the entries of a wallet, oldest first."""
    wallet = _wallet(call)
    page = history(call.state).page(
        call.query, lambda record: _is_wanted(call, record["entry"]), walletId=wallet["id"]
    )
    items = [record["entry"] for record in page.pop("items")]
    return {"walletId": wallet["id"], "network": wallet["network"], "items": items, **page}


def list_history_of_all(call: Call) -> Record:
    """A page of the entries of all wallets from one time to another, oldest first."""
    start, end = (date_in_query(call.query, name) for name in ("startTime", "endTime"))
    page = history(call.state).page(
        call.query, lambda record: start <= parse_date(record["entry"]["timestamp"]) <= end
    )
    items = [_row(record["entry"]) for record in page.pop("items")]
    return {"orgId": call.state.directory.org_id, "items": items, **page}


def _wallet(call: Call) -> Record:
    """The wallet of the call; one that is a bare key holds nothing on any network."""
    wallet = call.state.wallets.get(call.parameters["walletId"])
    check_network("Native", wallet["network"])
    return wallet


def _named(asset: Asset) -> Record:
    return {"kind": asset.kind, **dict(asset.identity)}


def _is_wanted(call: Call, entry: Record) -> bool:
    return all(
        entry.get(name, "").lower() == call.query[name].lower()
        for name in ("direction", "kind", "contract")
        if name in call.query
    )


def _row(entry: Record) -> Record:
    """An entry as the list of all wallets has it, where every value is a string."""
    asset, fee_asset = entry["metadata"]["asset"], entry["metadata"].get("fee", {})
    row = {
        **{name: entry.get(name) for name in ("timestamp", "walletId", "network", "direction")},
        "from": entry.get("from", *entry.get("froms", [])),
        "to": entry.get("to", *entry.get("tos", [])),
        "amount": entry.get("value"),
        "tokenId": entry.get("tokenId"),
        "asset": entry["kind"].removesuffix("Transfer"),
        "symbol": asset.get("symbol"),
        "decimals": asset.get("decimals"),
        "fee": entry.get("fee"),
        "feeSymbol": fee_asset.get("symbol"),
        "feeDecimals": fee_asset.get("decimals"),
        "txHash": entry["txHash"],
    }
    return {name: str(value) for name, value in row.items() if value is not None}


_ONE: Final = "/wallets/{walletId}"
ROUTES: Final = (
    Route("GET", f"{_ONE}/assets", list_assets),
    Route("GET", f"{_ONE}/nfts", list_nfts),
    Route("GET", f"{_ONE}/history", list_history, query=PAGING),
    Route("GET", "/wallets/all/history", list_history_of_all, query=PAGING),
)
