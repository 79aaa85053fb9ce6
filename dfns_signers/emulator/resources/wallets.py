"""``/wallets`` and their tags; the DELETE of tags has a JSON body."""

from __future__ import annotations

import secrets
from typing import Any, Final

from dfns_signers.emulator.fields import boolean, known, list_of, members, one_of, string
from dfns_signers.emulator.identities import User
from dfns_signers.emulator.messages import bad_request, not_found
from dfns_signers.emulator.resources.keys import CURVES, DERIVE_FROM, add_key
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import PAGING, Record, State
from dfns_signers.emulator.wire import iso_date, new_id
from dfns_signers.networks import EVM_NETWORKS, WALLET_NETWORKS

_TAG: Final = string(
    pattern=r"[a-zA-Z0-9_.:/+-]{1,100}", expected="1 to 100 letters, digits or _ . : / + -"
)
_EXTERNAL_ID: Final = string(1, 100)
_CREATE: Final = members(
    {"network": known(WALLET_NETWORKS, "a network of the Dfns API")},
    {
        "name": string(),
        "signingKey": members(
            {},
            {
                "id": string(),
                "scheme": one_of(*CURVES),
                "curve": string(),
                "storeId": string(),
                "deriveFrom": DERIVE_FROM,
            },
        ),
        "delegateTo": string(),
        "delayDelegation": boolean,
        "externalId": _EXTERNAL_ID,
        "tags": list_of(_TAG),
    },
)
_UPDATE: Final = members({}, {"name": string(), "externalId": _EXTERNAL_ID})
_OWNERS: Final = {"owner": string(), "ownerId": string(), "ownerUsername": string()}
_TAGS: Final = members({"tags": list_of(_TAG)})
_BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_EDDSA: Final = ("Solana", "KeyEdDSA")


def create(call: Call) -> Record:
    """A new wallet, or the one that the same request has made before."""
    state, body = call.state, call.body
    existing = state.wallets.made_before(call.path, body)
    if existing:
        return existing
    wallet = add_wallet(
        state,
        body["network"],
        key=_signing_key(call),
        owner=_owner(call),
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
        owner: the user that the wallet and its key are delegated to; nobody by default.
        members: further members of the wallet, such as ``name``.
    """
    key = key or add_key(state, *_key_of(network), {})
    signing_key = {name: key[name] for name in ("id", "scheme", "curve", "publicKey")}
    if owner:
        signing_key["delegatedTo"] = owner.user_id
    wallet: Record = {
        "id": new_id("wa"),
        "network": network,
        "signingKey": signing_key,
        "status": "Active",
        "dateCreated": iso_date(state.clock()),
        "custodial": owner is None,
        **members,
        "tags": list(dict.fromkeys(members.get("tags", []))),
    }
    address = _address(network, key["publicKey"])
    if address:
        wallet["address"] = address
    return state.wallets.add(wallet)


def list_page(call: Call) -> Record:
    """A page of wallets; only delegated wallets have an owner."""
    return call.state.wallets.page(call.query, lambda wallet: _chosen(call, wallet))


def get(call: Call) -> Record:
    """One wallet."""
    return call.state.wallets.get(call.parameters["walletId"])


def update(call: Call) -> Record:
    """Change the name or the external id."""
    wallets = call.state.wallets
    wallet = wallets.get(call.parameters["walletId"])
    wallets.made_before(call.path, call.body)  # refused when the external id is in use
    wallets.bind(wallet["id"], call.path, call.body)
    wallet.update(call.body)
    return wallet


def add_tags(call: Call) -> Record:
    """Add tags; those it has stay."""
    wallet = call.state.wallets.get(call.parameters["walletId"])
    wallet["tags"] = list(dict.fromkeys([*wallet["tags"], *call.body["tags"]]))
    return wallet


def remove_tags(call: Call) -> Record:
    """Remove tags; those it does not have are ignored."""
    wallet = call.state.wallets.get(call.parameters["walletId"])
    wallet["tags"] = [tag for tag in wallet["tags"] if tag not in call.body["tags"]]
    return wallet


def _signing_key(call: Call) -> Record:
    wanted: dict[str, Any] = call.body.get("signingKey", {})
    if "id" in wanted:
        if len(wanted) > 1:
            raise bad_request(
                "field.exclusive", "signingKey.id excludes the others.", field="signingKey.id"
            )
        return call.state.keys.get(wanted["id"])
    scheme, curve = _key_of(call.body["network"])
    return add_key(call.state, wanted.get("scheme", scheme), wanted.get("curve", curve), {})


def _owner(call: Call) -> User | None:
    """The user that the body delegates to."""
    identifier = call.body.get("delegateTo")
    if identifier is None:
        return None
    if identifier not in call.state.directory.users:
        raise not_found("User", identifier)
    return call.state.directory.users[identifier]


def _chosen(call: Call, wallet: Record) -> bool:
    query, owner_id = call.query, wallet["signingKey"].get("delegatedTo")
    owner = call.state.directory.users.get(owner_id or "")
    username = owner.name if owner else None
    return (
        query.get("ownerId") in {None, owner_id}
        and query.get("ownerUsername") in {None, username}
        and query.get("owner") in {None, owner_id, username}
    )


def _key_of(network: str) -> tuple[str, str]:
    """Scheme and curve of a wallet's key; EdDSA on Solana and for ``KeyEdDSA``, else ECDSA."""
    return ("EdDSA", "ed25519") if network.startswith(_EDDSA) else ("ECDSA", "secp256k1")


def _address(network: str, public_key: str) -> str | None:
    """An address of the network's shape; none for other networks.

    On Solana it is the address of the key. Elsewhere it is random: nobody has a key for it.
    """
    if network in EVM_NETWORKS:
        return "0x" + secrets.token_hex(20)
    if network.startswith("Solana"):
        return _base58(bytes.fromhex(public_key))
    if network.startswith("Bitcoin"):
        prefix = "bc1q" if network == "Bitcoin" else "tb1q"
        return prefix + "".join(secrets.choice(_BECH32) for _ in range(38))
    return None


def _base58(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + digits


_ONE: Final = "/wallets/{walletId}"
ROUTES: Final = (
    Route("POST", "/wallets", create, _CREATE, entity="Wallet"),
    Route("GET", "/wallets", list_page, query={**PAGING, **_OWNERS}),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _UPDATE, entity="Wallet"),
    Route("PUT", f"{_ONE}/tags", add_tags, _TAGS, entity="Wallet"),
    Route("DELETE", f"{_ONE}/tags", remove_tags, _TAGS, entity="Wallet"),
)
