"""``/keys``: keys made in memory."""

from __future__ import annotations

from typing import Any, Final

from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.keys.key_material import KEY_STORE, KeyMaterial
from dfns_signers.emulator.keys.ownership import (
    delegate_key,
    is_chosen,
    new_owner,
    require_owner,
    user,
    wallets_of,
)
from dfns_signers.emulator.requests.fields import string, where_present
from dfns_signers.emulator.requests.messages import bad_request, not_found
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.state import PAGING, HeldKey, Record, State, change

# Which go together: Dfns docs, "Supported key formats" and "Derive Key".
CURVES: Final = {
    "ECDSA": ("secp256k1", "stark"),
    "EdDSA": ("ed25519",),
    "Schnorr": ("secp256k1",),
    "DH": ("secp256k1", "ed25519"),
}
_NAMED: Final = where_present({"name": string()})


def create(call: Call) -> Record:
    """A new key."""
    body = call.body
    return add_key(
        call.state,
        body["scheme"],
        body["curve"],
        owner=new_owner(call),
        may_be_delegated=body.get("delayDelegation", False),
        **new_key_members(call, body),
        **{name: body[name] for name in ("name", "masterKey") if name in body},
    )


def list_page(call: Call) -> Record:
    """A page of keys; only delegated keys have an owner."""
    held, wanted = call.state.held_keys, call.query.get("owner")
    return call.state.keys.page(
        call.query, lambda key: is_chosen(call.state, held[key["id"]].owner_id, owner=wanted)
    )


def get(call: Call) -> Record:
    """One key, with its wallets and where it is kept."""
    key = key_of_call(call)
    wallets = [
        {"id": wallet["id"], "network": wallet["network"]}
        for wallet in wallets_of(call.state, key["id"])
    ]
    return {**key, "wallets": wallets, "store": {**KEY_STORE, "keyId": key["id"]}}


def update(call: Call) -> Record:
    """Change the name; null takes it away."""
    key = key_of_call(call)
    change(key, call.body)
    return key


def delete(call: Call) -> Record:
    """Forget a key and its wallets."""
    key, state = key_of_call(call), call.state
    for wallet in wallets_of(state, key["id"]):
        state.wallets.remove(wallet["id"])
    state.keys.remove(key["id"])
    del state.held_keys[key["id"]]
    key.update(status="Archived", dateDeleted=iso_date(state.clock()))
    state.events.publish("key.deleted", {"key": key})
    return key


def delegate(call: Call) -> Record:
    """Give a key and its wallets to a user, for good."""
    key = key_of_call(call)
    delegate_key(call.state, key, user(call, call.body["delegateTo"]))
    return {"keyId": key["id"], "status": "Delegated"}


def derive(call: Call) -> Record:
    """What a Diffie-Hellman key derives from a seed; a stand-in, always the same."""
    key = key_of_call(call)
    if key["scheme"] != "DH":
        raise bad_request(
            "key.scheme", f"Only a key of scheme DH derives; this one is {key['scheme']}."
        )
    require_owner(call, key["id"])
    seed = call.body["seed"].encode()
    output = call.state.held_keys[key["id"]].material.output(call.body["domain"], seed)
    return {"output": f"0x{output.hex()}"}


def add_key(
    state: State,
    scheme: str,
    curve: str,
    *,
    owner: User | None = None,
    may_be_delegated: bool = False,
    material: KeyMaterial | None = None,
    **members: Any,
) -> Record:
    """A new key.

    Args:
        state: the memory of the emulator.
        scheme: ECDSA, EdDSA, Schnorr or DH.
        curve: secp256k1, ed25519 or stark.
        owner: the user that it is delegated to; nobody by default.
        may_be_delegated: whether that may be done later.
        material: the private half; a new one by default.
        members: further members of the key, such as ``name``.
    """
    check_curve(scheme, curve)
    material = material or KeyMaterial.generate(scheme, curve)
    identifier = new_id("key")
    state.held_keys[identifier] = HeldKey(
        material, owner.user_id if owner else None, may_be_delegated
    )
    key: Record = {
        "id": identifier,
        "scheme": scheme,
        "curve": curve,
        "publicKey": material.public_key,
        "status": "Active",
        "custodial": owner is None,
        "dateCreated": iso_date(state.clock()),
        **members,
    }
    state.keys.add(key)
    state.events.publish("key.created", {"key": key})
    return key


def new_key_members(call: Call, wanted: Record) -> Record:
    """The ``material`` and ``derivedFrom`` of a key that a body derives from another one.

    Args:
        call: the request.
        wanted: ``scheme``, ``curve`` and perhaps ``deriveFrom`` and ``storeId``.
    """
    if wanted.get("storeId", KEY_STORE["id"]) != KEY_STORE["id"]:
        raise not_found("Key store", wanted["storeId"])
    if "deriveFrom" not in wanted:
        return {}
    check_curve(wanted["scheme"], wanted["curve"])
    source = call.state.keys.get(wanted["deriveFrom"]["keyId"])
    require_owner(call, source["id"])
    held = call.state.held_keys[source["id"]]
    path = wanted["deriveFrom"].get("path")
    if path is None:
        path = f"m/{held.derivations}"
        held.derivations += 1
    return {
        "material": held.material.derive(wanted["scheme"], wanted["curve"], path),
        "derivedFrom": {"keyId": source["id"], "path": path},
    }


def check_curve(scheme: str, curve: str) -> None:
    """Refuse a curve that the scheme is not for."""
    if curve not in CURVES[scheme]:
        raise bad_request(
            "key.curve",
            f"curve must be {' or '.join(CURVES[scheme])} for {scheme}, and is {curve}.",
            field="curve",
        )


def key_of_call(call: Call) -> Record:
    """The key of the path."""
    return call.state.keys.get(call.parameters["keyId"])


_ONE: Final = "/keys/{keyId}"
ROUTES: Final = (
    Route("POST", "/keys", create, _NAMED, entity="Key"),
    Route("GET", "/keys", list_page, query={**PAGING, "owner": string()}),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _NAMED, entity="Key"),
    Route("DELETE", _ONE, delete, entity="Key"),
    Route("POST", f"{_ONE}/delegate", delegate, entity="Key"),
    Route("POST", f"{_ONE}/derive", derive, entity="Key"),
)
