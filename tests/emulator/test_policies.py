from __future__ import annotations

from typing import Any

import pytest

from tests.emulator.caller import Caller, answered, refused

PERMISSION = {"name": "signers", "operations": ["Wallets:Create"]}


def policy(activity: str) -> dict[str, Any]:
    return {
        "name": "four eyes",
        "activityKind": activity,
        "rule": {"kind": "AlwaysTrigger", "configuration": {}},
        "action": {"kind": "RequestApproval", "approvalGroups": [{"quorum": 1}]},
    }


def test_policy_is_made_listed_changed_and_archived(caller: Caller) -> None:
    made = caller.create("/v2/policies", policy("Wallets:Sign"))
    path = f"/v2/policies/{made['id']}"
    assert made["status"] == "Active"
    assert answered(caller.get(path)) == made
    assert answered(caller.get("/v2/policies")) == {"items": [made]}

    changed = {**policy("Wallets:Sign"), "name": "six eyes"}
    assert answered(caller.call("PUT", path, changed))["name"] == "six eyes"

    assert answered(caller.call("DELETE", path))["status"] == "Archived"
    assert answered(caller.get("/v2/policies?status=Active")) == {"items": []}
    assert len(answered(caller.get("/v2/policies?status=Archived"))["items"]) == 1


def test_change_of_a_policy_under_approval_is_answered_with_a_change_request(
    caller: Caller,
) -> None:
    made = caller.create("/v2/policies", policy("Policies:Modify"))
    path = f"/v2/policies/{made['id']}"

    for method, body, operation in (
        ("PUT", policy("Wallets:Sign"), "Update"),
        ("DELETE", None, "Delete"),
    ):
        change = answered(caller.call(method, path, body), status=202)
        assert change["kind"] == "Policy"
        assert change["operationKind"] == operation
        assert change["entityId"] == made["id"]
        assert change["status"] == "Pending"

    assert answered(caller.get(path)) == made


def test_permission_is_made_listed_changed_and_archived(caller: Caller) -> None:
    made = caller.create("/permissions", PERMISSION)
    path = f"/permissions/{made['id']}"
    assert answered(caller.get(path)) == made
    assert answered(caller.get("/permissions")) == {"items": [made]}

    assert answered(caller.call("PUT", path, {"name": "new"}))["name"] == "new"
    assert answered(caller.call("PUT", f"{path}/archive", {"isArchived": True}))["isArchived"]
    assert answered(caller.get(path))["name"] == "new"


@pytest.mark.parametrize(
    ("suffix", "body"), [("", {"name": "new"}), ("/archive", {"isArchived": True})]
)
def test_change_of_a_permission_under_approval_is_answered_with_a_change_request(
    caller: Caller, suffix: str, body: dict[str, Any]
) -> None:
    made = caller.create("/permissions", PERMISSION)
    caller.create("/v2/policies", policy("Permissions:Modify"))
    path = f"/permissions/{made['id']}"

    change = answered(caller.call("PUT", path + suffix, body), status=202)

    assert (change["kind"], change["entityId"]) == ("Permission", made["id"])
    assert change["body"] == body
    assert answered(caller.get(path)) == made


@pytest.mark.parametrize("archived", [True, False])
def test_policy_on_permissions_is_in_force_until_it_is_archived(
    caller: Caller, archived: bool
) -> None:
    made = caller.create("/permissions", PERMISSION)
    rule = caller.create("/v2/policies", policy("Permissions:Modify"))
    if archived:
        answered(caller.call("DELETE", f"/v2/policies/{rule['id']}"))

    response = caller.call("PUT", f"/permissions/{made['id']}", {"name": "new"})

    assert response.status_code == (200 if archived else 202)


def test_policy_on_another_activity_does_not_matter(caller: Caller) -> None:
    made = caller.create("/permissions", PERMISSION)
    caller.create("/v2/policies", policy("Policies:Modify"))

    answered(caller.call("PUT", f"/permissions/{made['id']}", {"name": "new"}))


@pytest.mark.parametrize(
    ("path", "body", "check", "field"),
    [
        ("/v2/policies", {"name": "x"}, "field.missing", "activityKind"),
        (
            "/v2/policies",
            {**policy("Wallets:Sign"), "action": {"kind": "Block"}},
            "field.value",
            "action.kind",
        ),
        (
            "/v2/policies",
            {**policy("Wallets:Sign"), "action": {"kind": "RequestApproval"}},
            "field.missing",
            "action.approvalGroups",
        ),
        ("/permissions", {"name": "x"}, "field.missing", "operations"),
        ("/permissions", {"name": "x", "operations": [1]}, "field.value", "operations[0]"),
    ],
)
def test_wrong_member_is_refused_by_name(
    caller: Caller, path: str, body: dict[str, Any], check: str, field: str
) -> None:
    assert refused(caller.call("POST", path, body), 400, check)["details"]["field"] == field


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/v2/policies/plc-1", policy("Wallets:Sign")),
        ("DELETE", "/v2/policies/plc-1", None),
        ("PUT", "/permissions/pm-1", {"name": "new"}),
        ("PUT", "/permissions/pm-1/archive", {"isArchived": True}),
    ],
)
def test_change_of_an_unknown_entity_is_not_found(
    caller: Caller, method: str, path: str, body: dict[str, Any] | None
) -> None:
    refused(caller.call(method, path, body), 404, "entity")


@pytest.mark.parametrize("path", ["/v2/policies/plc-1", "/permissions/pm-1"])
def test_unknown_entity_is_not_found(caller: Caller, path: str) -> None:
    refused(caller.get(path), 404, "entity")
