"""Statuses that move, so that a poll ends: a step at each read, or when a test says so."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from dfns_signers.errors import ConfigurationError

ProgressKind: TypeAlias = Literal["reads", "manual"]
Step: TypeAlias = Callable[[], None]
"""Changes an entity from one status to the next."""


class _Plan(NamedTuple):
    steps: deque[Step]
    fail: Callable[[str], None] | None


@dataclass(slots=True)
class Progress:
    """The steps that entities still have to take, by their ids.

    Attributes:
        at_reads: whether reading an entity takes its next step.
    """

    at_reads: bool = True
    _plans: dict[str, _Plan] = field(default_factory=dict, repr=False)

    def start(
        self, identifier: str, steps: Iterable[Step], fail: Callable[[str], None] | None = None
    ) -> None:
        """Give an entity these steps, in place of those it still had.

        Args:
            identifier: of the entity.
            steps: what changes it, in their order.
            fail: called with the reason when it fails instead.
        """
        self._plans[identifier] = _Plan(deque(steps), fail)

    def stop(self, identifier: str) -> None:
        """Take no further step, as when an entity was aborted."""
        self._plans.pop(identifier, None)

    def step(self, identifier: str) -> bool:
        """Take the next step, and say whether there was one."""
        plan = self._plans.get(identifier)
        if plan is None or not plan.steps:
            return False
        plan.steps.popleft()()
        return True

    def fail(self, identifier: str, reason: str) -> bool:
        """Let an entity fail that had steps to take, and say whether it had, and could."""
        plan = self._plans.get(identifier)
        if plan is None or not plan.steps or plan.fail is None:
            return False
        self.stop(identifier)
        plan.fail(reason)
        return True

    def read(self, record: dict[str, Any]) -> dict[str, Any]:
        """An entity as it is read."""
        if self.at_reads:
            self.step(record["id"])
        return record


class ProgressControl:
    """Moves statuses when a test says so; `Emulator.progress`."""

    def __init__(self, progress: Progress, lock: AbstractContextManager[Any]) -> None:
        self._progress = progress
        self._lock = lock

    def step(self, identifier: str) -> None:
        """Move a transfer, transaction or signature to its next status.

        Raises:
            ConfigurationError: it has none.
        """
        with self._lock:
            _require(identifier, self._progress.step(identifier))

    def finish(self, identifier: str) -> None:
        """Move a transfer, transaction or signature to its last status.

        Raises:
            ConfigurationError: it has no further status.
        """
        with self._lock:
            _require(identifier, self._progress.step(identifier))
            while self._progress.step(identifier):
                pass

    def fail(self, identifier: str, reason: str = "failed on request of the test") -> None:
        """Let a transfer, transaction or signature fail.

        Args:
            identifier: of the entity.
            reason: what it says in ``reason``.

        Raises:
            ConfigurationError: its status is final, or it cannot fail.
        """
        with self._lock:
            _require(identifier, self._progress.fail(identifier, reason))


def _require(identifier: str, moved: bool) -> None:
    if not moved:
        raise ConfigurationError(
            f"{identifier} has no status to move to: the id is unknown, it waits for an approval,"
            " or its status is final"
        )
