"""The address that a public key has on each kind of network.

Public keys are bytes: 33 compressed for secp256k1, 32 for ed25519, 32 (the x coordinate) for stark.
"""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Callable
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dfns_signers.emulator.addresses.curves import SECP256K1
from dfns_signers.emulator.addresses.encodings import (
    BECH32M,
    RIPPLE_BASE58,
    base32,
    base58,
    base58check,
    bech32,
    cashaddr,
    crc16,
    five_bits,
)
from dfns_signers.emulator.addresses.hashes import (
    blake2b,
    hash160,
    keccak256,
    sha512_256,
    tagged_hash,
)

Account: TypeAlias = Callable[[bytes, str], str]
"""The address of a public key of a scheme."""
_ED25519_BYTES = 32


def algorand(key: bytes, _scheme: str) -> str:
    """Base32 of the key and four bytes of its SHA-512/256."""
    return base32(key + sha512_256(key)[-4:])


def aptos(key: bytes, _scheme: str) -> str:
    """SHA3-256 of the key and 0x00: one Ed25519 key."""
    return f"0x{hashlib.sha3_256(key + bytes(1)).hexdigest()}"


def base58_key(key: bytes, _scheme: str) -> str:
    """The key itself, as on Solana."""
    return base58(key)


def canton(key: bytes, _scheme: str) -> str:
    """A party of the key's namespace: SHA-256 of the key with the hash purpose 12."""
    fingerprint = hashlib.sha256((12).to_bytes(4, "big") + key).hexdigest()
    return f"dfns::1220{fingerprint}"


def concordium(key: bytes, _scheme: str) -> str:
    """The form of an address; real ones come from an identity, which nobody has here."""
    return base58check(b"\1" + hashlib.sha256(key).digest())


def evm(key: bytes, _scheme: str) -> str:
    """The last 20 bytes of the Keccak-256 of the point, with the checksum of EIP-55."""
    digits = _evm_bytes(key).hex()
    checksum = keccak256(digits.encode()).hex()
    cased = (a.upper() if int(b, 16) > 7 else a for a, b in zip(digits, checksum, strict=False))  # noqa: PLR2004
    return f"0x{''.join(cased)}"


def hedera(key: bytes, _scheme: str) -> str:
    """The form of an account id; the network gives real ones out in turn."""
    return f"0.0.{int.from_bytes(hashlib.sha256(key).digest()[:3], 'big') + 1_000_000}"


def internet_computer(key: bytes, scheme: str) -> str:
    """The account identifier of the key's principal and the first subaccount."""
    principal = hashlib.sha224(_spki(key, scheme)).digest() + b"\2"
    account = hashlib.sha224(b"\x0aaccount-id" + principal + bytes(32)).digest()
    return (zlib.crc32(account).to_bytes(4, "big") + account).hex()


def iota(key: bytes, _scheme: str) -> str:
    """BLAKE2b-256 of an Ed25519 key; IOTA puts no flag before these."""
    return f"0x{blake2b(key, 32).hex()}"


def near(key: bytes, _scheme: str) -> str:
    """The implicit account of the key."""
    return key.hex()


def starknet(key: bytes, _scheme: str) -> str:
    """The form of a contract address; a real one depends on the account contract."""
    return f"0x{int.from_bytes(hashlib.sha256(key).digest(), 'big') >> 6:064x}"


def stellar(key: bytes, _scheme: str) -> str:
    """StrKey of an account: G."""
    data = bytes((6 << 3,)) + key
    return base32(data + crc16(data).to_bytes(2, "little"))


def sui(key: bytes, _scheme: str) -> str:
    """BLAKE2b-256 of the flag of Ed25519 and the key."""
    return f"0x{blake2b(bytes(1) + key, 32).hex()}"


def tezos(key: bytes, _scheme: str) -> str:
    """tz1 of an Ed25519 key."""
    return base58check(bytes((6, 161, 159)) + blake2b(key, 20))


def tron(key: bytes, _scheme: str) -> str:
    """The address of Ethereum behind 0x41."""
    return base58check(b"\x41" + _evm_bytes(key))


def xrp(key: bytes, _scheme: str) -> str:
    """The account of the key; 0xED goes before an Ed25519 key."""
    full = b"\xed" + key if len(key) == _ED25519_BYTES else key
    return base58check(b"\0" + hash160(full), RIPPLE_BASE58)


def bitcoin(prefix: str) -> Account:
    """P2WPKH (BIP 173) for ECDSA, P2TR with no script (BIP 341, 350) for Schnorr."""

    def account(key: bytes, scheme: str) -> str:
        if scheme == "Schnorr":
            return bech32(prefix, [1, *five_bits(taproot_output_key(key))], BECH32M)
        return bech32(prefix, [0, *five_bits(hash160(key))])

    return account


def pay_to_public_key_hash(version: int) -> Account:
    """P2PKH of Bitcoin's relatives."""
    return lambda key, _scheme: base58check(bytes((version,)) + hash160(key))


def bitcoin_cash(prefix: str) -> Account:
    """P2PKH in the form of Bitcoin Cash."""
    return lambda key, _scheme: cashaddr(prefix, 0, hash160(key))


def kaspa(prefix: str) -> Account:
    """The key itself: version 0 for Schnorr (x only), 1 for ECDSA."""
    return lambda key, scheme: (
        cashaddr(prefix, 0, key[1:]) if scheme == "Schnorr" else cashaddr(prefix, 1, key)
    )


def cardano(prefix: str, network_id: int) -> Account:
    """An enterprise address (CIP 19): a payment key and no staking."""
    header = bytes((0x60 | network_id,))
    return lambda key, _scheme: bech32(prefix, five_bits(header + blake2b(key, 28)))


def cosmos(prefix: str) -> Account:
    """Bech32 of the key's hash."""
    return lambda key, _scheme: bech32(prefix, five_bits(hash160(key)))


def substrate(network_prefix: int) -> Account:
    """SS58: prefix, key and two bytes of BLAKE2b-512."""

    def account(key: bytes, _scheme: str) -> str:
        data = bytes((network_prefix,)) + key
        return base58(data + blake2b(b"SS58PRE" + data, 64)[:2])

    return account


def ton(tag: int) -> Account:
    """The form of a non-bounceable address; a real one depends on the wallet contract."""

    def account(key: bytes, _scheme: str) -> str:
        data = bytes((tag, 0)) + hashlib.sha256(key).digest()
        return base64.urlsafe_b64encode(data + crc16(data).to_bytes(2, "big")).decode("ascii")

    return account


def taproot_output_key(key: bytes, merkle_root: bytes = b"") -> bytes:
    """The x coordinate of the tweaked key (BIP 341)."""
    x = key[1:]
    tweak = int.from_bytes(tagged_hash("TapTweak", x + merkle_root), "big")
    inner = SECP256K1.even_point(int.from_bytes(x, "big"))
    return SECP256K1.add(inner, SECP256K1.times(tweak))[0].to_bytes(32, "big")


def _evm_bytes(key: bytes) -> bytes:
    point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key)
    full = point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return keccak256(full[1:])[-20:]


def _spki(key: bytes, scheme: str) -> bytes:
    point: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
    if scheme == "EdDSA":
        point = ed25519.Ed25519PublicKey.from_public_bytes(key)
    else:
        point = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key)
    # The Internet Computer takes secp256k1 keys uncompressed, which is what DER has by default.
    return point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
