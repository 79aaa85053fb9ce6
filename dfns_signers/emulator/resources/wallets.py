"""``/wallets``: create, list, get and update."""

from __future__ import annotations

from typing import Any, Final

from dfns_signers.emulator.collection import PAGING, Record
from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import flag, list_of, members, one_of, text
from dfns_signers.emulator.identifiers import iso_date, new_id
from dfns_signers.emulator.refusals import bad_request
from dfns_signers.emulator.resources.networks import address, key_of
from dfns_signers.emulator.resources.wallet_keys import CURVES, add_key
from dfns_signers.emulator.routes import Call, Route

# Dfns OpenAPI.
TAG: Final = text(
    pattern=r"[a-zA-Z0-9_.:/+-]{1,100}", expected="1 to 100 letters, digits or _ . : / + -"
)
DERIVE_FROM: Final = members({"keyId": text()}, {"path": text()})
_EXTERNAL_ID = text(1, 100)
_CREATE = members(
    {"network": text()},
    {
        "name": text(),
        "signingKey": members(
            {},
            {
                "id": text(),
                "scheme": one_of(*CURVES),
                "curve": text(),
                "storeId": text(),
                "deriveFrom": DERIVE_FROM,
            },
        ),
        "delegateTo": text(),
        "delayDelegation": flag,
        "externalId": _EXTERNAL_ID,
        "tags": list_of(TAG),
    },
)
_UPDATE = members({}, {"name": text(), "externalId": _EXTERNAL_ID})
_OWNERS = {"owner": text(), "ownerId": text(), "ownerUsername": text()}


def create(call: Call) -> Answer:
    """A new wallet, or the one that the same request has made before."""
    state, body = call.state, call.body
    existing = state.external_ids.entity("Wallet", call.path, body)
    if existing:
        return json_answer(state.wallets.get(existing))
    key = _signing_key(call)
    identifier = new_id("wa")
    kept = ("name", "externalId", "delegateTo")
    wallet: Record = {
        "id": identifier,
        "network": body["network"],
        "signingKey": {name: key[name] for name in ("id", "scheme", "curve", "publicKey")},
        "status": "Active",
        "dateCreated": iso_date(state.clock()),
        "custodial": "delegateTo" not in body,
        "tags": list(dict.fromkeys(body.get("tags", []))),
        **{name: body[name] for name in kept if name in body},
    }
    shaped = address(body["network"], key["publicKey"])
    if shaped:
        wallet["address"] = shaped
    state.external_ids.bind("Wallet", call.path, body, identifier)
    return json_answer(state.wallets.add(wallet))


def list_page(call: Call) -> Answer:
    """A page of wallets; only delegated wallets have an owner."""
    return json_answer(call.state.wallets.page(call.query, lambda wallet: _chosen(call, wallet)))


def get(call: Call) -> Answer:
    """One wallet."""
    return json_answer(call.state.wallets.get(call.parameters["walletId"]))


def update(call: Call) -> Answer:
    """Change the name or the external id."""
    state = call.state
    wallet = state.wallets.get(call.parameters["walletId"])
    state.external_ids.entity("Wallet", call.path, call.body)
    state.external_ids.bind("Wallet", call.path, call.body, wallet["id"])
    wallet.update(call.body)
    return json_answer(wallet)


def _signing_key(call: Call) -> Record:
    wanted: dict[str, Any] = call.body.get("signingKey", {})
    if "id" in wanted:
        if len(wanted) > 1:
            raise bad_request(
                "field.exclusive", "signingKey.id excludes the others.", field="signingKey.id"
            )
        return call.state.keys.get(wanted["id"])
    scheme, curve = key_of(call.body["network"])
    return add_key(call.state, wanted.get("scheme", scheme), wanted.get("curve", curve), {})


def _chosen(call: Call, wallet: Record) -> bool:
    query, owner_id = call.query, wallet.get("delegateTo")
    owner = call.state.directory.users.get(owner_id or "")
    username = owner.username if owner else None
    return (
        query.get("ownerId") in {None, owner_id}
        and query.get("ownerUsername") in {None, username}
        and query.get("owner") in {None, owner_id, username}
    )


ROUTES = (
    Route("POST", "/wallets", create, _CREATE, entity="Wallet"),
    Route("GET", "/wallets", list_page, query={**PAGING, **_OWNERS}),
    Route("GET", "/wallets/{walletId}", get),
    Route("PUT", "/wallets/{walletId}", update, _UPDATE, entity="Wallet"),
)
