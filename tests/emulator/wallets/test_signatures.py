from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.signatures import (
    BLOCKING_POLICY,
    ECDSA,
    EDDSA,
    HASH,
    MAIL,
    SCHNORR,
    SMART_ACCOUNT,
    STARK,
    keccak256,
    new_key,
    signature_by,
    verify_ecdsa,
    verify_ed25519,
)

MESSAGE = {"kind": "Message", "message": "00"}
SNIP12 = {"primaryType": "Mail", "types": {}, "domain": {}, "message": {}}
KINDS: list[tuple[dict[str, str], dict[str, Any]]] = [
    (ECDSA, {"kind": "Hash", "hash": HASH}),
    (ECDSA, {"kind": "Message", "message": "00"}),
    (ECDSA, {"kind": "Transaction", "transaction": {"to": "x"}}),
    (ECDSA, {"kind": "Eip191", "message": "0x6869"}),
    (ECDSA, {"kind": "Eip712", **MAIL}),
    (ECDSA, {"kind": "Eip7702", "address": "0x" + "ab" * 20, "nonce": 0, "chainId": 1}),
    (ECDSA, {"kind": "Psbt", "psbt": "70736274ff"}),
    (ECDSA, {"kind": "Bip322", "message": "Hello World", "format": "Full"}),
    (ECDSA, {"kind": "SignDocDirect", "signDoc": "0a00"}),
    (ECDSA, {"kind": "DfnsSmartAccountTransaction", **SMART_ACCOUNT}),
    (EDDSA, {"kind": "Hash", "hash": HASH}),
    (EDDSA, {"kind": "Message", "message": "00"}),
    (EDDSA, {"kind": "Transaction", "transaction": "0x00"}),
    (EDDSA, {"kind": "SignerPayload", "payload": {"method": "0x00"}}),
    (EDDSA, {"kind": "Cip8", "payload": "00", "externalAad": "00", "context": "Signature1"}),
    (
        EDDSA,
        {
            "kind": "StellarFeeBumpTransaction",
            "innerTransaction": "AAAA",
            "transactionReference": "r",
        },
    ),
    (SCHNORR, {"kind": "Hash", "hash": HASH, "taprootMerkleRoot": ""}),
    (SCHNORR, {"kind": "Message", "message": "00"}),
    (SCHNORR, {"kind": "Psbt", "psbt": "70736274ff"}),
    (SCHNORR, {"kind": "Bip322", "message": "Hello World"}),
    (STARK, {"kind": "Hash", "hash": HASH}),
    (STARK, {"kind": "Snip12", **SNIP12}),
]


@pytest.mark.parametrize(("kind", "body"), KINDS)
def test_every_kind_of_request_is_signed(
    caller: Caller, kind: dict[str, str], body: dict[str, Any]
) -> None:
    signature = signature_by(caller, new_key(caller, kind), body)

    encoded = signature["r"] + signature["s"][2:]
    if kind["scheme"] == "ECDSA":
        assert signature["encoded"] == f"{encoded}{27 + signature['recid']:02x}"
    else:
        assert signature["encoded"] == encoded
        assert "recid" not in signature


# Keys of a kind


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (EDDSA, {"kind": "Eip191", "message": "00"}),
        (EDDSA, {"kind": "Eip712", **MAIL}),
        (STARK, {"kind": "Eip191", "message": "00"}),
        (SCHNORR, {"kind": "Eip191", "message": "00"}),
        (ECDSA, {"kind": "Snip12", **SNIP12}),
        (ECDSA, {"kind": "Cip8", "context": "Signature1"}),
        ({"scheme": "DH", "curve": "secp256k1"}, {"kind": "Hash", "hash": HASH}),
    ],
)
def test_signature_by_a_key_of_another_kind_is_refused(
    caller: Caller, kind: dict[str, str], body: dict[str, Any]
) -> None:
    path = f"/keys/{new_key(caller, kind)['id']}/signatures"

    error = refused(caller.call("POST", path, body), 400, "key.scheme", body["kind"])

    assert error["details"]["found"] == f"{kind['scheme']} on {kind['curve']}"
    assert answered(caller.get(path))["items"] == []


def test_schnorr_key_wants_to_know_how_it_is_tweaked(caller: Caller) -> None:
    path = f"/keys/{new_key(caller, SCHNORR)['id']}/signatures"

    response = caller.call("POST", path, {"kind": "Hash", "hash": HASH})

    error = refused(response, 400, "field.missing")
    assert error["details"]["field"] == "taprootMerkleRoot"


