"""202: the change waits for an approval (Dfns docs). Nothing ever approves it here."""

from __future__ import annotations

from http import HTTPStatus

from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.identifiers import iso_date, new_id
from dfns_signers.emulator.routes import Call

_OPERATIONS = {"POST": "Create", "PUT": "Update", "DELETE": "Delete"}


def change_request(call: Call, method: str, entity: str) -> Answer:
    """The answer to a call that changes nothing until somebody approves."""
    return json_answer(
        {
            "id": new_id("cr"),
            "kind": entity,
            "operationKind": _OPERATIONS[method],
            "status": "Pending",
            "requester": {"userId": call.token.user.user_id, "tokenId": call.token.token_id},
            "entityId": next(iter(call.parameters.values()), new_id("en")),
            "approvalId": new_id("ap"),
            "dateCreated": iso_date(call.state.clock()),
            "body": call.body,
        },
        HTTPStatus.ACCEPTED,
    )


def awaits_approval(call: Call, activity: str) -> bool:
    """Whether an active policy asks for approval of this activity."""
    return any(
        policy["activityKind"] == activity and policy["status"] == "Active"
        for policy in call.state.policies.all()
    )
