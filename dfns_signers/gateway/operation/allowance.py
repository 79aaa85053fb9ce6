"""How much is written of what others cause, so that none of them fills a disk."""

from __future__ import annotations

from collections.abc import Callable


class Allowance:
    """At most so many in a period, which begins with the first of them.

    Args:
        size: how many.
        period: seconds.
        clock: seconds that only grow.
    """

    def __init__(self, size: int, period: float, clock: Callable[[], float]) -> None:
        self._size = size
        self._period = period
        self._clock = clock
        self._end = float("-inf")
        self._used = 0
        self._left_out = 0

    def take(self) -> int | None:
        """How many were left out since the last that was taken; None if this one is left out."""
        if self._clock() >= self._end:
            self._end, self._used = self._clock() + self._period, 0
        if self._used >= self._size:
            self._left_out += 1
            return None
        self._used += 1
        left_out, self._left_out = self._left_out, 0
        return left_out
