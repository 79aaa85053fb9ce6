"""``/keys/{keyId}/signatures``: signatures made by the keys in memory.

As in the Dfns docs signing is asynchronous: the first answer is ``Pending``, and the signature
is there when it is asked for.
"""

from __future__ import annotations

import hashlib

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from dfns_signers.emulator.collection import PAGING, Record
from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import members, text, variants
from dfns_signers.emulator.identifiers import iso_date, new_id
from dfns_signers.emulator.refusals import bad_request, not_found
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import WalletKey

_SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_COMMON = {"network": text(), "blockchainKind": text(), "externalId": text(1, 50)}
_HASH = text(pattern="(0x)?[0-9a-fA-F]{64}", expected="32 bytes as hexadecimal digits")
_MESSAGE = text(pattern="(0x)?([0-9a-fA-F]{2})+", expected="hexadecimal digits, two for a byte")
_CREATE = variants(
    "kind",
    {"Hash": members({"hash": _HASH}, _COMMON), "Message": members({"message": _MESSAGE}, _COMMON)},
)
_SIGNING = {("ECDSA", "secp256k1"), ("EdDSA", "ed25519")}


def create(call: Call) -> Answer:
    """Sign; or answer with the signature that the same request has made before."""
    state, body = call.state, call.body
    key = state.keys.get(call.parameters["keyId"])
    existing = state.external_ids.entity("Signature", call.path, body)
    if existing:
        return json_answer(state.signatures.get(existing))
    if (key["scheme"], key["curve"]) not in _SIGNING:
        raise bad_request(
            "key.scheme",
            "This emulator signs with ECDSA on secp256k1 and EdDSA on ed25519 only;"
            f" the key is {key['scheme']} on {key['curve']}.",
        )
    identifier = new_id("sig")
    requested: Record = {
        "id": identifier,
        "keyId": key["id"],
        "requester": {"userId": call.token.user.user_id, "tokenId": call.token.token_id},
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
    state.external_ids.bind("Signature", call.path, body, identifier)
    return json_answer(requested)


def list_page(call: Call) -> Answer:
    """A page of the key's signatures."""
    key = call.state.keys.get(call.parameters["keyId"])
    page = call.state.signatures.page(
        call.query, lambda signature: bool(signature["keyId"] == key["id"])
    )
    return json_answer({"keyId": key["id"], **page})


def get(call: Call) -> Answer:
    """One signature of the key."""
    signature = call.state.signatures.get(call.parameters["signatureId"])
    if signature["keyId"] != call.parameters["keyId"]:
        raise not_found("Signature", call.parameters["signatureId"])
    return json_answer(signature)


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


_PATH = "/keys/{keyId}/signatures"
ROUTES = (
    Route("POST", _PATH, create, _CREATE, entity="Signature"),
    Route("GET", _PATH, list_page, query=PAGING),
    Route("GET", _PATH + "/{signatureId}", get),
)
