"""``/auth/users``: the people of the organisation."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.requests.fields import anything, members, string, where_present
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.resources.auth.managed import Managed, check_public_key, user_view
from dfns_signers.emulator.state import PAGING, Record, State


def create(call: Call) -> Record:
    """A new user, not registered and without permissions."""
    body = call.body
    user = call.state.directory.add_user(body["email"], email=body["email"], is_registered=False)
    user.external_id = body.get("externalId")
    user.is_sso_required = body.get("isSSORequired", False)
    return _view(call.state, user)


def list_page(call: Call) -> Record:
    """A page of users, of one kind if it is named; service accounts have a list of their own."""
    users = {user.user_id: user for user in _visible(call)}
    # Pages go by the order of creation, and users live in the directory: this is their index.
    index = call.state.collection("User")
    known = {entry["id"] for entry in index.all()}
    for identifier in known - users.keys():
        index.remove(identifier)
    for identifier in users:
        if identifier not in known:
            index.add({"id": identifier})
    kind = call.query.get("kind")
    page = index.page(call.query, lambda entry: kind in {None, users[entry["id"]].kind})
    return {**page, "items": [_view(call.state, users[entry["id"]]) for entry in page["items"]]}


def update(call: Call) -> Record:
    """Change whether single sign-on is required."""
    user = _USER.one(call)
    user.is_sso_required = call.body["isSSORequired"]
    return _view(call.state, user)


def _view(state: State, user: User) -> Record:
    return {**user_view(state, user), "isSSORequired": user.is_sso_required}


def _visible(call: Call) -> list[User]:
    return [user for user in call.state.directory.users.values() if not user.is_service_account]


_USER: Final[Managed[User]] = Managed(
    "User",
    _visible,
    lambda user: user.user_id,
    _view,
    lambda state, user: state.directory.forget_user(user),
)
_PATH: Final = "/auth/users"
_ONE: Final = f"{_PATH}/{{userId}}"
_NEW: Final = where_present({"email": string(), "publicKey": check_public_key})
ROUTES: Final = (
    Route("POST", _PATH, create, _NEW, entity="User"),
    Route(
        "POST",
        f"{_PATH}/invite",
        create,
        members({"email": string()}, others=anything),
        entity="User",
    ),
    Route("GET", _PATH, list_page, query=PAGING),
    Route("GET", _ONE, _USER.get),
    Route("PUT", _ONE, update, entity="User"),
    Route("DELETE", _ONE, _USER.delete, entity="User"),
    Route("PUT", f"{_ONE}/activate", _USER.activate, entity="User"),
    Route("PUT", f"{_ONE}/deactivate", _USER.deactivate, entity="User"),
)
