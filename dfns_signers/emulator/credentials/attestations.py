"""What a new credential must prove: possession of its key, password or secret."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from dfns_signers.emulator.access.identities import Directory
from dfns_signers.emulator.access.ledger import CredentialChallenge
from dfns_signers.emulator.credentials.client_data import (
    check_key_client_data,
    check_passkey_client_data,
    decoded,
)
from dfns_signers.emulator.credentials.credentials import NewCredential, Passkey
from dfns_signers.emulator.credentials.one_time_passwords import is_valid_code
from dfns_signers.emulator.credentials.passkeys import read_attestation
from dfns_signers.emulator.credentials.passwords import hash_of
from dfns_signers.emulator.credentials.relying_party import RelyingParty
from dfns_signers.emulator.credentials.signatures import ALGORITHMS, find_fault, load_public_key
from dfns_signers.emulator.requests.fields import members, one_of, string, where_present
from dfns_signers.emulator.requests.messages import Refusal, bad_request, quoted, unauthorized
from dfns_signers.emulator.requests.wire import new_id, parse_json

_ATTESTATION: Final = members(
    {"publicKey": string(), "signature": string()}, {"algorithm": one_of(*ALGORITHMS)}
)
CREDENTIAL: Final = where_present(
    {
        "credentialName": string(),
        "encryptedPrivateKey": string(),
        "credentialInfo": where_present(
            dict.fromkeys(
                ("credId", "clientData", "attestationData", "password", "otpCode"), string()
            )
        ),
    }
)
"""What a new credential must be beside its declared shape."""
_LOWER_CASE_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")


def verify_new_credential(
    directory: Directory,
    site: RelyingParty,
    challenge: CredentialChallenge,
    body: Mapping[str, Any],
    where: str = "",
) -> NewCredential:
    """What the body of a registration proves; refused unless everything is right.

    Args:
        directory: has the credentials whose ids are taken.
        site: whose passkeys are registered.
        challenge: what the credential has to sign.
        body: has ``credentialKind``, ``credentialInfo`` and perhaps ``encryptedPrivateKey``.
        where: name of the body in messages.
    """
    inside = f"{where}.credentialInfo" if where else "credentialInfo"
    kind, info = body["credentialKind"], body["credentialInfo"]
    if kind == "Password":
        return NewCredential(kind, new_id("cr"), secret=hash_of(info["password"]))
    if kind == "Totp":
        return _totp(inside, challenge, info["otpCode"], directory.clock())
    if info["credId"] in directory.credentials:
        raise Refusal(
            HTTPStatus.CONFLICT, "credential.taken", "A credential with this credId exists."
        )
    if kind == "Fido2":
        return _passkey(inside, site, challenge, info)
    pem = _key(inside, challenge.challenge, info)
    return NewCredential(kind, info["credId"], pem, body.get("encryptedPrivateKey"))


def _totp(where: str, challenge: CredentialChallenge, code: str, now: float) -> NewCredential:
    if not is_valid_code(challenge.otp_secret, code, now):
        raise unauthorized("otpCode", f"Not Authorized. {where}.otpCode is not the present one.")
    return NewCredential("Totp", new_id("cr"), secret=challenge.otp_secret)


def _passkey(
    where: str, site: RelyingParty, challenge: CredentialChallenge, info: Mapping[str, str]
) -> NewCredential:
    client_data = decoded(f"{where}.clientData", info["clientData"])
    origin = check_passkey_client_data(
        f"{where}.clientData", client_data, "webauthn.create", challenge.challenge, site
    )
    attested = f"{where}.attestationData"
    encoded = decoded(attested, info["attestationData"])
    credential_id, pem, counter = read_attestation(attested, encoded, client_data, site)
    if credential_id != info["credId"]:
        raise bad_request(
            "attestation.credId",
            f"{where}.credId must be {quoted(credential_id)}, the id in {attested}.",
            expected=credential_id,
        )
    passkey = Passkey(site.rp_id, origin, challenge.holder, counter)
    return NewCredential("Fido2", credential_id, pem, passkey=passkey)


def _key(where: str, challenge: str, info: Mapping[str, str]) -> str:
    """The PEM of the attested public key."""
    client_data = decoded(f"{where}.clientData", info["clientData"])
    check_key_client_data(f"{where}.clientData", client_data, "key.create", challenge)
    attestation = _attestation(where, info["attestationData"])
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


def _attestation(where: str, encoded: str) -> dict[str, Any]:
    data = decoded(f"{where}.attestationData", encoded)
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
