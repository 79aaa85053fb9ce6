"""Import and export of keys, as shares of a private key that is in no single place.

The shares themselves are random: nothing is decrypted, and nothing is put together from them.
"""

from __future__ import annotations

import base64
import secrets
from typing import Any, Final

from dfns_signers.emulator.keys.ownership import require_owner
from dfns_signers.emulator.requests.messages import bad_request
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date
from dfns_signers.emulator.resources.keys import add_key, key_of_call
from dfns_signers.emulator.resources.wallets import add_wallet, check_key, wallet_of_call
from dfns_signers.emulator.state import Record

# Dfns docs name the scheme of each protocol; that of KU23 is assumed.
_SCHEMES: Final = {
    "CGGMP21": "ECDSA",
    "CGGMP24": "ECDSA",
    "KU23": "ECDSA",
    "FROST": "EdDSA",
    "FROST_BITCOIN": "Schnorr",
    "GLOW20_DH": "DH",
}
_MINIMUM_SIGNERS: Final = 3
_SIGNER_IDS: Final = tuple(
    base64.b64encode(f"local-signer-{number}".encode()).decode() for number in range(1, 6)
)
_CLUSTER: Final = "local-cluster"


def import_key(call: Call) -> Record:
    """A key as after an import: its private half is a new one."""
    return _imported(
        call, **{name: call.body[name] for name in ("masterKey",) if name in call.body}
    )


def import_wallet(call: Call) -> Record:
    """A wallet with an imported key."""
    body = call.body
    check_key(body["network"], _SCHEMES[body["protocol"]], body["curve"])
    kept = {name: body[name] for name in ("name", "externalId") if name in body}
    return add_wallet(call.state, body["network"], key=_imported(call), **kept)


def export_key(call: Call) -> Record:
    """The shares of a key."""
    return _exported(call, key_of_call(call))


def export_wallet(call: Call) -> Record:
    """The shares of a wallet's key."""
    wallet = wallet_of_call(call)
    shares = _exported(call, call.state.keys.get(wallet["signingKey"]["id"]))
    call.state.events.publish("wallet.exported", {"wallet": wallet})
    return shares


def signers(_call: Call) -> Record:
    """Who holds the shares."""
    holders = [
        {"signerId": signer, "encryptionKey": base64.b64encode(signer.encode()).decode()}
        for signer in _SIGNER_IDS
    ]
    return {"clusters": [{"clusterId": _CLUSTER, "signers": holders}]}


def _imported(call: Call, **members: Any) -> Record:
    body = call.body
    named = {"name": body["name"]} if "name" in body else {}
    scheme = _SCHEMES[body["protocol"]]
    return add_key(call.state, scheme, body["curve"], imported=True, **named, **members)


def _exported(call: Call, key: Record) -> Record:
    require_owner(call, key["id"])
    supported = call.body["supportedSchemes"]
    found = (
        one["protocol"]
        for one in supported
        if (_SCHEMES[one["protocol"]], one["curve"]) == (key["scheme"], key["curve"])
    )
    protocol = next(found, None)
    if protocol is None:
        raise bad_request(
            "key.scheme",
            f"supportedSchemes must have a protocol of {key['scheme']} on {key['curve']},"
            " and has none.",
            field="supportedSchemes",
        )
    key.update(exported=True, dateExported=iso_date(call.state.clock()))
    call.state.events.publish("key.exported", {"key": key})
    return {
        "publicKey": key["publicKey"],
        "protocol": protocol,
        "curve": key["curve"],
        "minSigners": _MINIMUM_SIGNERS,
        "encryptedKeyShares": [
            {"signerId": signer, "encryptedKeyShare": _share()} for signer in _SIGNER_IDS
        ],
    }


def _share() -> str:
    return base64.b64encode(secrets.token_bytes(96)).decode()


ROUTES: Final = (
    Route("POST", "/keys/import", import_key, entity="Key"),
    Route("POST", "/wallets/import", import_wallet, entity="Wallet"),
    Route("POST", "/keys/{keyId}/export", export_key, entity="Key"),
    Route("POST", "/wallets/{walletId}/export", export_wallet, entity="Wallet"),
    Route("GET", "/signers", signers),
)
