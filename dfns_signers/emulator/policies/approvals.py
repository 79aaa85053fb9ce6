"""Policies that judge an activity: let through, ask for approval, or block."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, Literal, TypeAlias

from dfns_signers.emulator.policies.pending import ANYBODY, Group, PendingApproval
from dfns_signers.emulator.policies.rules import SECONDS_PER_MINUTE, Evaluation, evaluate
from dfns_signers.emulator.requests.messages import Refusal
from dfns_signers.emulator.requests.routes import Call
from dfns_signers.emulator.requests.wire import iso_date, new_id
from dfns_signers.emulator.state import Collection, Record, State
from dfns_signers.errors import ConfigurationError

ActivityKind: TypeAlias = Literal[
    "Wallets:Sign", "Permissions:Assign", "Permissions:Modify", "Policies:Modify"
]
Decision: TypeAlias = Literal["Approved", "Denied"]
_REASONS: Final = {"Denied": "The approval was denied.", "Expired": "The approval has expired."}


def judge(
    call: Call,
    kind: ActivityKind,
    activity: Record,
    *,
    carry_out: Callable[[], None],
    reject: Callable[[str], None],
) -> str | None:
    """The id of the approval that an activity waits for; None lets it through, or blocked it.

    When policies differ, one that blocks decides; else every one that asks for approval must get
    it, in one approval.

    Args:
        call: the call that asks for it.
        kind: what policies name in ``activityKind``.
        activity: what approvals show besides the kind, such as ``{"transferRequest": {...}}``.
        carry_out: called once it is approved.
        reject: called with the reason when a policy blocks it, it is denied, or it expires.
    """
    evaluations = evaluate(call.state, kind, activity)
    triggered = [one.policy for one in evaluations if one.triggered]
    for policy in triggered:
        data = {"policy": policy, "activity": {"kind": kind, **activity}}
        call.state.events.publish("policy.triggered", data)
    blocking = [policy for policy in triggered if policy["action"]["kind"] == "Block"]
    if blocking:
        reject(f'Policy {blocking[0]["id"]} "{blocking[0]["name"]}" blocks it.')
        return None
    asking = [policy for policy in triggered if policy["action"]["kind"] == "RequestApproval"]
    if not asking:
        return None
    pending = begin(
        call,
        {"kind": kind, **activity},
        groups=[group for policy in asking for group in policy["action"]["approvalGroups"]],
        evaluations=evaluations,
        minutes=[policy["action"].get("autoRejectTimeout") for policy in asking],
        carry_out=carry_out,
        reject=reject,
    )
    approvals(call.state).add(pending)
    call.state.events.publish("policy.approval.pending", {"approval": pending})
    identifier: str = pending["id"]
    return identifier


def begin(
    call: Call,
    activity: Record,
    *,
    groups: Sequence[Group] = (),
    evaluations: Sequence[Evaluation] = (),
    minutes: Sequence[float | None] = (),
    carry_out: Callable[[], None],
    reject: Callable[[str], None],
) -> Record:
    """Wait for the decisions on an activity; the approval is not listed yet.

    Args:
        call: the call that asks for it.
        activity: as approvals show it.
        groups: who decides; anybody but the initiator without one.
        evaluations: what the policies said.
        minutes: until it is rejected, by policy; None for never.
        carry_out: called once it is approved.
        reject: called with the reason otherwise.
    """
    now = call.state.clock()
    ends = [now + one * SECONDS_PER_MINUTE for one in minutes if one is not None]
    approval: Record = {
        "id": new_id("ap"),
        "initiatorId": call.token.user.user_id,
        "activity": activity,
        "status": "Pending",
        "dateCreated": iso_date(now),
        "dateUpdated": iso_date(now),
        "policyEvaluations": [one.view for one in evaluations],
        "decisions": [],
        **({"expirationDate": iso_date(min(ends))} if ends else {}),
    }
    call.state.pending[approval["id"]] = PendingApproval(
        approval, groups or [ANYBODY], carry_out, reject, min(ends, default=None)
    )
    return approval


def approvals(state: State) -> Collection:
    """Every approval, resolved ones included."""
    return state.collection("Approval")


def settle(
    state: State,
    pending: PendingApproval,
    status: Literal["Approved", "Denied", "Expired"],
    reason: str | None = None,
) -> None:
    """End an approval: carry its activity out, or reject it."""
    now = iso_date(state.clock())
    del state.pending[pending.approval["id"]]
    pending.approval.update(status=status, dateUpdated=now, dateResolved=now)
    if status == "Approved":
        pending.carry_out()
    else:
        pending.reject(reason or _REASONS[status])
    state.events.publish("policy.approval.resolved", {"approval": pending.approval})


def expire(state: State) -> None:
    """Reject what was not decided in time."""
    for pending in list(state.pending.values()):
        if pending.expires_at is not None and state.clock() >= pending.expires_at:
            settle(state, pending, "Expired")


def decide(
    state: State, pending: PendingApproval, user_id: str, value: Decision, reason: str | None
) -> None:
    """Add the decision of a user; refused unless the user may decide."""
    now = iso_date(state.clock())
    decided = pending.decide(state.directory.users[user_id], value, reason, now)
    if decided:
        settle(state, pending, decided, reason)


class Approvals:
    """What waits for approval, and the decisions of a test; `Emulator.approvals`."""

    def __init__(self, state: State, lock: AbstractContextManager[Any]) -> None:
        self._state = state
        self._lock = lock

    @property
    def pending(self) -> tuple[Record, ...]:
        """The approvals that wait for decisions, oldest first, as the API shows them."""
        with self._lock:
            expire(self._state)
            return tuple(dict(one.approval) for one in self._state.pending.values())

    def decide(self, approval_id: str, value: Decision, *, user: str | None = None) -> None:
        """Decide an approval.

        Args:
            approval_id: an ``ap-`` identifier; also that of a call that `require_approval` held.
            value: ``Approved`` or ``Denied``.
            user: id of the user who decides, as by a call of that user; None resolves the
                approval at once, whoever had to decide.

        Raises:
            ConfigurationError: there is no such approval or user, it is resolved, or the user may
                not decide it.
        """
        if value not in {"Approved", "Denied"}:
            raise ConfigurationError(f'value must be "Approved" or "Denied", and is {value!r}')
        with self._lock:
            expire(self._state)
            pending = self._state.pending.get(approval_id)
            if pending is None:
                raise ConfigurationError(f"no approval {approval_id} waits for a decision")
            if user is None:
                settle(self._state, pending, value)
                return
            if user not in self._state.directory.users:
                raise ConfigurationError(f"the emulator has no user {user}")
            try:
                decide(self._state, pending, user, value, None)
            except Refusal as refusal:
                raise ConfigurationError(str(refusal)) from None
