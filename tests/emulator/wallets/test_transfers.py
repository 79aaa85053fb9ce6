from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.operations import declared_type, find_operation, shapes_of
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.transfer_kinds import ADDRESS, ADDRESSES, KINDS, NFTS

NATIVE = {"kind": "Native", "to": ADDRESS, "amount": "1000"}


def declared_kinds() -> Iterator[str]:
    """Every kind that the declared body of a transfer may have."""
    operation = find_operation("POST", "/wallets/{walletId}/transfers")
    assert operation is not None
    body = shapes_of(operation).body
    assert body is not None
    for option in declared_type(body["$ref"])["anyOf"]:
        kind = declared_type(option["$ref"])["properties"]["kind"]
        yield from kind.get("enum", [kind.get("const")])


@pytest.fixture
def path(caller: Caller) -> str:
    """The transfers of a wallet."""
    return f"/wallets/{caller.create('/wallets', {'network': 'Base'})['id']}/transfers"


def test_created_transfer_is_pending_and_repeats_the_request(
    emulator: Emulator, caller: Caller, path: str
) -> None:
    transfer = caller.create(path, NATIVE)

    assert transfer["id"].startswith("xfr-")
    assert transfer["walletId"] == path.split("/")[2]
    assert transfer["network"] == "Base"
    assert transfer["status"] == "Pending"
    assert transfer["requestBody"] == NATIVE
    assert transfer["requester"]["userId"] == emulator.user_id


def test_transfer_describes_the_native_asset(caller: Caller, path: str) -> None:
    transfer = caller.create(path, NATIVE)

    assert transfer["metadata"]["asset"] == {
        "symbol": "ETH",
        "decimals": 18,
        "verified": True,
        "quotes": {"USD": 1.0},
    }


@pytest.mark.parametrize(("network", "kind", "asset"), KINDS, ids=lambda value: str(value)[:12])
def test_every_kind_of_transfer_is_accepted_on_its_network(
    caller: Caller, network: str, kind: str, asset: dict[str, str]
) -> None:
    wallet = caller.create("/wallets", {"network": network})
    amount = {} if kind in NFTS else {"amount": "1"}
    body = {"kind": kind, "to": ADDRESSES.get(network, ADDRESS), **asset, **amount}

    assert caller.create(f"/wallets/{wallet['id']}/transfers", body)["requestBody"] == body


def test_kinds_that_are_tested_are_all_that_are_declared() -> None:
    assert {kind for _, kind, _ in KINDS} == set(declared_kinds())


@pytest.mark.parametrize(
    ("network", "body", "words"),
    [
        ("Base", {"kind": "Spl", "mint": "m"}, "kind Spl is for the networks of Solana"),
        ("Ethereum", {"kind": "Trc20", "contract": ADDRESS}, "networks of Tron"),
        ("Solana", {"kind": "Erc20", "contract": "m"}, "networks of the EVM"),
        ("Bitcoin", {"kind": "Tep74", "master": "m"}, "networks of Ton and Ion"),
        ("KeyECDSA", {"kind": "Native"}, "a wallet of KeyECDSA has a key and no blockchain"),
    ],
)
def test_transfer_of_a_kind_that_the_network_does_not_have_is_refused(
    caller: Caller, network: str, body: dict[str, str], words: str
) -> None:
    wallet = caller.create("/wallets", {"network": network})
    path = f"/wallets/{wallet['id']}/transfers"

    response = caller.call("POST", path, {**body, "to": "x", "amount": "1"})

    error = refused(response, 400, "network")
    assert words.lower() in error["message"].lower()
    assert network in error["message"]


@pytest.mark.parametrize(
    "extra",
    [
        {"memo": ""},
        {"priority": "Fast"},
        {"createDestinationAccount": True},
        {"offer": True, "expiresAt": "2030-01-01T00:00:00Z"},
        {"travelRule": {"kind": "Notabene", "originator": {}, "beneficiary": {}}},
    ],
)
def test_optional_members_of_a_transfer_are_accepted(
    caller: Caller, path: str, extra: dict[str, Any]
) -> None:
    assert caller.create(path, {**NATIVE, **extra})["requestBody"] == {**NATIVE, **extra}


def test_transfer_names_its_external_id_and_fee_sponsor(caller: Caller, path: str) -> None:
    transfer = caller.create(path, {**NATIVE, "externalId": "e-1", "feeSponsorId": "fs-1"})

    assert (transfer["externalId"], transfer["feeSponsorId"]) == ("e-1", "fs-1")


