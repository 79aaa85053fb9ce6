"""``/auth/service-accounts`` and ``/auth/pats``: callers with a token and a key of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from dfns_signers.emulator.fields import Check, boolean, integer, members, one_of, string
from dfns_signers.emulator.identities import AccessToken, Directory, TokenKind, User
from dfns_signers.emulator.messages import bad_request, not_found
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.signatures import load_public_key
from dfns_signers.emulator.state import Record, State
from dfns_signers.emulator.wire import new_id

Entity = TypeVar("Entity", User, AccessToken)

SECONDS_PER_DAY: Final = 86_400
MAXIMUM_DAYS: Final = 730  # Dfns docs


def _check_public_key(where: str, value: Any) -> None:
    if not isinstance(value, str):
        raise bad_request("publicKey", f"{where} must be a string.", field=where)
    try:
        load_public_key(value)
    except ValueError as error:
        raise bad_request("publicKey", f"{where}: {error}.", field=where) from None


_REQUIRED: Final = {"name": string(), "publicKey": _check_public_key}
_OPTIONAL: Final[Mapping[str, Check]] = {
    "permissionId": string(),
    "externalId": string(),
    "daysValid": integer(1, MAXIMUM_DAYS),
}
_CREATE_ACCOUNT: Final = members(_REQUIRED, _OPTIONAL)
_CREATE_TOKEN: Final = members(
    _REQUIRED, {**_OPTIONAL, "secondsValid": integer(1, MAXIMUM_DAYS * SECONDS_PER_DAY)}
)
_UPDATE: Final = members({}, {"name": string(), "externalId": string()})


def create_account(call: Call) -> Record:
    """A new service account; the only answer that shows its token."""
    directory = call.state.directory
    assignments = _assignments(call.state, call.body)
    user = directory.add_user(call.body["name"], is_service_account=True)
    user.external_id = call.body.get("externalId")
    token = _add_token(call, user, "ServiceAccount", assignments)
    shown = [_token_view(directory, token, with_secret=True)]
    return {"userInfo": _user_info(directory, user), "accessTokens": shown}


def create_token(call: Call) -> Record:
    """A new personal access token; the only answer that shows its text."""
    if "daysValid" in call.body and "secondsValid" in call.body:
        raise bad_request(
            "field.exclusive", "daysValid and secondsValid exclude each other.", field="daysValid"
        )
    assignments = _assignments(call.state, call.body)
    token = _add_token(call, call.token.user, "Pat", assignments)
    return _token_view(call.state.directory, token, with_secret=True)


def _assignments(state: State, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The permission assignments that a new token begins with; refused with 404 if unknown."""
    if "permissionId" not in body:
        return []
    permission = state.permissions.get(body["permissionId"])
    return [
        {
            "permissionId": permission["id"],
            "permissionName": permission["name"],
            "assignmentId": new_id("as"),
        }
    ]


def _add_token(
    call: Call, user: User, kind: TokenKind, assignments: list[dict[str, Any]]
) -> AccessToken:
    """A token with a credential of the public key in the body."""
    directory, body = call.state.directory, call.body
    lifetime = body.get("secondsValid")
    if "daysValid" in body:
        lifetime = body["daysValid"] * SECONDS_PER_DAY
    token = directory.add_token(user, kind, body["name"], lifetime=lifetime)
    token.credential = directory.add_credential(
        token.holder, body["publicKey"], f"Key of {body['name']}"
    )
    token.external_id = body.get("externalId")
    token.permission_assignments = assignments
    return token


