"""Time that a test makes pass."""

from __future__ import annotations


class Clock:
    """Time that passes only in pauses, and when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds
