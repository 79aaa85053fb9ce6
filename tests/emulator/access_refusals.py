"""Requests that permissions, policies and approvals refuse; `refusals` has those of the others."""

from __future__ import annotations

import httpx

from dfns_signers.emulator import FULL_ACCESS
from tests.emulator.caller import Caller, answered
from tests.emulator.flows import Json
from tests.emulator.policy_bodies import approval_by, policy
from tests.emulator.spoiled import World, call, get_with


def call_without_permission(world: World) -> httpx.Response:
    limited = world.emulator.add_identity("limited", permissions=["Keys:Read"])
    return get_with(f"Bearer {limited.token}")(world)


def change_of_the_managed_permission(world: World) -> httpx.Response:
    return world.caller.call("PUT", f"/permissions/{FULL_ACCESS}", {"name": "mine"})


def changed_permission(world: World, action: Json) -> httpx.Response:
    """A change of a permission under a policy with this action."""
    made = world.caller.create("/permissions", {"name": "p", "operations": []})
    world.caller.create("/v2/policies", policy("Permissions:Modify", action=action))
    return world.caller.call("PUT", f"/permissions/{made['id']}", {"name": "new"})


def decisions(world: World, *callers: Caller, **group: int) -> httpx.Response:
    """The decision of the last of these callers."""
    change = answered(changed_permission(world, approval_by(group)), status=202)
    path = f"/v2/policy-approvals/{change['approvalId']}/decisions"
    *_, last = [caller.call("POST", path, {"value": "Approved"}) for caller in callers]
    return last


ACCESS = [
    ("permission.missing", call_without_permission),
    ("permission.immutable", change_of_the_managed_permission),
    ("field.value", call("/permissions", {"name": "p", "operations": ["Wallets:Creat"]})),
    ("policy.blocked", lambda world: changed_permission(world, {"kind": "Block"})),
    ("approval.approver", lambda world: decisions(world, world.caller)),
    ("approval.decided", lambda world: decisions(world, world.stranger, world.stranger, quorum=2)),
    ("approval.resolved", lambda world: decisions(world, world.stranger, world.stranger)),
]
