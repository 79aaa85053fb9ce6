"""Hashes of addresses and signatures; those that hashlib may lack are of pycryptodome."""

# The packages of the extra "emulator" are imported where they are used: without the extra, the
# emulator says by itself what to install.
# ruff: noqa: PLC0415

from __future__ import annotations

import hashlib


def keccak256(data: bytes) -> bytes:
    """Keccak-256 as Ethereum has it; SHA3-256 pads otherwise."""
    from Crypto.Hash import keccak

    return keccak.new(digest_bits=256, data=data).digest()


def hash160(data: bytes) -> bytes:
    """RIPEMD-160 of SHA-256: 20 bytes."""
    from Crypto.Hash import RIPEMD160

    return RIPEMD160.new(hashlib.sha256(data).digest()).digest()


def sha512_256(data: bytes) -> bytes:
    """SHA-512/256 (FIPS 180-4)."""
    from Crypto.Hash import SHA512

    return SHA512.new(data, truncate="256").digest()


def blake2b(data: bytes, size: int) -> bytes:
    """BLAKE2b of so many bytes."""
    return hashlib.blake2b(data, digest_size=size).digest()


def sha256d(data: bytes) -> bytes:
    """SHA-256, twice."""
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def tagged_hash(tag: str, data: bytes) -> bytes:
    """The tagged hash of BIP 340."""
    prefix = hashlib.sha256(tag.encode()).digest()
    return hashlib.sha256(prefix + prefix + data).digest()
