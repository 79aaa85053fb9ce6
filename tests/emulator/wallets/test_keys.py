from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.caller import Caller, answered, refused
from tests.emulator.signatures import ECDSA, EDDSA, HASH, new_key


@pytest.mark.parametrize(
    ("scheme", "curve"),
    [
        ("ECDSA", "secp256k1"),
        ("ECDSA", "stark"),
        ("EdDSA", "ed25519"),
        ("Schnorr", "secp256k1"),
        ("DH", "secp256k1"),
        ("DH", "ed25519"),
    ],
)
def test_documented_keys_are_made(caller: Caller, scheme: str, curve: str) -> None:
    key = caller.create("/keys", {"scheme": scheme, "curve": curve})

    assert key["id"].startswith("key-")
    assert (key["scheme"], key["curve"], key["status"]) == (scheme, curve, "Active")
    assert bytes.fromhex(key["publicKey"])
    read = answered(caller.get(f"/keys/{key['id']}"))
    assert key.items() <= read.items()


@pytest.mark.parametrize(
    ("scheme", "curve"), [("ECDSA", "ed25519"), ("EdDSA", "secp256k1"), ("Schnorr", "stark")]
)
def test_curve_of_another_scheme_is_refused(caller: Caller, scheme: str, curve: str) -> None:
    response = caller.call("POST", "/keys", {"scheme": scheme, "curve": curve})

    assert refused(response, 400, "key.curve", scheme)["details"]["field"] == "curve"
    assert answered(caller.get("/keys")) == {"items": []}


@pytest.mark.parametrize(
    ("body", "check", "field"),
    [
        ({"curve": "ed25519"}, "field.missing", "scheme"),
        ({"scheme": "EdDSA"}, "field.missing", "curve"),
        ({**EDDSA, "scheme": "RSA"}, "field.value", "scheme"),
        ({**EDDSA, "curve": "p256"}, "field.value", "curve"),
    ],
)
def test_key_with_a_wrong_member_is_refused_by_name(
    caller: Caller, body: dict[str, Any], check: str, field: str
) -> None:
    assert refused(caller.call("POST", "/keys", body), 400, check)["details"]["field"] == field


def test_key_is_renamed(caller: Caller) -> None:
    path = f"/keys/{caller.create('/keys', {**EDDSA, 'name': 'old'})['id']}"

    answered(caller.call("PUT", path, {"name": "new"}))

    assert answered(caller.get(path))["name"] == "new"


def test_name_of_a_key_is_taken_away_by_null(caller: Caller) -> None:
    path = f"/keys/{new_key(caller, EDDSA, name='old')['id']}"

    assert "name" not in answered(caller.call("PUT", path, {"name": None}))
    assert "name" not in answered(caller.get(path))


def test_key_shows_its_wallets_and_the_store_that_has_it(caller: Caller) -> None:
    key = new_key(caller, ECDSA)
    wallets = [
        caller.create("/wallets", {"network": network, "signingKey": {"id": key["id"]}})
        for network in ("Base", "Tron")
    ]

    read = answered(caller.get(f"/keys/{key['id']}"))

    assert read["wallets"] == [
        {"id": wallet["id"], "network": wallet["network"]} for wallet in wallets
    ]
    (store,) = answered(caller.get("/key-stores"))["items"]
    assert read["store"] == {"id": store["id"], "kind": store["kind"], "keyId": key["id"]}


def test_key_is_made_in_the_store_that_is_listed_and_in_no_other(caller: Caller) -> None:
    (store,) = answered(caller.get("/key-stores"))["items"]

    assert new_key(caller, EDDSA, storeId=store["id"])["status"] == "Active"
    refused(caller.call("POST", "/keys", {**EDDSA, "storeId": "ks-1"}), 404, "entity", "Key store")


def test_deleted_key_and_its_wallets_are_not_found(caller: Caller) -> None:
    wallet = caller.create("/wallets", {"network": "Solana"})
    path = f"/keys/{wallet['signingKey']['id']}"

    deleted = answered(caller.call("DELETE", path))

    assert deleted["status"] == "Archived"
    assert deleted["dateDeleted"]
    refused(caller.get(path), 404, "entity")
    refused(caller.get(f"/wallets/{wallet['id']}"), 404, "entity")
    refused(caller.call("DELETE", path), 404, "entity")
    refused(
        caller.call("POST", f"{path}/signatures", {"kind": "Hash", "hash": HASH}), 404, "entity"
    )


# Derivation


def test_key_is_derived_from_another_at_a_path(caller: Caller) -> None:
    master = new_key(caller, ECDSA, masterKey=True)
    derive_from = {"keyId": master["id"], "path": "m/44/60/0"}

    first, again = (new_key(caller, ECDSA, deriveFrom=derive_from) for _ in range(2))
    other = new_key(caller, ECDSA, deriveFrom={**derive_from, "path": "m/44/60/1"})

    assert master["masterKey"] is True
    assert first["derivedFrom"] == derive_from
    assert first["publicKey"] == again["publicKey"]
    assert len({master["publicKey"], first["publicKey"], other["publicKey"]}) == 3


def test_path_of_a_derived_key_is_made_up_where_none_is_given(caller: Caller) -> None:
    master = new_key(caller, ECDSA)

    derived = [
        new_key(caller, ECDSA, deriveFrom={"keyId": master["id"]})["derivedFrom"] for _ in range(2)
    ]

    assert {one["keyId"] for one in derived} == {master["id"]}
    assert derived[0]["path"] != derived[1]["path"]


def test_key_of_a_wallet_is_derived(caller: Caller) -> None:
    master = new_key(caller, ECDSA)
    derive_from = {"keyId": master["id"], "path": "m/0"}

    wallet = caller.create(
        "/wallets", {"network": "Base", "signingKey": {"deriveFrom": derive_from}}
    )

    key = answered(caller.get(f"/keys/{wallet['signingKey']['id']}"))
    assert key["derivedFrom"] == derive_from


def test_key_is_not_derived_from_an_unknown_one(caller: Caller) -> None:
    body = {**ECDSA, "deriveFrom": {"keyId": "key-1"}}

    refused(caller.call("POST", "/keys", body), 404, "entity", "key-1")


def test_diffie_hellman_key_derives_the_same_output_from_the_same_seed(caller: Caller) -> None:
    path = f"/keys/{new_key(caller, {'scheme': 'DH', 'curve': 'secp256k1'})['id']}/derive"

    first, again = (caller.create(path, {"domain": "d", "seed": "s"})["output"] for _ in range(2))
    others = [
        caller.create(path, body)["output"]
        for body in ({"domain": "d", "seed": "t"}, {"domain": "e", "seed": "s"})
    ]

    assert first == again
    assert first not in others
    assert len(bytes.fromhex(first.removeprefix("0x"))) == 32


def test_key_of_another_scheme_derives_nothing(caller: Caller) -> None:
    path = f"/keys/{new_key(caller, ECDSA)['id']}/derive"

    refused(caller.call("POST", path, {"domain": "d", "seed": "s"}), 400, "key.scheme", "ECDSA")
