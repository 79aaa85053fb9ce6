from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from tests.emulator.caller import Caller, answered, refused

ECDSA = {"scheme": "ECDSA", "curve": "secp256k1"}
EDDSA = {"scheme": "EdDSA", "curve": "ed25519"}
HASH = "5e" * 32
ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


@pytest.mark.parametrize(
    ("scheme", "curve"),
    [
        ("ECDSA", "secp256k1"),
        ("ECDSA", "stark"),
        ("EdDSA", "ed25519"),
        ("Schnorr", "secp256k1"),
        ("DH", "ed25519"),
    ],
)
def test_documented_keys_are_made(caller: Caller, scheme: str, curve: str) -> None:
    key = caller.create("/keys", {"scheme": scheme, "curve": curve})

    assert key["id"].startswith("key-")
    assert (key["scheme"], key["curve"], key["status"]) == (scheme, curve, "Active")
    assert bytes.fromhex(key["publicKey"])
    assert answered(caller.get(f"/keys/{key['id']}")) == key


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


def test_deleted_key_is_not_found(caller: Caller) -> None:
    path = f"/keys/{caller.create('/keys', EDDSA)['id']}"

    assert answered(caller.call("DELETE", path))["status"] == "Deleted"

    refused(caller.get(path), 404, "entity")
    refused(caller.call("DELETE", path), 404, "entity")
    refused(
        caller.call("POST", f"{path}/signatures", {"kind": "Hash", "hash": HASH}), 404, "entity"
    )


def test_keys_are_listed_by_owner(caller: Caller) -> None:
    caller.create("/keys", EDDSA)
    delegated = caller.create("/keys", {**EDDSA, "delegateTo": "us-1"})

    assert answered(caller.get("/keys?owner=us-1")) == {"items": [delegated]}
    assert answered(caller.get("/keys?owner=us-2")) == {"items": []}


# Signatures


def signed(caller: Caller, key: dict[str, Any], body: dict[str, Any]) -> tuple[int, int]:
    path = f"/keys/{key['id']}/signatures"
    requested = caller.create(path, body)
    signature = answered(caller.get(f"{path}/{requested['id']}"))["signature"]
    assert len(signature["r"]) == len(signature["s"]) == 66
    return int(signature["r"], 16), int(signature["s"], 16)


def test_signature_is_pending_at_first_and_signed_when_asked_for(caller: Caller) -> None:
    path = f"/keys/{caller.create('/keys', EDDSA)['id']}/signatures"

    requested = caller.create(path, {"kind": "Message", "message": "00"})
    signature = answered(caller.get(f"{path}/{requested['id']}"))

    assert requested["status"] == "Pending"
    assert "signature" not in requested
    assert signature["status"] == "Signed"
    assert signature["keyId"] == requested["keyId"]
    assert signature["requestBody"] == {"kind": "Message", "message": "00"}


@pytest.mark.parametrize("prefix", ["", "0x"])
@pytest.mark.parametrize("scheme", ["hash", "message"])
def test_ecdsa_signature_verifies_with_the_public_key(
    caller: Caller, prefix: str, scheme: str
) -> None:
    key = caller.create("/keys", ECDSA)
    public_key = ec.EllipticCurvePublicKey.from_encoded_point(
        ec.SECP256K1(), bytes.fromhex(key["publicKey"])
    )

    r, s = signed(caller, key, {"kind": scheme.capitalize(), scheme: prefix + HASH})

    digest = hashes.SHA256()
    algorithm = ec.ECDSA(Prehashed(digest) if scheme == "hash" else digest)
    public_key.verify(encode_dss_signature(r, s), bytes.fromhex(HASH), algorithm)


def test_ecdsa_signatures_have_a_low_s(caller: Caller) -> None:
    key = caller.create("/keys", ECDSA)

    found = [signed(caller, key, {"kind": "Hash", "hash": HASH})[1] for _ in range(12)]

    assert max(found) <= ORDER // 2


@pytest.mark.parametrize(
    "body", [{"kind": "Hash", "hash": HASH}, {"kind": "Message", "message": HASH}]
)
def test_ed25519_signature_verifies_with_the_public_key(
    caller: Caller, body: dict[str, Any]
) -> None:
    key = caller.create("/keys", EDDSA)
    public_key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["publicKey"]))

    r, s = signed(caller, key, body)

    public_key.verify(r.to_bytes(32, "big") + s.to_bytes(32, "big"), bytes.fromhex(HASH))


