"""Verification of the attestation of a new key credential (Dfns docs, "Credential data")."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from dfns_signers.emulator.client_data import check_client_data, decoded
from dfns_signers.emulator.fields import members, one_of, text
from dfns_signers.emulator.public_keys import load_public_key
from dfns_signers.emulator.refusals import bad_request
from dfns_signers.emulator.signatures import ALGORITHMS, find_fault
from dfns_signers.emulator.strict_json import parse

CREDENTIAL_INFO = members({"credId": text(), "clientData": text(), "attestationData": text()})
_ATTESTATION = members(
    {"publicKey": text(), "signature": text()}, {"algorithm": one_of(*ALGORITHMS)}
)
_LOWER_CASE_HEX = re.compile(r"(?:[0-9a-f]{2})+")


def verify_attestation(challenge: str, info: dict[str, Any]) -> str:
    """The PEM of the attested public key; refused with 400 unless everything is right."""
    client_data = decoded("credentialInfo.clientData", info["clientData"])
    check_client_data(
        "credentialInfo.clientData", client_data, wanted_type="key.create", challenge=challenge
    )
    attestation = _attestation(info["attestationData"])
    pem: str = attestation["publicKey"]
    try:
        key = load_public_key(pem)
    except ValueError as error:
        raise bad_request("publicKey", f"attestationData.publicKey: {error}.") from None
    fault = find_fault(key, _from_hex(attestation["signature"]), fingerprint(client_data, pem))
    if fault:
        raise bad_request(
            fault.check,
            f"attestationData.signature is refused: {fault.message}. The bytes are"
            ' {"clientDataHash":"<hex SHA-256 of clientData>","publicKey":"<the same PEM>"}.',
            found=fault.found,
        )
    return pem


def fingerprint(client_data: bytes, pem: str) -> bytes:
    """The text that the new key signs."""
    hashed = hashlib.sha256(client_data).hexdigest()
    content = {"clientDataHash": hashed, "publicKey": pem}
    return json.dumps(content, separators=(",", ":")).encode("ascii")


def _attestation(encoded: str) -> dict[str, Any]:
    data = decoded("credentialInfo.attestationData", encoded)
    try:
        attestation: dict[str, Any] = parse(data)
    except ValueError as error:
        raise bad_request("attestation.json", f"attestationData is not JSON: {error}.") from None
    _ATTESTATION("attestationData", attestation)
    return attestation


def _from_hex(text: str) -> bytes:
    if not _LOWER_CASE_HEX.fullmatch(text):
        raise bad_request(
            "attestation.hex",
            "attestationData.signature must be lower-case hexadecimal digits, two for a byte;"
            " of all binary members it alone is not base64url.",
        )
    return bytes.fromhex(text)
