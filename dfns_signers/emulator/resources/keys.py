"""``/keys``: create, list, get, update and delete."""

from __future__ import annotations

from dfns_signers.emulator.collection import PAGING, Record
from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import flag, members, one_of, text
from dfns_signers.emulator.resources.wallet_keys import CURVES, add_key
from dfns_signers.emulator.resources.wallets import DERIVE_FROM
from dfns_signers.emulator.routes import Call, Route

_CREATE = members(
    {"scheme": one_of(*CURVES), "curve": one_of("ed25519", "secp256k1", "stark")},
    {
        "name": text(),
        "masterKey": flag,
        "deriveFrom": DERIVE_FROM,
        "storeId": text(),
        "delegateTo": text(),
        "delayDelegation": flag,
    },
)
_UPDATE = members({"name": text()})


def create(call: Call) -> Answer:
    """A new key."""
    body = call.body
    kept = ("name", "masterKey", "delegateTo")
    extra = {name: body[name] for name in kept if name in body}
    return json_answer(add_key(call.state, body["scheme"], body["curve"], extra))


def list_page(call: Call) -> Answer:
    """A page of keys; only delegated keys have an owner."""
    owner = call.query.get("owner")

    def chosen(key: Record) -> bool:
        return owner in {None, key.get("delegateTo")}

    return json_answer(call.state.keys.page(call.query, chosen))


def get(call: Call) -> Answer:
    """One key."""
    return json_answer(call.state.keys.get(call.parameters["keyId"]))


def update(call: Call) -> Answer:
    """Change the name."""
    key = call.state.keys.get(call.parameters["keyId"])
    key.update(call.body)
    return json_answer(key)


def delete(call: Call) -> Answer:
    """Forget a key."""
    key = call.state.keys.remove(call.parameters["keyId"])
    call.state.private_keys.pop(key["id"], None)
    return json_answer({**key, "status": "Deleted"})


_ONE = "/keys/{keyId}"
ROUTES = (
    Route("POST", "/keys", create, _CREATE, entity="Key"),
    Route("GET", "/keys", list_page, query={**PAGING, "owner": text()}),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _UPDATE, entity="Key"),
    Route("DELETE", _ONE, delete, entity="Key"),
)
