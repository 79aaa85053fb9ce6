"""``/v2/policy-approvals``: what waits for approval, and the decisions."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from dfns_signers.emulator.policies.approvals import approvals, decide
from dfns_signers.emulator.requests.fields import string, where_present
from dfns_signers.emulator.requests.messages import Refusal
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.state import PAGING, Record

_MAXIMUM_REASON: Final = 1000  # Dfns docs


def list_page(call: Call) -> Record:
    """A page of approvals: of a status, of an initiator, or for an approver."""
    return approvals(call.state).page(call.query, lambda approval: _chosen(call, approval))


def get(call: Call) -> Record:
    """One approval."""
    return approvals(call.state).get(call.parameters["approvalId"])


def create_decision(call: Call) -> Record:
    """Approve or deny; the last decision that is needed carries the activity out."""
    approval = get(call)
    pending = call.state.pending.get(approval["id"])
    if pending is None:
        raise Refusal(
            HTTPStatus.CONFLICT,
            "approval.resolved",
            f"{approval['id']} is {approval['status']}, and takes no more decisions.",
        )
    user_id, body = call.token.user.user_id, call.body
    decide(call.state, pending, user_id, body["value"], body.get("reason"))
    return approval


def _chosen(call: Call, approval: Record) -> bool:
    query = call.query
    approver = query.get("approverId")
    return (
        query.get("status") in {None, approval["status"]}
        and query.get("initiatorId") in {None, approval["initiatorId"]}
        and (approver is None or _has_approver(call, approval, approver))
    )


def _has_approver(call: Call, approval: Record, user_id: str) -> bool:
    """Whether the user has decided the approval, or may."""
    if any(decision["userId"] == user_id for decision in approval["decisions"]):
        return True
    pending = call.state.pending.get(approval["id"])
    user = call.state.directory.users.get(user_id)
    return bool(pending and user and pending.may_decide(user))


_PATH: Final = "/v2/policy-approvals"
ROUTES: Final = (
    Route("GET", _PATH, list_page, query=PAGING),
    Route("GET", f"{_PATH}/{{approvalId}}", get),
    Route(
        "POST",
        f"{_PATH}/{{approvalId}}/decisions",
        create_decision,
        where_present({"reason": string(0, _MAXIMUM_REASON)}),
        entity="ApprovalDecision",
    ),
)
