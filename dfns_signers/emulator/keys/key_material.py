"""The private halves of the emulator's keys: made, derived, and signed with, in memory."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ed25519

from dfns_signers.emulator.addresses.curves import SECP256K1, STARK, Curve, Point
from dfns_signers.emulator.addresses.hashes import tagged_hash

KEY_STORE: Final = {"id": "ks-local0-00000-0000000000000000", "kind": "Mpc"}
"""The one store of all keys."""
_CURVES: Final = {"secp256k1": SECP256K1, "stark": STARK}
_STARK_BITS: Final = 251


class Signature(NamedTuple):
    """Both halves of a signature, 32 bytes each.

    Attributes:
        recid: which of the public keys that fit the signature it is by; ECDSA only.
    """

    r: bytes
    s: bytes
    recid: int | None = None


@dataclass(frozen=True, slots=True)
class KeyMaterial:
    """The private half of a key.

    Attributes:
        scheme: ECDSA, EdDSA, Schnorr or DH.
        curve: secp256k1, ed25519 or stark.
        secret: 32 bytes, the seed of an Ed25519 key or else the number that it is.
    """

    scheme: str
    curve: str
    secret: bytes = field(repr=False)

    @classmethod
    def generate(cls, scheme: str, curve: str) -> KeyMaterial:
        """A new key."""
        return cls(scheme, curve, _within(curve, secrets.token_bytes(64)))

    def derive(self, scheme: str, curve: str, path: str) -> KeyMaterial:
        """The key at a path below this one: the same key for the same path."""
        seed = hmac.digest(self.secret, f"{scheme} {curve} {path}".encode(), "sha512")
        return KeyMaterial(scheme, curve, _within(curve, seed))

    @property
    def public_key(self) -> str:
        """In hex: 33 bytes compressed for secp256k1, 32 for ed25519, 32 of x for stark."""
        if self.curve == "ed25519":
            return self._edwards().public_key().public_bytes_raw().hex()
        x, y = _CURVES[self.curve].times(self._number())
        head = b"" if self.curve == "stark" else bytes((2 + y % 2,))
        return (head + x.to_bytes(32, "big")).hex()

    def sign(self, data: bytes, merkle_root: bytes | None = None) -> Signature:
        """Sign a digest of 32 bytes; with Ed25519, a message of any length.

        Args:
            data: what is signed.
            merkle_root: tweaks a Schnorr key as BIP 341 does, empty for a key without scripts;
                None leaves the key as it is.
        """
        if self.curve == "ed25519":
            signature = self._edwards().sign(data)
            return Signature(signature[:32], signature[32:])
        if self.scheme == "Schnorr":
            return sign_schnorr(self._number(), data, merkle_root, secrets.token_bytes(32))
        if self.curve == "stark":
            data = _stark_digest(data)
        return _sign_ecdsa(_CURVES[self.curve], self._number(), data)

    def output(self, domain: str, seed: bytes) -> bytes:
        """32 bytes that this key always derives from a domain and a seed."""
        return hmac.digest(self.secret, domain.encode() + b"\0" + seed, "sha256")

    def _number(self) -> int:
        return int.from_bytes(self.secret, "big")

    def _edwards(self) -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.from_private_bytes(self.secret)


def sign_schnorr(
    secret: int, digest: bytes, merkle_root: bytes | None, auxiliary: bytes
) -> Signature:
    """Sign as BIP 340 says, with the key tweaked as BIP 341 says unless the root is None.

    Args:
        secret: the private key.
        digest: 32 bytes.
        merkle_root: of the scripts; empty if there are none.
        auxiliary: 32 random bytes.
    """
    curve = SECP256K1
    secret, point = _even(secret)
    if merkle_root is not None:
        tweak = tagged_hash("TapTweak", _x(point) + merkle_root)
        secret, point = _even((secret + int.from_bytes(tweak, "big")) % curve.n)
    masked = secret ^ int.from_bytes(tagged_hash("BIP0340/aux", auxiliary), "big")
    seed = tagged_hash("BIP0340/nonce", masked.to_bytes(32, "big") + _x(point) + digest)
    nonce, commitment = _even(int.from_bytes(seed, "big") % curve.n)
    challenge = tagged_hash("BIP0340/challenge", _x(commitment) + _x(point) + digest)
    s = (nonce + int.from_bytes(challenge, "big") * secret) % curve.n
    return Signature(_x(commitment), s.to_bytes(32, "big"))


def _sign_ecdsa(curve: Curve, secret: int, digest: bytes) -> Signature:
    """Sign with the lower s, since Ethereum and Bitcoin accept no other."""
    nonce = secrets.randbelow(curve.n - 1) + 1
    x, y = curve.times(nonce)
    r = x % curve.n
    s = (int.from_bytes(digest, "big") + r * secret) * pow(nonce, -1, curve.n) % curve.n
    is_low = s <= curve.n // 2
    recid = (x // curve.n << 1) | (y % 2 if is_low else 1 - y % 2)
    low = s if is_low else curve.n - s
    return Signature(r.to_bytes(32, "big"), low.to_bytes(32, "big"), recid)


def _stark_digest(digest: bytes) -> bytes:
    """The digest, or its first 251 bits: the curve stark signs no larger number."""
    number = int.from_bytes(digest, "big")
    if number.bit_length() > _STARK_BITS:
        number >>= 256 - _STARK_BITS
    return number.to_bytes(32, "big")


def _within(curve: str, seed: bytes) -> bytes:
    """32 bytes that are a private key of the curve, of 64 bytes of any value."""
    if curve == "ed25519":
        return seed[:32]
    number = int.from_bytes(seed, "big") % (_CURVES[curve].n - 1) + 1
    return number.to_bytes(32, "big")


def _even(secret: int) -> tuple[int, Point]:
    """The key, or its negative, whose point has an even y; and that point."""
    x, y = SECP256K1.times(secret)
    if y % 2 == 0:
        return secret, (x, y)
    return SECP256K1.n - secret, (x, SECP256K1.p - y)


def _x(point: Point) -> bytes:
    return point[0].to_bytes(32, "big")