@pytest.mark.parametrize(
    ("body", "check", "field"),
    [
        ({"to": ADDRESS, "amount": "1"}, "field.missing", "kind"),
        ({**NATIVE, "kind": "Nativ"}, "field.value", "kind"),
        ({"kind": "Native", "amount": "1"}, "field.missing", "to"),
        ({"kind": "Native", "to": ADDRESS}, "field.missing", "amount"),
        ({**NATIVE, "amount": "1.5"}, "field.value", "amount"),
        ({**NATIVE, "amount": "-1"}, "field.value", "amount"),
        ({**NATIVE, "amount": ""}, "field.value", "amount"),
        ({**NATIVE, "amount": "\u0661"}, "field.value", "amount"),
        ({**NATIVE, "priority": "Faster"}, "field.value", "priority"),
        ({**NATIVE, "externalId": "x" * 51}, "field.value", "externalId"),
        ({**NATIVE, "contract": ADDRESS}, "field.unknown", "contract"),
        ({"kind": "Erc20", "to": ADDRESS, "amount": "1"}, "field.missing", "contract"),
        ({"kind": "Erc721", "to": ADDRESS, "contract": ADDRESS}, "field.missing", "tokenId"),
        ({**NATIVE, "amount": "1" * 79}, "field.value", "amount"),
        ({**NATIVE, "externalId": ""}, "field.value", "externalId"),
        ({**NATIVE, "travelRule": {}}, "field.missing", "travelRule.kind"),
        (
            {"kind": "Erc721", "to": ADDRESS, "contract": ADDRESS, "tokenId": ""},
            "field.value",
            "tokenId",
        ),
    ],
)
def test_transfer_with_a_wrong_member_is_refused_by_name(
    caller: Caller, path: str, body: dict[str, Any], check: str, field: str
) -> None:
    assert refused(caller.call("POST", path, body), 400, check)["details"]["field"] == field
    assert answered(caller.get(path))["items"] == []


@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "0x",
        ADDRESS[2:],
        ADDRESS[:-1],
        f"{ADDRESS}0",
        f"0X{ADDRESS[2:]}",
        f"{ADDRESS}\n",
    ],
)
@pytest.mark.parametrize("member", ["to", "contract"])
def test_transfer_to_what_is_not_an_address_of_an_evm_network_is_refused(
    caller: Caller, path: str, member: str, address: str
) -> None:
    body = {"kind": "Erc20", "contract": ADDRESS, "to": ADDRESS, "amount": "1", member: address}

    error = refused(caller.call("POST", path, body), 400, "field.value")

    assert error["details"]["field"] == member
    assert answered(caller.get(path))["items"] == []


@pytest.mark.parametrize("network", ["Bitcoin", "Solana", "Tron"])
def test_transfer_to_what_is_not_an_address_of_its_network_is_refused(
    caller: Caller, network: str
) -> None:
    wallet = caller.create("/wallets", {"network": network})

    response = caller.call("POST", f"/wallets/{wallet['id']}/transfers", NATIVE)

    error = refused(response, 400, "field.value", f"an address of {network}")
    assert error["details"]["field"] == "to"


def test_external_id_of_the_maximum_length_is_accepted(caller: Caller, path: str) -> None:
    caller.create(path, {**NATIVE, "externalId": "x" * 50})


def test_transfer_of_an_unknown_wallet_is_not_found(caller: Caller) -> None:
    refused(caller.call("POST", "/wallets/wa-1/transfers", NATIVE), 404, "entity", "wa-1")
    refused(caller.get("/wallets/wa-1/transfers"), 404, "entity", "wa-1")


def test_transfers_are_listed_by_wallet(caller: Caller, path: str) -> None:
    transfer = caller.create(path, NATIVE)
    other = caller.create("/wallets", {"network": "Base"})["id"]

    assert answered(caller.get(path)) == {"walletId": transfer["walletId"], "items": [transfer]}
    assert answered(caller.get(f"/wallets/{other}/transfers"))["items"] == []


def test_transfer_of_another_wallet_is_not_found(caller: Caller, path: str) -> None:
    transfer = caller.create(path, NATIVE)
    other = caller.create("/wallets", {"network": "Base"})["id"]

    refused(caller.get(f"/wallets/{other}/transfers/{transfer['id']}"), 404, "entity", "Transfer")


def test_same_transfer_with_an_external_id_is_made_once(caller: Caller, path: str) -> None:
    body = {**NATIVE, "externalId": "e-1"}

    assert caller.create(path, body) == caller.create(path, body)
    assert len(answered(caller.get(path))["items"]) == 1


@pytest.mark.parametrize("change", [{"amount": "1001"}, {"to": "0x" + "cd" * 20}, {"memo": "x"}])
def test_other_transfer_with_an_external_id_in_use_is_refused(
    caller: Caller, path: str, change: dict[str, str]
) -> None:
    transfer = caller.create(path, {**NATIVE, "externalId": "e-1"})

    response = caller.call("POST", path, {**NATIVE, "externalId": "e-1", **change})

    error = refused(response, 409, "externalId", "Conflicting transfer with same externalId")
    assert error["details"]["duplicate"] == {"id": transfer["id"], "externalId": "e-1"}


def test_same_transfer_of_another_wallet_with_an_external_id_in_use_is_refused(
    caller: Caller, path: str
) -> None:
    body = {**NATIVE, "externalId": "e-1"}
    caller.create(path, body)
    other = caller.create("/wallets", {"network": "Base"})["id"]

    refused(caller.call("POST", f"/wallets/{other}/transfers", body), 409, "externalId")


def test_external_id_of_a_wallet_is_free_for_a_transfer(caller: Caller, path: str) -> None:
    caller.create("/wallets", {"network": "Base", "externalId": "e-1"})

    caller.create(path, {**NATIVE, "externalId": "e-1"})
