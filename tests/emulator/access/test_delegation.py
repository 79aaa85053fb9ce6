"""Wallets and keys that belong to a user: who may use them, and how they come to belong."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.emulator.requests.routes import Call
from dfns_signers.emulator.resources import build_router
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.signatures import BLOCKING_POLICY, ECDSA, EDDSA, new_key
from tests.emulator.states import empty_state

MESSAGE = {"kind": "Message", "message": "00"}
DELAYED = {"delayDelegation": True}


@pytest.fixture
def owner_id(stranger: Caller) -> str:
    init = stranger.send("POST", "/auth/credentials/init", b'{"kind":"Key"}')
    identifier: str = answered(init)["user"]["id"]
    return identifier


def ids(response_items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in response_items]


def test_wallet_that_is_delegated_belongs_to_the_user(caller: Caller, owner_id: str) -> None:
    wallet = caller.create("/wallets", {"network": "Base", "delegateTo": owner_id})

    assert wallet["custodial"] is False
    assert wallet["signingKey"]["delegatedTo"] == owner_id
    assert answered(caller.get(f"/keys/{wallet['signingKey']['id']}"))["custodial"] is False


def test_wallets_are_listed_by_owner(caller: Caller, owner_id: str) -> None:
    caller.create("/wallets", {"network": "Base"})
    delegated = caller.create("/wallets", {"network": "Base", "delegateTo": owner_id})

    for query in (f"ownerId={owner_id}", "ownerUsername=stranger", "owner=stranger"):
        assert answered(caller.get(f"/wallets?{query}")) == {"items": [delegated]}
    assert answered(caller.get(f"/wallets?owner={owner_id}")) == {"items": [delegated]}
    for query in ("ownerId=us-1", "ownerUsername=nobody", "owner=nobody"):
        assert answered(caller.get(f"/wallets?{query}")) == {"items": []}


def test_keys_are_listed_by_owner(caller: Caller, owner_id: str) -> None:
    new_key(caller, EDDSA)
    delegated = new_key(caller, EDDSA, delegateTo=owner_id)

    for owner in (owner_id, "stranger"):
        assert answered(caller.get(f"/keys?owner={owner}")) == {"items": [delegated]}
    assert answered(caller.get("/keys?owner=us-2")) == {"items": []}


@pytest.mark.parametrize("path", ["/wallets", "/keys"])
def test_nothing_is_delegated_to_an_unknown_user(caller: Caller, path: str) -> None:
    body = {"network": "Base"} if path == "/wallets" else EDDSA

    refused(caller.call("POST", path, {**body, "delegateTo": "us-1"}), 404, "entity", "us-1")

    assert answered(caller.get(path)) == {"items": []}


def test_wallet_is_delegated_later_with_its_key_and_the_other_wallets_of_the_key(
    caller: Caller, owner_id: str
) -> None:
    wallet = caller.create("/wallets", {"network": "Base", **DELAYED, "delegateTo": owner_id})
    key_id = wallet["signingKey"]["id"]
    other = caller.create("/wallets", {"network": "Tron", "signingKey": {"id": key_id}})
    assert (wallet["custodial"], other["custodial"]) == (True, True)

    answer = caller.create(f"/wallets/{wallet['id']}/delegate", {"userId": owner_id})

    assert answer == {"walletId": wallet["id"], "status": "Delegated"}
    owned = answered(caller.get(f"/wallets?ownerId={owner_id}"))["items"]
    assert ids(owned) == [wallet["id"], other["id"]]
    assert not any(item["custodial"] for item in owned)
    assert ids(answered(caller.get(f"/keys?owner={owner_id}"))["items"]) == [key_id]


def test_key_is_delegated_later(caller: Caller, owner_id: str) -> None:
    key = new_key(caller, EDDSA, **DELAYED)

    answer = caller.create(f"/keys/{key['id']}/delegate", {"delegateTo": owner_id})

    assert answer == {"keyId": key["id"], "status": "Delegated"}
    assert answered(caller.get(f"/keys/{key['id']}"))["custodial"] is False


def test_key_that_was_not_made_for_it_is_not_delegated(caller: Caller, owner_id: str) -> None:
    key, body = new_key(caller, EDDSA), {"delegateTo": owner_id}

    response = caller.call("POST", f"/keys/{key['id']}/delegate", body)

    refused(response, 400, "key.delegation", "made without delayDelegation")
    assert answered(caller.get(f"/keys/{key['id']}"))["custodial"] is True


def test_key_is_delegated_once(caller: Caller, owner_id: str, emulator: Emulator) -> None:
    path = f"/keys/{new_key(caller, EDDSA, **DELAYED)['id']}/delegate"
    caller.create(path, {"delegateTo": owner_id})

    response = caller.call("POST", path, {"delegateTo": emulator.user_id})

    refused(response, 400, "key.delegation", f"delegated to {owner_id} already")


def test_wallet_on_a_delegated_key_belongs_to_the_user(
    caller: Caller, stranger: Caller, owner_id: str
) -> None:
    key = new_key(caller, ECDSA, delegateTo=owner_id)
    body = {"network": "Base", "signingKey": {"id": key["id"]}}

    refused(caller.call("POST", "/wallets", body), 403, "key.owner")
    wallet = stranger.create("/wallets", body)

    assert wallet["signingKey"]["delegatedTo"] == owner_id
    assert wallet["custodial"] is False


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/keys/{key}/signatures", MESSAGE),
        ("/wallets/{wallet}/signatures", MESSAGE),
        ("/wallets/{wallet}/transfers", {"kind": "Native", "to": "0x" + "ab" * 20, "amount": "1"}),
        ("/wallets/{wallet}/transactions", {"kind": "Evm", "to": "0x" + "ab" * 20}),
        ("/wallets/{wallet}/activate", {}),
        (
            "/keys/{key}/export",
            {
                "encryptionKey": "k",
                "supportedSchemes": [{"protocol": "CGGMP24", "curve": "secp256k1"}],
            },
        ),
    ],
)
def test_only_the_owner_uses_a_delegated_wallet(
    caller: Caller, stranger: Caller, owner_id: str, path: str, body: dict[str, Any]
) -> None:
    wallet = caller.create("/wallets", {"network": "Base", "delegateTo": owner_id})
    path = path.format(key=wallet["signingKey"]["id"], wallet=wallet["id"])

    error = refused(caller.call("POST", path, body), 403, "key.owner")
    answered(stranger.call("POST", path, body))

    assert error["details"]["expected"] == owner_id


def test_policies_do_not_apply_to_what_a_user_owns(
    caller: Caller, stranger: Caller, owner_id: str
) -> None:
    caller.create("/v2/policies", BLOCKING_POLICY)
    wallet = caller.create("/wallets", {"network": "Base", "delegateTo": owner_id})

    signature = stranger.create(f"/wallets/{wallet['id']}/signatures", MESSAGE)
    transfer = {"kind": "Native", "to": "0x" + "ab" * 20, "amount": "1"}
    transferred = stranger.create(f"/wallets/{wallet['id']}/transfers", transfer)

    assert (signature["status"], transferred["status"]) == ("Pending", "Pending")


@pytest.mark.parametrize("path", ["/wallets", "/keys"])
def test_what_an_end_user_makes_belongs_to_the_end_user(path: str) -> None:
    state = empty_state()
    alice = state.directory.add_user("alice", kind="EndUser")
    token = state.directory.add_token(alice, "Token", "alice")
    route = build_router().named("POST", path)
    body = {"network": "Base"} if path == "/wallets" else EDDSA

    made = route.handler(Call(state, token, route, path, {}, {}, body))

    assert isinstance(made, dict)
    assert made["custodial"] is False
    (held,) = state.held_keys.values()
    assert held.owner_id == alice.user_id
