"""``/auth/recover``: users replace their credentials with the help of a recovery key."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dfns_signers.emulator.access.authorization import require_service_account
from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.credentials.client_data import decoded, read_client_data
from dfns_signers.emulator.credentials.verification import (
    ASSERTION,
    check_signature,
    find_credential,
)
from dfns_signers.emulator.requests.fields import where_present
from dfns_signers.emulator.requests.messages import bad_request
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import canonical_json, from_base64url, parse_json
from dfns_signers.emulator.resources.auth.challenges import temporary_challenge
from dfns_signers.emulator.resources.auth.login import known_user
from dfns_signers.emulator.resources.auth.new_credentials import (
    NEW_CREDENTIALS,
    register_credentials,
)
from dfns_signers.emulator.state import Record

_RECOVER: Final = where_present(
    {
        "recovery": where_present({"credentialAssertion": ASSERTION}),
        "newCredentials": NEW_CREDENTIALS,
    }
)


def init_delegated(call: Call) -> Record:
    """Issue the challenge of a recovery for a user whom the caller has authenticated."""
    require_service_account(call.token, "Auth:Recover:Delegated")
    return _challenge(call, call.state.directory.user_named(call.body["username"]))


def init(call: Call) -> Record:
    """Issue the challenge of a recovery, in exchange for the code that was sent."""
    user = known_user(call)
    call.state.mail.redeem("recovery", user.name, call.body["verificationCode"])
    return _challenge(call, user)


def send_code(call: Call) -> Record:
    """Send a user the code that a recovery begins with."""
    call.state.mail.send("recovery", known_user(call).name)
    return {"message": "success"}


def recover(call: Call) -> Record:
    """Register new credentials; the old ones and personal access tokens are refused afterwards."""
    directory, user = call.state.directory, call.token.user
    old = directory.credentials_of(user.user_id)
    _check_recovery_key(call, user)
    answer = register_credentials(call, call.body["newCredentials"], "newCredentials.")
    for credential in old:
        credential.is_active = False
    for token in directory.tokens_of(user.user_id, "Pat"):
        token.is_active = False
    return answer


def _challenge(call: Call, user: User) -> Record:
    credential = find_credential(
        call.state.directory, user.user_id, call.body["credentialId"], "RecoveryKey"
    )
    allowed = {
        "id": credential.credential_id,
        "encryptedRecoveryKey": credential.encrypted_private_key or "",
    }
    options = temporary_challenge(call.state, user, "Recovery")
    return {**options, "allowedRecoveryCredentials": [allowed]}


def _check_recovery_key(call: Call, user: User) -> None:
    """Refuse new credentials that no recovery key of the user has signed.

    The challenge that it signs is base64url of the JSON of the new credentials (Dfns docs, "User
    Recovery").
    """
    where = "recovery.credentialAssertion"
    assertion = call.body["recovery"]["credentialAssertion"]
    directory = call.state.directory
    credential = find_credential(directory, user.user_id, assertion["credId"], "RecoveryKey")
    client_data = decoded(f"{where}.clientData", assertion["clientData"])
    content = read_client_data(f"{where}.clientData", client_data, "key.get")
    if not _is_of(content.get("challenge"), call.body["newCredentials"]):
        raise bad_request(
            "clientData.challenge",
            f"The challenge in {where}.clientData must be base64url of the JSON of newCredentials.",
        )
    check_signature(where, credential, assertion, client_data)


def _is_of(challenge: Any, new_credentials: Mapping[str, Any]) -> bool:
    try:
        signed = parse_json(from_base64url(challenge))
    except (ValueError, AttributeError):
        return False
    return canonical_json(signed) == canonical_json(new_credentials)


_PATH: Final = "/auth/recover/user"
ROUTES: Final = (
    Route("POST", f"{_PATH}/delegated", init_delegated, entity="User"),
    Route("POST", f"{_PATH}/init", init, access="open"),
    Route("POST", f"{_PATH}/code", send_code, access="open"),
    Route("POST", _PATH, recover, _RECOVER, access="recovery"),
)
