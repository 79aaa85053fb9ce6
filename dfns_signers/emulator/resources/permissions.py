"""``/permissions`` and their assignments to users, service accounts and tokens."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.access import permissions
from dfns_signers.emulator.policies.changes import Change, make, without_pending
from dfns_signers.emulator.requests.fields import string, where_present
from dfns_signers.emulator.requests.messages import Answer, forbidden, json_answer, not_found
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date
from dfns_signers.emulator.state import PAGING, Record

_PERMISSION: Final = where_present({"name": string()})
_CHANGED: Final = ("id", "name", "status", "operations", "isImmutable", "isArchived")
_ASSIGNED: Final = ("id", "permissionId", "identityId", "isImmutable")


def create(call: Call) -> Record:
    """A new permission, assigned to nobody."""
    return permissions.add_permission(call.state, call.body["name"], call.body["operations"])


def list_page(call: Call) -> Record:
    """A page of permissions."""
    return call.state.permissions.page(call.query)


def get(call: Call) -> Record:
    """One permission."""
    return call.state.permissions.get(call.parameters["permissionId"])


def update(call: Call) -> Record | Answer:
    """Change or archive a permission, unless a policy wants that approved."""
    permission, changed = _mutable(get(call)), call.body

    def apply() -> None:
        call.state.permissions.get(permission["id"])
        permission.update(changed, dateUpdated=iso_date(call.state.clock()))

    body = {**_named(permission, _CHANGED), **changed}
    change = Change("Permissions:Modify", "Permission", "Update", permission, body, apply)
    return make(call, change) or without_pending(permission)


def delete(call: Call) -> Record | Answer:
    """Forget a permission and its assignments, unless a policy wants that approved."""
    permission = _mutable(get(call))
    assignments = permissions.assignments(call.state)

    def apply() -> None:
        call.state.permissions.remove(permission["id"])
        for assignment in assignments.all():
            if assignment["permissionId"] == permission["id"]:
                assignments.remove(assignment["id"])

    # The declared change requests know no deletion of a permission.
    body = {**_named(permission, _CHANGED), "isArchived": True}
    change = Change("Permissions:Modify", "Permission", "Update", permission, body, apply)
    return make(call, change) or without_pending(permission)


def assign(call: Call) -> Record | Answer:
    """Assign a permission to an identity, unless a policy wants that approved."""
    identity_id = call.body["identityId"]
    directory = call.state.directory
    if identity_id not in {*directory.users, *(one.token_id for one in directory.tokens.values())}:
        raise not_found("Identity", identity_id)
    assignment = permissions.new_assignment(call.state, get(call), identity_id)
    change = Change(
        "Permissions:Assign",
        "Assignment",
        "Create",
        assignment,
        _named(assignment, _ASSIGNED),
        lambda: permissions.assignments(call.state).add(without_pending(assignment)),
    )
    return make(call, change) or assignment


def list_assignments(call: Call) -> Record:
    """A page of the assignments of a permission."""
    found = permissions.assignments(call.state)
    return found.page(call.query, permissionId=get(call)["id"])


def revoke(call: Call) -> Answer:
    """End an assignment, unless a policy wants that approved."""
    assignments = permissions.assignments(call.state)
    assignment = _mutable(
        assignments.get(call.parameters["assignmentId"], permissionId=get(call)["id"])
    )
    change = Change(
        "Permissions:Assign",
        "Assignment",
        "Delete",
        assignment,
        _named(assignment, _ASSIGNED),
        lambda: assignments.remove(assignment["id"]),
    )
    return make(call, change) or json_answer(None)


def _mutable(record: Record) -> Record:
    if record["isImmutable"]:
        raise forbidden(
            "permission.immutable", f"{record['id']} is managed, and cannot be changed."
        )
    return record


def _named(record: Record, names: tuple[str, ...]) -> Record:
    return {name: record[name] for name in names}


_PATH: Final = "/permissions"
_ONE: Final = f"{_PATH}/{{permissionId}}"
_ASSIGNMENTS: Final = f"{_ONE}/assignments"
ROUTES: Final = (
    Route("POST", _PATH, create, _PERMISSION, entity="Permission"),
    Route("GET", _PATH, list_page, query=PAGING),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _PERMISSION, entity="Permission"),
    Route("PUT", f"{_ONE}/archive", update, entity="Permission"),
    Route("DELETE", _ONE, delete, entity="Permission"),
    Route("POST", _ASSIGNMENTS, assign, entity="Assignment"),
    Route("GET", _ASSIGNMENTS, list_assignments, query=PAGING),
    Route("DELETE", f"{_ASSIGNMENTS}/{{assignmentId}}", revoke, entity="Assignment"),
)
