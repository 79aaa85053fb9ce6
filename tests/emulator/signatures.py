"""Signatures by a key, or a wallet's key, as tests ask for them and judge them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest
from Crypto.Hash import keccak
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from dfns_signers.emulator.addresses.curves import SECP256K1
from dfns_signers.emulator.addresses.curves import STARK as STARK_CURVE
from tests.emulator.caller import Caller, answered

ECDSA = {"scheme": "ECDSA", "curve": "secp256k1"}
EDDSA = {"scheme": "EdDSA", "curve": "ed25519"}
SCHNORR = {"scheme": "Schnorr", "curve": "secp256k1"}
STARK = {"scheme": "ECDSA", "curve": "stark"}
HASH = "5e" * 32
# The example of EIP-712 and its digest.
MAIL: dict[str, Any] = {
    "types": {
        "Person": [{"name": "name", "type": "string"}, {"name": "wallet", "type": "address"}],
        "Mail": [
            {"name": "from", "type": "Person"},
            {"name": "to", "type": "Person"},
            {"name": "contents", "type": "string"},
        ],
    },
    "domain": {
        "name": "Ether Mail",
        "version": "1",
        "chainId": 1,
        "verifyingContract": "0xCcCCccccCCCCcCCCCCCcCcCccCcCCCcCcccccccC",
    },
    "message": {
        "from": {"name": "Cow", "wallet": "0xCD2a3d9F938E13CD947Ec05AbC7FE734Df8DD826"},
        "to": {"name": "Bob", "wallet": "0xbBbBBBBbbBBBbbbBbbBbbbbBBbBbbbbBbBbbBBbB"},
        "contents": "Hello, Bob!",
    },
}
MAIL_DIGEST = bytes.fromhex("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2")
SMART_ACCOUNT: dict[str, Any] = {
    "structured": {
        "address": "0x" + "ab" * 20,
        "userOperations": [],
        "message": {"kind": "Eip712", **MAIL},
    },
    "signatures": {},
    "transactionReference": "r",
}

BLOCKING_POLICY = {
    "name": "none",
    "activityKind": "Wallets:Sign",
    "rule": {"kind": "AlwaysTrigger", "configuration": {}},
    "action": {"kind": "Block"},
}


def keccak256(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


def new_key(caller: Caller, kind: dict[str, str], **members: Any) -> dict[str, Any]:
    return caller.create("/keys", {**kind, **members})


def signature_by(caller: Caller, key: dict[str, Any], body: dict[str, Any]) -> dict[str, Any]:
    """The ``signature`` of a request that is signed."""
    path = f"/keys/{key['id']}/signatures"
    requested = caller.create(path, body)
    read = answered(caller.get(f"{path}/{requested['id']}"))
    assert read["status"] == "Signed"
    signature = read["signature"]
    assert isinstance(signature, dict)
    assert len(signature["r"]) == len(signature["s"]) == 66
    return signature


def numbers(signature: dict[str, Any]) -> tuple[int, int]:
    return int(signature["r"], 16), int(signature["s"], 16)


def verify_ecdsa(key: dict[str, Any], signature: dict[str, Any], digest: bytes) -> None:
    """Judge a signature over 32 bytes with the public key that the key shows."""
    encoded = bytes.fromhex(key["publicKey"])
    public_key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), encoded)
    der = encode_dss_signature(*numbers(signature))
    public_key.verify(der, digest, ec.ECDSA(Prehashed(hashes.SHA256())))


def verify_ed25519(key: dict[str, Any], signature: dict[str, Any], message: bytes) -> None:
    public_key = ed25519.Ed25519PublicKey.from_public_bytes(bytes.fromhex(key["publicKey"]))
    public_key.verify(bytes.fromhex(signature["r"][2:] + signature["s"][2:]), message)


def refuses_other_bytes(key: dict[str, Any], signature: dict[str, Any]) -> None:
    with pytest.raises(InvalidSignature):
        verify_ecdsa(key, signature, bytes(32))


def recovered_key(signature: dict[str, Any], digest: bytes) -> str:
    """The compressed public key that a signature and its ``recid`` name (SEC 1, 4.1.6)."""
    r, s = numbers(signature)
    x = r + signature["recid"] // 2 * SECP256K1.n
    y = pow(x**3 + 7, (SECP256K1.p + 1) // 4, SECP256K1.p)
    point = (x, y if y % 2 == signature["recid"] % 2 else SECP256K1.p - y)
    inverse = pow(r, -1, SECP256K1.n)
    found = SECP256K1.add(
        SECP256K1.times(s * inverse % SECP256K1.n, point),
        SECP256K1.times(-int.from_bytes(digest, "big") * inverse % SECP256K1.n),
    )
    return f"{2 + found[1] % 2:02x}{found[0]:064x}"


def schnorr_key_fits(
    key: dict[str, Any], signature: dict[str, Any], digest: bytes, merkle_root: bytes | None
) -> bool:
    """Whether a signature is by the key, tweaked with this root if any (BIP 340, BIP 341)."""
    internal = bytes.fromhex(key["publicKey"])[1:]
    output = int.from_bytes(internal, "big")
    if merkle_root is not None:
        tweak = SECP256K1.times(_tagged("TapTweak", internal + merkle_root))
        output = SECP256K1.add(SECP256K1.even_point(output), tweak)[0]
    r, s = numbers(signature)
    hashed = r.to_bytes(32, "big") + output.to_bytes(32, "big") + digest
    challenge = _tagged("BIP0340/challenge", hashed) % SECP256K1.n
    negative = SECP256K1.times(SECP256K1.n - challenge, SECP256K1.even_point(output))
    x, y = SECP256K1.add(SECP256K1.times(s), negative)
    return x == r and y % 2 == 0


def stark_key_fits(key: dict[str, Any], signature: dict[str, Any], digest: int) -> bool:
    """Whether a signature is by a key, of which only x is known: by either of its points."""
    r, s = numbers(signature)
    inverse = pow(s, -1, STARK_CURVE.n)
    first = STARK_CURVE.times(digest * inverse % STARK_CURVE.n)
    x = int(key["publicKey"], 16)
    y = _square_root(x**3 + x + STARK_CURVE.b, STARK_CURVE.p)
    return any(
        STARK_CURVE.add(first, STARK_CURVE.times(r * inverse % STARK_CURVE.n, point))[0] == r
        for point in ((x, y), (x, STARK_CURVE.p - y))
    )


def _tagged(tag: str, data: bytes) -> int:
    prefix = hashlib.sha256(tag.encode()).digest() * 2
    return int.from_bytes(hashlib.sha256(prefix + data).digest(), "big")


def _square_root(number: int, modulus: int) -> int:
    """By Tonelli and Shanks; 3 is no square modulo the prime of the curve stark."""
    odd, twos = modulus - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    root, rest = pow(number, (odd + 1) // 2, modulus), pow(number, odd, modulus)
    factor = pow(3, odd, modulus)
    while rest != 1:
        order = next(i for i in range(twos) if pow(rest, 2**i, modulus) == 1)
        step = pow(factor, 2 ** (twos - order - 1), modulus)
        root, factor = root * step % modulus, step * step % modulus
        rest, twos = rest * factor % modulus, order
    return root
