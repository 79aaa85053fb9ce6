"""Statuses that move, so that a poll ends: a step at each read, or when a test says so."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Step: TypeAlias = Callable[[], None]
"""Changes an entity from one status to the next."""


@dataclass(slots=True)
class Progress:
    """The steps that entities still have to take, by their ids.

    Attributes:
        at_reads: whether reading an entity takes its next step.
    """

    at_reads: bool = True
    _steps: dict[str, deque[Step]] = field(default_factory=dict, repr=False)

    def start(self, identifier: str, steps: Iterable[Step]) -> None:
        """Give an entity these steps, in place of those it still had."""
        self._steps[identifier] = deque(steps)

    def stop(self, identifier: str) -> None:
        """Take no further step, as when an entity was aborted."""
        self._steps.pop(identifier, None)

    def step(self, identifier: str) -> bool:
        """Take the next step, and say whether there was one."""
        steps = self._steps.get(identifier)
        if not steps:
            return False
        steps.popleft()()
        return True

    def read(self, record: dict[str, Any]) -> dict[str, Any]:
        """An entity as it is read."""
        if self.at_reads:
            self.step(record["id"])
        return record
