"""Credentials that a user registers with a temporary token, in a registration or a recovery."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from dfns_signers.emulator.credentials.attestations import CREDENTIAL, verify_new_credential
from dfns_signers.emulator.credentials.credentials import Credential
from dfns_signers.emulator.requests.fields import where_present
from dfns_signers.emulator.requests.messages import Refusal
from dfns_signers.emulator.requests.routes import Call
from dfns_signers.emulator.state import Record

_MEMBERS: Final = ("firstFactorCredential", "secondFactorCredential", "recoveryCredential")
NEW_CREDENTIALS: Final = where_present(dict.fromkeys(_MEMBERS, CREDENTIAL))
"""What new credentials must be beside their declared shape."""


def register_credentials(call: Call, body: Mapping[str, Any], where: str = "") -> Record:
    """Register all the credentials in a body, or none; the temporary token is used up.

    Returns:
        The answer: the credential of the first factor, and the user.
    """
    directory, user = call.state.directory, call.token.user
    challenge = call.token.challenge
    if challenge is None:
        raise LookupError(f"the token {call.token.token_id} has no challenge")
    proved = [
        (
            body[name],
            verify_new_credential(
                directory, call.state.relying_party, challenge, body[name], f"{where}{name}"
            ),
        )
        for name in _MEMBERS
        if name in body
    ]
    if len({new.credential_id for _, new in proved}) < len(proved):
        raise Refusal(
            HTTPStatus.CONFLICT, "credential.taken", "Two of the credentials have the same credId."
        )
    kept = [
        directory.keep_credential(
            user.user_id, new, given.get("credentialName") or given["credentialKind"]
        )
        for given, new in proved
    ]
    directory.forget_token(call.token)
    return _answer(call, kept[0])


def _answer(call: Call, credential: Credential) -> Record:
    user = call.token.user
    return {
        "credential": {
            "uuid": credential.uuid,
            "kind": credential.kind,
            "name": credential.name,
        },
        "user": {"id": user.user_id, "username": user.name, "orgId": user.org_id},
    }
