"""Bodies of policies, and wallets' activities that they judge."""

from __future__ import annotations

from typing import Any

REQUEST_APPROVAL = {
    "kind": "RequestApproval",
    "approvalGroups": [{"quorum": 1, "approvers": {}, "initiatorCanApprove": True}],
}
ALWAYS = {"kind": "AlwaysTrigger", "configuration": {}}


def policy(
    activity: str = "Wallets:Sign",
    *,
    rule: dict[str, Any] | None = None,
    action: dict[str, Any] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """A policy that its initiator may approve, unless another action is given."""
    return {
        "name": "four eyes",
        "activityKind": activity,
        "rule": rule or ALWAYS,
        "action": action or REQUEST_APPROVAL,
        **more,
    }


def approval_by(*groups: dict[str, Any], timeout: int | None = None) -> dict[str, Any]:
    """The action that asks for the approval of these groups, each with a quorum of 1."""
    return {
        "kind": "RequestApproval",
        "approvalGroups": [{"quorum": 1, "approvers": {}, **group} for group in groups],
        "autoRejectTimeout": timeout,
    }
