"""The records of a trail, put together by call."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from fnmatch import fnmatchcase
from typing import Any, Final, TypeAlias

from dfns_signers.audit.records import Record

_EVENTS: Final = frozenset({"decided", "signed", "failed", "answered"})
_OF_THE_CHAIN: Final = frozenset({"sequence", "previous", "hash", "event", "time", "writer"})
_MOST_PENDING: Final = 1000
"""Calls that are kept until their last record is read."""

Call: TypeAlias = Mapping[str, Any]
"""What is recorded of a call: ``time`` and ``writer`` of its first record, ``outcome`` (allowed,
refused, signed, failed or answered), and all other members of its records."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which calls are wanted: those for which all that is given holds.

    Attributes:
        caller: the gateway's caller.
        rule: the rule that allowed it, or came nearest; that of the profile, too.
        method: the HTTP method.
        path: a pattern for the path, where ``*`` stands for anything.
        status: the status of the answer, or ``4xx``.
        outcome: as in a call.
        since: recorded then or later.
        until: recorded before.
        call: its id.
    """

    caller: str | None
    rule: str | None
    method: str | None
    path: str | None
    status: str | None
    outcome: str | None
    since: datetime | None
    until: datetime | None
    call: str | None

    def has(self, call: Call) -> bool:
        """Whether a call is wanted."""
        # A tuple, for the member of a record may be any JSON.
        if self.rule not in (None, call.get("rule"), call.get("profileRule")):
            return False
        for name in ("caller", "method", "outcome", "call"):
            wanted = getattr(self, name)
            if wanted is not None and call.get(name) != wanted:
                return False
        if self.path is not None and not fnmatchcase(str(call.get("path", "")), self.path):
            return False
        if self.status is not None and not _has_status(call, self.status):
            return False
        return self._is_in_time(call)

    def _is_in_time(self, call: Call) -> bool:
        if self.since is None and self.until is None:
            return True
        try:
            time = moment(str(call.get("time")))
        except ValueError:
            return False
        is_early = self.since is not None and time < self.since
        is_late = self.until is not None and time >= self.until
        return not is_early and not is_late


def moment(text: str) -> datetime:
    """A date, or date and time, in ISO 8601; UTC unless it says otherwise. ValueError if not."""
    parsed = datetime.fromisoformat(text.replace("Z", "+00:00"))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=timezone.utc)


def _has_status(call: Call, status: str) -> bool:
    found = str(call.get("status", ""))
    return f"{found[:1]}xx" == status if status.endswith("xx") else found == status


def calls(records: Iterable[Record]) -> Iterator[Call]:
    """The calls of a trail, in the order of their first records.

    Up to 1,000 calls are kept until their last record is read; one that lacks records is complete
    once as many have begun after it.
    """
    pending: OrderedDict[str, dict[str, Any]] = OrderedDict()
    for record in records:
        if record.event not in _EVENTS:
            continue
        members = record.members
        first = {name: members.get(name) for name in ("time", "writer")}
        call = pending.setdefault(str(members.get("call")), first)
        call.update({name: value for name, value in members.items() if name not in _OF_THE_CHAIN})
        call["outcome"] = _outcome(call.get("outcome"), record)
        while pending and (
            len(pending) > _MOST_PENDING or _is_complete(next(iter(pending.values())))
        ):
            yield pending.popitem(last=False)[1]
    yield from pending.values()


def _outcome(before: object, record: Record) -> str:
    if record.event == "decided":
        return str(record.members.get("outcome"))
    return str(before) if before == "failed" else record.event


def _is_complete(call: Call) -> bool:
    return call["outcome"] in {"refused", "answered"}
