from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, refused

ADDRESS = "0x" + "aB" * 20
NATIVE = {"kind": "Native", "to": ADDRESS, "amount": "1000"}


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
    assert answered(caller.get(f"{path}/{transfer['id']}")) == transfer


@pytest.mark.parametrize(
    "body",
    [
        {**NATIVE, "memo": "", "priority": "Fast", "createDestinationAccount": True},
        {"kind": "Erc20", "contract": ADDRESS, "to": ADDRESS, "amount": "1", "priority": "Slow"},
        {"kind": "Erc721", "contract": ADDRESS, "to": ADDRESS, "tokenId": "7"},
        {"kind": "Asa", "assetId": "7", "to": "0xa", "amount": "1"},
    ],
)
def test_documented_kinds_of_transfer_are_accepted(
    caller: Caller, path: str, body: dict[str, Any]
) -> None:
    assert caller.create(path, body)["requestBody"] == body


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
        ({"kind": "Asa", "externalId": ""}, "field.value", "externalId"),
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
def test_addresses_of_other_networks_are_not_checked(caller: Caller, network: str) -> None:
    wallet = caller.create("/wallets", {"network": network})

    transfer = caller.create(f"/wallets/{wallet['id']}/transfers", {**NATIVE, "to": "nonsense"})

    assert transfer["requestBody"]["to"] == "nonsense"


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
