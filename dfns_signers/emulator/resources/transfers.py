"""``/wallets/{walletId}/transfers``; transfers stay ``Pending`` for ever."""

from __future__ import annotations

from typing import Any

from dfns_signers.emulator.collection import PAGING, Record
from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import any_object, flag, members, one_of, text, variants
from dfns_signers.emulator.identifiers import iso_date, new_id
from dfns_signers.emulator.refusals import not_found
from dfns_signers.emulator.routes import Call, Route

_AMOUNT = text(pattern="[0-9]{1,78}", expected="a string of decimal digits, in base units")
_COMMON = {
    "externalId": text(1, 50),
    "feeSponsorId": text(),
    "travelRule": any_object,
    "priority": one_of("Slow", "Standard", "Fast"),
}
_NATIVE = {
    "memo": text(0),
    "createDestinationAccount": flag,
    "offer": flag,
    "expiresAt": text(),
    "useDurableNonce": flag,
}
# The other kinds of the Dfns OpenAPI file; their members are not checked.
_OTHER_KINDS = (
    "Erc7984", "Asa", "Aip21", "Asset", "Cip56", "Cis2", "Cis7", "Coin", "Hip17",
)  # fmt: skip


def _other(where: str, value: Any) -> None:
    any_object(where, value)
    for name, check in (("amount", _AMOUNT), ("externalId", _COMMON["externalId"])):
        if name in value:
            check(name, value[name])


_CREATE = variants(
    "kind",
    {
        "Native": members({"to": text(), "amount": _AMOUNT}, {**_COMMON, **_NATIVE}),
        "Erc20": members({"contract": text(), "to": text(), "amount": _AMOUNT}, _COMMON),
        "Erc721": members({"contract": text(), "to": text(), "tokenId": text()}, _COMMON),
        **dict.fromkeys(_OTHER_KINDS, _other),
    },
)


def create(call: Call) -> Answer:
    """A new transfer, or the one that the same request has made before."""
    state, body = call.state, call.body
    wallet = state.wallets.get(call.parameters["walletId"])
    existing = state.external_ids.entity("Transfer", call.path, body)
    if existing:
        return json_answer(state.transfers.get(existing))
    identifier = new_id("xfr")
    transfer: Record = {
        "id": identifier,
        "walletId": wallet["id"],
        "network": wallet["network"],
        "requester": {"userId": call.token.user.user_id, "tokenId": call.token.token_id},
        "requestBody": body,
        "metadata": {},
        "status": "Pending",
        "dateRequested": iso_date(state.clock()),
        **{name: body[name] for name in ("externalId", "feeSponsorId") if name in body},
    }
    state.external_ids.bind("Transfer", call.path, body, identifier)
    return json_answer(state.transfers.add(transfer))


def list_page(call: Call) -> Answer:
    """A page of the wallet's transfers."""
    wallet = call.state.wallets.get(call.parameters["walletId"])
    page = call.state.transfers.page(
        call.query, lambda transfer: bool(transfer["walletId"] == wallet["id"])
    )
    return json_answer({"walletId": wallet["id"], **page})


def get(call: Call) -> Answer:
    """One transfer of the wallet."""
    transfer = call.state.transfers.get(call.parameters["transferId"])
    if transfer["walletId"] != call.parameters["walletId"]:
        raise not_found("Transfer", call.parameters["transferId"])
    return json_answer(transfer)


_PATH = "/wallets/{walletId}/transfers"
ROUTES = (
    Route("POST", _PATH, create, _CREATE, entity="Transfer"),
    Route("GET", _PATH, list_page, query=PAGING),
    Route("GET", _PATH + "/{transferId}", get),
)
