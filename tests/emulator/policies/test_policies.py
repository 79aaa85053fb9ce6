from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.caller import Caller, answered, refused
from tests.emulator.policy_bodies import policy

BLOCK = {"kind": "Block"}
POLICIES = "/v2/policies"


def listed(caller: Caller, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = answered(caller.get(path))["items"]
    return items


def test_policy_is_made_listed_changed_and_archived(caller: Caller) -> None:
    made = caller.create(POLICIES, policy())
    path = f"{POLICIES}/{made['id']}"
    assert made["status"] == "Active"
    assert answered(caller.get(path)) == made
    assert listed(caller, POLICIES) == [made]

    assert answered(caller.call("PUT", path, {**policy(), "name": "six"}))["name"] == "six"

    assert answered(caller.call("DELETE", path))["status"] == "Archived"
    assert listed(caller, f"{POLICIES}?status=Active") == []
    assert len(listed(caller, f"{POLICIES}?status=Archived")) == 1


@pytest.mark.parametrize(
    "action",
    [
        BLOCK,
        {"kind": "NoAction"},
        {"kind": "RequestApproval", "approvalGroups": []},
        {"kind": "RequestApproval", "approvalGroups": [], "autoRejectTimeout": None},
    ],
)
def test_every_declared_action_is_taken(caller: Caller, action: dict[str, Any]) -> None:
    assert caller.create(POLICIES, policy(action=action))["action"] == action


def test_changed_policy_has_no_filters_that_it_does_not_name(caller: Caller) -> None:
    filters = {"walletId": {"in": ["wa-1"]}}
    path = f"{POLICIES}/{caller.create(POLICIES, policy(filters=filters))['id']}"

    assert "filters" not in answered(caller.call("PUT", path, policy()))


@pytest.mark.parametrize(
    ("method", "body", "changed"),
    [("PUT", policy(), {"activityKind": "Wallets:Sign"}), ("DELETE", None, {"status": "Archived"})],
)
def test_change_of_a_policy_under_approval_is_made_by_the_decision(
    caller: Caller, method: str, body: dict[str, Any] | None, changed: dict[str, str]
) -> None:
    made = caller.create(POLICIES, policy("Policies:Modify"))
    path = f"{POLICIES}/{made['id']}"

    change = answered(caller.call(method, path, body), status=202)

    assert change["kind"] == "Policy"
    assert change["operationKind"] == "Update"
    assert change["entityId"] == made["id"]
    assert change["status"] == "Pending"
    assert changed.items() <= change["body"].items()
    assert answered(caller.get(path)) == {**made, "pendingChangeRequest": change}

    decide(caller, change["approvalId"], "Approved")
    found = answered(caller.get(path))
    assert changed.items() <= found.items()
    assert "pendingChangeRequest" not in found


def test_change_that_was_denied_is_not_made(caller: Caller) -> None:
    made = caller.create(POLICIES, policy("Policies:Modify"))
    path = f"{POLICIES}/{made['id']}"
    change = answered(caller.call("DELETE", path), status=202)

    approval = decide(caller, change["approvalId"], "Denied")

    assert answered(caller.get(path)) == made
    assert approval["activity"]["changeRequest"]["status"] == "Rejected"


def test_policy_on_other_policies_does_not_matter(caller: Caller) -> None:
    other = caller.create(POLICIES, policy())
    filters = {"policyId": {"in": [other["id"]]}}
    guard = caller.create(POLICIES, policy("Policies:Modify", filters=filters))

    answered(caller.call("PUT", f"{POLICIES}/{other['id']}", policy()), status=202)
    answered(caller.call("DELETE", f"{POLICIES}/{guard['id']}"))


def decide(caller: Caller, approval_id: str, value: str) -> dict[str, Any]:
    return caller.create(f"/v2/policy-approvals/{approval_id}/decisions", {"value": value})


@pytest.mark.parametrize(
    ("body", "check", "field"),
    [
        ({"name": "x"}, "field.missing", "activityKind"),
        (policy(action={"kind": "Blok"}), "field.value", "action.kind"),
        (policy("Policies:Modify", action=BLOCK), "field.missing", "action.approvalGroups"),
        (policy(action={"kind": "RequestApproval"}), "field.missing", "action.approvalGroups"),
        (policy(rule={"kind": "Never"}), "field.value", "rule.kind"),
        (policy(filters={"network": {}}), "field.unknown", "filters.network"),
        ({**policy(), "name": ""}, "field.value", "name"),
        (
            policy(
                action={"kind": "RequestApproval", "approvalGroups": [], "autoRejectTimeout": 0}
            ),
            "field.value",
            "action.autoRejectTimeout",
        ),
    ],
)
def test_wrong_member_is_refused_by_name(
    caller: Caller, body: dict[str, Any], check: str, field: str
) -> None:
    assert refused(caller.call("POST", POLICIES, body), 400, check)["details"]["field"] == field


@pytest.mark.parametrize(("method", "body"), [("PUT", policy()), ("DELETE", None)])
def test_change_of_an_unknown_policy_is_not_found(
    caller: Caller, method: str, body: dict[str, Any] | None
) -> None:
    refused(caller.call(method, f"{POLICIES}/plc-1", body), 404, "entity")


def test_unknown_policy_is_not_found(caller: Caller) -> None:
    refused(caller.get(f"{POLICIES}/plc-1"), 404, "entity")