# Statuses


def test_signature_is_pending_at_first_and_signed_when_asked_for(caller: Caller) -> None:
    path = f"/keys/{new_key(caller, EDDSA)['id']}/signatures"

    requested = caller.create(path, MESSAGE)
    listed = answered(caller.get(path))["items"]
    signature = answered(caller.get(f"{path}/{requested['id']}"))

    assert requested["status"] == "Pending"
    assert "signature" not in requested
    assert listed == [requested]
    assert signature["status"] == "Signed"
    assert signature["dateSigned"]
    assert signature["keyId"] == requested["keyId"]
    assert signature["requestBody"] == MESSAGE


def test_signature_fails_when_the_test_says_so(emulator: Emulator, caller: Caller) -> None:
    path = f"/keys/{new_key(caller, EDDSA)['id']}/signatures"
    requested = caller.create(path, MESSAGE)

    emulator.progress.fail(requested["id"], "out of service")

    signature = answered(caller.get(f"{path}/{requested['id']}"))
    assert (signature["status"], signature["reason"]) == ("Failed", "out of service")
    assert "signature" not in signature


# Wallets


@pytest.mark.parametrize("network", ["Solana", "KeyEdDSA"])
def test_wallet_signs_with_its_key(caller: Caller, network: str) -> None:
    wallet = caller.create("/wallets", {"network": network})
    path = f"/wallets/{wallet['id']}/signatures"

    requested = caller.create(path, {"kind": "Message", "message": "6869"})
    signature = answered(caller.get(f"{path}/{requested['id']}"))

    assert (requested["walletId"], requested["network"]) == (wallet["id"], network)
    verify_ed25519(wallet["signingKey"], signature["signature"], b"hi")
    assert [one["id"] for one in answered(caller.get(path))["items"]] == [requested["id"]]
    of_key = f"/keys/{wallet['signingKey']['id']}/signatures"
    assert answered(caller.get(f"{of_key}/{requested['id']}")) == signature


def test_transaction_of_a_wallet_is_hashed_as_its_network_does(caller: Caller) -> None:
    wallet = caller.create("/wallets", {"network": "Base"})
    path = f"/wallets/{wallet['id']}/signatures"

    requested = caller.create(path, {"kind": "Transaction", "transaction": "0x02c0"})

    signature = answered(caller.get(f"{path}/{requested['id']}"))["signature"]
    verify_ecdsa(wallet["signingKey"], signature, keccak256(b"\x02\xc0"))


def test_signature_of_an_unknown_wallet_is_not_found(caller: Caller) -> None:
    refused(caller.call("POST", "/wallets/wa-1/signatures", MESSAGE), 404, "entity", "wa-1")


# Policies


@pytest.mark.parametrize(("decision", "status"), [("Approved", "Signed"), ("Denied", "Rejected")])
def test_signature_waits_for_an_approval(
    emulator: Emulator, caller: Caller, decision: Any, status: str
) -> None:
    wallet = caller.create("/wallets", {"network": "Base"})
    always = {"kind": "AlwaysTrigger", "configuration": {}}
    group = {"quorum": 1, "approvers": {}}
    action = {"kind": "RequestApproval", "approvalGroups": [group]}
    policy = {"name": "p", "activityKind": "Wallets:Sign", "rule": always, "action": action}
    caller.create("/v2/policies", policy)
    path = f"/wallets/{wallet['id']}/signatures"
    requested = caller.create(path, MESSAGE)
    assert answered(caller.get(f"{path}/{requested['id']}"))["status"] == "Pending"

    emulator.approvals.decide(requested["approvalId"], decision)

    decided = answered(caller.get(f"{path}/{requested['id']}"))
    assert decided["status"] == status
    assert decided["datePolicyResolved"]


def test_signature_is_rejected_by_a_policy_that_blocks(caller: Caller) -> None:
    caller.create("/v2/policies", BLOCKING_POLICY)
    path = f"/keys/{new_key(caller, EDDSA)['id']}/signatures"

    rejected = caller.create(path, MESSAGE)

    assert rejected["status"] == "Rejected"
    assert "none" in rejected["reason"]
    assert answered(caller.get(f"{path}/{rejected['id']}")) == rejected


# Bodies


