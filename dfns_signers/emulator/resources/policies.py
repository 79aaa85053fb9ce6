"""``/v2/policies``: enough to see a change that waits for an approval."""

from __future__ import annotations

from dfns_signers.emulator.collection import PAGING, Record
from dfns_signers.emulator.exchange import Answer, json_answer
from dfns_signers.emulator.fields import (
    any_object,
    integer,
    list_of,
    members,
    one_of,
    text,
    variants,
)
from dfns_signers.emulator.identifiers import iso_date, new_id
from dfns_signers.emulator.resources.change_requests import awaits_approval, change_request
from dfns_signers.emulator.routes import Call, Route

_ACTIVITY = "Policies:Modify"
_APPROVAL = members(
    {"approvalGroups": list_of(any_object)}, {"autoRejectTimeout": integer(1, 525_600)}
)
_BODY = members(
    {
        "name": text(),
        "activityKind": text(),
        "rule": any_object,
        "action": variants("kind", {"RequestApproval": _APPROVAL}),
    },
    {"filters": any_object},
)


def create(call: Call) -> Answer:
    """A new policy, in force at once."""
    policy: Record = {
        "id": new_id("plc"),
        "status": "Active",
        "dateCreated": iso_date(call.state.clock()),
        **call.body,
    }
    return json_answer(call.state.policies.add(policy))


def list_page(call: Call) -> Answer:
    """A page of policies."""
    status = call.query.get("status")

    def chosen(policy: Record) -> bool:
        return status in {None, policy["status"]}

    return json_answer(call.state.policies.page(call.query, chosen))


def get(call: Call) -> Answer:
    """One policy."""
    return json_answer(call.state.policies.get(call.parameters["policyId"]))


def update(call: Call) -> Answer:
    """Replace a policy, unless a policy on changes of policies asks for approval."""
    policy = call.state.policies.get(call.parameters["policyId"])
    if awaits_approval(call, _ACTIVITY):
        return change_request(call, "PUT", "Policy")
    policy.update(call.body)
    return json_answer(policy)


def archive(call: Call) -> Answer:
    """Put a policy out of force, unless a policy on changes of policies asks for approval."""
    policy = call.state.policies.get(call.parameters["policyId"])
    if awaits_approval(call, _ACTIVITY):
        return change_request(call, "DELETE", "Policy")
    policy["status"] = "Archived"
    return json_answer(policy)


_ONE = "/v2/policies/{policyId}"
_STATUS = {"status": one_of("Active", "Archived")}
ROUTES = (
    Route("POST", "/v2/policies", create, _BODY, entity="Policy"),
    Route("GET", "/v2/policies", list_page, query={**PAGING, **_STATUS}),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _BODY, entity="Policy"),
    Route("DELETE", _ONE, archive, entity="Policy"),
)
