"""The limit on requests per minute and organisation; an emulator is one organisation."""

from __future__ import annotations

import math
from collections.abc import Callable
from http import HTTPStatus

from dfns_signers.emulator.refusals import Refusal

WINDOW = 60.0


class RateLimit:
    """Counts requests in windows of a minute, each of which begins with a request."""

    def __init__(self, per_minute: int | None, clock: Callable[[], float]) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._ends_at = -math.inf
        self._count = 0

    def count(self) -> None:
        """Count a request; refused with 429 and ``Retry-After`` above the limit."""
        if self._per_minute is None:
            return
        now = self._clock()
        if now >= self._ends_at:
            self._ends_at = now + WINDOW
            self._count = 0
        if self._count >= self._per_minute:
            seconds = math.ceil(self._ends_at - now)
            raise Refusal(
                HTTPStatus.TOO_MANY_REQUESTS,
                "rateLimit",
                f"Too many requests: {self._per_minute} a minute are allowed; a signed operation"
                " takes three.",
                headers={"Retry-After": str(seconds)},
            )
        self._count += 1
