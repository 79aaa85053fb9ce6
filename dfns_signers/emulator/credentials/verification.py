"""Assertions: what a credential signs, or a user knows, to answer a challenge."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from dfns_signers.emulator.access.identities import Directory
from dfns_signers.emulator.credentials.client_data import (
    check_key_client_data,
    check_passkey_client_data,
    decoded,
)
from dfns_signers.emulator.credentials.credentials import Credential, CredentialKind, Passkey
from dfns_signers.emulator.credentials.one_time_passwords import is_valid_code
from dfns_signers.emulator.credentials.passkeys import check_counter, read_authenticator_data
from dfns_signers.emulator.credentials.passwords import is_password
from dfns_signers.emulator.credentials.signatures import ALGORITHMS, find_fault
from dfns_signers.emulator.requests.fields import one_of, string, where_present
from dfns_signers.emulator.requests.messages import bad_request, quoted, unauthorized
from dfns_signers.emulator.state import State

ASSERTION: Final = where_present(
    {
        **dict.fromkeys(("credId", "clientData", "signature", "authenticatorData"), string()),
        "algorithm": one_of(*ALGORITHMS),
    }
)
"""What an assertion must be beside its declared shape."""
_FACTOR: Final = where_present({"credentialAssertion": ASSERTION})
FACTORS: Final = where_present({"firstFactor": _FACTOR, "secondFactor": _FACTOR})
"""What factors must be beside their declared shape."""


def verify_factors(
    state: State, holder: str, challenge: str, body: Mapping[str, Any]
) -> Credential:
    """The credential of the first factor; refused unless every factor that is needed is right."""

    def verified(name: str) -> Credential:
        return _verify_factor(state, holder, challenge, name, body[name])

    first = verified("firstFactor")
    if "secondFactor" in body:
        if verified("secondFactor") is first:
            raise unauthorized(
                "secondFactor.same", "Not Authorized. Both factors are the same credential."
            )
    elif first.requires_second_factor:
        raise unauthorized(
            "secondFactor.missing",
            f"Not Authorized. {first.credential_id} requires a secondFactor.",
        )
    return first


def find_credential(directory: Directory, holder: str, credential_id: str, kind: str) -> Credential:
    """A holder's credential; refused unless it is active and of this kind."""
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


def check_key_signature(
    where: str, credential: Credential, assertion: Mapping[str, str], challenge: str
) -> None:
    """Refuse the assertion of a key unless it signs the challenge."""
    client_data = decoded(f"{where}.clientData", assertion["clientData"])
    check_key_client_data(f"{where}.clientData", client_data, "key.get", challenge)
    check_signature(where, credential, assertion, client_data)


def check_signature(
    where: str, credential: Credential, assertion: Mapping[str, str], message: bytes
) -> None:
    """Refuse an assertion whose signature is not by the credential over the message."""
    if credential.public_key is None:
        raise LookupError(f"a credential of kind {credential.kind} has no key")
    signature = decoded(f"{where}.signature", assertion["signature"])
    fault = find_fault(credential.public_key, signature, message)
    if fault:
        raise unauthorized(
            fault.check,
            f"Not Authorized. {where}.signature is refused: {fault.message}.",
            field=where.partition(".")[0],
            found=fault.found,
        )


def _verify_factor(
    state: State, holder: str, challenge: str, where: str, factor: Mapping[str, Any]
) -> Credential:
    kind = factor["kind"]
    if kind == "Password":
        return _verify_password(state.directory, holder, where, factor["password"])
    if kind == "Totp":
        return _verify_code(state.directory, holder, where, factor["otpCode"])
    assertion, inside = factor["credentialAssertion"], f"{where}.credentialAssertion"
    credential = find_credential(state.directory, holder, assertion["credId"], kind)
    if credential.passkey:
        _check_passkey(state, inside, credential, credential.passkey, assertion, challenge)
    else:
        check_key_signature(inside, credential, assertion, challenge)
    return credential


def _check_passkey(
    state: State,
    where: str,
    credential: Credential,
    passkey: Passkey,
    assertion: Mapping[str, str],
    challenge: str,
) -> None:
    client_data = decoded(f"{where}.clientData", assertion["clientData"])
    check_passkey_client_data(
        f"{where}.clientData", client_data, "webauthn.get", challenge, state.relying_party
    )
    inside = f"{where}.authenticatorData"
    encoded = decoded(inside, assertion["authenticatorData"])
    data = read_authenticator_data(inside, encoded, state.relying_party)
    _check_user_handle(where, passkey, assertion.get("userHandle"))
    check_signature(where, credential, assertion, encoded + hashlib.sha256(client_data).digest())
    check_counter(inside, passkey.counter, data.counter)
    passkey.counter = data.counter


def _check_user_handle(where: str, passkey: Passkey, handle: str | None) -> None:
    """Refuse the handle of another user than the passkey was made for.

    SDKs give the browser the user's id as the bytes of its text, or as what the text encodes in
    base64url.
    """
    if not handle or passkey.user_id is None:
        return
    text = passkey.user_id.encode("ascii")
    as_base64url = base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4))
    if decoded(f"{where}.userHandle", handle) not in {text, as_base64url}:
        raise bad_request(
            "userHandle",
            f"{where}.userHandle must be the id of the user that the passkey was made for,"
            f" {passkey.user_id}.",
            expected=passkey.user_id,
        )


def _verify_password(directory: Directory, holder: str, where: str, password: str) -> Credential:
    for credential in _usable(directory, holder, "Password"):
        if is_password(credential.secret, password):
            return credential
    raise unauthorized("password", f"Not Authorized. {where}.password is wrong.")


def _verify_code(directory: Directory, holder: str, where: str, code: str) -> Credential:
    for credential in _usable(directory, holder, "Totp"):
        if is_valid_code(credential.secret, code, directory.clock()):
            return credential
    raise unauthorized("otpCode", f"Not Authorized. {where}.otpCode is not the present one.")


def _usable(directory: Directory, holder: str, kind: CredentialKind) -> list[Credential]:
    found = [one for one in directory.usable_credentials_of(holder) if one.kind == kind]
    if not found:
        raise unauthorized(
            "credential.unknown", f"User does not have a credential of kind {kind} that is active."
        )
    return found
