from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock


def test_created_wallet_has_the_documented_members(caller: Caller, clock: Clock) -> None:
    wallet = caller.create("/wallets", {"network": "EthereumSepolia"})

    assert wallet["id"].startswith("wa-")
    assert wallet["network"] == "EthereumSepolia"
    assert wallet["status"] == "Active"
    assert wallet["custodial"] is True
    assert wallet["tags"] == []
    assert wallet["dateCreated"] == "2027-01-15T08:00:00.000Z"
    assert set(wallet["signingKey"]) == {"id", "scheme", "curve", "publicKey"}


@pytest.mark.parametrize(
    ("network", "meant"),
    [("Etherium", "Ethereum"), ("ethereum", "Ethereum"), ("EtherumSepolia", "EthereumSepolia")],
)
def test_misspelt_network_is_refused_with_the_one_that_was_probably_meant(
    caller: Caller, network: str, meant: str
) -> None:
    error = refused(caller.call("POST", "/wallets", {"network": network}), 400, "field.value")

    assert error["message"] == (
        f'network must be a network of the Dfns API, and is "{network}" (did you mean {meant!r}?).'
    )
    assert answered(caller.get("/wallets")) == {"items": []}


@pytest.mark.parametrize("network", [1, None, ["Base"], "", "Q" * 100_000, "Base\n"])
def test_what_is_not_a_network_is_refused_in_a_short_message(caller: Caller, network: Any) -> None:
    error = refused(caller.call("POST", "/wallets", {"network": network}), 400, "field.value")

    assert len(error["message"]) < 400


def test_key_of_a_wallet_is_listed(caller: Caller) -> None:
    signing_key = caller.create("/wallets", {"network": "Base"})["signingKey"]

    (key,) = answered(caller.get("/keys"))["items"]

    assert signing_key.items() <= key.items()


def test_key_of_a_wallet_is_of_the_scheme_that_was_asked_for(caller: Caller) -> None:
    body = {"network": "Bitcoin", "signingKey": {"scheme": "Schnorr"}}

    wallet = caller.create("/wallets", body)

    assert wallet["signingKey"]["scheme"] == "Schnorr"
    assert wallet["address"].startswith("bc1p")


@pytest.mark.parametrize(
    ("network", "signing_key"),
    [
        ("Solana", {"scheme": "ECDSA"}),
        ("Solana", {"curve": "secp256k1"}),
        ("Base", {"scheme": "EdDSA", "curve": "ed25519"}),
        ("Starknet", {"curve": "secp256k1"}),
    ],
)
def test_wallet_with_a_new_key_of_another_network_is_refused(
    caller: Caller, network: str, signing_key: dict[str, str]
) -> None:
    body = {"network": network, "signingKey": signing_key}

    refused(caller.call("POST", "/wallets", body), 400, "key.network", network)

    assert answered(caller.get("/keys")) == {"items": []}


def test_wallet_with_an_existing_key_of_another_network_is_refused(caller: Caller) -> None:
    key = caller.create("/keys", {"scheme": "EdDSA", "curve": "ed25519"})
    body = {"network": "Base", "signingKey": {"id": key["id"]}}

    error = refused(caller.call("POST", "/wallets", body), 400, "key.network")

    assert error["details"]["expected"] == "ECDSA on secp256k1"
    assert error["details"]["found"] == "EdDSA on ed25519"


def test_wallet_can_use_an_existing_key(caller: Caller) -> None:
    key = caller.create("/keys", {"scheme": "ECDSA", "curve": "secp256k1"})

    wallet = caller.create("/wallets", {"network": "Base", "signingKey": {"id": key["id"]}})

    assert wallet["signingKey"]["id"] == key["id"]
    assert wallet["signingKey"]["publicKey"] == key["publicKey"]


def test_wallet_with_an_unknown_key_is_refused(caller: Caller) -> None:
    body = {"network": "Base", "signingKey": {"id": "key-1"}}

    refused(caller.call("POST", "/wallets", body), 404, "entity", "key-1")


def test_wallet_with_a_key_and_a_scheme_is_refused(caller: Caller) -> None:
    key = caller.create("/keys", {"scheme": "ECDSA", "curve": "secp256k1"})
    body = {"network": "Base", "signingKey": {"id": key["id"], "scheme": "ECDSA"}}

    refused(caller.call("POST", "/wallets", body), 400, "field.exclusive", "signingKey.id")


def test_wallet_keeps_what_it_was_given(caller: Caller) -> None:
    body = {"network": "Base", "name": "Kasse é", "externalId": "x" * 100, "tags": ["a", "b:c"]}

    wallet = caller.create("/wallets", body)

    assert {name: wallet[name] for name in body} == body
    assert answered(caller.get(f"/wallets/{wallet['id']}")) == wallet


@pytest.mark.parametrize(
    ("change", "check", "field"),
    [
        ({"network": ""}, "field.value", "network"),
        ({"name": ""}, "field.value", "name"),
        ({"externalId": "x" * 101}, "field.value", "externalId"),
        ({"externalId": ""}, "field.value", "externalId"),
        ({"tags": ["ok", "no space"]}, "field.value", "tags[1]"),
        ({"tags": ["x" * 101]}, "field.value", "tags[0]"),
        ({"signingKey": {"scheme": "RSA"}}, "field.value", "signingKey.scheme"),
        ({"signingKey": {"deriveFrom": {}}}, "field.missing", "signingKey.deriveFrom.keyId"),
        ({"signingKey": {"kid": "x"}}, "field.unknown", "signingKey.kid"),
    ],
)
def test_wallet_with_a_wrong_member_is_refused_by_name(
    caller: Caller, change: dict[str, Any], check: str, field: str
) -> None:
    error = refused(caller.call("POST", "/wallets", {"network": "Base", **change}), 400, check)

    assert error["details"]["field"] == field
    assert field in error["message"]
    assert answered(caller.get("/wallets")) == {"items": []}


