"""``/v2/policies``: what asks for approval of an activity, or blocks it."""

from __future__ import annotations

from typing import Final

from dfns_signers.emulator.policies.changes import PENDING_CHANGE, Change, make, without_pending
from dfns_signers.emulator.requests.fields import integer, string, where_present
from dfns_signers.emulator.requests.messages import Answer
from dfns_signers.emulator.requests.routes import Call, Route
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.state import PAGING, Record

MINUTES_PER_YEAR: Final = 525_600
_POLICY: Final = where_present(
    {
        "name": string(),
        "action": where_present({"autoRejectTimeout": integer(1, MINUTES_PER_YEAR)}),
    }
)


def create(call: Call) -> Record:
    """A new policy, in force at once."""
    now = iso_date(call.state.clock())
    made = {"id": new_id("plc"), "status": "Active", "dateCreated": now, "dateUpdated": now}
    return call.state.policies.add({**made, **call.body})


def list_page(call: Call) -> Record:
    """A page of policies."""
    status = call.query.get("status")
    return call.state.policies.page(call.query, lambda policy: status in {None, policy["status"]})


def get(call: Call) -> Record:
    """One policy."""
    return call.state.policies.get(call.parameters["policyId"])


def update(call: Call) -> Record | Answer:
    """Put another policy in its place, unless a policy wants that approved."""
    kept = ("id", "status", "dateCreated")
    policy = get(call)
    return _change(call, policy, {**{name: policy[name] for name in kept}, **call.body})


def archive(call: Call) -> Record | Answer:
    """Put a policy out of force, unless a policy wants that approved."""
    policy = get(call)
    return _change(call, policy, {**without_pending(policy), "status": "Archived"})


def _change(call: Call, policy: Record, changed: Record) -> Record | Answer:
    changed = {**changed, "dateUpdated": iso_date(call.state.clock())}

    def apply() -> None:
        for name in policy.keys() - changed.keys() - {PENDING_CHANGE}:
            del policy[name]
        policy.update(changed)

    change = Change("Policies:Modify", "Policy", "Update", policy, changed, apply)
    return make(call, change) or without_pending(policy)


_PATH: Final = "/v2/policies"
_ONE: Final = f"{_PATH}/{{policyId}}"
ROUTES: Final = (
    Route("POST", _PATH, create, _POLICY, entity="Policy"),
    Route("GET", _PATH, list_page, query=PAGING),
    Route("GET", _ONE, get),
    Route("PUT", _ONE, update, _POLICY, entity="Policy"),
    Route("DELETE", _ONE, archive, entity="Policy"),
)
