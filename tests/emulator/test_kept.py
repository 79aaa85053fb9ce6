"""Entities without behaviour of their own: kept, listed, read, changed, deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, compact, refused
from tests.emulator.conftest import calling
from tests.emulator.flows import Json

CREDENTIALS = {"publicApiKey": "a", "privateApiKey": "b"}
ERC20 = {"kind": "Erc20", "contract": "0x1", "amount": "5"}
NATIVE = {"kind": "Native", "amount": "5"}


def exchange() -> Json:
    return {
        "kind": "Kraken",
        "name": "main",
        "readConfiguration": CREDENTIALS,
        "writeConfiguration": CREDENTIALS,
    }


def allocation(wallet: str) -> Json:
    return {
        "walletId": wallet,
        "protocol": "0fns",
        "sourceAsset": ERC20,
        "targetAsset": ERC20,
        "slippageBps": 10,
    }


def payout(wallet: str) -> Json:
    return {
        "walletId": wallet,
        "asset": ERC20,
        "fiatCurrency": "EUR",
        "provider": "Borderless",
        "country": "FR",
        "borderlessAccountId": "b-1",
        "paymentInstructionsId": "p-1",
        "paymentPurpose": "rent payment",
    }


def stake(wallet: str) -> Json:
    return {"walletId": wallet, "protocol": "Ethereum", "provider": "Figment", "amount": "32"}


def quote(wallet: str) -> Json:
    return {
        "walletId": wallet,
        "provider": "UniswapX",
        "sourceAsset": NATIVE,
        "targetAsset": {"kind": "Erc20", "contract": "0x1"},
        "slippageBps": 10,
    }


def swap(wallet: str) -> Json:
    return {**quote(wallet), "quoteId": "q-1", "targetAsset": ERC20}


def kept(wallet: str) -> dict[str, Json]:
    """Collections, and a body for each that makes an entity of it."""
    return {
        "/address-watches": {"network": "Ethereum", "address": "0x1"},
        "/allocations": allocation(wallet),
        "/auth/user-groups": {"name": "team"},
        "/exchanges": exchange(),
        "/fee-sponsors": {"walletId": wallet, "name": "gas"},
        "/networks/Canton/validators": {"kind": "Shared", "name": "node"},
        "/payins": {"walletId": wallet, "amount": "5"},
        "/payouts": payout(wallet),
        "/staking/stakes": stake(wallet),
        "/swaps": swap(wallet),
        "/tenant/orgs": {"name": "subsidiary"},
        "/tenant/user-groups": {"name": "team"},
        "/tenant/users": {"email": "a@example.com"},
        "/vaults": {"name": "safe"},
        "/wallets/bulk-create": {"network": "Solana", "count": 2, "name": "w"},
    }


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


@pytest.fixture(scope="module")
def shared() -> Iterator[Caller]:
    with calling() as caller:
        yield caller


@pytest.fixture(scope="module")
def wallet(shared: Caller) -> str:
    identifier: str = shared.create("/wallets", {"network": "Ethereum"})["id"]
    return identifier


def listed(caller: Caller, path: str) -> list[Json]:
    items: list[Json] = answered(caller.get(path))["items"]
    return items


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


@pytest.mark.parametrize(
    ("first", "then"),
    [("activate", "Active"), ("deactivate", "Deactivated")],
)
def test_status_of_a_fee_sponsor_is_what_was_done_last(
    shared: Caller, wallet: str, first: str, then: str
) -> None:
    made = shared.create("/fee-sponsors", {"walletId": wallet})
    other = {"activate": "deactivate", "deactivate": "activate"}[first]
    answered(shared.call("PUT", f"/fee-sponsors/{made['id']}/{other}"))

    answered(shared.call("PUT", f"/fee-sponsors/{made['id']}/{first}"))

    assert answered(shared.get(f"/fee-sponsors/{made['id']}"))["status"] == then


def test_fee_sponsor_has_the_network_of_its_wallet(shared: Caller) -> None:
    solana = shared.create("/wallets", {"network": "SolanaDevnet"})["id"]

    assert shared.create("/fee-sponsors", {"walletId": solana})["network"] == "SolanaDevnet"


@pytest.mark.parametrize(
    ("body", "status"),
    [({"action": "Cancel"}, "Canceled"), ({"action": "Confirm"}, "Completed")],
)
def test_payout_goes_on_when_it_is_decided(
    shared: Caller, wallet: str, body: Json, status: str
) -> None:
    made = shared.create("/payouts", payout(wallet))
    one = f"/payouts/{made['id']}"
    if body["action"] == "Confirm":
        body = {**body, "walletId": wallet, "transfer": {**ERC20, "to": "0x2"}}

    before = [answered(shared.get(one))["status"] for _ in range(2)]
    answered(shared.call("POST", f"{one}/action", body))

    assert before == ["Processing", "Processing"]
    assert answered(shared.get(one))["status"] == status


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/allocations", {"kind": "Deposit", "sourceAsset": ERC20, "targetAsset": ERC20}),
        ("/staking/stakes", {"kind": "Withdraw", "protocol": "Ethereum"}),
    ],
)
def test_action_is_a_part_of_what_it_is_done_to(
    shared: Caller, wallet: str, path: str, body: Json
) -> None:
    made = shared.create(path, kept(wallet)[path])
    one = f"{path}/{made['id']}"
    if path == "/allocations":
        body = {**body, "slippageBps": 1}

    answer = shared.create(f"{one}/actions", body)

    assert answer["id"] == made["id"]
    assert [action["kind"] for action in answer["actions"]] == [body["kind"]]
    assert answer["actions"][0]["requestBody"] == body
    done = [{**answer["actions"][0], "status": "Completed"}]
    assert answered(shared.get(one))["actions"] == done
    assert listed(shared, f"{one}/actions") == done


def test_locks_belong_to_their_vault(shared: Caller) -> None:
    first, second = (shared.create("/vaults", {"name": name})["id"] for name in "ab")
    lock = shared.create(f"/vaults/{first}/locks", {"network": "Base", "amount": "5"})

    released = shared.create(f"/vaults/{first}/locks/{lock['id']}/release", {})

    assert released["status"] == "Released"
    assert listed(shared, f"/vaults/{first}/locks") == [released]
    assert listed(shared, f"/vaults/{second}/locks") == []
    refused(shared.get(f"/vaults/{second}/locks/{lock['id']}"), 404, "entity", "Lock")


def test_what_names_an_entity_is_not_changed(shared: Caller) -> None:
    vault = shared.create("/vaults", {"name": "a"})

    changed = answered(shared.call("PUT", f"/vaults/{vault['id']}", {"id": "x", "name": None}))

    assert changed == {name: vault[name] for name in ("id", "dateCreated")}


@pytest.mark.parametrize(
    ("path", "added", "items"),
    [
        ("/vaults/{}/tags", {"tags": ["a", "b", "a"]}, ["a", "b"]),
        ("/auth/user-groups/{}/members", {"userIds": ["us-1", "us-2"]}, ["us-1", "us-2"]),
    ],
)
def test_list_of_an_entity_is_added_to_and_taken_from(
    shared: Caller, path: str, added: Json, items: list[str]
) -> None:
    collection, _, name = path.partition("/{}/")
    one = f"{collection}/{shared.create(collection, {'name': 'x'})['id']}"
    add = "PUT" if name == "tags" else "POST"

    for _ in range(2):
        answered(shared.call(add, f"{one}/{name}", added))
    after = answered(shared.get(one))[name]
    answered(shared.call("DELETE", f"{one}/{name}", {next(iter(added)): items[:1]}))

    assert after == items
    assert answered(shared.get(one))[name] == items[1:]


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


def test_secrets_of_an_exchange_are_not_shown(shared: Caller) -> None:
    made = shared.create("/exchanges", exchange())

    assert made.keys() == {"id", "kind", "name", "dateCreated"}


def test_exchange_has_an_account_that_takes_deposits(shared: Caller, wallet: str) -> None:
    exchange_id = shared.create("/exchanges", exchange())["id"]
    [account] = listed(shared, f"/exchanges/{exchange_id}/accounts")
    one = f"/exchanges/{exchange_id}/accounts/{account['id']}"

    made = shared.create(f"{one}/deposits", {**NATIVE, "walletId": wallet})

    assert (made["kind"], made["accountId"]) == ("Deposit", account["id"])
    assert listed(shared, f"{one}/assets") == []


def test_swap_quote_has_the_assets_that_were_asked_for(shared: Caller, wallet: str) -> None:
    made = shared.create("/swaps/quotes", quote(wallet))

    assert made["sourceAsset"].items() >= NATIVE.items()
    assert made["sourceAsset"]["metadata"]["network"] == "Ethereum"
    assert answered(shared.get(f"/swaps/quotes/{made['id']}")) == made


def test_there_is_one_key_store(shared: Caller) -> None:
    [store] = listed(shared, "/key-stores")

    assert store["primary"] is True
    refused(shared.call("POST", "/key-stores/x/onchain-sign/input", {}), 404, "entity", '"x"')


def test_agreement_is_unaccepted_until_each_user_has_accepted_it(
    emulator: Emulator, caller: Caller, stranger: Caller
) -> None:
    path = "/agreements/latest-unaccepted?agreementType=PrivacyPolicy"
    agreement = answered(caller.get(path))["latestAgreement"]

    accepted = caller.create(f"/agreements/{agreement['id']}/accept", {})

    assert accepted["userId"] == emulator.user_id
    assert answered(caller.get(path)) == {"latestAgreement": None}
    assert answered(stranger.get(path)) == {"latestAgreement": agreement}


def test_token_is_exchanged_for_one_that_calls(shared: Caller) -> None:
    body = compact({"target": "or-1"})
    token = answered(shared.send("POST", "/auth/tokens", body))["token"]

    answered(shared.http.get("/wallets", headers={"Authorization": f"Bearer {token}"}))
