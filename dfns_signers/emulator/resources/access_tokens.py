"""What service accounts and personal access tokens have in common: a token with its own key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dfns_signers.emulator.directory import AccessToken, TokenKind, User
from dfns_signers.emulator.enrolment import add_credential, add_token
from dfns_signers.emulator.fields import Check, integer, text
from dfns_signers.emulator.identifiers import new_id
from dfns_signers.emulator.public_keys import load_public_key
from dfns_signers.emulator.refusals import bad_request
from dfns_signers.emulator.state import State

SECONDS_PER_DAY = 86_400
MAXIMUM_DAYS = 730  # Dfns docs

CREATE_FIELDS: Mapping[str, Check] = {
    "permissionId": text(),
    "externalId": text(),
    "daysValid": integer(1, MAXIMUM_DAYS),
}


def create_token(
    state: State,
    user: User,
    kind: TokenKind,
    body: dict[str, Any],
    *,
    lifetime: float | None,
    assignments: Sequence[Mapping[str, Any]],
) -> AccessToken:
    """A token with a credential of the public key in the body."""
    token = add_token(state, user, kind, name=body["name"], lifetime=lifetime)
    token.credential = add_credential(
        state, token.holder, body["publicKey"], name=f"Key of {body['name']}"
    )
    token.external_id = body.get("externalId")
    token.permission_assignments = assignments
    return token


def assignments_of(state: State, permission_id: str | None) -> list[dict[str, Any]]:
    """The permission assignments that a new token begins with; refused with 404 if unknown."""
    if permission_id is None:
        return []
    permission = state.permissions.get(permission_id)
    return [
        {
            "permissionId": permission_id,
            "permissionName": permission["name"],
            "assignmentId": new_id("as"),
        }
    ]


def check_public_key(where: str, value: Any) -> None:
    """The field check of ``publicKey``: PEM, and of a kind that Dfns accepts."""
    if not isinstance(value, str):
        raise bad_request("publicKey", f"{where} must be a string.", field=where)
    try:
        load_public_key(value)
    except ValueError as error:
        raise bad_request("publicKey", f"{where}: {error}.", field=where) from None


def view(token: AccessToken, *, with_secret: bool = False) -> dict[str, Any]:
    """A token as it is sent; its text only in the answer that creates it (Dfns docs)."""
    shown: dict[str, Any] = {
        "tokenId": token.token_id,
        "kind": token.kind,
        "name": token.name,
        "orgId": token.user.org_id,
        "linkedUserId": token.user.user_id,
        "linkedAppId": "",
        "isActive": token.is_active,
        "dateCreated": token.date_created,
        "permissionAssignments": list(token.permission_assignments),
    }
    if token.credential:
        shown["credId"] = token.credential.credential_id
        shown["publicKey"] = token.credential.pem
    if token.external_id:
        shown["externalId"] = token.external_id
    if with_secret:
        shown["accessToken"] = token.value
    return shown
