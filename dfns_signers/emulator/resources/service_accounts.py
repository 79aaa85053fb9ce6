"""``/auth/service-accounts``: machine users with a token and a key."""

from __future__ import annotations

from typing import Any

from dfns_signers.emulator.directory import User
from dfns_signers.emulator.enrolment import add_user
from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import flag, members, one_of, text
from dfns_signers.emulator.resources.access_tokens import (
    CREATE_FIELDS,
    SECONDS_PER_DAY,
    assignments_of,
    check_public_key,
    create_token,
)
from dfns_signers.emulator.resources.access_tokens import view as token_view
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import State

_CREATE = members({"name": text(), "publicKey": check_public_key}, CREATE_FIELDS)
_UPDATE = members({}, {"name": text(), "externalId": text()})


def create(call: Call) -> Answer:
    """A new service account; the only answer that shows its token."""
    body = call.body
    state = call.state
    days = body.get("daysValid")
    lifetime = None if days is None else days * SECONDS_PER_DAY
    assignments = assignments_of(state, body.get("permissionId"))
    user = add_user(state, body["name"], is_service_account=True)
    user.external_id = body.get("externalId")
    token = create_token(
        state, user, "ServiceAccount", body, lifetime=lifetime, assignments=assignments
    )
    return json_answer(
        {
            "userInfo": _user_info(state, user),
            "accessTokens": [token_view(token, with_secret=True)],
        }
    )


def list_all(call: Call) -> Answer:
    """All service accounts; this list has no pages (Dfns docs)."""
    users = [user for user in call.state.directory.users.values() if user.is_service_account]
    return json_answer({"items": [_view(call.state, user) for user in users]})


def get(call: Call) -> Answer:
    """One service account."""
    return json_answer(_view(call.state, _user(call)))


def update(call: Call) -> Answer:
    """Change the name or the external id."""
    user = _user(call)
    user.username = call.body.get("name", user.username)
    user.external_id = call.body.get("externalId", user.external_id)
    return json_answer(_view(call.state, user))


def activate(call: Call) -> Answer:
    """Let the account call again."""
    return _switched(call, is_active=True)


def deactivate(call: Call) -> Answer:
    """Let the account call no more."""
    return _switched(call, is_active=False)


def delete(call: Call) -> Answer:
    """Forget the account, its tokens and its credentials."""
    user = _user(call)
    shown = _view(call.state, user)
    call.state.directory.forget_user(user)
    return json_answer(shown)


def _user(call: Call) -> User:
    return call.state.directory.service_account(call.parameters["serviceAccountId"])


def _switched(call: Call, *, is_active: bool) -> Answer:
    user = _user(call)
    user.is_active = is_active
    return json_answer(_view(call.state, user))


def _view(state: State, user: User) -> dict[str, Any]:
    tokens = state.directory.tokens_of(user.user_id, "ServiceAccount")
    return {
        "userInfo": _user_info(state, user),
        "accessTokens": [token_view(token) for token in tokens],
    }


def _user_info(state: State, user: User) -> dict[str, Any]:
    credentials = state.directory.credentials_of(user.user_id)
    assignments = [
        assignment
        for token in state.directory.tokens_of(user.user_id, "ServiceAccount")
        for assignment in token.permission_assignments
    ]
    shown = {
        "username": user.username,
        "name": user.username,
        "userId": user.user_id,
        "kind": "CustomerEmployee",
        "credentialUuid": credentials[0].uuid if credentials else "",
        "orgId": user.org_id,
        "isActive": user.is_active,
        "isServiceAccount": True,
        "isRegistered": True,
        "dateCreated": user.date_created,
        "permissionAssignments": assignments,
    }
    return {**shown, "externalId": user.external_id} if user.external_id else shown


_PATH = "/auth/service-accounts"
_ONE = _PATH + "/{serviceAccountId}"
_FORCE = {"force": one_of("true", "false")}
ROUTES = (
    Route("POST", _PATH, create, _CREATE, entity="ServiceAccount"),
    Route("GET", _PATH, list_all),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _UPDATE, entity="ServiceAccount"),
    Route("DELETE", _ONE, delete, query=_FORCE, entity="ServiceAccount"),
    Route("PUT", f"{_ONE}/activate", activate, entity="ServiceAccount"),
    Route(
        "PUT",
        f"{_ONE}/deactivate",
        deactivate,
        members({}, {"force": flag}),
        entity="ServiceAccount",
    ),
)
