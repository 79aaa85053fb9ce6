"""Verification of a factor of ``POST /auth/action``: a credential signs the challenge."""

from __future__ import annotations

import hashlib
from typing import Any

from dfns_signers.emulator.client_data import check_client_data, decoded
from dfns_signers.emulator.directory import Credential
from dfns_signers.emulator.fields import members, one_of, text, variants
from dfns_signers.emulator.refusals import bad_request, quoted, unauthorized
from dfns_signers.emulator.signatures import ALGORITHMS, find_fault
from dfns_signers.emulator.state import State

# WebAuthn: hash of the relying party id (32), flags (1), counter (4).
AUTHENTICATOR_DATA_BYTES = 37

_SIGNED = {"credId": text(), "clientData": text(), "signature": text()}
_ALGORITHM = {"algorithm": one_of(*ALGORITHMS)}
_KEY = members({"credentialAssertion": members(_SIGNED, _ALGORITHM)})
_FIDO2 = members(
    {
        "credentialAssertion": members(
            {**_SIGNED, "authenticatorData": text()}, {**_ALGORITHM, "userHandle": text(0)}
        )
    }
)

FACTOR = variants("kind", {"Key": _KEY, "PasswordProtectedKey": _KEY, "Fido2": _FIDO2})
"""Shape of a factor. The deprecated kinds Password and Totp are not emulated."""


def verify_factor(
    state: State, holder: str, challenge: str, where: str, factor: dict[str, Any]
) -> Credential:
    """The credential that signed the challenge; refused unless everything about it is right."""
    assertion = factor["credentialAssertion"]
    credential = _credential(state, holder, assertion["credId"], factor["kind"])
    inside = f"{where}.credentialAssertion"
    client_data = decoded(f"{inside}.clientData", assertion["clientData"])
    signature = decoded(f"{inside}.signature", assertion["signature"])
    wanted_type, message = "key.get", client_data
    if credential.kind == "Fido2":
        wanted_type = "webauthn.get"
        message = _authenticator_data(inside, assertion) + hashlib.sha256(client_data).digest()
    check_client_data(
        f"{inside}.clientData", client_data, wanted_type=wanted_type, challenge=challenge
    )
    fault = find_fault(credential.public_key, signature, message)
    if fault:
        raise unauthorized(
            fault.check,
            f"Not Authorized. {inside}.signature is refused: {fault.message}.",
            field=where,
            found=fault.found,
        )
    return credential


def _credential(state: State, holder: str, credential_id: str, kind: str) -> Credential:
    credential = state.directory.credentials.get(credential_id)
    start = f"User does not have a credential {quoted(credential_id)}"
    if credential is None:
        raise unauthorized("credential.unknown", f"{start}: nobody has.")
    if credential.holder != holder:
        raise unauthorized("credential.foreign", f"{start}: it belongs to another identity.")
    if not credential.is_active:
        raise unauthorized("credential.disabled", f"{start} that is active: it was deactivated.")
    if credential.kind != kind:
        raise unauthorized(
            "credential.kind",
            f"{start} of kind {kind}: its kind is {credential.kind}.",
            expected=credential.kind,
            found=kind,
        )
    return credential


def _authenticator_data(where: str, assertion: dict[str, Any]) -> bytes:
    data = decoded(f"{where}.authenticatorData", assertion["authenticatorData"])
    if len(data) < AUTHENTICATOR_DATA_BYTES:
        raise bad_request(
            "authenticatorData",
            f"{where}.authenticatorData must have {AUTHENTICATOR_DATA_BYTES} bytes or more,"
            f" and has {len(data)}.",
        )
    return data
