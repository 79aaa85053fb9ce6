"""``/auth/service-accounts``: callers that are not people, and their keys."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.requests.fields import members, string, where_present
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.resources.auth.managed import (
    CHANGE,
    NEW_TOKEN,
    Managed,
    add_token,
    check_public_key,
    named_permission,
    token_view,
    user_view,
)
from dfns_signers.emulator.state import Record, State


def create(call: Call) -> Record:
    """A new service account; the only answer that shows its token."""
    permission = named_permission(call)
    user = call.state.directory.add_user(call.body["name"], is_service_account=True)
    user.external_id = call.body.get("externalId")
    token = add_token(call, user, "ServiceAccount", permission)
    shown = _view(call.state, user)
    shown["accessTokens"][0]["accessToken"] = token.value
    return shown


def add_credential(call: Call) -> Record:
    """A further key of the caller."""
    body = call.body
    credential = call.state.directory.add_credential(
        call.token.holder, body["publicKey"], body.get("name", "Key")
    )
    return {
        "credentialId": credential.credential_id,
        "credentialUuid": credential.uuid,
        "kind": credential.kind,
        "name": credential.name,
        "publicKey": credential.pem,
        "dateCreated": credential.date_created,
        "isActive": credential.is_active,
    }


def delete_credential(call: Call) -> Record:
    """Forget a key of the caller."""
    directory = call.state.directory
    uuid = call.parameters["credentialUuid"]
    credential = directory.credential_by_uuid(uuid, call.token.holder)
    del directory.credentials[credential.credential_id]
    return {}


def _view(state: State, user: User) -> Record:
    tokens = state.directory.tokens_of(user.user_id, "ServiceAccount")
    return {
        "userInfo": user_view(state, user),
        "accessTokens": [token_view(state, token) for token in tokens],
    }


def _visible(call: Call) -> list[User]:
    return [user for user in call.state.directory.users.values() if user.is_service_account]


_ACCOUNT: Final[Managed[User]] = Managed(
    "Service account",
    _visible,
    lambda user: user.user_id,
    _view,
    lambda state, user: state.directory.forget_user(user),
)
_PATH: Final = "/auth/service-accounts"
_ONE: Final = f"{_PATH}/{{serviceAccountId}}"
_CREDENTIALS: Final = f"{_PATH}/credentials"
_NEW_KEY: Final = members({"publicKey": check_public_key}, {"name": string()})
ROUTES: Final = (
    Route("POST", _PATH, create, where_present(NEW_TOKEN), entity="ServiceAccount"),
    Route("GET", _PATH, _ACCOUNT.list_all),
    Route("GET", _ONE, _ACCOUNT.get),
    Route("PUT", _ONE, _ACCOUNT.update, where_present(CHANGE), entity="ServiceAccount"),
    Route("DELETE", _ONE, _ACCOUNT.delete, entity="ServiceAccount"),
    Route("PUT", f"{_ONE}/activate", _ACCOUNT.activate, entity="ServiceAccount"),
    Route("PUT", f"{_ONE}/deactivate", _ACCOUNT.deactivate, entity="ServiceAccount"),
    Route("POST", _CREDENTIALS, add_credential, _NEW_KEY, entity="Credential"),
    Route("DELETE", f"{_CREDENTIALS}/{{credentialUuid}}", delete_credential, entity="Credential"),
)
