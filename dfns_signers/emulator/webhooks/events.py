"""What happens in the emulator, as webhooks name it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeAlias

Subscriber: TypeAlias = Callable[[str, dict[str, Any]], None]


@dataclass(slots=True)
class Events:
    """Hands each event to those who subscribed, in the thread of the request."""

    subscribers: list[Subscriber] = field(default_factory=list)

    def publish(self, kind: str, data: dict[str, Any]) -> None:
        """Something happened.

        Args:
            kind: an event of the Dfns docs, such as ``wallet.created``.
            data: what a webhook sends as ``data``, such as ``{"wallet": {...}}``.
        """
        for subscriber in self.subscribers:
            subscriber(kind, data)
