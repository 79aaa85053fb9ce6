"""Networks whose keys and addresses the emulator knows the shape of."""

from __future__ import annotations

import secrets

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_EVM = ("Ethereum", "Arbitrum", "AvalancheC", "Base", "Bsc", "Optimism", "Polygon")
_EDDSA = ("Solana", "KeyEdDSA")


def key_of(network: str) -> tuple[str, str]:
    """Scheme and curve of a wallet's key; ECDSA on secp256k1 for networks not known here."""
    return ("EdDSA", "ed25519") if network.startswith(_EDDSA) else ("ECDSA", "secp256k1")


def address(network: str, public_key: str) -> str | None:
    """An address of the network's shape; none for other networks.

    On Solana it is the address of the key. Elsewhere it is random: nobody has a key for it.
    """
    if network.startswith(_EVM):
        return "0x" + secrets.token_hex(20)
    if network.startswith("Solana"):
        return _base58(bytes.fromhex(public_key))
    if network.startswith("Bitcoin"):
        prefix = "bc1q" if network == "Bitcoin" else "tb1q"
        return prefix + "".join(secrets.choice(_BECH32) for _ in range(38))
    return None


def _base58(data: bytes) -> str:
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, digit = divmod(number, 58)
        digits = _BASE58[digit] + digits
    zeros = len(data) - len(data.lstrip(b"\0"))
    return "1" * zeros + digits