def test_wallet_without_a_network_is_refused(caller: Caller) -> None:
    error = refused(caller.call("POST", "/wallets", {"name": "x"}), 400, "field.missing")
    assert error["details"]["field"] == "network"


def test_unknown_wallet_is_not_found(caller: Caller) -> None:
    refused(caller.get("/wallets/wa-1"), 404, "entity", 'Wallet "wa-1" not found')


def test_wallet_is_renamed(caller: Caller) -> None:
    path = f"/wallets/{caller.create('/wallets', {'network': 'Base'})['id']}"

    assert answered(caller.call("PUT", path, {"name": "new"}))["name"] == "new"
    assert answered(caller.get(path))["name"] == "new"


def test_name_and_external_id_are_taken_away_by_null(caller: Caller) -> None:
    body = {"network": "Base", "name": "old", "externalId": "e-1"}
    path = f"/wallets/{caller.create('/wallets', body)['id']}"

    changed = answered(caller.call("PUT", path, {"name": None, "externalId": None}))

    assert not changed.keys() & {"name", "externalId"}
    assert answered(caller.get(path)) == changed


def test_unknown_wallet_is_not_renamed(caller: Caller) -> None:
    refused(caller.call("PUT", "/wallets/wa-1", {"name": "new"}), 404, "entity")


def test_network_of_a_wallet_cannot_be_changed(caller: Caller) -> None:
    path = f"/wallets/{caller.create('/wallets', {'network': 'Base'})['id']}"

    refused(caller.call("PUT", path, {"network": "Bitcoin"}), 400, "field.unknown", "network")


# External ids


def test_same_request_with_an_external_id_makes_one_wallet(caller: Caller) -> None:
    body = {"network": "Base", "externalId": "e-1"}

    first, second = caller.create("/wallets", body), caller.create("/wallets", body)

    assert first == second
    assert len(answered(caller.get("/wallets"))["items"]) == 1


def test_same_request_without_an_external_id_makes_two_wallets(caller: Caller) -> None:
    body = {"network": "Base"}

    assert caller.create("/wallets", body)["id"] != caller.create("/wallets", body)["id"]


def test_other_request_with_an_external_id_in_use_is_refused(caller: Caller) -> None:
    wallet = caller.create("/wallets", {"network": "Base", "externalId": "e-1"})

    response = caller.call("POST", "/wallets", {"network": "Bitcoin", "externalId": "e-1"})

    error = refused(response, 409, "externalId", "Conflicting wallet with same externalId")
    assert error["details"]["duplicate"] == {"id": wallet["id"], "externalId": "e-1"}


def test_external_id_of_another_wallet_cannot_be_taken_over(caller: Caller) -> None:
    caller.create("/wallets", {"network": "Base", "externalId": "e-1"})
    other = caller.create("/wallets", {"network": "Base"})

    response = caller.call("PUT", f"/wallets/{other['id']}", {"externalId": "e-1"})

    refused(response, 409, "externalId")


def test_external_id_given_later_is_in_use(caller: Caller) -> None:
    wallet = caller.create("/wallets", {"network": "Base"})
    answered(caller.call("PUT", f"/wallets/{wallet['id']}", {"externalId": "e-1"}))

    response = caller.call("POST", "/wallets", {"network": "Base", "externalId": "e-1"})

    error = refused(response, 409, "externalId")
    assert error["details"]["duplicate"]["id"] == wallet["id"]


# Tags


def test_tags_are_added_once_and_removed_by_a_delete_with_a_body(caller: Caller) -> None:
    path = f"/wallets/{caller.create('/wallets', {'network': 'Base', 'tags': ['a']})['id']}"

    assert answered(caller.call("PUT", f"{path}/tags", {"tags": ["b", "a", "c"]})) == {}
    assert answered(caller.get(path))["tags"] == ["a", "b", "c"]

    assert answered(caller.call("DELETE", f"{path}/tags", {"tags": ["a", "c", "z"]})) == {}
    assert answered(caller.get(path))["tags"] == ["b"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_empty_list_of_tags_changes_nothing(caller: Caller, method: str) -> None:
    path = f"/wallets/{caller.create('/wallets', {'network': 'Base', 'tags': ['a']})['id']}"

    answered(caller.call(method, f"{path}/tags", {"tags": []}))

    assert answered(caller.get(path))["tags"] == ["a"]


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize(
    ("body", "check", "field"),
    [
        ({}, "field.missing", "tags"),
        ({"tags": ["é"]}, "field.value", "tags[0]"),
    ],
)
def test_tags_with_a_wrong_body_are_refused(
    caller: Caller, method: str, body: dict[str, Any], check: str, field: str
) -> None:
    path = f"/wallets/{caller.create('/wallets', {'network': 'Base'})['id']}/tags"

    assert refused(caller.call(method, path, body), 400, check)["details"]["field"] == field


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_tags_of_an_unknown_wallet_are_not_found(caller: Caller, method: str) -> None:
    refused(caller.call(method, "/wallets/wa-1/tags", {"tags": ["a"]}), 404, "entity")
