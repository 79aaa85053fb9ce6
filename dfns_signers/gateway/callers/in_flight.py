"""Calls under way: bounded, and none of the callers can keep another from being served."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from dfns_signers.gateway.requests.messages import Refusal


class InFlight:
    """Counts calls under way.

    Args:
        total: of all callers, beyond which only those are let in that have few.
        of_one: of one caller.
        reserved: that each caller may always have.
    """

    def __init__(self, total: int = 192, of_one: int = 64, reserved: int = 8) -> None:
        self._total = total
        self._of_one = of_one
        self._reserved = reserved
        self._calls: Counter[str] = Counter()

    @property
    def calls(self) -> int:
        """How many calls are under way."""
        return self._calls.total()

    @contextmanager
    def call(self, caller: str) -> Iterator[None]:
        """Count a call of a caller while the block runs.

        Raises:
            Refusal: 429, the caller has too many under way; 503, all callers together have.
        """
        own = self._calls[caller]
        if own >= self._of_one:
            raise Refusal(
                429,
                "calls-of-caller",
                f"the caller {caller!r} has {own} calls under way; wait for one to end",
                retry_after=1,
            )
        if own >= self._reserved and self.calls >= self._total:
            raise Refusal(
                503, "calls", "the gateway has as many calls under way as it takes", retry_after=1
            )
        self._calls[caller] += 1
        try:
            yield
        finally:
            self._calls[caller] -= 1
