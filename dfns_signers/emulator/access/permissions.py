"""Who may do what: permissions, their assignments, and what end users own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from dfns_signers.emulator.access import identities
from dfns_signers.emulator.access.identities import AccessToken, Identity, User
from dfns_signers.emulator.access.required_permissions import permission_names, required_permission
from dfns_signers.emulator.requests.messages import Refusal, forbidden, not_found
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.state import Collection, Record, State
from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean
from dfns_signers.operations import Operation

FULL_ACCESS: Final = "pm-full-admin-access"
"""Id of the permission for everything, in every emulator."""
_FULL_ACCESS_NAME: Final = "ManagedFullAdminAccess"
# Lists of what an end user may own, and the query parameter that asks for those of one owner.
_OWNER_PARAMETERS: Final = {"/wallets": "ownerId", "/keys": "owner"}
# Operations that require no permission, since no name fits, and are not about the caller.
_OF_THE_ORGANISATION: Final = (
    "/auth/service-accounts/",
    "/auth/user-groups",
    "/key-stores/",
    "/tenant/",
)


def require_permission(
    state: State, token: AccessToken, operation: Operation, parameters: Mapping[str, str]
) -> None:
    """Refuse a call with 403 that nothing assigned to the caller permits.

    End users need no permission for what they own; what they do not own is not found, and what
    concerns the organisation is not for them.
    """
    needed = required_permission(operation)
    if needed in _granted(state, token):
        return
    if token.user.kind == "EndUser" and _concerns_own(state, token.user, operation, parameters):
        return
    if needed:
        raise _missing(state, token, needed)
    if token.user.kind == "EndUser" and operation.path.startswith(_OF_THE_ORGANISATION):
        raise forbidden(
            "permission.missing",
            f"User {token.user.user_id} is not authorized to perform operation ({operation}): end"
            " users may use what they own alone.",
        )


def owned_only(
    state: State, token: AccessToken, operation: Operation, query: Mapping[str, str]
) -> Mapping[str, str]:
    """The query of a call; lists show an end user without the permission only what they own."""
    parameter = _OWNER_PARAMETERS.get(operation.path)
    unlimited = required_permission(operation) in _granted(state, token)
    if token.user.kind != "EndUser" or operation.method != "GET" or not parameter or unlimited:
        return query
    return {**query, parameter: token.user.user_id}


def add_permission(state: State, name: str, operations: Sequence[str], **members: Any) -> Record:
    """A new permission; ``members`` are those in which it differs from others."""
    now = iso_date(state.clock())
    return state.permissions.add(
        {
            "id": new_id("pm"),
            "name": name,
            "operations": list(operations),
            "status": "Active",
            "isImmutable": False,
            "isArchived": False,
            "dateCreated": now,
            "dateUpdated": now,
            **members,
        }
    )


def new_assignment(state: State, permission: Record, identity_id: str) -> Record:
    """The assignment of a permission to a user or a personal access token, not in force yet."""
    now = iso_date(state.clock())
    return {
        "id": new_id("as"),
        "permissionId": permission["id"],
        "identityId": identity_id,
        "isImmutable": permission["isImmutable"],
        "dateCreated": now,
        "dateUpdated": now,
    }


def assign(state: State, permission: Record, identity_id: str) -> Record:
    """Assign a permission to a user or a personal access token."""
    return assignments(state).add(new_assignment(state, permission, identity_id))


def forget_identity(state: State, identity_id: str) -> None:
    """Forget what is assigned to a user or a token that was deleted."""
    for assignment, _ in _assigned(state, identity_id):
        assignments(state).remove(assignment["id"])


def add_identity(
    state: State,
    name: str,
    *,
    service_account: bool,
    token: str | None,
    credentials: Mapping[str, str | bytes],
    permissions: Sequence[str] | None,
) -> Identity:
    """A new user or service account that may do this; None for everything.

    Raises:
        ConfigurationError: a key, the token or a permission is not acceptable, or is in use.
    """
    known = permission_names()
    for one in permissions or ():
        if one not in known:
            hint = did_you_mean(one, known)
            raise ConfigurationError(f"{one} is not a permission of the Dfns API{hint}")
    added = identities.add_identity(
        state.directory,
        name,
        service_account=service_account,
        token=token,
        credentials=credentials,
    )
    if permissions is None:
        assign(state, state.permissions.get(FULL_ACCESS), added.user_id)
    else:
        assign(state, add_permission(state, f"Permissions of {name}", permissions), added.user_id)
    return added


def assignments(state: State) -> Collection:
    """Every assignment."""
    return state.collection("Assignment")


def assignments_of(state: State, identity_id: str) -> list[dict[str, Any]]:
    """What is assigned to a user or a personal access token, as users and tokens show it."""
    return [
        {
            "permissionId": permission["id"],
            "permissionName": permission["name"],
            "assignmentId": assignment["id"],
            "operations": permission["operations"],
        }
        for assignment, permission in _assigned(state, identity_id)
    ]


def _assigned(state: State, identity_id: str) -> list[tuple[Record, Record]]:
    return [
        (assignment, state.permissions.get(assignment["permissionId"]))
        for assignment in assignments(state).all()
        if assignment["identityId"] == identity_id
    ]


def _granted(state: State, token: AccessToken) -> set[str]:
    """The operations that the caller may perform; a token may no more than its user."""
    granted = _operations(state, token.user.user_id)
    return granted & _operations(state, token.token_id) if token.kind == "Pat" else granted


def _operations(state: State, identity_id: str) -> set[str]:
    return {
        operation
        for _, permission in _assigned(state, identity_id)
        if not permission["isArchived"]
        for operation in permission["operations"]
    }


def add_full_access(state: State) -> Record:
    """The managed permission for everything."""
    names = permission_names()
    return add_permission(state, _FULL_ACCESS_NAME, names, id=FULL_ACCESS, isImmutable=True)


def _concerns_own(
    state: State, user: User, operation: Operation, parameters: Mapping[str, str]
) -> bool:
    """Whether the call is about what the user owns, or makes or lists such things."""
    if operation.path in _OWNER_PARAMETERS:
        return True
    for noun, name in (("Wallet", "walletId"), ("Key", "keyId")):
        if name in parameters:
            _require_owner(state, noun, parameters[name], user.user_id)
            return True
    return False


def _require_owner(state: State, noun: str, identifier: str, user_id: str) -> None:
    if noun == "Wallet":
        owner = state.wallets.get(identifier)["signingKey"].get("delegatedTo")
    else:
        owner = state.held_keys[state.keys.get(identifier)["id"]].owner_id
    if owner != user_id:
        raise not_found(noun, identifier)


def _missing(state: State, token: AccessToken, needed: str) -> Refusal:
    user = token.user
    kind = "ServiceAccount" if user.is_service_account else "User"
    caller = f"{kind} {user.user_id}"
    lacking = caller
    if token.kind == "Pat":
        caller = f"Pat {token.token_id}"
        user_may = needed in _operations(state, user.user_id)
        lacking = caller if user_may else f"its user {user.user_id}"
    return forbidden(
        "permission.missing",
        f"{caller} is not authorized to perform operation ({needed}): no permission with this"
        f" operation is assigned to {lacking}.",
        permission=needed,
    )
