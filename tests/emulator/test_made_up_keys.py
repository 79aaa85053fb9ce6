"""What stands in for the key store and for digests that need a whole chain library."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from dfns_signers.emulator.addresses import address_of, key_kinds
from tests.emulator.caller import Caller, answered
from tests.emulator.conftest import calling
from tests.emulator.signatures import (
    ECDSA,
    EDDSA,
    HASH,
    STARK,
    new_key,
    schnorr_key_fits,
    signature_by,
    stark_key_fits,
    verify_ecdsa,
    verify_ed25519,
)

SHARES = [{"signerId": "s", "encryptedKeyShare": "x"}]
SNIP12 = {"primaryType": "Mail", "types": {}, "domain": {}, "message": {"b": 1, "a": 3}}
FEE_BUMP = {"innerTransaction": "AAAA", "transactionReference": "r"}


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    with calling() as shared:
        yield shared


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def text_of(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


# Keys


@pytest.mark.parametrize(
    ("kind", "size", "first"),
    [(ECDSA, 33, {2, 3}), (STARK, 32, set(range(16))), (EDDSA, 32, set(range(256)))],
    ids=["compressed", "x-coordinate", "ed25519"],
)
def test_public_key_is_hexadecimal_digits(
    caller: Caller, kind: dict[str, str], size: int, first: set[int]
) -> None:
    public_key = bytes.fromhex(new_key(caller, kind)["publicKey"])

    assert len(public_key) == size
    assert public_key[0] in first


@pytest.mark.parametrize("network", ["Hedera", "InternetComputer", "Origyn", "XrpLedger"])
def test_network_that_takes_both_kinds_of_key_has_ecdsa_by_default(
    caller: Caller, network: str
) -> None:
    other = {"network": network, "signingKey": {"scheme": "EdDSA", "curve": "ed25519"}}

    assert caller.create("/wallets", {"network": network})["signingKey"]["scheme"] == "ECDSA"
    assert caller.create("/wallets", other)["signingKey"]["scheme"] == "EdDSA"


@pytest.mark.parametrize("network", ["Concordium", "Hedera", "Starknet", "Ton", "Ion"])
def test_address_that_depends_on_more_is_made_up_from_the_key(network: str) -> None:
    scheme, _ = key_kinds(network)[0]
    first, other = ("02" + digits * 32 for digits in ("01", "07"))

    assert address_of(network, scheme, first) == address_of(network, scheme, first)
    assert address_of(network, scheme, first) != address_of(network, scheme, other)


def test_import_makes_a_new_key_of_any_shares(caller: Caller) -> None:
    body = {
        "curve": "secp256k1",
        "protocol": "KU23",
        "minSigners": 3,
        "encryptedKeyShares": SHARES,
    }

    first, second = (caller.create("/keys/import", body) for _ in range(2))

    assert first["scheme"] == "ECDSA"
    assert first["publicKey"] != second["publicKey"]


def test_export_makes_random_shares_for_five_signers(caller: Caller) -> None:
    key = new_key(caller, EDDSA)
    supported = [{"protocol": "FROST", "curve": "ed25519"}]
    body = {"encryptionKey": "k", "supportedSchemes": supported}

    first, second = (
        [
            share["encryptedKeyShare"]
            for share in caller.create(f"/keys/{key['id']}/export", body)["encryptedKeyShares"]
        ]
        for _ in range(2)
    )

    assert len({*first, *second}) == 10


def test_the_key_store_is_of_kind_mpc(caller: Caller) -> None:
    (store,) = answered(caller.get("/key-stores"))["items"]

    assert store["kind"] == "Mpc"


# Stand-ins of digests


@pytest.mark.parametrize(
    ("body", "digest"),
    [
        ({"kind": "Psbt", "psbt": "70736274ff"}, sha256(b"psbt\xff")),
        (
            {"kind": "Bip322", "message": "hi", "format": "Full"},
            sha256(sha256(b"BIP0322-signed-message") * 2 + b"hi"),
        ),
        ({"kind": "Transaction", "transaction": "0x0102"}, sha256(b"\1\2")),
        (
            {"kind": "Transaction", "transaction": {"b": 1, "a": 2}},
            sha256(text_of({"b": 1, "a": 2})),
        ),
    ],
    ids=["psbt", "bip322", "bytes", "json"],
)
def test_ecdsa_stands_in_with_a_digest(caller: Caller, body: dict[str, Any], digest: bytes) -> None:
    key = new_key(caller, ECDSA)

    verify_ecdsa(key, signature_by(caller, key, body), digest)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"kind": "Cip8", "payload": "0102", "context": "Signature1"}, b"\1\2"),
        ({"kind": "StellarFeeBumpTransaction", **FEE_BUMP}, sha256(b"AAAA")),
        ({"kind": "Transaction", "transaction": "0x0102"}, b"\1\2"),
        ({"kind": "Transaction", "transaction": {"b": 1, "a": 2}}, text_of({"b": 1, "a": 2})),
    ],
    ids=["cip8", "stellar", "bytes", "json"],
)
def test_ed25519_stands_in_with_a_message(
    caller: Caller, body: dict[str, Any], message: bytes
) -> None:
    key = new_key(caller, EDDSA)

    verify_ed25519(key, signature_by(caller, key, body), message)


def test_starknet_typed_data_stands_in_with_the_digest_of_its_json_cut_to_251_bits(
    caller: Caller,
) -> None:
    key = new_key(caller, STARK)

    signature = signature_by(caller, key, {"kind": "Snip12", **SNIP12})

    digest = int.from_bytes(sha256(text_of(SNIP12)), "big")
    assert digest.bit_length() > 251
    assert stark_key_fits(key, signature, digest >> digest.bit_length() - 251)


def test_schnorr_key_is_not_tweaked_for_other_kinds_than_a_hash(caller: Caller) -> None:
    key = new_key(caller, {"scheme": "Schnorr", "curve": "secp256k1"})

    signature = signature_by(caller, key, {"kind": "Message", "message": "00"})

    assert schnorr_key_fits(key, signature, sha256(b"\0"), None)


def test_signature_has_no_signed_data(caller: Caller) -> None:
    key = new_key(caller, ECDSA)
    path = f"/keys/{key['id']}/signatures"
    requested = caller.create(path, {"kind": "Hash", "hash": HASH})

    signed = answered(caller.get(f"{path}/{requested['id']}"))

    assert not signed.keys() & {"signedData", "signatures"}
