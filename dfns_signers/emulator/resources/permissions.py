"""``/permissions``: enough to see a change that waits for an approval.

Permissions are kept and never enforced.
"""

from __future__ import annotations

from dfns_signers.emulator.collection import PAGING, Record
from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import flag, list_of, members, text
from dfns_signers.emulator.identifiers import iso_date, new_id
from dfns_signers.emulator.resources.change_requests import awaits_approval, change_request
from dfns_signers.emulator.routes import Call, Route

_ACTIVITY = "Permissions:Modify"
_CREATE = members({"name": text(), "operations": list_of(text())})
_UPDATE = members({}, {"name": text(), "operations": list_of(text())})


def create(call: Call) -> Answer:
    """A new permission."""
    permission: Record = {
        "id": new_id("pm"),
        "status": "Active",
        "isArchived": False,
        "isImmutable": False,
        "dateCreated": iso_date(call.state.clock()),
        **call.body,
    }
    return json_answer(call.state.permissions.add(permission))


def list_page(call: Call) -> Answer:
    """A page of permissions."""
    return json_answer(call.state.permissions.page(call.query))


def get(call: Call) -> Answer:
    """One permission."""
    return json_answer(call.state.permissions.get(call.parameters["permissionId"]))


def change(call: Call) -> Answer:
    """Change or archive, unless a policy on changes of permissions asks for approval."""
    permission = call.state.permissions.get(call.parameters["permissionId"])
    if awaits_approval(call, _ACTIVITY):
        return change_request(call, "PUT", "Permission")
    permission.update(call.body)
    return json_answer(permission)


_ONE = "/permissions/{permissionId}"
ROUTES = (
    Route("POST", "/permissions", create, _CREATE, entity="Permission"),
    Route("GET", "/permissions", list_page, query=PAGING),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, change, _UPDATE, entity="Permission"),
    Route("PUT", f"{_ONE}/archive", change, members({"isArchived": flag}), entity="Permission"),
)
