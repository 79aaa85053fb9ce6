"""Keys made in memory, for wallets and for ``/keys``."""

from __future__ import annotations

import secrets
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dfns_signers.emulator.collection import Record
from dfns_signers.emulator.identifiers import iso_date, new_id
from dfns_signers.emulator.refusals import bad_request
from dfns_signers.emulator.state import State

# Dfns OpenAPI: schemes and curves; which go together is in the docs of each signature kind.
CURVES = {
    "ECDSA": ("secp256k1", "stark"),
    "EdDSA": ("ed25519",),
    "Schnorr": ("secp256k1",),
    "DH": ("ed25519",),
}


def add_key(state: State, scheme: str, curve: str, extra: dict[str, Any]) -> Record:
    """A new key; on the curve ``stark`` it is a placeholder with no key behind it."""
    if curve not in CURVES[scheme]:
        raise bad_request(
            "key.curve",
            f"curve must be {' or '.join(CURVES[scheme])} for {scheme}, and is {curve}.",
            field="curve",
        )
    identifier = new_id("key")
    return state.keys.add(
        {
            "id": identifier,
            "scheme": scheme,
            "curve": curve,
            "publicKey": _generate(state, identifier, curve),
            "status": "Active",
            "custodial": "delegateTo" not in extra,
            "dateCreated": iso_date(state.clock()),
            **extra,
        }
    )


def _generate(state: State, identifier: str, curve: str) -> str:
    if curve == "secp256k1":
        key = ec.generate_private_key(ec.SECP256K1())
        state.private_keys[identifier] = key
        return key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint).hex()
    if curve == "ed25519":
        edwards = ed25519.Ed25519PrivateKey.generate()
        state.private_keys[identifier] = edwards
        return edwards.public_key().public_bytes_raw().hex()
    return secrets.token_hex(32)
