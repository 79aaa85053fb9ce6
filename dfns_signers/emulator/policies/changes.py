"""Changes that wait for approval: change requests, answered with 202 (Dfns docs)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Literal

from dfns_signers.emulator.policies.approvals import ActivityKind, begin, judge
from dfns_signers.emulator.requests.messages import Answer, Refusal, forbidden, json_answer
from dfns_signers.emulator.requests.routes import Call
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.state import Record

PENDING_CHANGE: Final = "pendingChangeRequest"
_OPERATIONS: Final = {"POST": "Create", "PUT": "Update", "DELETE": "Delete"}


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a policy, a permission or an assignment.

    Attributes:
        activity: what policies name in ``activityKind``.
        kind: what is changed, as change requests name it.
        operation: what is done to it, as change requests name it.
        entity: what is changed; it shows the change request as long as that is pending.
        body: the entity as it will be.
        apply: makes the change.
    """

    activity: ActivityKind
    kind: Literal["Policy", "Permission", "Assignment"]
    operation: Literal["Create", "Update", "Delete"]
    entity: Record
    body: Record
    apply: Callable[[], Any]


def make(call: Call, change: Change) -> Answer | None:
    """Make a change, or answer with the change request of one that policies want approved.

    Refused with 403 when a policy blocks it.
    """
    request = _request(call, change.kind, change.operation, change.entity["id"], change.body)
    reasons: list[str] = []

    def settled(status: str) -> None:
        request.update(status=status, dateResolved=iso_date(call.state.clock()))
        if change.entity.get(PENDING_CHANGE) is request:
            del change.entity[PENDING_CHANGE]

    def carry_out() -> None:
        try:
            change.apply()
        except Refusal:  # what it is about was deleted in the meantime
            settled("Failed")
        else:
            settled("Applied")

    def reject(reason: str) -> None:
        reasons.append(reason)
        settled("Rejected")

    approval_id = judge(
        call, change.activity, {"changeRequest": request}, carry_out=carry_out, reject=reject
    )
    if approval_id:
        request["approvalId"] = approval_id
        change.entity[PENDING_CHANGE] = request
        return json_answer(request, HTTPStatus.ACCEPTED)
    if reasons:
        raise forbidden("policy.blocked", f"{change.activity}: {reasons[0]}")
    change.apply()
    return None


def hold(call: Call) -> Answer:
    """The answer to a call that is carried out once `Approvals.decide` approves it."""
    entity_id = next(iter(call.parameters.values()), new_id("en"))
    operation = _OPERATIONS[call.route.method]
    request = _request(call, call.route.entity, operation, entity_id, call.body)
    approval = begin(
        call,
        {"kind": str(call.route.operation), "changeRequest": request},
        carry_out=lambda: _carry_out(call, request),
        reject=lambda _: request.update(status="Rejected"),
    )
    request["approvalId"] = approval["id"]
    return json_answer(request, HTTPStatus.ACCEPTED)


def _carry_out(call: Call, request: Record) -> None:
    try:
        call.route.handler(call)
    except Refusal:  # what it is about was changed in the meantime
        request["status"] = "Failed"
    else:
        request["status"] = "Applied"


def without_pending(record: Record) -> Record:
    """An entity as the answer to its change shows it."""
    return {name: value for name, value in record.items() if name != PENDING_CHANGE}


def _request(call: Call, kind: str, operation: str, entity_id: str, body: Record) -> Record:
    return {
        "id": new_id("cr"),
        "requester": call.requester,
        "kind": kind,
        "operationKind": operation,
        "status": "Pending",
        "entityId": entity_id,
        "dateCreated": iso_date(call.state.clock()),
        "body": body,
    }
