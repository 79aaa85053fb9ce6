"""What calls do to entities that are kept, and what belongs to them."""

from __future__ import annotations

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, compact, refused
from tests.emulator.flows import Json
from tests.emulator.kept_bodies import ERC20, NATIVE, exchange, kept, listed, payout, quote


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
