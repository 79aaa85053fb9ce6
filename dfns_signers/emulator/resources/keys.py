"""``/keys`` and ``/keys/{keyId}/signatures``: keys made in memory, and what they sign.

As in the Dfns docs signing is asynchronous: the first answer is ``Pending``, and the signature
is there when it is asked for.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dfns_signers.emulator.fields import boolean, known, members, one_of, string, variants
from dfns_signers.emulator.messages import bad_request
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import PAGING, Record, State, WalletKey
from dfns_signers.emulator.wire import iso_date, new_id
from dfns_signers.networks import BLOCKCHAIN_KINDS, NETWORKS

# Dfns OpenAPI: schemes and curves; which go together is in the docs of each signature kind.
CURVES: Final = {
    "ECDSA": ("secp256k1", "stark"),
    "EdDSA": ("ed25519",),
    "Schnorr": ("secp256k1",),
    "DH": ("ed25519",),
}
DERIVE_FROM: Final = members({"keyId": string()}, {"path": string()})
_CREATE: Final = members(
    {"scheme": one_of(*CURVES), "curve": one_of("ed25519", "secp256k1", "stark")},
    {
        "name": string(),
        "masterKey": boolean,
        "deriveFrom": DERIVE_FROM,
        "storeId": string(),
        "delegateTo": string(),
        "delayDelegation": boolean,
    },
)
_UPDATE: Final = members({"name": string()})
_SECP256K1_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_SIGNATURE: Final = {
    "network": known(NETWORKS, "a network of the Dfns API"),
    "blockchainKind": known(BLOCKCHAIN_KINDS, "a kind of blockchain of the Dfns API"),
    "externalId": string(1, 50),
}
_HASH: Final = string(pattern="(0x)?[0-9a-fA-F]{64}", expected="32 bytes as hexadecimal digits")
_MESSAGE: Final = string(
    pattern="(0x)?([0-9a-fA-F]{2})+", expected="hexadecimal digits, two per byte"
)
_SIGN: Final = variants(
    "kind",
    {
        "Hash": members({"hash": _HASH}, _SIGNATURE),
        "Message": members({"message": _MESSAGE}, _SIGNATURE),
    },
)
_SIGNING: Final = {("ECDSA", "secp256k1"), ("EdDSA", "ed25519")}


def create(call: Call) -> Record:
    """A new key."""
    body = call.body
    kept = ("name", "masterKey", "delegateTo")
    extra = {name: body[name] for name in kept if name in body}
    return add_key(call.state, body["scheme"], body["curve"], extra)


def list_page(call: Call) -> Record:
    """A page of keys; only delegated keys have an owner."""
    owner = call.query.get("owner")
    return call.state.keys.page(call.query, lambda key: owner in {None, key.get("delegateTo")})


def get(call: Call) -> Record:
    """One key."""
    return call.state.keys.get(call.parameters["keyId"])


def update(call: Call) -> Record:
    """Change the name."""
    key = call.state.keys.get(call.parameters["keyId"])
    key.update(call.body)
    return key


def delete(call: Call) -> Record:
    """Forget a key."""
    key = call.state.keys.remove(call.parameters["keyId"])
    call.state.private_keys.pop(key["id"], None)
    return {**key, "status": "Deleted"}


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


def sign(call: Call) -> Record:
    """Sign; or answer with the signature that the same request has made before."""
    state, body = call.state, call.body
    key = state.keys.get(call.parameters["keyId"])
    existing = state.signatures.made_before(call.path, body)
    if existing:
        return existing
    if (key["scheme"], key["curve"]) not in _SIGNING:
        raise bad_request(
            "key.scheme",
            "This emulator signs with ECDSA on secp256k1 and EdDSA on ed25519 only;"
            f" the key is {key['scheme']} on {key['curve']}.",
        )
    requested: Record = {
        "id": new_id("sig"),
        "keyId": key["id"],
        "requester": call.requester,
        "requestBody": body,
        "status": "Pending",
        "dateRequested": iso_date(state.clock()),
        **{name: body[name] for name in ("externalId", "network") if name in body},
    }
    signed = {
        **requested,
        "status": "Signed",
        "signature": _sign(state.private_keys[key["id"]], body),
        "dateSigned": requested["dateRequested"],
    }
    state.signatures.add(signed)
    state.signatures.bind(requested["id"], call.path, body)
    return requested


def list_signatures(call: Call) -> Record:
    """A page of the key's signatures."""
    key = call.state.keys.get(call.parameters["keyId"])
    return {"keyId": key["id"], **call.state.signatures.page(call.query, keyId=key["id"])}


def get_signature(call: Call) -> Record:
    """One signature of the key."""
    parameters = call.parameters
    return call.state.signatures.get(parameters["signatureId"], keyId=parameters["keyId"])


def _sign(key: WalletKey, body: dict[str, str]) -> dict[str, str]:
    """``r`` and ``s``: ECDSA over the hash, or over SHA-256 of the message; Ed25519 over either."""
    is_hash = body["kind"] == "Hash"
    data = bytes.fromhex((body["hash"] if is_hash else body["message"]).removeprefix("0x"))
    if isinstance(key, ed25519.Ed25519PrivateKey):
        signature = key.sign(data)
        return {"r": _hex(signature[:32]), "s": _hex(signature[32:])}
    digest = data if is_hash else hashlib.sha256(data).digest()
    r, s = decode_dss_signature(key.sign(digest, ec.ECDSA(Prehashed(hashes.SHA256()))))
    low_s = min(s, _SECP256K1_ORDER - s)  # Ethereum and Bitcoin accept no other
    return {"r": _hex(r.to_bytes(32, "big")), "s": _hex(low_s.to_bytes(32, "big"))}


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"


_ONE: Final = "/keys/{keyId}"
_SIGNATURES: Final = f"{_ONE}/signatures"
ROUTES: Final = (
    Route("POST", "/keys", create, _CREATE, entity="Key"),
    Route("GET", "/keys", list_page, query={**PAGING, "owner": string()}),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _UPDATE, entity="Key"),
    Route("DELETE", _ONE, delete, entity="Key"),
    Route("POST", _SIGNATURES, sign, _SIGN, entity="Signature"),
    Route("GET", _SIGNATURES, list_signatures, query=PAGING),
    Route("GET", f"{_SIGNATURES}/{{signatureId}}", get_signature),
)