@dataclass(frozen=True, slots=True)
class _Managed(Generic[Entity]):
    """What can be done with an existing service account, and likewise with a token.

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
    view: Callable[[Directory, Entity], dict[str, Any]]
    forget: Callable[[Directory, Entity], None]

    def list_all(self, call: Call) -> Record:
        """All of them; this list has no pages (Dfns docs)."""
        items = [self.view(call.state.directory, one) for one in self.visible(call)]
        return {"items": items}

    def get(self, call: Call) -> Record:
        """One of them."""
        return self._shown(call, self._one(call))

    def update(self, call: Call) -> Record:
        """Change the name or the external id."""
        one = self._one(call)
        one.name = call.body.get("name", one.name)
        one.external_id = call.body.get("externalId", one.external_id)
        return self._shown(call, one)

    def activate(self, call: Call) -> Record:
        """Accept its token again."""
        one = self._one(call)
        one.is_active = True
        return self._shown(call, one)

    def deactivate(self, call: Call) -> Record:
        """Refuse its token until it is activated."""
        one = self._one(call)
        one.is_active = False
        return self._shown(call, one)

    def delete(self, call: Call) -> Record:
        """Forget it with its tokens and credentials."""
        one = self._one(call)
        answer = self._shown(call, one)
        self.forget(call.state.directory, one)
        return answer

    def _one(self, call: Call) -> Entity:
        (identifier,) = call.parameters.values()
        for one in self.visible(call):
            if self.identifier(one) == identifier:
                return one
        raise not_found(self.noun, identifier)

    def _shown(self, call: Call, one: Entity) -> Record:
        return self.view(call.state.directory, one)


def _token_view(
    _directory: Directory, token: AccessToken, *, with_secret: bool = False
) -> dict[str, Any]:
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


def _account_view(directory: Directory, user: User) -> dict[str, Any]:
    tokens = directory.tokens_of(user.user_id, "ServiceAccount")
    return {
        "userInfo": _user_info(directory, user),
        "accessTokens": [_token_view(directory, token) for token in tokens],
    }


def _user_info(directory: Directory, user: User) -> dict[str, Any]:
    credentials = directory.credentials_of(user.user_id)
    assignments = [
        assignment
        for token in directory.tokens_of(user.user_id, "ServiceAccount")
        for assignment in token.permission_assignments
    ]
    shown = {
        "username": user.name,
        "name": user.name,
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


def _accounts(call: Call) -> list[User]:
    return [user for user in call.state.directory.users.values() if user.is_service_account]


def _own_tokens(call: Call) -> list[AccessToken]:
    return call.state.directory.tokens_of(call.token.user.user_id, "Pat")


_ACCOUNT: Final[_Managed[User]] = _Managed(
    "Service account", _accounts, lambda user: user.user_id, _account_view, Directory.forget_user
)
_TOKEN: Final[_Managed[AccessToken]] = _Managed(
    "Personal access token",
    _own_tokens,
    lambda token: token.token_id,
    _token_view,
    Directory.forget_token,
)

_ACCOUNTS: Final = "/auth/service-accounts"
_ONE_ACCOUNT: Final = f"{_ACCOUNTS}/{{serviceAccountId}}"
_FORCE_QUERY: Final = {"force": one_of("true", "false")}
_FORCE: Final = members({}, {"force": boolean})
_TOKENS: Final = "/auth/pats"
_ONE_TOKEN: Final = f"{_TOKENS}/{{tokenId}}"
ROUTES: Final = (
    Route("POST", _ACCOUNTS, create_account, _CREATE_ACCOUNT, entity="ServiceAccount"),
    Route("GET", _ACCOUNTS, _ACCOUNT.list_all),
    Route("GET", _ONE_ACCOUNT, _ACCOUNT.get),
    Route("PUT", _ONE_ACCOUNT, _ACCOUNT.update, _UPDATE, entity="ServiceAccount"),
    Route("DELETE", _ONE_ACCOUNT, _ACCOUNT.delete, query=_FORCE_QUERY, entity="ServiceAccount"),
    Route("PUT", f"{_ONE_ACCOUNT}/activate", _ACCOUNT.activate, entity="ServiceAccount"),
    Route(
        "PUT", f"{_ONE_ACCOUNT}/deactivate", _ACCOUNT.deactivate, _FORCE, entity="ServiceAccount"
    ),
    Route(
        "POST",
        _TOKENS,
        create_token,
        _CREATE_TOKEN,
        entity="Pat",
        session_operation="Auth:Pats:Create",
    ),
    Route("GET", _TOKENS, _TOKEN.list_all),
    Route("GET", _ONE_TOKEN, _TOKEN.get),
    Route("PUT", _ONE_TOKEN, _TOKEN.update, _UPDATE, entity="Pat"),
    Route("DELETE", _ONE_TOKEN, _TOKEN.delete, entity="Pat"),
    Route("PUT", f"{_ONE_TOKEN}/activate", _TOKEN.activate, entity="Pat"),
    Route("PUT", f"{_ONE_TOKEN}/deactivate", _TOKEN.deactivate, entity="Pat"),
)
