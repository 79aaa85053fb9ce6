"""Import and export of keys and wallets, and the activation of wallets."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.signatures import ECDSA, new_key, signature_by

SHARES = [{"signerId": "s", "encryptedKeyShare": "x"}]
IMPORTED = {"curve": "ed25519", "protocol": "FROST", "minSigners": 3, "encryptedKeyShares": SHARES}


def schemes(*pairs: tuple[str, str]) -> dict[str, Any]:
    supported = [{"protocol": protocol, "curve": curve} for protocol, curve in pairs]
    return {"encryptionKey": "k", "supportedSchemes": supported}


@pytest.mark.parametrize(
    ("protocol", "curve", "scheme"),
    [
        ("CGGMP21", "secp256k1", "ECDSA"),
        ("CGGMP24", "stark", "ECDSA"),
        ("FROST", "ed25519", "EdDSA"),
        ("FROST_BITCOIN", "secp256k1", "Schnorr"),
        ("GLOW20_DH", "secp256k1", "DH"),
    ],
)
def test_imported_key_is_of_the_scheme_of_its_protocol(
    caller: Caller, protocol: str, curve: str, scheme: str
) -> None:
    body = {**IMPORTED, "protocol": protocol, "curve": curve, "name": "n", "masterKey": True}

    key = caller.create("/keys/import", body)

    assert (key["scheme"], key["curve"], key["imported"]) == (scheme, curve, True)
    assert (key["name"], key["masterKey"]) == ("n", True)


def test_imported_key_signs(caller: Caller) -> None:
    key = caller.create("/keys/import", IMPORTED)

    assert signature_by(caller, key, {"kind": "Message", "message": "00"})


def test_key_is_not_imported_on_a_curve_of_another_protocol(caller: Caller) -> None:
    body = {**IMPORTED, "curve": "secp256k1"}

    refused(caller.call("POST", "/keys/import", body), 400, "key.curve")


def test_wallet_is_imported_with_its_key(caller: Caller) -> None:
    body = {**IMPORTED, "network": "Solana", "name": "n", "externalId": "e"}

    wallet = caller.create("/wallets/import", body)

    assert (wallet["name"], wallet["externalId"]) == ("n", "e")
    assert answered(caller.get(f"/keys/{wallet['signingKey']['id']}"))["imported"] is True


def test_wallet_is_not_imported_with_a_key_of_another_network(caller: Caller) -> None:
    body = {**IMPORTED, "network": "Base"}

    refused(caller.call("POST", "/wallets/import", body), 400, "key.network", "EdDSA on ed25519")

    assert answered(caller.get("/keys")) == {"items": []}


def test_exported_key_comes_in_shares_of_a_protocol_that_the_caller_supports(
    caller: Caller,
) -> None:
    key = new_key(caller, ECDSA)
    body = schemes(("FROST", "ed25519"), ("CGGMP24", "stark"), ("CGGMP21", "secp256k1"))

    exported = caller.create(f"/keys/{key['id']}/export", body)

    assert exported["publicKey"] == key["publicKey"]
    assert (exported["protocol"], exported["curve"]) == ("CGGMP21", "secp256k1")
    (cluster,) = answered(caller.get("/signers"))["clusters"]
    shares = exported["encryptedKeyShares"]
    assert [share["signerId"] for share in shares] == [
        signer["signerId"] for signer in cluster["signers"]
    ]
    assert exported["minSigners"] <= len(shares)
    assert all(base64.b64decode(share["encryptedKeyShare"]) for share in shares)
    read = answered(caller.get(f"/keys/{key['id']}"))
    assert read["exported"] is True
    assert read["dateExported"]


def test_wallet_is_exported_with_its_key(caller: Caller) -> None:
    wallet = caller.create("/wallets", {"network": "Solana"})

    exported = caller.create(f"/wallets/{wallet['id']}/export", schemes(("FROST", "ed25519")))

    assert exported["publicKey"] == wallet["signingKey"]["publicKey"]
    assert answered(caller.get(f"/keys/{wallet['signingKey']['id']}"))["exported"] is True


@pytest.mark.parametrize("body", [schemes(), schemes(("FROST", "ed25519"))])
def test_key_is_not_exported_to_who_does_not_support_it(
    caller: Caller, body: dict[str, Any]
) -> None:
    key = new_key(caller, ECDSA)

    error = refused(caller.call("POST", f"/keys/{key['id']}/export", body), 400, "key.scheme")

    assert error["details"]["field"] == "supportedSchemes"
    assert "exported" not in answered(caller.get(f"/keys/{key['id']}"))


# Activation


@pytest.mark.parametrize(
    ("network", "args"),
    [("Canton", {"validatorId": "v-1"}), ("Concordium", {"expiry": 1, "unsignedCdiStr": "{}"})],
)
def test_wallet_is_active_after_its_activation(
    caller: Caller, network: str, args: dict[str, Any]
) -> None:
    wallet = caller.create("/wallets", {"network": network})
    path = f"/wallets/{wallet['id']}"
    assert wallet["status"] == "Inactive"

    transaction = caller.create(f"{path}/activate", args)

    assert transaction["status"] == "Pending"
    assert transaction["requestBody"] == {"kind": "ActivateAccount", "args": args}
    statuses = [
        answered(caller.get(f"{path}/transactions/{transaction['id']}"))["status"] for _ in range(2)
    ]
    assert statuses == ["Broadcasted", "Confirmed"]
    active = answered(caller.get(path))
    assert active["status"] == "Active"
    assert active.get("validatorId") == args.get("validatorId")


def test_wallet_becomes_active_for_who_only_reads_the_wallet(caller: Caller) -> None:
    path = f"/wallets/{caller.create('/wallets', {'network': 'Canton'})['id']}"
    caller.create(f"{path}/activate", {"validatorId": "v-1"})

    assert [answered(caller.get(path))["status"] for _ in range(2)] == ["Inactive", "Active"]


def test_wallet_stays_inactive_when_its_activation_fails(
    emulator: Emulator, caller: Caller
) -> None:
    path = f"/wallets/{caller.create('/wallets', {'network': 'Canton'})['id']}"
    transaction = caller.create(f"{path}/activate", {"validatorId": "v-1"})

    emulator.progress.fail(transaction["id"], "no validator")

    read = answered(caller.get(f"{path}/transactions/{transaction['id']}"))
    assert (read["status"], read["reason"]) == ("Failed", "no validator")
    assert answered(caller.get(path))["status"] == "Inactive"


def test_bare_key_is_not_activated(caller: Caller) -> None:
    wallet = caller.create("/wallets", {"network": "KeyEdDSA"})

    response = caller.call("POST", f"/wallets/{wallet['id']}/activate", {})

    refused(response, 400, "key.network", "KeyEdDSA")
