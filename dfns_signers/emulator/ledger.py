"""Challenges and user actions: tickets for their owner, good for one use until they expire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from dfns_signers.emulator.messages import CheckName, bad_request
from dfns_signers.emulator.wire import new_jwt

T = TypeVar("T")
Reason: TypeAlias = Literal["unknown", "used", "foreign", "expired"]

_CHALLENGE_CHECKS: Final[Mapping[Reason, CheckName]] = {
    "unknown": "challenge.unknown",
    "used": "challenge.used",
    "foreign": "challenge.foreign",
    "expired": "challenge.expired",
}


@dataclass(frozen=True, slots=True)
class Action:
    """The call that a user action is for, as it was announced."""

    method: str
    path: str
    payload: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ActionChallenge:
    """A challenge that must be signed before a call."""

    challenge: str
    action: Action


@dataclass(frozen=True, slots=True)
class CredentialChallenge:
    """A challenge that must be signed to register a credential."""

    challenge: str
    kind: str


class UnredeemableError(Exception):
    """A ticket that is not accepted.

    Attributes:
        reason: why, in one word; the message says it in a sentence.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(slots=True)
class _Entry(Generic[T]):
    value: T
    holder: str
    expires_at: float
    used: bool = False


@dataclass(slots=True)
class Ledger(Generic[T]):
    """All tickets of one kind.

    Attributes:
        clock: the time in seconds since 1970.
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
        """The value of a ticket, which is used from then on, even when it is refused.

        Raises:
            UnredeemableError: unknown, used before, of another identity, or expired.
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
            raise UnredeemableError(
                "expired", f"it expired {late:.0f} s ago, {self.lifetime:g} s after it was issued"
            )
        return entry.value


def redeem_challenge(ledger: Ledger[T], identifier: str, holder: str) -> T:
    """What the challenge was issued for; refused with 400 in the words of the Dfns docs.

    Any attempt uses the challenge up, also one that fails.
    """
    try:
        return ledger.redeem(identifier, holder)
    except UnredeemableError as error:
        check = _CHALLENGE_CHECKS[error.reason]
        raise bad_request(
            check, f"Challenge token is not valid. {str(error).capitalize()}."
        ) from None
