"""What each kind of signature request signs, judged by another library with the public key."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import pytest

from dfns_signers.emulator.keys.key_material import sign_schnorr
from tests.emulator.caller import Caller, refused
from tests.emulator.signatures import (
    ECDSA,
    EDDSA,
    HASH,
    MAIL,
    MAIL_DIGEST,
    SCHNORR,
    SMART_ACCOUNT,
    STARK,
    keccak256,
    new_key,
    numbers,
    recovered_key,
    refuses_other_bytes,
    schnorr_key_fits,
    signature_by,
    stark_key_fits,
    verify_ecdsa,
    verify_ed25519,
)

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141


def eip191(message: bytes) -> bytes:
    return keccak256(f"\x19Ethereum Signed Message:\n{len(message)}".encode() + message)


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        ({"kind": "Hash", "hash": HASH}, bytes.fromhex(HASH)),
        ({"kind": "Hash", "hash": f"0x{HASH}"}, bytes.fromhex(HASH)),
        ({"kind": "Message", "message": "6869"}, hashlib.sha256(b"hi").digest()),
        ({"kind": "Message", "message": "0x6869"}, hashlib.sha256(b"hi").digest()),
        ({"kind": "Eip191", "message": "0x6869"}, eip191(b"hi")),
        ({"kind": "Eip191", "message": "00" * 100}, eip191(bytes(100))),
        ({"kind": "Eip712", **MAIL}, MAIL_DIGEST),
        ({"kind": "DfnsSmartAccountTransaction", **SMART_ACCOUNT}, MAIL_DIGEST),
        (
            {"kind": "Transaction", "transaction": "0x02c0", "network": "Base"},
            keccak256(b"\x02\xc0"),
        ),
        (
            {"kind": "Transaction", "transaction": "0x02c0", "blockchainKind": "Evm"},
            keccak256(b"\x02\xc0"),
        ),
        ({"kind": "SignDocDirect", "signDoc": "0a00"}, hashlib.sha256(b"\x0a\0").digest()),
        (
            # EIP-7702: 0x05 and the RLP of chain id, address and nonce
            {"kind": "Eip7702", "address": "0x" + "ab" * 20, "nonce": 0, "chainId": 1},
            keccak256(bytes.fromhex("05d70194" + "ab" * 20 + "80")),
        ),
        (
            {"kind": "Eip7702", "address": "0x" + "ab" * 20, "nonce": 300, "chainId": 11155111},
            keccak256(bytes.fromhex("05dc83aa36a794" + "ab" * 20 + "82012c")),
        ),
    ],
)
def test_ecdsa_signs_the_digest_that_the_kind_defines(
    caller: Caller, body: dict[str, Any], digest: bytes
) -> None:
    key = new_key(caller, ECDSA)

    signature = signature_by(caller, key, body)

    verify_ecdsa(key, signature, digest)
    refuses_other_bytes(key, signature)


def test_ed25519_signs_the_bytes_themselves(caller: Caller) -> None:
    key = new_key(caller, EDDSA)
    payload = "0x" + "07" * 300

    for body, message in (
        ({"kind": "Hash", "hash": HASH}, bytes.fromhex(HASH)),
        ({"kind": "Message", "message": "6869"}, b"hi"),
        ({"kind": "Transaction", "transaction": "0x6869"}, b"hi"),
        ({"kind": "SignerPayload", "payload": "0x6869"}, b"hi"),
        # Substrate signs the hash of a payload above 256 bytes.
        (
            {"kind": "SignerPayload", "payload": payload},
            hashlib.blake2b(b"\7" * 300, digest_size=32).digest(),
        ),
    ):
        verify_ed25519(key, signature_by(caller, key, body), message)


def test_stand_in_of_json_does_not_depend_on_the_order_of_members(caller: Caller) -> None:
    key = new_key(caller, EDDSA)
    payload = {"b": 1, "a": "é"}

    signature = signature_by(caller, key, {"kind": "SignerPayload", "payload": payload})

    sorted_text = json.dumps(payload, sort_keys=True, separators=(",", ":"))
    verify_ed25519(key, signature, sorted_text.encode())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"message": {}}, "message.from is missing"),
        ({"message": {**MAIL["message"], "to": 1}}, "message.to must be an object of type Person"),
        (
            {"message": {**MAIL["message"], "to": {"name": "Bob", "wallet": "0xab"}}},
            "message.to.wallet must be a value of type address",
        ),
        ({"types": {**MAIL["types"], "Other": []}}, "must have one type"),
        ({"types": {}}, "has none"),
        (
            {"types": {"Mail": [{"name": "a", "type": "uint8[]"}]}, "message": {"a": 1}},
            "message.a must be an array",
        ),
        (
            {"types": {"Mail": [{"name": "a", "type": "Nothing"}]}, "message": {"a": 1}},
            "message.a must be a value of type Nothing",
        ),
    ],
)
def test_typed_data_that_does_not_fit_its_types_is_refused(
    caller: Caller, change: dict[str, Any], words: str
) -> None:
    path = f"/keys/{new_key(caller, ECDSA)['id']}/signatures"

    refused(
        caller.call("POST", path, {"kind": "Eip712", **MAIL, **change}), 400, "typedData", words
    )


def test_ecdsa_signatures_have_a_low_s(caller: Caller) -> None:
    key = new_key(caller, ECDSA)

    found = [
        numbers(signature_by(caller, key, {"kind": "Hash", "hash": HASH}))[1] for _ in range(12)
    ]

    assert max(found) <= ORDER // 2


def test_recid_names_the_public_key(caller: Caller) -> None:
    key = new_key(caller, ECDSA)

    for _ in range(4):
        signature = signature_by(caller, key, {"kind": "Hash", "hash": HASH})

        assert recovered_key(signature, bytes.fromhex(HASH)) == key["publicKey"]


# Vectors 0 and 1 of BIP 340: private key, auxiliary bytes, digest, signature.
BIP_340 = [
    (
        3,
        "00" * 32,
        "00" * 32,
        (
            "E907831F80848D1069A5371B402410364BDF1C5F8307B0084C55F1CE2DCA8215"
            "25F66A4A85EA8B71E482A74F382D2CE5EBEEE8FDB2172F477DF4900D310536C0"
        ),
    ),
    (
        0xB7E151628AED2A6ABF7158809CF4F3C762E7160F38B4DA56A784D9045190CFEF,
        "00" * 31 + "01",
        "243F6A8885A308D313198A2E03707344A4093822299F31D0082EFA98EC4E6C89",
        (
            "6896BD60EEAE296DB48A229FF71DFE071BDE413E6D43F917DC8DCF8C78DE3341"
            "8906D11AC976ABCCB20B091292BFF4EA897EFCB639EA871CFA95F6DE339E4B0A"
        ),
    ),
]


@pytest.mark.parametrize(("secret", "auxiliary", "digest", "expected"), BIP_340)
def test_schnorr_signature_is_that_of_bip_340(
    secret: int, auxiliary: str, digest: str, expected: str
) -> None:
    signature = sign_schnorr(secret, bytes.fromhex(digest), None, bytes.fromhex(auxiliary))

    assert (signature.r + signature.s).hex().upper() == expected


@pytest.mark.parametrize("merkle_root", ["", HASH])
def test_schnorr_signature_fits_the_tweaked_key(caller: Caller, merkle_root: str) -> None:
    key = new_key(caller, SCHNORR)
    body = {"kind": "Hash", "hash": HASH, "taprootMerkleRoot": merkle_root}

    signature = signature_by(caller, key, body)

    root = bytes.fromhex(merkle_root)
    assert schnorr_key_fits(key, signature, bytes.fromhex(HASH), root)
    assert not schnorr_key_fits(key, signature, bytes.fromhex(HASH), bytes(32))


def test_stark_signature_fits_the_key(caller: Caller) -> None:
    key = new_key(caller, STARK)
    digest = "03" + "5e" * 31

    signature = signature_by(caller, key, {"kind": "Hash", "hash": digest})

    assert stark_key_fits(key, signature, int(digest, 16))
    assert not stark_key_fits(key, signature, int(digest, 16) + 1)
