"""Transfers and transactions that policies judge before anything moves."""

from __future__ import annotations

from typing import Any

import pytest

from dfns_signers.errors import ConfigurationError
from tests.emulator.broadcasts import Requests
from tests.emulator.caller import answered
from tests.emulator.policy_bodies import ALWAYS

GROUPS = [{"quorum": 1, "approvers": {}}]


@pytest.fixture
def held(manual: Requests) -> dict[str, Any]:
    """A request that waits for an approval."""
    policy(manual, {"kind": "RequestApproval", "approvalGroups": GROUPS})
    return manual.caller.create(manual.path, manual.body)


def policy(requests: Requests, action: dict[str, Any]) -> None:
    body = {"name": "p", "activityKind": "Wallets:Sign", "rule": ALWAYS, "action": action}
    requests.caller.create("/v2/policies", body)


def test_request_names_the_approval_that_it_waits_for(
    manual: Requests, held: dict[str, Any]
) -> None:
    (pending,) = manual.emulator.approvals.pending

    assert (held["status"], held["approvalId"]) == ("Pending", pending["id"])
    with pytest.raises(ConfigurationError, match="waits for an approval"):
        manual.emulator.progress.step(held["id"])


def test_approval_shows_the_request(manual: Requests, held: dict[str, Any], noun: str) -> None:
    approval = answered(manual.caller.get(f"/v2/policy-approvals/{held['approvalId']}"))

    assert approval["activity"] == {"kind": "Wallets:Sign", f"{noun[:-1]}Request": held}


def test_request_goes_on_when_it_is_approved(manual: Requests, held: dict[str, Any]) -> None:
    manual.emulator.approvals.decide(held["approvalId"], "Approved")
    manual.emulator.progress.finish(held["id"])

    found = manual.read(held["id"])
    assert found["status"] == "Confirmed"
    assert "datePolicyResolved" in found


def test_request_that_is_denied_is_rejected(manual: Requests, held: dict[str, Any]) -> None:
    manual.emulator.approvals.decide(held["approvalId"], "Denied")

    found = manual.read(held["id"])
    assert found["status"] == "Rejected"
    assert "denied" in found["reason"]
    assert "datePolicyResolved" in found


def test_request_that_is_blocked_is_rejected_at_once(manual: Requests) -> None:
    policy(manual, {"kind": "Block"})

    blocked = manual.caller.create(manual.path, manual.body)

    assert blocked["status"] == "Rejected"
    assert "blocks it" in blocked["reason"]
    assert "approvalId" not in blocked


@pytest.mark.parametrize("decision", ["Approved", "Denied"])
def test_decision_changes_nothing_in_what_was_aborted(
    manual: Requests, held: dict[str, Any], decision: Any
) -> None:
    aborted = answered(manual.abort(held["id"]))

    manual.emulator.approvals.decide(held["approvalId"], decision)

    assert manual.read(held["id"]) == aborted


def test_request_that_is_repeated_while_it_waits_is_judged_once(manual: Requests) -> None:
    policy(manual, {"kind": "RequestApproval", "approvalGroups": GROUPS})
    body = {**manual.body, "externalId": "e-1"}

    first, second = (manual.caller.create(manual.path, body) for _ in range(2))

    assert first == second
    assert len(manual.emulator.approvals.pending) == 1
