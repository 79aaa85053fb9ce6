"""``/v2/policies`` and ``/permissions``: enough to see a change that waits for an approval.

A change that must be approved is answered with 202 and a change request (Dfns docs). Nothing
ever approves it here, and permissions are kept and never enforced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from dfns_signers.emulator.fields import (
    any_object,
    boolean,
    integer,
    list_of,
    members,
    one_of,
    string,
    variants,
)
from dfns_signers.emulator.messages import Answer, json_answer
from dfns_signers.emulator.routes import Call, Route
from dfns_signers.emulator.state import PAGING, Collection, Record, State
from dfns_signers.emulator.wire import iso_date, new_id

_OPERATIONS: Final = {"POST": "Create", "PUT": "Update", "DELETE": "Delete"}
_APPROVAL: Final = members(
    {"approvalGroups": list_of(any_object)}, {"autoRejectTimeout": integer(1, 525_600)}
)
_POLICY: Final = members(
    {
        "name": string(),
        "activityKind": string(),
        "rule": any_object,
        "action": variants("kind", {"RequestApproval": _APPROVAL}),
    },
    {"filters": any_object},
)
_PERMISSION: Final = {"name": string(), "operations": list_of(string())}


def change_request(call: Call) -> Answer:
    """The answer to a call that changes nothing until it is approved."""
    return json_answer(
        {
            "id": new_id("cr"),
            "kind": call.route.entity,
            "operationKind": _OPERATIONS[call.route.method],
            "status": "Pending",
            "requester": call.requester,
            "entityId": next(iter(call.parameters.values()), new_id("en")),
            "approvalId": new_id("ap"),
            "dateCreated": iso_date(call.state.clock()),
            "body": call.body,
        },
        HTTPStatus.ACCEPTED,
    )


@dataclass(frozen=True, slots=True)
class _Managed:
    """The operations on policies, and likewise on permissions.

    Attributes:
        collection: where they are kept.
        prefix: of their identifiers.
        initial: members that a new one has besides those of the request.
        activity: what a policy names that asks for the approval of their changes.
    """

    collection: Callable[[State], Collection]
    prefix: str
    initial: Mapping[str, Any]
    activity: str

    def create(self, call: Call) -> Record:
        """A new one, in force at once."""
        created = {"id": new_id(self.prefix), "dateCreated": iso_date(call.state.clock())}
        return self.collection(call.state).add({**created, **self.initial, **call.body})

    def list_page(self, call: Call) -> Record:
        """A page of them."""
        status = call.query.get("status")
        return self.collection(call.state).page(
            call.query, lambda record: status in {None, record["status"]}
        )

    def get(self, call: Call) -> Record:
        """One of them."""
        (identifier,) = call.parameters.values()
        return self.collection(call.state).get(identifier)

    def update(self, call: Call) -> Record | Answer:
        """Change one, unless an active policy asks for approval."""
        return self._change(call, call.body)

    def archive(self, call: Call) -> Record | Answer:
        """Put one out of force, unless an active policy asks for approval."""
        return self._change(call, {"status": "Archived"})

    def _change(self, call: Call, change: Mapping[str, Any]) -> Record | Answer:
        (identifier,) = call.parameters.values()
        record = self.collection(call.state).get(identifier)
        if any(
            policy["activityKind"] == self.activity and policy["status"] == "Active"
            for policy in call.state.policies.all()
        ):
            return change_request(call)
        record.update(change)
        return record


_POLICIES: Final = _Managed(
    lambda state: state.policies, "plc", {"status": "Active"}, "Policies:Modify"
)
_PERMISSIONS: Final = _Managed(
    lambda state: state.permissions,
    "pm",
    {"status": "Active", "isArchived": False, "isImmutable": False},
    "Permissions:Modify",
)

_ONE_POLICY: Final = "/v2/policies/{policyId}"
_ONE_PERMISSION: Final = "/permissions/{permissionId}"
_STATUS: Final = {"status": one_of("Active", "Archived")}
_ARCHIVE: Final = members({"isArchived": boolean})
ROUTES: Final = (
    Route("POST", "/v2/policies", _POLICIES.create, _POLICY, entity="Policy"),
    Route("GET", "/v2/policies", _POLICIES.list_page, query={**PAGING, **_STATUS}),
    Route("GET", _ONE_POLICY, _POLICIES.get),
    Route("PUT", _ONE_POLICY, _POLICIES.update, _POLICY, entity="Policy"),
    Route("DELETE", _ONE_POLICY, _POLICIES.archive, entity="Policy"),
    Route("POST", "/permissions", _PERMISSIONS.create, members(_PERMISSION), entity="Permission"),
    Route("GET", "/permissions", _PERMISSIONS.list_page, query=PAGING),
    Route("GET", _ONE_PERMISSION, _PERMISSIONS.get),
    Route(
        "PUT", _ONE_PERMISSION, _PERMISSIONS.update, members({}, _PERMISSION), entity="Permission"
    ),
    Route(
        "PUT",
        f"{_ONE_PERMISSION}/archive",
        _PERMISSIONS.update,
        _ARCHIVE,
        entity="Permission",
    ),
)
