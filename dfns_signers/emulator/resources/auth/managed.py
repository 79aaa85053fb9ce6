"""What is done alike to users, service accounts and personal access tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from dfns_signers.emulator.access import permissions
from dfns_signers.emulator.access.identities import AccessToken, TokenKind, User
from dfns_signers.emulator.credentials.signatures import load_public_key
from dfns_signers.emulator.requests.fields import Check, integer, string
from dfns_signers.emulator.requests.messages import bad_request, not_found
from dfns_signers.emulator.requests.routes import Call
from dfns_signers.emulator.state import Record, State

Entity = TypeVar("Entity", User, AccessToken)

SECONDS_PER_DAY: Final = 86_400
MAXIMUM_DAYS: Final = 730  # Dfns docs


def check_public_key(where: str, value: Any) -> None:
    """The PEM text of a public key of a kind that Dfns takes."""
    string()(where, value)
    try:
        load_public_key(value)
    except ValueError as error:
        raise bad_request("publicKey", f"{where}: {error}.", field=where) from None


NEW_TOKEN: Final[Mapping[str, Check]] = {
    "name": string(),
    "publicKey": check_public_key,
    "permissionId": string(),
    "externalId": string(),
    "daysValid": integer(1, MAXIMUM_DAYS),
}
CHANGE: Final[Mapping[str, Check]] = {"name": string(), "externalId": string()}


@dataclass(frozen=True, slots=True)
class Managed(Generic[Entity]):
    """What can be done with an existing user, and likewise with a token.

    Attributes:
        noun: what one of them is called in messages.
        visible: those that the caller may see.
        identifier: the id that paths name one by.
        view: one as it is sent.
        forget: removes one with all that belongs to it.
    """

    noun: str
    visible: Callable[[Call], Sequence[Entity]]
    identifier: Callable[[Entity], str]
    view: Callable[[State, Entity], Record]
    forget: Callable[[State, Entity], None]

    def list_all(self, call: Call) -> Record:
        """All of them; this list has no pages (Dfns docs)."""
        return {"items": [self.view(call.state, one) for one in self.visible(call)]}

    def get(self, call: Call) -> Record:
        """One of them."""
        return self.view(call.state, self.one(call))

    def update(self, call: Call) -> Record:
        """Change the name or the external id."""
        one = self.one(call)
        one.name = call.body.get("name", one.name)
        one.external_id = call.body.get("externalId", one.external_id)
        return self.view(call.state, one)

    def activate(self, call: Call) -> Record:
        """Accept its token again."""
        return self._switched(call, is_active=True)

    def deactivate(self, call: Call) -> Record:
        """Refuse its token until it is activated."""
        return self._switched(call, is_active=False)

    def delete(self, call: Call) -> Record:
        """Forget it with its tokens, credentials and assignments."""
        one = self.one(call)
        answer = self.view(call.state, one)
        self.forget(call.state, one)
        permissions.forget_identity(call.state, self.identifier(one))
        return answer

    def one(self, call: Call) -> Entity:
        """The one that the path names; refused with 404 if there is none."""
        (identifier,) = call.parameters.values()
        for one in self.visible(call):
            if self.identifier(one) == identifier:
                return one
        raise not_found(self.noun, identifier)

    def _switched(self, call: Call, *, is_active: bool) -> Record:
        one = self.one(call)
        one.is_active = is_active
        return self.view(call.state, one)


def named_permission(call: Call) -> Record | None:
    """The permission that a new token begins with; refused with 404 if there is none."""
    identifier = call.body.get("permissionId")
    return call.state.permissions.get(identifier) if identifier else None


def add_token(call: Call, user: User, kind: TokenKind, permission: Record | None) -> AccessToken:
    """A token with a credential of the public key in the body, and its permission assigned."""
    state, body = call.state, call.body
    lifetime = body.get("secondsValid")
    if "daysValid" in body:
        lifetime = body["daysValid"] * SECONDS_PER_DAY
    token = state.directory.add_token(user, kind, body["name"], lifetime=lifetime)
    token.credential = state.directory.add_credential(
        token.holder, body["publicKey"], f"Key of {body['name']}"
    )
    token.external_id = body.get("externalId")
    if permission:
        permissions.assign(state, permission, token.holder)
    return token


def token_view(state: State, token: AccessToken) -> Record:
    """A token as it is sent, without its text."""
    held = state.directory.credentials_of(token.holder)
    credential = token.credential or next(iter(held), None)
    return {
        "tokenId": token.token_id,
        "kind": token.kind,
        "name": token.name,
        "orgId": token.user.org_id,
        "linkedUserId": token.user.user_id,
        "linkedAppId": "",
        "isActive": token.is_active,
        "dateCreated": token.date_created,
        "credId": credential.credential_id if credential else "",
        "publicKey": credential.pem if credential else "",
        "permissionAssignments": permissions.assignments_of(state, token.holder),
    }


def user_view(state: State, user: User) -> dict[str, Any]:
    """A user or a service account as it is sent."""
    credentials = state.directory.credentials_of(user.user_id)
    return {
        "username": user.email or user.name,
        "name": user.name,
        "userId": user.user_id,
        "kind": user.kind,
        "credentialUuid": credentials[0].uuid if credentials else "",
        "orgId": user.org_id,
        "isActive": user.is_active,
        "isServiceAccount": user.is_service_account,
        "isRegistered": user.is_registered,
        "permissionAssignments": permissions.assignments_of(state, user.user_id),
    }