def test_key_of_a_wallet_signs(caller: Caller) -> None:
    wallet = caller.create("/wallets", {"network": "Solana"})

    assert all(signed(caller, wallet["signingKey"], {"kind": "Message", "message": "00"}))


@pytest.mark.parametrize(
    "kind",
    [
        {"scheme": "ECDSA", "curve": "stark"},
        {"scheme": "Schnorr", "curve": "secp256k1"},
        {"scheme": "DH", "curve": "ed25519"},
    ],
)
def test_signature_of_another_scheme_is_refused(caller: Caller, kind: dict[str, str]) -> None:
    path = f"/keys/{caller.create('/keys', kind)['id']}/signatures"

    response = caller.call("POST", path, {"kind": "Hash", "hash": HASH})

    refused(response, 400, "key.scheme", kind["scheme"])
    assert answered(caller.get(path))["items"] == []


@pytest.mark.parametrize(
    ("body", "check", "field"),
    [
        ({"hash": HASH}, "field.missing", "kind"),
        ({"kind": "Eip712", "message": "00"}, "field.value", "kind"),
        ({"kind": "Hash"}, "field.missing", "hash"),
        ({"kind": "Hash", "hash": HASH[:-1]}, "field.value", "hash"),
        ({"kind": "Hash", "hash": HASH + "00"}, "field.value", "hash"),
        ({"kind": "Hash", "hash": "zz" * 32}, "field.value", "hash"),
        ({"kind": "Message", "message": ""}, "field.value", "message"),
        ({"kind": "Message", "message": "0"}, "field.value", "message"),
        ({"kind": "Message", "message": "hello!"}, "field.value", "message"),
        ({"kind": "Message", "message": "00", "hash": HASH}, "field.unknown", "hash"),
        ({"kind": "Hash", "hash": HASH, "externalId": "x" * 51}, "field.value", "externalId"),
        ({"kind": "Hash", "hash": HASH, "network": "Etherium"}, "field.value", "network"),
        ({"kind": "Hash", "hash": HASH, "network": "KeyECDSA"}, "field.value", "network"),
        ({"kind": "Hash", "hash": HASH, "blockchainKind": "EVM"}, "field.value", "blockchainKind"),
    ],
)
def test_signature_with_a_wrong_member_is_refused_by_name(
    caller: Caller, body: dict[str, Any], check: str, field: str
) -> None:
    path = f"/keys/{caller.create('/keys', ECDSA)['id']}/signatures"

    assert refused(caller.call("POST", path, body), 400, check)["details"]["field"] == field


def test_signatures_are_listed_by_key(caller: Caller) -> None:
    first, second = (f"/keys/{caller.create('/keys', EDDSA)['id']}/signatures" for _ in range(2))
    requested = caller.create(first, {"kind": "Message", "message": "00"})

    (listed,) = answered(caller.get(first))["items"]

    assert listed["id"] == requested["id"]
    assert answered(caller.get(second))["items"] == []
    refused(caller.get(f"{second}/{requested['id']}"), 404, "entity", "Signature")


def test_same_signature_with_an_external_id_is_made_once(caller: Caller) -> None:
    path = f"/keys/{caller.create('/keys', EDDSA)['id']}/signatures"
    body = {"kind": "Message", "message": "00", "externalId": "e-1", "network": "Base"}

    first, second = caller.create(path, body), caller.create(path, body)

    assert first["id"] == second["id"]
    assert second["status"] == "Signed"
    assert (first["externalId"], first["network"]) == ("e-1", "Base")
    assert len(answered(caller.get(path))["items"]) == 1


def test_other_signature_with_an_external_id_in_use_is_refused(caller: Caller) -> None:
    path = f"/keys/{caller.create('/keys', EDDSA)['id']}/signatures"
    body = {"kind": "Message", "message": "00", "externalId": "e-1"}
    first = caller.create(path, body)

    response = caller.call("POST", path, {**body, "message": "01"})

    error = refused(response, 409, "externalId", "Conflicting signature")
    assert error["details"]["duplicate"]["id"] == first["id"]
