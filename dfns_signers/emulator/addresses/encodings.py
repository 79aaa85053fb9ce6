"""The text forms of addresses, with their checksums."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from typing import Final

from dfns_signers.emulator.addresses.hashes import sha256d

BASE58: Final = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
RIPPLE_BASE58: Final = "rpshnaf39wBUDNEGHJKLM4PQRST7VWXYZ2bcdeCg65jkm8oFqi1tuvAxyz"
_BECH32: Final = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_BECH32_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
BECH32: Final = 1
BECH32M: Final = 0x2BC830A3
_CASHADDR_GENERATOR: Final = (
    0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470,
)  # fmt: skip


def base58(data: bytes, alphabet: str = BASE58) -> str:
    """Base58: zero bytes at the beginning are its first digit."""
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = alphabet[digit] + digits
    return alphabet[0] * (len(data) - len(data.lstrip(b"\0"))) + digits


def base58check(data: bytes, alphabet: str = BASE58) -> str:
    """Base58 with four bytes of the double SHA-256 behind."""
    return base58(data + sha256d(data)[:4], alphabet)


def base32(data: bytes) -> str:
    """Base32 (RFC 4648) without padding."""
    return base64.b32encode(data).decode("ascii").rstrip("=")


def bech32(prefix: str, groups: Sequence[int], constant: int = BECH32) -> str:
    """Bech32 (BIP 173), or Bech32m (BIP 350) with its constant.

    Args:
        prefix: the human-readable part.
        groups: 5-bit values, as ``five_bits`` makes them.
        constant: ``BECH32`` or ``BECH32M``.
    """
    expanded = [*(ord(c) >> 5 for c in prefix), 0, *(ord(c) & 31 for c in prefix)]
    checksum = _polymod([*expanded, *groups], _BECH32_GENERATOR, 25, 6) ^ constant
    return f"{prefix}1{_letters([*groups, *_digits(checksum, 6)])}"


def cashaddr(prefix: str, version: int, data: bytes) -> str:
    """The form of Bitcoin Cash and Kaspa: a prefix, a colon, and a checksum of 40 bits."""
    groups = five_bits(bytes((version,)) + data)
    expanded = [ord(c) & 31 for c in prefix] + [0]
    checksum = _polymod([*expanded, *groups], _CASHADDR_GENERATOR, 35, 8) ^ 1
    return f"{prefix}:{_letters([*groups, *_digits(checksum, 8)])}"


def five_bits(data: bytes) -> list[int]:
    """Bytes as 5-bit values, the last one filled with zeros."""
    bits = "".join(f"{byte:08b}" for byte in data)
    return [int(bits[at : at + 5].ljust(5, "0"), 2) for at in range(0, len(bits), 5)]


def crc16(data: bytes) -> int:
    """CRC-16/XMODEM, as Stellar and TON have it."""
    crc = 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xFFFF
    return crc


def _polymod(values: Iterable[int], generator: Sequence[int], kept_bits: int, length: int) -> int:
    checksum = 1
    for value in [*values, *[0] * length]:
        top = checksum >> kept_bits
        checksum = (checksum & ((1 << kept_bits) - 1)) << 5 ^ value
        for index, term in enumerate(generator):
            if top >> index & 1:
                checksum ^= term
    return checksum


def _digits(checksum: int, length: int) -> list[int]:
    return [checksum >> 5 * (length - 1 - index) & 31 for index in range(length)]


def _letters(groups: Iterable[int]) -> str:
    return "".join(_BECH32[group] for group in groups)
