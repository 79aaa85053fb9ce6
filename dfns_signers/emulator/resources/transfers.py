"""``/wallets/{walletId}/transfers``; transfers stay ``Pending`` for ever."""

from __future__ import annotations

from typing import Any, Final

from dfns_signers.emulator.fields import any_object, boolean, members, one_of, string, variants
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import PAGING, Record
from dfns_signers.emulator.wire import iso_date, new_id
from dfns_signers.networks import EVM_NETWORKS

_AMOUNT: Final = string(pattern="[0-9]{1,78}", expected="a string of decimal digits, in base units")
_EVM_ADDRESS: Final = string(
    pattern="0x[0-9a-fA-F]{40}", expected="an address of an EVM network: 0x and 40 hex digits"
)
_COMMON: Final = {
    "externalId": string(1, 50),
    "feeSponsorId": string(),
    "travelRule": any_object,
    "priority": one_of("Slow", "Standard", "Fast"),
}
_NATIVE: Final = {
    "memo": string(0),
    "createDestinationAccount": boolean,
    "offer": boolean,
    "expiresAt": string(),
    "useDurableNonce": boolean,
}
# The other kinds of the Dfns OpenAPI file; their members are not checked.
_OTHER_KINDS: Final = (
    "Erc7984", "Asa", "Aip21", "Asset", "Cip56", "Cis2", "Cis7", "Coin", "Hip17",
)  # fmt: skip


def _other(where: str, value: Any) -> None:
    any_object(where, value)
    for name, check in (("amount", _AMOUNT), ("externalId", _COMMON["externalId"])):
        if name in value:
            check(name, value[name])


_CREATE: Final = variants(
    "kind",
    {
        "Native": members({"to": string(), "amount": _AMOUNT}, {**_COMMON, **_NATIVE}),
        "Erc20": members({"contract": string(), "to": string(), "amount": _AMOUNT}, _COMMON),
        "Erc721": members({"contract": string(), "to": string(), "tokenId": string()}, _COMMON),
        **dict.fromkeys(_OTHER_KINDS, _other),
    },
)


def create(call: Call) -> Record:
    """A new transfer, or the one that the same request has made before."""
    state, body = call.state, call.body
    wallet = state.wallets.get(call.parameters["walletId"])
    _check_addresses(wallet["network"], body)
    existing = state.transfers.made_before(call.path, body)
    if existing:
        return existing
    transfer: Record = {
        "id": new_id("xfr"),
        "walletId": wallet["id"],
        "network": wallet["network"],
        "requester": call.requester,
        "requestBody": body,
        "metadata": {},
        "status": "Pending",
        "dateRequested": iso_date(state.clock()),
        **{name: body[name] for name in ("externalId", "feeSponsorId") if name in body},
    }
    state.transfers.bind(transfer["id"], call.path, body)
    return state.transfers.add(transfer)


def list_page(call: Call) -> Record:
    """A page of the wallet's transfers."""
    wallet = call.state.wallets.get(call.parameters["walletId"])
    return {
        "walletId": wallet["id"],
        **call.state.transfers.page(call.query, walletId=wallet["id"]),
    }


def get(call: Call) -> Record:
    """One transfer of the wallet."""
    parameters = call.parameters
    return call.state.transfers.get(parameters["transferId"], walletId=parameters["walletId"])


def _check_addresses(network: str, body: Record) -> None:
    """Addresses on an EVM network are of one shape; those of other networks are not checked."""
    if network in EVM_NETWORKS and body["kind"] not in _OTHER_KINDS:
        for name in ("to", "contract"):
            if name in body:
                _EVM_ADDRESS(name, body[name])


_PATH: Final = "/wallets/{walletId}/transfers"
ROUTES: Final = (
    Route("POST", _PATH, create, _CREATE, entity="Transfer"),
    Route("GET", _PATH, list_page, query=PAGING),
    Route("GET", f"{_PATH}/{{transferId}}", get),
)
