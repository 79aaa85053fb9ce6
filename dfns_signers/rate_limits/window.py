"""The permits of one process, counted in any window of so many seconds."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable

from dfns_signers.rate_limits.rate_limit import WINDOW


class Window:
    """Counts each permit from when it is taken until a window after its request has ended.

    Dfns counts a request somewhere in between, so that it never counts more than the limit in a
    window, of whatever kind its window is and however long a request is on its way.

    Args:
        limit: how many permits count at once.
        clock: seconds that never go backwards.
        seconds: how long a permit counts; a minute by default.

    Attributes:
        limit: may be changed.
    """

    def __init__(
        self,
        limit: int,
        clock: Callable[[], float] = time.monotonic,
        seconds: float | None = None,
    ) -> None:
        self.limit = limit
        self._clock = clock
        self._seconds = WINDOW if seconds is None else seconds
        self._lock = threading.RLock()
        self._under_way = 0
        self._used: deque[tuple[float, int]] = deque()  # when how many come free
        self._used_in_all = 0

    has_debts = False

    @property
    def counted(self) -> int:
        """Permits that count at this time."""
        with self._lock:
            self._forget_what_is_free()
            return self._under_way + self._used_in_all

    def take_at_once(self, permits: int) -> bool:
        """Take permits if that takes no waiting."""
        return not self.take(permits)

    def take(self, permits: int) -> float:
        """Take permits: all of them, or none.

        Returns:
            0 if they are taken; else the seconds after which they may be, infinite if that depends
            on requests under way.
        """
        with self._lock:
            pause = self.pause(permits)
            if not pause:
                self._under_way += permits
            return pause

    def pause(self, permits: int) -> float:
        """What ``take`` would return; nothing is taken."""
        with self._lock:
            missing = self.counted + permits - self.limit
            if missing <= 0:
                return 0.0
            for end, freed in self._used:
                missing -= freed
                if missing <= 0:
                    return max(end - self._clock(), math.ulp(1.0))
            return math.inf

    def note(self, permits: int) -> None:
        """Count permits that were taken elsewhere."""
        with self._lock:
            self._under_way += permits

    def settle(self, permits: int, _age: float) -> None:
        """The requests that permits were taken for have ended."""
        with self._lock:
            self.give_back(permits)
            self._forget_what_is_free()
            self._use(permits)

    def give_back(self, permits: int) -> None:
        """Permits that were taken are not used."""
        with self._lock:
            # Those of a call that a fork interrupted are no longer under way in the child.
            self._under_way = max(0, self._under_way - permits)

    def drain(self) -> None:
        """Count all that is left as used now."""
        with self._lock:
            left = self.limit - self.counted
            if left > 0:
                self._use(left)

    def after_fork(self) -> None:
        """Count what the parent used; what it has under way ends in the parent."""
        self._lock = threading.RLock()
        # Another thread of the parent may have been in the midst of counting.
        self._used_in_all = sum(permits for _, permits in self._used)
        self._use(self._under_way)
        self._under_way = 0

    def _use(self, permits: int) -> None:
        self._used.append((self._clock() + self._seconds, permits))
        self._used_in_all += permits

    def _forget_what_is_free(self) -> None:
        now = self._clock()
        while self._used and self._used[0][0] <= now:
            self._used_in_all -= self._used.popleft()[1]
