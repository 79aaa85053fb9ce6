"""``/auth/credentials``: the caller's credentials, and new ones with an attestation."""

from __future__ import annotations

import secrets
from datetime import datetime, timezone
from typing import Any, Final

from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.access.ledger import CredentialChallenge, redeem_challenge
from dfns_signers.emulator.credentials.attestations import CREDENTIAL, verify_new_credential
from dfns_signers.emulator.credentials.credentials import Credential
from dfns_signers.emulator.credentials.one_time_passwords import otp_url
from dfns_signers.emulator.requests.fields import wrong
from dfns_signers.emulator.requests.messages import bad_request, unauthorized
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_challenge
from dfns_signers.emulator.resources.auth.challenges import (
    key_options,
    passkey_options,
    user_options,
)
from dfns_signers.emulator.state import Record, State

_YEAR_9999: Final = 253_370_764_800
_ANYBODY: Final = ""
"""Holder of challenges that a one-time code was exchanged for: who verifies them has no token."""


def init(call: Call) -> Record:
    """Issue a challenge for a new credential of the caller."""
    holder = call.token.holder
    return _challenge(call.state, call.token.user, call.body["kind"], holder, issued_to=holder)


def create(call: Call) -> Record:
    """Register the credential that was attested."""
    return _created(call, call.token.holder)


def create_code(call: Call) -> Record:
    """A code that registers one credential of the caller without a token."""
    expires_at = _seconds("expiration", call.body["expiration"])
    if not call.state.clock() < expires_at < _YEAR_9999:
        raise wrong("expiration", "in the future, in seconds or ISO 8601", call.body["expiration"])
    code = secrets.token_urlsafe(9)
    call.state.credential_codes[code] = (call.token.user, expires_at)
    return {"code": code, "expiration": iso_date(expires_at)}


def init_with_code(call: Call) -> Record:
    """Issue a challenge for a new credential of the user who made the code, which it uses up."""
    state = call.state
    user, expires_at = state.credential_codes.pop(call.body["code"], (None, 0.0))
    if user is None or not user.is_active or state.clock() >= expires_at:
        raise unauthorized(
            "code", "Not Authorized. The code is unknown, was used before, or has expired."
        )
    kind = call.body["credentialKind"]
    return _challenge(state, user, kind, user.user_id, issued_to=_ANYBODY)


def verify_with_code(call: Call) -> Record:
    """Register the credential that was attested for a code."""
    return _created(call, _ANYBODY)


def list_all(call: Call) -> Record:
    """The credentials of the caller."""
    found = call.state.directory.credentials_of(call.token.holder)
    return {"items": [_view(credential) for credential in found]}


def activate(call: Call) -> Record:
    """Let a credential sign again."""
    return _switched(call, is_active=True)


def deactivate(call: Call) -> Record:
    """Refuse a credential until it is activated."""
    return _switched(call, is_active=False)


def delete(call: Call) -> Record:
    """Forget a credential."""
    credential = _own(call, call.parameters["credentialUuid"])
    del call.state.directory.credentials[credential.credential_id]
    return _view(credential)


def _challenge(state: State, user: User, kind: str, holder: str, *, issued_to: str) -> Record:
    challenge = CredentialChallenge(new_challenge(), kind, holder)
    shown: Record = {
        "kind": kind,
        "challengeIdentifier": state.credential_challenges.issue(issued_to, challenge),
        "temporaryAuthenticationToken": "",
    }
    if kind == "Password":
        return {**shown, **user_options(state, user)}
    if kind == "Totp":
        url = otp_url(user.name, challenge.otp_secret)
        return {**shown, **user_options(state, user), "otpUrl": url}
    shown["challenge"] = challenge.challenge
    options = passkey_options if kind == "Fido2" else key_options
    return {**shown, **options(state, user)}


def _created(call: Call, issued_to: str) -> Record:
    state, body = call.state, call.body
    challenge = redeem_challenge(
        state.credential_challenges, body["challengeIdentifier"], issued_to
    )
    if challenge.kind != body["credentialKind"]:
        raise bad_request(
            "credential.kind",
            f"credentialKind must be {challenge.kind} as it was for the challenge,"
            f" and is {body['credentialKind']}.",
        )
    new = verify_new_credential(state.directory, state.relying_party, challenge, body)
    return _view(state.directory.keep_credential(challenge.holder, new, body["credentialName"]))


def _seconds(where: str, moment: Any) -> float:
    """Seconds since 1970 of a date that is written so, or in ISO 8601."""
    if not isinstance(moment, str):
        return float(moment)
    try:
        parsed = datetime.fromisoformat(moment.replace("Z", "+00:00"))
    except ValueError:
        raise wrong(where, "a date in ISO 8601 or seconds since 1970", moment) from None
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)).timestamp()


def _view(credential: Credential) -> Record:
    """A credential as it is sent."""
    passkey = credential.passkey
    return {
        "kind": credential.kind,
        "credentialId": credential.credential_id,
        "credentialUuid": credential.uuid,
        "dateCreated": credential.date_created,
        "isActive": credential.is_active,
        "name": credential.name,
        "publicKey": credential.pem,
        "relyingPartyId": passkey.rp_id if passkey else "",
        "origin": passkey.origin if passkey else "",
    }


def _switched(call: Call, *, is_active: bool) -> Record:
    credential = _own(call, call.body["credentialUuid"])
    credential.is_active = is_active
    return {"message": f"Credential {'activated' if is_active else 'deactivated'}"}


def _own(call: Call, uuid: str) -> Credential:
    return call.state.directory.credential_by_uuid(uuid, call.token.holder)


_PATH: Final = "/auth/credentials"
ROUTES: Final = (
    Route("GET", _PATH, list_all),
    Route("POST", f"{_PATH}/init", init),
    Route("POST", _PATH, create, CREDENTIAL, entity="Credential"),
    Route(
        "POST",
        f"{_PATH}/code",
        create_code,
        entity="Credential",
        session_operation="Auth:Creds:Code:Create",
    ),
    Route("POST", f"{_PATH}/code/init", init_with_code, access="open"),
    Route("POST", f"{_PATH}/code/verify", verify_with_code, CREDENTIAL, access="open"),
    Route("PUT", f"{_PATH}/activate", activate, entity="Credential"),
    Route("PUT", f"{_PATH}/deactivate", deactivate, entity="Credential"),
    Route("DELETE", f"{_PATH}/{{credentialUuid}}", delete, entity="Credential"),
)
