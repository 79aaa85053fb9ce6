"""Deliveries to webhooks: what is sent, how it is signed, and what became of it."""

from __future__ import annotations

import hmac
import json
from dataclasses import dataclass, field
from typing import Any, Final

SIGNATURE_HEADER: Final = "X-DFNS-WEBHOOK-SIGNATURE"


@dataclass(frozen=True, slots=True)
class Attempt:
    """A delivery that is to be made.

    Attributes:
        data: JSON of what happened, as it was at that time.
        number: 1 for the first attempt.
        retry_of: id of the event that was sent first; empty if it is that one.
    """

    webhook_id: str
    url: str
    secret: str = field(repr=False)
    event_id: str
    kind: str
    date: str
    data: str
    number: int = 1
    retry_of: str = ""

    @property
    def first_id(self) -> str:
        """Id of the event that was sent first."""
        return self.retry_of or self.event_id

    def body(self, timestamp: int) -> bytes:
        """The payload, as JSON.stringify writes it: the Dfns docs verify against that."""
        payload = {
            "id": self.event_id,
            "date": self.date,
            "kind": self.kind,
            "data": json.loads(self.data),
            "timestampSent": timestamp,
            "deliveryAttempt": self.number,
            **({"retryOf": self.retry_of} if self.retry_of else {}),
        }
        return json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode("utf-8")

    def signature(self, body: bytes) -> str:
        """HMAC-SHA256 of the body with the UTF-8 text of the secret, in hexadecimal (Dfns)."""
        return f"sha256={hmac.digest(self.secret.encode('utf-8'), body, 'sha256').hex()}"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery that was attempted.

    Attributes:
        attempt: what was to be delivered, and where.
        timestamp: seconds since 1970, as it was sent.
        status: of the answer; None if there was none.
        error: why there was none, or what is wrong with its status; empty for success.
    """

    attempt: Attempt
    timestamp: int
    status: int | None = None
    error: str = ""

    @property
    def result(self) -> dict[str, str]:
        """What became of it, as answers have it."""
        status = "" if self.status is None else str(self.status)
        return {"status": status, **({"error": self.error} if self.error else {})}

    @property
    def event(self) -> dict[str, Any]:
        """It as the API lists it."""
        return {
            "id": self.attempt.event_id,
            "date": self.attempt.date,
            "kind": self.attempt.kind,
            "data": json.loads(self.attempt.data),
            **self.result,
            "timestampSent": self.timestamp,
        }