@pytest.mark.parametrize(
    ("body", "check", "field"),
    [
        ({"hash": HASH}, "field.missing", "kind"),
        ({"kind": "Eip7", "message": "00"}, "field.value", "kind"),
        ({"kind": "Eip712", "message": "00"}, "field.missing", "types"),
        ({"kind": "Hash"}, "field.missing", "hash"),
        ({"kind": "Hash", "hash": HASH[:-1]}, "field.value", "hash"),
        ({"kind": "Hash", "hash": HASH + "00"}, "field.value", "hash"),
        ({"kind": "Hash", "hash": "zz" * 32}, "field.value", "hash"),
        (
            {"kind": "Hash", "hash": HASH, "taprootMerkleRoot": "00"},
            "field.value",
            "taprootMerkleRoot",
        ),
        ({"kind": "Message", "message": ""}, "field.value", "message"),
        ({"kind": "Message", "message": "0"}, "field.value", "message"),
        ({"kind": "Message", "message": "hello!"}, "field.value", "message"),
        ({"kind": "Message", "message": "00", "hash": HASH}, "field.unknown", "hash"),
        ({"kind": "Eip191", "message": "hello!"}, "field.value", "message"),
        ({"kind": "Eip7702", "address": "0x", "nonce": 0, "chainId": 1}, "field.value", "address"),
        (
            {"kind": "Eip7702", "address": "0x" + "ab" * 20, "nonce": -1, "chainId": 1},
            "field.value",
            "nonce",
        ),
        (
            {"kind": "Eip7702", "address": "0x" + "ab" * 20, "nonce": 0, "chainId": 1.5},
            "field.value",
            "chainId",
        ),
        ({"kind": "Transaction", "transaction": "x"}, "field.value", "transaction"),
        ({"kind": "Psbt", "psbt": "x"}, "field.value", "psbt"),
        ({"kind": "SignDocDirect", "signDoc": "x"}, "field.value", "signDoc"),
        ({"kind": "SignerPayload", "payload": "x"}, "field.value", "payload"),
        ({"kind": "Cip8", "context": "Signature1", "payload": "x"}, "field.value", "payload"),
        (
            {"kind": "Cip8", "context": "Signature1", "externalAad": "x"},
            "field.value",
            "externalAad",
        ),
        ({"kind": "Hash", "hash": HASH, "externalId": "x" * 51}, "field.value", "externalId"),
        ({"kind": "Hash", "hash": HASH, "network": "Etherium"}, "field.value", "network"),
        ({"kind": "Hash", "hash": HASH, "network": "KeyECDSA"}, "field.value", "network"),
        ({"kind": "Hash", "hash": HASH, "blockchainKind": "EVM"}, "field.value", "blockchainKind"),
    ],
)
def test_signature_with_a_wrong_member_is_refused_by_name(
    caller: Caller, body: dict[str, Any], check: str, field: str
) -> None:
    path = f"/keys/{new_key(caller, ECDSA)['id']}/signatures"

    assert refused(caller.call("POST", path, body), 400, check)["details"]["field"] == field


def test_signatures_are_listed_by_key(caller: Caller) -> None:
    first, second = (f"/keys/{new_key(caller, EDDSA)['id']}/signatures" for _ in range(2))
    requested = caller.create(first, MESSAGE)

    (listed,) = answered(caller.get(first))["items"]

    assert listed["id"] == requested["id"]
    assert answered(caller.get(second))["items"] == []
    refused(caller.get(f"{second}/{requested['id']}"), 404, "entity", "Signature")


def test_same_signature_with_an_external_id_is_made_once(caller: Caller) -> None:
    path = f"/keys/{new_key(caller, EDDSA)['id']}/signatures"
    body = {**MESSAGE, "externalId": "e-1", "network": "Solana"}

    first, second = caller.create(path, body), caller.create(path, body)

    assert first == second
    assert (first["externalId"], first["network"]) == ("e-1", "Solana")
    assert len(answered(caller.get(path))["items"]) == 1


def test_other_signature_with_an_external_id_in_use_is_refused(caller: Caller) -> None:
    path = f"/keys/{new_key(caller, EDDSA)['id']}/signatures"
    body = {**MESSAGE, "externalId": "e-1"}
    first = caller.create(path, body)

    response = caller.call("POST", path, {**body, "message": "01"})

    error = refused(response, 409, "externalId", "Conflicting signature")
    assert error["details"]["duplicate"]["id"] == first["id"]
