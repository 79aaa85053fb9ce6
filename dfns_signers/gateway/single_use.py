"""What may be used once, by any replica."""

from __future__ import annotations

import time
from typing import Protocol


class SingleUse(Protocol):
    """Remembers what has been used."""

    async def claim(self, name: str, seconds: float) -> bool:
        """Use ``name``, which need not be remembered longer than ``seconds``.

        Returns:
            Whether nobody had used it.

        Raises:
            Refusal: 503, the store fails; nothing may be used then.
        """


class InMemory:
    """For one process."""

    def __init__(self) -> None:
        self._used: dict[str, float] = {}

    async def claim(self, name: str, seconds: float) -> bool:
        """See ``SingleUse``."""
        now = time.monotonic()
        self._used = {one: end for one, end in self._used.items() if end > now}
        if name in self._used:
            return False
        self._used[name] = now + seconds
        return True
