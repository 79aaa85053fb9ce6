"""Tickets that can be redeemed once, by their owner, until they expire.

Challenges and user actions are such tickets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from dfns_signers.emulator.identifiers import new_jwt

T = TypeVar("T")
Reason = Literal["unknown", "used", "foreign", "expired"]


class UnredeemableError(Exception):
    """A ticket that is not accepted.

    Attributes:
        reason: why, in one word.
        message: why, in a sentence for the developer.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message


@dataclass
class _Entry(Generic[T]):
    value: T
    holder: str
    expires_at: float
    used: bool = False


@dataclass
class Ledger(Generic[T]):
    """All tickets of one kind.

    Attributes:
        clock: tells the time in seconds.
        lifetime: seconds until a ticket expires.
    """

    clock: Callable[[], float]
    lifetime: float
    _entries: dict[str, _Entry[T]] = field(default_factory=dict, repr=False)

    def issue(self, holder: str, value: T) -> str:
        """A new ticket for the value, which looks like a JWT with an ``exp``."""
        now = self.clock()
        expires_at = now + self.lifetime
        ticket = new_jwt({"iat": int(now), "exp": int(expires_at)})
        self._entries[ticket] = _Entry(value, holder, expires_at)
        return ticket

    def redeem(self, ticket: str, holder: str) -> T:
        """The value of a ticket, which is used from then on whatever comes of it.

        Raises:
            UnredeemableError: unknown, used before, somebody else's, or expired.
        """
        entry = self._entries.get(ticket)
        if entry is None:
            raise UnredeemableError("unknown", "this server did not issue it")
        if entry.used:
            raise UnredeemableError("used", "it was used before, and is good for one use only")
        entry.used = True
        if entry.holder != holder:
            raise UnredeemableError("foreign", "it was issued to another identity")
        late = self.clock() - entry.expires_at
        if late >= 0:
            message = f"it expired {late:.0f} s ago, {self.lifetime:g} s after it was issued"
            raise UnredeemableError("expired", message)
        return entry.value
