"""Approvals that policies ask for: who decides them, and what a decision does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import ConfigurationError
from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock
from tests.emulator.keys import pem, private_key
from tests.emulator.policy_bodies import approval_by, policy

APPROVALS = "/v2/policy-approvals"
KEY = private_key("p256", 5)


def permission(caller: Caller) -> str:
    """The path of a permission named "old"."""
    made = caller.create("/permissions", {"name": "old", "operations": []})
    return f"/permissions/{made['id']}"


def asked(caller: Caller, *groups: dict[str, Any], timeout: int | None = None) -> dict[str, Any]:
    """The approval of a change of a permission, which these groups must approve."""
    target = permission(caller)
    rule = policy("Permissions:Modify", action=approval_by(*groups, timeout=timeout))
    made = caller.create("/v2/policies", rule)
    change = answered(caller.call("PUT", target, {"name": "new"}), status=202)
    approval = answered(caller.get(f"{APPROVALS}/{change['approvalId']}"))
    assert [one["policyId"] for one in approval["policyEvaluations"]] == [made["id"]]
    return approval


def decide(caller: Caller, approval: dict[str, Any], value: str = "Approved") -> Any:
    return caller.call("POST", f"{APPROVALS}/{approval['id']}/decisions", {"value": value})


def name(caller: Caller, approval: dict[str, Any]) -> str:
    """The name of the permission that the approval is about."""
    identifier = approval["activity"]["changeRequest"]["entityId"]
    found: str = answered(caller.get(f"/permissions/{identifier}"))["name"]
    return found


@pytest.fixture
def robot(emulator: Emulator) -> Iterator[Caller]:
    identity = emulator.add_identity(
        "robot", service_account=True, credentials={"cr-robot": pem(KEY)}
    )
    with Caller(emulator.url, identity.token, "cr-robot", KEY) as calling:
        yield calling


def test_approval_shows_who_asked_for_what(caller: Caller, emulator: Emulator) -> None:
    approval = asked(caller, {})

    assert approval["status"] == "Pending"
    assert approval["initiatorId"] == emulator.user_id
    assert approval["activity"]["kind"] == "Permissions:Modify"
    assert approval["activity"]["changeRequest"]["body"]["name"] == "new"
    assert approval["policyEvaluations"][0]["triggered"]
    assert approval["decisions"] == []
    assert "expirationDate" not in approval


def test_approval_by_another_user_carries_the_change_out(caller: Caller, stranger: Caller) -> None:
    approval = asked(caller, {})
    assert name(caller, approval) == "old"

    decided = answered(decide(stranger, approval))

    assert decided["status"] == "Approved"
    assert decided["activity"]["changeRequest"]["status"] == "Applied"
    assert name(caller, approval) == "new"


def test_decision_is_shown_with_its_reason(caller: Caller, stranger: Caller) -> None:
    approval = asked(caller, {"quorum": 2})

    body = {"value": "Denied", "reason": "too late"}
    decided = stranger.create(f"{APPROVALS}/{approval['id']}/decisions", body)

    (decision,) = decided["decisions"]
    assert (decision["value"], decision["reason"]) == ("Denied", "too late")


def test_one_denial_rejects_the_change(caller: Caller, stranger: Caller) -> None:
    approval = asked(caller, {"quorum": 2})

    decided = answered(decide(stranger, approval, "Denied"))

    assert decided["status"] == "Denied"
    assert decided["activity"]["changeRequest"]["status"] == "Rejected"
    assert name(caller, approval) == "old"


def test_approval_waits_for_the_quorum(caller: Caller, stranger: Caller) -> None:
    approval = asked(caller, {"quorum": 2, "initiatorCanApprove": True})

    assert answered(decide(stranger, approval))["status"] == "Pending"
    assert answered(decide(caller, approval))["status"] == "Approved"


def test_approval_waits_for_every_group_of_every_policy(
    caller: Caller, stranger: Caller, emulator: Emulator
) -> None:
    own = {"approvers": {"userId": {"in": [emulator.user_id]}}, "initiatorCanApprove": True}
    other = policy("Permissions:Modify", action=approval_by(own))
    caller.create("/v2/policies", other)
    target = permission(caller)
    caller.create("/v2/policies", policy("Permissions:Modify", action=approval_by({})))
    change = answered(caller.call("PUT", target, {"name": "new"}), status=202)
    approval = answered(caller.get(f"{APPROVALS}/{change['approvalId']}"))
    assert len(approval["policyEvaluations"]) == 2

    assert answered(decide(stranger, approval))["status"] == "Pending"
    assert answered(decide(caller, approval))["status"] == "Approved"


def test_policy_without_groups_waits_for_anybody_but_the_initiator(
    caller: Caller, stranger: Caller
) -> None:
    approval = asked(caller)

    refused(decide(caller, approval), 403, "approval.approver", "initiator")
    assert answered(decide(stranger, approval))["status"] == "Approved"


def test_blocking_policy_decides_among_several(caller: Caller) -> None:
    target = permission(caller)
    caller.create("/v2/policies", policy("Permissions:Modify"))
    caller.create("/v2/policies", policy("Permissions:Modify", action={"kind": "Block"}))

    refused(caller.call("PUT", target, {"name": "new"}), 403, "policy.blocked")

    assert answered(caller.get(APPROVALS)) == {"items": []}


@pytest.mark.parametrize("value", ["Approved", "Denied"])
def test_initiator_may_not_decide_unless_the_group_says_so(caller: Caller, value: str) -> None:
    refused(decide(caller, asked(caller, {}), value), 403, "approval.approver", "initiator")


def test_initiator_decides_where_the_group_says_so(caller: Caller) -> None:
    approval = asked(caller, {"initiatorCanApprove": True})

    assert answered(decide(caller, approval))["status"] == "Approved"


def test_service_account_may_not_decide_unless_the_group_says_so(
    caller: Caller, robot: Caller
) -> None:
    refused(decide(robot, asked(caller, {})), 403, "approval.approver", "service account")


def test_service_account_decides_where_the_group_says_so(caller: Caller, robot: Caller) -> None:
    approval = asked(caller, {"serviceAccountsCanApprove": True})

    assert answered(decide(robot, approval))["status"] == "Approved"


def test_user_whom_no_group_lists_may_not_decide(caller: Caller, stranger: Caller) -> None:
    approval = asked(caller, {"approvers": {"userId": {"in": ["us-1"]}}})

    refused(decide(stranger, approval), 403, "approval.approver", "approvers.userId.in")


def test_user_decides_once(caller: Caller, stranger: Caller) -> None:
    approval = asked(caller, {"quorum": 2})
    answered(decide(stranger, approval))

    refused(decide(stranger, approval), 409, "approval.decided")


def test_resolved_approval_takes_no_decision(caller: Caller, stranger: Caller) -> None:
    approval = asked(caller, {"initiatorCanApprove": True})
    answered(decide(stranger, approval))

    refused(decide(caller, approval), 409, "approval.resolved", "Approved")


def test_approval_expires_after_its_minutes_and_rejects_the_change(
    caller: Caller, stranger: Caller, clock: Clock
) -> None:
    approval = asked(caller, {}, timeout=10)
    assert approval["expirationDate"] == "2027-01-15T08:10:00.000Z"
    clock.now += 599
    assert answered(caller.get(APPROVALS))["items"][0]["status"] == "Pending"

    clock.now += 1

    found = answered(caller.get(f"{APPROVALS}/{approval['id']}"))
    assert found["status"] == "Expired"
    assert found["activity"]["changeRequest"]["status"] == "Rejected"
    assert name(caller, approval) == "old"
    refused(decide(stranger, approval), 409, "approval.resolved", "Expired")


def test_approvals_are_listed_by_status_initiator_and_approver(
    caller: Caller, stranger: Caller, emulator: Emulator
) -> None:
    approval = asked(caller, {})
    users = answered(caller.get("/auth/users"))["items"]
    (other,) = [user["userId"] for user in users if user["userId"] != emulator.user_id]

    def ids(query: str) -> list[str]:
        items = answered(caller.get(f"{APPROVALS}?{query}"))["items"]
        return [one["id"] for one in items]

    assert ids("status=Pending") == ids(f"initiatorId={emulator.user_id}") == [approval["id"]]
    assert ids("status=Approved") == ids(f"initiatorId={other}") == []
    assert ids(f"approverId={other}") == [approval["id"]]
    assert ids(f"approverId={emulator.user_id}") == ids("approverId=us-1") == []

    answered(decide(stranger, approval))
    assert ids("status=Approved") == ids(f"approverId={other}") == [approval["id"]]


@pytest.mark.parametrize(
    ("body", "check", "field"),
    [
        ({}, "field.missing", "value"),
        ({"value": "Yes"}, "field.value", "value"),
        ({"value": "Denied", "reason": "x" * 1001}, "field.value", "reason"),
    ],
)
def test_wrong_member_is_refused_by_name(
    caller: Caller, body: dict[str, Any], check: str, field: str
) -> None:
    path = f"{APPROVALS}/{asked(caller, {})['id']}/decisions"

    assert refused(caller.call("POST", path, body), 400, check)["details"]["field"] == field


def test_unknown_approval_is_not_found(caller: Caller) -> None:
    refused(caller.get(f"{APPROVALS}/ap-1"), 404, "entity")
    refused(decide(caller, {"id": "ap-1"}), 404, "entity")


def test_test_decides_without_being_an_approver(caller: Caller, emulator: Emulator) -> None:
    approval = asked(caller, {"quorum": 3})
    assert [one["id"] for one in emulator.approvals.pending] == [approval["id"]]

    emulator.approvals.decide(approval["id"], "Approved")

    assert name(caller, approval) == "new"
    assert emulator.approvals.pending == ()


def test_test_decides_as_a_user(caller: Caller, emulator: Emulator) -> None:
    approval = asked(caller, {"initiatorCanApprove": True})

    emulator.approvals.decide(approval["id"], "Denied", user=emulator.user_id)

    found = answered(caller.get(f"{APPROVALS}/{approval['id']}"))
    assert [one["userId"] for one in found["decisions"]] == [emulator.user_id]
    assert found["status"] == "Denied"


def test_decision_of_a_test_that_cannot_be_is_refused(caller: Caller, emulator: Emulator) -> None:
    identifier = asked(caller, {})["id"]

    for arguments, options, words in (
        ((identifier, "Maybe"), {}, '"Approved" or "Denied"'),
        (("ap-1", "Approved"), {}, "no approval ap-1"),
        ((identifier, "Approved"), {"user": "us-1"}, "no user us-1"),
        ((identifier, "Approved"), {"user": emulator.user_id}, "initiator"),
    ):
        with pytest.raises(ConfigurationError, match=words):
            emulator.approvals.decide(*arguments, **options)  # type: ignore[arg-type]


def test_events_say_what_triggered_what_waits_and_what_was_decided(
    caller: Caller, emulator: Emulator, events: list[tuple[str, dict[str, Any]]]
) -> None:
    approval = asked(caller, {})
    emulator.approvals.decide(approval["id"], "Denied")

    (triggered, policy_data), (pending, waiting), (resolved, decided) = events
    assert [triggered, pending, resolved] == [
        "policy.triggered",
        "policy.approval.pending",
        "policy.approval.resolved",
    ]
    assert policy_data["policy"]["id"] == approval["policyEvaluations"][0]["policyId"]
    assert waiting["approval"]["id"] == decided["approval"]["id"] == approval["id"]
