"""Entities without behaviour of their own: kept, listed, read, changed, deleted."""

from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.caller import Caller, answered, refused
from tests.emulator.kept_bodies import kept, listed, payout

COLLECTIONS = list(kept(""))
DELETED = [
    "/address-watches",
    "/auth/user-groups",
    "/exchanges",
    "/fee-sponsors",
    "/networks/Canton/validators",
    "/tenant/user-groups",
    "/tenant/users",
]
COMPLETED = {"amount", "asset"}
"""Members that an answer has more of than was given."""


@pytest.mark.parametrize("path", COLLECTIONS)
def test_list_after_a_create_has_what_was_made_last(shared: Caller, wallet: str, path: str) -> None:
    made = shared.create(path, kept(wallet)[path])

    found = listed(shared, path)[-1]

    assert found["id"] == made["id"]
    # A list may show less, and what was under way may be done.
    same = found.keys() & made.keys() - {"status"}
    assert {name: found[name] for name in same} == {name: made[name] for name in same}


@pytest.mark.parametrize("path", COLLECTIONS)
def test_what_was_given_is_read_again(shared: Caller, wallet: str, path: str) -> None:
    body = kept(wallet)[path]
    made = shared.create(path, body)

    read = answered(shared.get(f"{path}/{made['id']}"))

    under_way = made.get("status") == "InProgress"
    assert read == ({**made, "status": "Completed"} if under_way else made)
    shown = body.keys() & read.keys() - COMPLETED
    assert {name: read[name] for name in shown} == {name: body[name] for name in shown}


@pytest.mark.parametrize("path", DELETED)
def test_what_was_deleted_is_not_found(shared: Caller, wallet: str, path: str) -> None:
    made = shared.create(path, kept(wallet)[path])
    one = f"{path}/{made['id']}"

    answered(shared.call("DELETE", one))

    refused(shared.get(one), 404, "entity", made["id"])
    assert made["id"] not in {item["id"] for item in listed(shared, path)}


@pytest.mark.parametrize("path", ["/vaults", "/tenant/orgs", "/networks/Canton/validators"])
def test_change_is_read_again(shared: Caller, wallet: str, path: str) -> None:
    made = shared.create(path, kept(wallet)[path])
    one = f"{path}/{made['id']}"

    changed = answered(shared.call("PUT", one, {"name": "renamed"}))

    assert changed == {**made, "name": "renamed"} == answered(shared.get(one))


@pytest.mark.parametrize("path", COLLECTIONS)
def test_unknown_entity_is_not_found(shared: Caller, path: str) -> None:
    refused(shared.get(f"{path}/x"), 404, "entity", '"x" not found')


@pytest.mark.parametrize("path", ["/vaults/x/locks", "/exchanges/x/accounts", "/wallets/x/offers"])
def test_list_below_an_unknown_entity_is_not_found(shared: Caller, path: str) -> None:
    refused(shared.get(path), 404, "entity", '"x" not found')


def test_body_with_an_unknown_wallet_is_not_found(shared: Caller) -> None:
    refused(shared.call("POST", "/payouts", payout("wa-x")), 404, "entity", 'Wallet "wa-x"')


def test_unknown_network_of_a_path_is_refused(shared: Caller) -> None:
    error = refused(shared.get("/networks/Base/validators"), 400, "field.value", "Canton")

    assert error["details"]["field"] == "network"


def test_query_chooses_by_a_member(shared: Caller) -> None:
    wallets = [shared.create("/wallets", {"network": "Base"})["id"] for _ in range(2)]
    made = [shared.create("/payouts", payout(wallet))["id"] for wallet in wallets]

    found = listed(shared, f"/payouts?walletId={wallets[1]}&status=Processing,Failed")

    assert [one["id"] for one in found] == made[1:]


def test_pages_have_every_entity_once(caller: Caller) -> None:
    made = [caller.create("/vaults", {"name": str(number)})["id"] for number in range(5)]

    found: list[Any] = []
    token = ""
    while True:
        page = answered(caller.get(f"/vaults?limit=2{token}"))
        found += [one["id"] for one in page["items"]]
        if "nextPageToken" not in page:
            break
        token = f"&paginationToken={page['nextPageToken']}"

    assert found == made
