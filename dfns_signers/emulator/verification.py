"""What a credential signs: the assertion of a challenge, and the attestation of a new key.

Both sign client data, the JSON with the challenge in it (WebAuthn and Dfns docs).
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, Final

from dfns_signers.emulator.fields import members, one_of, string, variants
from dfns_signers.emulator.identities import Credential, Directory
from dfns_signers.emulator.messages import CheckName, bad_request, quoted, unauthorized
from dfns_signers.emulator.signatures import ALGORITHMS, find_fault, load_public_key
from dfns_signers.emulator.wire import from_base64url, kind_of, parse_json

# WebAuthn: hash of the relying party id (32), flags (1), counter (4).
AUTHENTICATOR_DATA_BYTES: Final = 37

_SIGNED: Final = {"credId": string(), "clientData": string(), "signature": string()}
_ALGORITHM: Final = {"algorithm": one_of(*ALGORITHMS)}
_KEY: Final = members({"credentialAssertion": members(_SIGNED, _ALGORITHM)})
_FIDO2: Final = members(
    {
        "credentialAssertion": members(
            {**_SIGNED, "authenticatorData": string()}, {**_ALGORITHM, "userHandle": string(0)}
        )
    }
)

FACTOR: Final = variants("kind", {"Key": _KEY, "PasswordProtectedKey": _KEY, "Fido2": _FIDO2})
"""Shape of a factor. The deprecated kinds Password and Totp are not emulated."""

CREDENTIAL_INFO: Final = members(
    {"credId": string(), "clientData": string(), "attestationData": string()}
)
_ATTESTATION: Final = members({"publicKey": string(), "signature": string()}, _ALGORITHM)
_LOWER_CASE_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")


def verify_factor(
    directory: Directory, holder: str, challenge: str, where: str, factor: dict[str, Any]
) -> Credential:
    """The credential that signed the challenge; refused unless everything about it is right."""
    assertion = factor["credentialAssertion"]
    credential = _credential(directory, holder, assertion["credId"], factor["kind"])
    inside = f"{where}.credentialAssertion"
    client_data = _decoded(f"{inside}.clientData", assertion["clientData"])
    signature = _decoded(f"{inside}.signature", assertion["signature"])
    wanted_type, message = "key.get", client_data
    if credential.kind == "Fido2":
        wanted_type = "webauthn.get"
        message = _authenticator_data(inside, assertion) + hashlib.sha256(client_data).digest()
    _check_client_data(f"{inside}.clientData", client_data, wanted_type, challenge)
    fault = find_fault(credential.public_key, signature, message)
    if fault:
        raise unauthorized(
            fault.check,
            f"Not Authorized. {inside}.signature is refused: {fault.message}.",
            field=where,
            found=fault.found,
        )
    return credential


def verify_attestation(challenge: str, info: dict[str, Any]) -> str:
    """The PEM of the attested public key; refused with 400 unless everything is right."""
    where = "credentialInfo.clientData"
    client_data = _decoded(where, info["clientData"])
    _check_client_data(where, client_data, "key.create", challenge)
    attestation = _attestation(info["attestationData"])
    pem: str = attestation["publicKey"]
    try:
        key = load_public_key(pem)
    except ValueError as error:
        raise bad_request("publicKey", f"attestationData.publicKey: {error}.") from None
    fault = find_fault(key, _from_hex(attestation["signature"]), _fingerprint(client_data, pem))
    if fault:
        raise bad_request(
            fault.check,
            f"attestationData.signature is refused: {fault.message}. The bytes are"
            ' {"clientDataHash":"<hex SHA-256 of clientData>","publicKey":"<the same PEM>"}.',
            found=fault.found,
        )
    return pem


def _decoded(where: str, text: str) -> bytes:
    try:
        return from_base64url(text)
    except ValueError as error:
        raise bad_request("base64url", f"{where} {error}.", field=where) from None


def _check_client_data(where: str, data: bytes, wanted_type: str, challenge: str) -> None:
    # Other members are allowed: official SDKs send `origin` and `crossOrigin`.
    try:
        content = parse_json(data)
    except ValueError as error:
        raise bad_request("clientData.json", f"{where} is not UTF-8 JSON: {error}.") from None
    if not isinstance(content, dict):
        raise bad_request(
            "clientData.object", f"{where} must be a JSON object, and is {kind_of(content)}."
        )
    expected: tuple[tuple[CheckName, str, str], ...] = (
        ("clientData.type", "type", wanted_type),
        ("clientData.challenge", "challenge", challenge),
    )
    for check, member, wanted in expected:
        found = content.get(member)
        if found != wanted:
            shown = quoted(found) if isinstance(found, str) else kind_of(found)
            raise bad_request(
                check,
                f'The {member} in {where} must be "{wanted}", and is {shown}.',
                expected=wanted,
                found=shown,
            )


def _credential(directory: Directory, holder: str, credential_id: str, kind: str) -> Credential:
    credential = directory.credentials.get(credential_id)
    start = f"User does not have a credential {quoted(credential_id)}"
    if credential is None:
        raise unauthorized("credential.unknown", f"{start}: it is not registered.")
    if credential.holder != holder:
        raise unauthorized("credential.foreign", f"{start}: it belongs to another identity.")
    if not credential.is_active:
        raise unauthorized("credential.disabled", f"{start} that is active: it is deactivated.")
    if credential.kind != kind:
        raise unauthorized(
            "credential.kind",
            f"{start} of kind {kind}: its kind is {credential.kind}.",
            expected=credential.kind,
            found=kind,
        )
    return credential


def _authenticator_data(where: str, assertion: dict[str, Any]) -> bytes:
    data = _decoded(f"{where}.authenticatorData", assertion["authenticatorData"])
    if len(data) < AUTHENTICATOR_DATA_BYTES:
        raise bad_request(
            "authenticatorData",
            f"{where}.authenticatorData must have {AUTHENTICATOR_DATA_BYTES} bytes or more,"
            f" and has {len(data)}.",
        )
    return data


def _attestation(encoded: str) -> dict[str, Any]:
    data = _decoded("credentialInfo.attestationData", encoded)
    try:
        attestation: dict[str, Any] = parse_json(data)
    except ValueError as error:
        raise bad_request("attestation.json", f"attestationData is not JSON: {error}.") from None
    _ATTESTATION("attestationData", attestation)
    return attestation


def _fingerprint(client_data: bytes, pem: str) -> bytes:
    hashed = hashlib.sha256(client_data).hexdigest()
    content = {"clientDataHash": hashed, "publicKey": pem}
    return json.dumps(content, separators=(",", ":")).encode("ascii")


def _from_hex(text: str) -> bytes:
    if not _LOWER_CASE_HEX.fullmatch(text):
        raise bad_request(
            "attestation.hex",
            "attestationData.signature must be lower-case hexadecimal digits, two per byte;"
            " it is the only binary member that is not base64url.",
        )
    return bytes.fromhex(text)
