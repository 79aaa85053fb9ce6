"""What may be used once, by any replica."""

from __future__ import annotations

import heapq
import math
import time
from collections.abc import Callable
from typing import Final, Protocol

from dfns_signers.errors import NoPermitError
from dfns_signers.gateway.requests.failures import store_failure
from dfns_signers.rate_limits.stores import Store
from dfns_signers.worker_threads import WorkerThreads

_PREFIX: Final = "dfns-signers:used"
_THREADS: Final = 8  # each may wait for an answer of the store


class SingleUse(Protocol):
    """Remembers what has been used.

    Only what the gateway sealed itself is claimed, so that the requests that a caller may send
    bound what is remembered.
    """

    async def claim(self, name: str, seconds: float) -> bool:
        """Use ``name``, which need not be remembered longer than ``seconds``.

        Returns:
            Whether nobody had used it.

        Raises:
            Refusal: 503, the store fails; nothing may be used then.
        """


class InMemory:
    """For one process.

    Args:
        clock: seconds that never go backwards.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._used: set[str] = set()
        self._ends: list[tuple[float, str]] = []  # a heap

    def __len__(self) -> int:
        """How many names are remembered."""
        return len(self._used)

    async def claim(self, name: str, seconds: float) -> bool:
        """See ``SingleUse``."""
        now = self._clock()
        while self._ends and self._ends[0][0] <= now:
            self._used.remove(heapq.heappop(self._ends)[1])
        if name in self._used:
            return False
        self._used.add(name)
        heapq.heappush(self._ends, (now + seconds, name))
        return True


class Shared:
    """For all replicas with one store.

    Args:
        store: Redis or Valkey.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._threads = WorkerThreads(_THREADS)

    async def claim(self, name: str, seconds: float) -> bool:
        """See ``SingleUse``."""
        try:
            return await self._threads.run(self._claim, name, math.ceil(seconds))
        except NoPermitError as error:
            raise store_failure(error) from error

    def _claim(self, name: str, seconds: int) -> bool:
        # Where the answer is lost, the second attempt finds the name used, which refuses it.
        return self._store.ask(
            lambda storage: bool(
                storage.get_connection().set(f"{_PREFIX}:{name}", 1, nx=True, ex=seconds)
            )
        )
