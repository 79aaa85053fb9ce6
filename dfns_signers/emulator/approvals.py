"""Policies that judge an activity: let through, ask for approval, or block."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, TypeAlias

from dfns_signers.emulator.routes import Call
from dfns_signers.emulator.state import Record

ActivityKind: TypeAlias = Literal[
    "Wallets:Sign", "Permissions:Assign", "Permissions:Modify", "Policies:Modify"
]


def judge(
    call: Call,
    kind: ActivityKind,
    activity: Record,
    *,
    carry_out: Callable[[], None],
    reject: Callable[[str], None],
) -> str | None:
    """The id of the approval that an activity waits for; None lets it through.

    Args:
        call: the call that asks for it.
        kind: what policies name in ``activityKind``.
        activity: what approvals show besides the kind, such as ``{"transferRequest": {...}}``.
        carry_out: called once it is approved.
        reject: called with the reason when a policy blocks it, it is denied, or it expires.
    """
    del call, kind, activity, carry_out, reject
    return None
