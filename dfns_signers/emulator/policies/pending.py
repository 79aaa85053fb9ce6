"""Approvals that wait for decisions, and who may decide them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final, Literal, TypeAlias

from dfns_signers.emulator.access.identities import User
from dfns_signers.emulator.requests.messages import Refusal, forbidden

Group: TypeAlias = Mapping[str, Any]
"""A group of approvers as policies declare it."""
ANYBODY: Final[Group] = {"quorum": 1, "approvers": {}}
"""The group of a policy that names none."""


@dataclass(slots=True)
class PendingApproval:
    """An approval without enough decisions.

    Attributes:
        approval: as it is sent.
        groups: those of every policy that asks for the approval; each needs its quorum.
        carry_out: called once it is approved.
        reject: called with the reason otherwise.
        expires_at: when it is rejected, in seconds since 1970.
    """

    approval: dict[str, Any]
    groups: Sequence[Group]
    carry_out: Callable[[], None]
    reject: Callable[[str], None]
    expires_at: float | None = None
    _approvers: dict[int, set[str]] = field(default_factory=dict)

    def decide(
        self, user: User, value: Literal["Approved", "Denied"], reason: str | None, date: str
    ) -> Literal["Approved", "Denied"] | None:
        """Add a user's decision, and return what it decides; one denial denies.

        Refused with 403 unless a group has the user, and with 409 the second time.
        """
        if any(decision["userId"] == user.user_id for decision in self.approval["decisions"]):
            raise Refusal(
                HTTPStatus.CONFLICT,
                "approval.decided",
                f"User {user.user_id} has decided {self.approval['id']} already.",
            )
        own = self._groups_of(user)
        if not own:
            raise self._not_an_approver(user)
        decision = {"userId": user.user_id, "value": value, "reason": reason, "date": date}
        self.approval["decisions"].append(decision)
        self.approval["dateUpdated"] = date
        if value == "Denied":
            return "Denied"
        for index in own:
            self._approvers.setdefault(index, set()).add(user.user_id)
        return "Approved" if all(map(self._has_quorum, range(len(self.groups)))) else None

    def may_decide(self, user: User) -> bool:
        """Whether a group has the user."""
        return bool(self._groups_of(user))

    def _groups_of(self, user: User) -> list[int]:
        return [index for index, one in enumerate(self.groups) if not self._hindrance(one, user)]

    def _has_quorum(self, index: int) -> bool:
        quorum: float = max(1, self.groups[index]["quorum"])
        return len(self._approvers.get(index, ())) >= quorum

    def _hindrance(self, group: Group, user: User) -> str:
        """Why the user may not decide for the group; "" if nothing speaks against it."""
        listed = group["approvers"].get("userId")
        if listed and user.user_id not in listed["in"]:
            return "approvers.userId.in does not list the user"
        is_initiator = user.user_id == self.approval["initiatorId"]
        if is_initiator and not group.get("initiatorCanApprove", False):
            return "the user is the initiator, and initiatorCanApprove is not set"
        if user.is_service_account and not group.get("serviceAccountsCanApprove", False):
            return "the user is a service account, and serviceAccountsCanApprove is not set"
        return ""

    def _not_an_approver(self, user: User) -> Refusal:
        reasons = dict.fromkeys(self._hindrance(group, user) for group in self.groups)
        return forbidden(
            "approval.approver",
            f"User {user.user_id} may not decide {self.approval['id']}: {'; '.join(reasons)}.",
            reasons=list(reasons),
        )
