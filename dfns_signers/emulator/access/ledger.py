"""Challenges and user actions: tickets for their owner, good for one use until they expire."""

from __future__ import annotations

import hmac
import json
import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Generic, Literal, TypeAlias, TypeVar

from dfns_signers.emulator.requests.messages import CheckName, bad_request
from dfns_signers.emulator.requests.wire import from_base64url, new_jwt, to_base64url

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
    """A challenge that new credentials sign.

    Attributes:
        kind: of the credential; "" for those of a registration or a recovery.
        holder: whose credential it becomes.
        otp_secret: secret that a TOTP is made with.
    """

    challenge: str
    kind: str
    holder: str
    otp_secret: bytes = field(default_factory=lambda: secrets.token_bytes(20), repr=False)


@dataclass(frozen=True, slots=True)
class LoginChallenge:
    """A challenge that is signed to log in; without a holder, that of the credential logs in."""

    challenge: str
    holder: str | None


class UnredeemableError(Exception):
    """A ticket that is not accepted.

    Attributes:
        reason: why, in one word; the message says it in a sentence.
    """

    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _Entry(Generic[T]):
    value: T
    holder: str
    expires_at: float
    forgotten_at: int


@dataclass(slots=True)
class Ledger(Generic[T]):
    """The tickets of one kind that can still be redeemed.

    What is redeemed or has expired is forgotten. A ticket says itself when it expires, under a
    signature of the ledger, so that one that is not there is known to be used or expired.

    Attributes:
        clock: the time in seconds since 1970.
        lifetime: seconds until a ticket expires.
    """

    clock: Callable[[], float]
    lifetime: float
    # Oldest first; they expire in this order.
    _entries: dict[str, _Entry[T]] = field(default_factory=dict, repr=False)
    _key: bytes = field(default_factory=lambda: secrets.token_bytes(64), repr=False)

    def __len__(self) -> int:
        """How many tickets it remembers."""
        return len(self._entries)

    def issue(self, holder: str, value: T) -> str:
        """A new ticket for the value, which looks like a JWT with an ``exp``."""
        now = self.clock()
        self._forget_expired(now)
        expires_at = now + self.lifetime
        exp = math.ceil(expires_at)
        ticket = new_jwt({"iat": int(now), "exp": exp, "jti": secrets.token_hex()}, self._signature)
        self._entries[ticket] = _Entry(value, holder, expires_at, exp)
        return ticket

    def redeem(self, ticket: str, holder: str) -> T:
        """The value of a ticket, which is used from then on, even when it is refused.

        Raises:
            UnredeemableError: unknown, used before, of another identity, or expired.
        """
        entry = self._entries.pop(ticket, None)
        if entry is None:
            self._require_unexpired(self._expiry_of(ticket))
            raise UnredeemableError("used", "it was used before, and is good for one use only")
        if entry.holder != holder:
            raise UnredeemableError("foreign", "it was issued to another identity")
        self._require_unexpired(entry.expires_at)
        return entry.value

    def _forget_expired(self, now: float) -> None:
        while self._entries:
            oldest = next(iter(self._entries))
            if self._entries[oldest].forgotten_at > now:
                return
            del self._entries[oldest]

    def _expiry_of(self, ticket: str) -> int:
        text, _, signature = ticket.rpartition(".")
        expected = to_base64url(self._signature(text))
        if not hmac.compare_digest(signature.encode("utf-8"), expected.encode("ascii")):
            raise UnredeemableError("unknown", "this server did not issue it")
        claims = json.loads(from_base64url(text.partition(".")[2]))
        return int(claims["exp"])

    def _require_unexpired(self, expires_at: float) -> None:
        late = self.clock() - expires_at
        if late >= 0:
            raise UnredeemableError(
                "expired", f"it expired {late:.0f} s ago, {self.lifetime:g} s after it was issued"
            )

    def _signature(self, text: str) -> bytes:
        return hmac.digest(self._key, text.encode("utf-8"), "sha512")


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
