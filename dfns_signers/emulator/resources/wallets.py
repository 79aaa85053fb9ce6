"""``/wallets`` and their tags; the DELETE of tags has a JSON body."""

from __future__ import annotations

from typing import Any, Final

from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.addresses import address_of, key_kinds
from dfns_signers.emulator.keys.ownership import (
    delegate_key,
    is_chosen,
    new_owner,
    require_owner,
    user,
)
from dfns_signers.emulator.requests.fields import list_of, string, where_present
from dfns_signers.emulator.requests.messages import bad_request
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.resources.keys import add_key, new_key_members
from dfns_signers.emulator.state import PAGING, Record, State, change

TAG: Final = string(
    pattern=r"[a-zA-Z0-9_.:/+-]{1,100}", expected="1 to 100 letters, digits or _ . : / + -"
)
_CHECK: Final = where_present(
    {"name": string(), "externalId": string(1, 100), "tags": list_of(TAG, minimum=0)}
)
_OWNERS: Final = {"owner": string(), "ownerId": string(), "ownerUsername": string()}
# Their accounts must be opened first: only the bodies of their activation are declared.
_INACTIVE_AT_FIRST: Final = ("Canton", "Concordium")


def create(call: Call) -> Record:
    """A new wallet, or the one that the same request has made before."""
    state, body = call.state, call.body
    existing = state.wallets.made_before(call.path, body)
    if existing:
        return existing
    owner = new_owner(call)
    wallet = add_wallet(
        state,
        body["network"],
        key=_signing_key(call, owner),
        **{name: body[name] for name in ("name", "externalId", "tags") if name in body},
    )
    state.wallets.bind(wallet["id"], call.path, body)
    return wallet


def add_wallet(
    state: State,
    network: str,
    *,
    key: Record | None = None,
    owner: User | None = None,
    **members: Any,
) -> Record:
    """A new wallet.

    Args:
        state: the memory of the emulator.
        network: a network of the Dfns API.
        key: the key that signs for it; a new one that suits the network by default.
        owner: the user that a new key, and so the wallet, is delegated to; nobody by default.
        members: further members of the wallet, such as ``name``.
    """
    key = key or add_key(state, *key_kinds(network)[0], owner=owner)
    owner_id = state.held_keys[key["id"]].owner_id
    signing_key = {name: key[name] for name in ("id", "scheme", "curve", "publicKey")}
    if owner_id:
        signing_key["delegatedTo"] = owner_id
    wallet: Record = {
        "id": new_id("wa"),
        "network": network,
        "signingKey": signing_key,
        "status": "Inactive" if network.startswith(_INACTIVE_AT_FIRST) else "Active",
        "dateCreated": iso_date(state.clock()),
        "custodial": owner_id is None,
        **members,
        "tags": list(dict.fromkeys(members.get("tags", []))),
    }
    address = address_of(network, key["scheme"], key["publicKey"])
    if address:
        wallet["address"] = address
    state.wallets.add(wallet)
    state.events.publish("wallet.created", {"wallet": wallet})
    return wallet


def list_page(call: Call) -> Record:
    """A page of wallets; only delegated wallets have an owner."""
    query = call.query
    owner, owner_id = query.get("owner"), query.get("ownerId")

    def chosen(wallet: Record) -> bool:
        found = wallet["signingKey"].get("delegatedTo")
        return owner_id in {None, found} and is_chosen(
            call.state, found, owner=owner, owner_name=query.get("ownerUsername")
        )

    return call.state.wallets.page(query, chosen)


def get(call: Call) -> Record:
    """One wallet."""
    return call.state.progress.read(wallet_of_call(call))


def update(call: Call) -> Record:
    """Change the name or the external id; null takes one away."""
    wallets, wallet, body = call.state.wallets, wallet_of_call(call), call.body
    if body.get("externalId") is not None:
        wallets.made_before(call.path, body)  # refused when the external id is in use
        wallets.bind(wallet["id"], call.path, body)
    change(wallet, body)
    return wallet


def delegate(call: Call) -> Record:
    """Give a wallet, its key and the other wallets of the key to a user, for good."""
    wallet = wallet_of_call(call)
    key = call.state.keys.get(wallet["signingKey"]["id"])
    delegate_key(call.state, key, user(call, call.body["userId"]))
    return {"walletId": wallet["id"], "status": "Delegated"}


def add_tags(call: Call) -> Record:
    """Add tags; those it has stay."""
    wallet = wallet_of_call(call)
    return _set_tags(call, wallet, [*wallet["tags"], *call.body["tags"]])


def remove_tags(call: Call) -> Record:
    """Remove tags; those it does not have are ignored."""
    wallet, removed = wallet_of_call(call), call.body["tags"]
    return _set_tags(call, wallet, [tag for tag in wallet["tags"] if tag not in removed])


def wallet_of_call(call: Call) -> Record:
    """The wallet of the path."""
    return call.state.wallets.get(call.parameters["walletId"])


def check_key(network: str, scheme: str, curve: str) -> None:
    """Refuse a key that the network does not take."""
    kinds = key_kinds(network)
    if (scheme, curve) not in kinds:
        wanted = " or ".join(f"{scheme} on {curve}" for scheme, curve in kinds)
        raise bad_request(
            "key.network",
            f"{network} takes a key of {wanted}; the key is {scheme} on {curve}.",
            expected=wanted,
            found=f"{scheme} on {curve}",
        )


def _set_tags(call: Call, wallet: Record, tags: list[str]) -> Record:
    wallet["tags"] = list(dict.fromkeys(tags))
    call.state.events.publish("wallet.tags.modified", {"wallet": wallet})
    return {}


def _signing_key(call: Call, owner: User | None) -> Record:
    """The key that the body names, or a new one."""
    state, network = call.state, call.body["network"]
    wanted = call.body.get("signingKey", {})
    if "id" in wanted:
        if len(wanted) > 1:
            raise bad_request(
                "field.exclusive", "signingKey.id excludes the others.", field="signingKey.id"
            )
        key = state.keys.get(wanted["id"])
        require_owner(call, key["id"])
        check_key(network, key["scheme"], key["curve"])
        if owner and state.held_keys[key["id"]].owner_id != owner.user_id:
            delegate_key(state, key, owner)
        return key
    scheme, curve = _kind_of_key(network, wanted)
    check_key(network, scheme, curve)
    members = new_key_members(call, {**wanted, "scheme": scheme, "curve": curve})
    may_be_delegated = call.body.get("delayDelegation", False)
    return add_key(state, scheme, curve, owner=owner, may_be_delegated=may_be_delegated, **members)


def _kind_of_key(network: str, wanted: Record) -> tuple[str, str]:
    """Scheme and curve of a new key: what the body says, and what suits the network else."""
    kinds = key_kinds(network)
    suiting = [kind for kind in kinds if wanted.get("scheme", kind[0]) == kind[0]]
    scheme, curve = (suiting or kinds)[0]
    return wanted.get("scheme", scheme), wanted.get("curve", curve)


_ONE: Final = "/wallets/{walletId}"
ROUTES: Final = (
    Route("POST", "/wallets", create, _CHECK, entity="Wallet"),
    Route("GET", "/wallets", list_page, query={**PAGING, **_OWNERS}),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _CHECK, entity="Wallet"),
    Route("POST", f"{_ONE}/delegate", delegate, entity="Wallet"),
    Route("PUT", f"{_ONE}/tags", add_tags, _CHECK, entity="Wallet"),
    Route("DELETE", f"{_ONE}/tags", remove_tags, _CHECK, entity="Wallet"),
)
