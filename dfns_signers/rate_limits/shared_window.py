"""The permits of all processes that share a store, counted by the library ``limits``."""

from __future__ import annotations

import logging
import threading
import time
from importlib import import_module
from typing import Any, Final

from dfns_signers.errors import NoPermitError
from dfns_signers.rate_limits.rate_limit import SIGNED_CALL, WINDOW, RateLimit
from dfns_signers.rate_limits.stores import PAUSE, connected
from dfns_signers.rate_limits.window import Window

MARGIN: Final = 2
"""Seconds that the shared window is longer than that of Dfns, whole for ``limits``.

A permit counts from when it is taken. Its request may reach Dfns so much later, less what the
clocks of two machines differ by, and for how long the permit was spare.
"""

_CLOCKS: Final = 0.5  # seconds of the margin, for the clocks
_SPARE: Final = 0.5  # seconds of it in which permits that are spare may be used
_NOT_AT_ONCE: Final = 0.001
_NAMESPACE: Final = "dfns-signers"

_log: Final = logging.getLogger(__name__)


class SharedWindow:
    """A moving window in Redis or Valkey; what is taken there cannot be given back.

    A call that takes longer than the margin owes its permits: they are taken once more as it ends,
    so that its last request counts from when it was sent. All methods that ask the store block.

    Args:
        limit: with a store.
        name: what shares it.
    """

    def __init__(self, limit: RateLimit, name: str) -> None:
        self._limit = limit
        self._name = name
        # What this process uses, for the time in which the store fails.
        self._own = Window(int(limit.requests * limit.fallback))
        self._begin()

    def after_fork(self) -> None:
        """Connect anew in a forked child, and leave to the parent what it owes."""
        self._begin()
        self._own.after_fork()

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._strategy: Any = None
        self._item: Any = None
        self._owed = 0
        self._unrecorded = 0
        self._spare = 0
        self._spare_until = 0.0
        self._has_waited = False
        self._is_drained = False
        self._failed_at: float | None = None

    @property
    def has_debts(self) -> bool:
        """Whether ``take`` has something to do, even if no call waits for permits."""
        return bool(self._owed or self._is_drained)

    def take_at_once(self, _permits: int) -> bool:
        """False, for the store has to be asked."""
        return False

    def take(self, permits: int) -> float:
        """Take permits, all of them or none, after those that are owed.

        Returns:
            0 if they are taken, else the seconds after which they may be.

        Raises:
            NoPermitError: the store fails, and there is no fallback.
        """
        pause = 0.0 if self._failed_at is None else self._failed_at + PAUSE - time.monotonic()
        if pause > 0:
            return self._without_store(permits, pause)
        try:
            pause = self._paid() or (self._asked(permits) if permits else 0.0)
        except Exception as error:  # noqa: BLE001  # of limits, redis or valkey
            self._note_failure(error)
            return self._without_store(permits, PAUSE)
        self._note_success()
        if not pause:
            self._own.note(permits)
        return pause

    def settle(self, permits: int, age: float) -> None:
        """The requests that permits were taken for have ended, ``age`` seconds after that."""
        self._own.settle(permits, age)
        if age > MARGIN - _CLOCKS - _SPARE:
            self._owe(permits)

    def give_back(self, permits: int) -> None:
        """Permits are not used: the next call may have them, for a moment."""
        self._own.give_back(permits)
        self._keep(permits)

    def drain(self) -> None:
        """Have all that is left counted as used, by the next ``take``."""
        self._is_drained = True

    def _owe(self, permits: int) -> None:
        with self._lock:
            # More than the limit can never be taken.
            self._owed = min(self._owed + permits, self._limit.requests)

    def _paid(self) -> float:
        """Take what is owed; returns the seconds to wait for that."""
        if self._is_drained:
            # Others may take some of them in between.
            while (free := self._free()) > 0 and self._hit(free):
                pass
            self._is_drained = False
        while self._owed:
            # What there is, or others that take each permit as it comes free would leave none.
            paid = min(self._owed, max(self._free(), SIGNED_CALL))
            pause = self._hit(paid)
            if pause:
                return pause
            with self._lock:
                self._owed -= paid
        return 0.0

    def _asked(self, permits: int) -> float:
        """Take permits that are spare, or of the store; returns the seconds to wait for that."""
        with self._lock:
            if permits <= self._spare and time.monotonic() < self._spare_until:
                self._spare -= permits
                return 0.0
        # Else reads of this process would have each permit that comes free, and a signed call of
        # another one would never find three.
        asked = max(permits, SIGNED_CALL) if self._has_waited else permits
        pause = self._hit(asked)
        self._has_waited = bool(pause)
        if not pause and asked > permits:
            self._keep(asked - permits)
        return pause

    def _keep(self, permits: int) -> None:
        with self._lock:
            now = time.monotonic()
            is_fresh = now < self._spare_until
            self._spare = permits + (self._spare if is_fresh else 0)
            self._spare_until = self._spare_until if is_fresh else now + _SPARE

    def _hit(self, permits: int) -> float:
        strategy = self._connected()
        if strategy.hit(self._item, self._name, cost=permits):
            return 0.0
        # The oldest permit of all; there may be too few yet when it has come free.
        free_at, _ = strategy.get_window_stats(self._item, self._name)
        # By a clock that went back since, in a longer time than the store keeps any.
        pause = min(max(float(free_at) - time.time(), 0.0), WINDOW + MARGIN)
        return pause + _NOT_AT_ONCE

    def _free(self) -> int:
        _, free = self._connected().get_window_stats(self._item, self._name)
        return int(free)

    def _connected(self) -> Any:
        if self._strategy is None:
            limits = import_module("limits")
            assert self._limit.store is not None  # noqa: S101  # or it would not be shared
            storage = connected(self._limit.store, self._limit.library)
            self._item = limits.RateLimitItemPerSecond(
                self._limit.requests, WINDOW + MARGIN, _NAMESPACE
            )
            self._strategy = limits.strategies.MovingWindowRateLimiter(storage)
        return self._strategy

    def _without_store(self, permits: int, pause: float) -> float:
        if not permits:
            return pause
        if not self._limit.fallback:
            raise NoPermitError(
                f"the store of the rate limit {self._name!r} fails, and the limit has no fallback: "
                "check the server and the URL in 'rate_limit_store', or set 'rate_limit_fallback'"
            )
        own = self._own.take(permits)
        if not own:
            self._unrecorded += permits
        # The store may answer again before there is room.
        return min(own, pause)

    def _note_failure(self, error: Exception) -> None:
        if self._failed_at is None:
            consequence = (
                f"this process uses {self._limit.fallback:.0%} of the limit"
                if self._limit.fallback
                else "calls are refused"
            )
            # Without the text of the error, which may repeat the URL and its password.
            _log.warning(
                "the store of the rate limit %r fails with %s: %s until it answers",
                self._name,
                type(error).__name__,
                consequence,
            )
        self._failed_at = time.monotonic()
        # Connections of another kind, such as after a failover.
        self._strategy = None

    def _note_success(self) -> None:
        if self._failed_at is not None:
            self._failed_at = None
            _log.warning("the store of the rate limit %r answers again", self._name)
            self._owe(min(self._unrecorded, self._own.counted))
            self._unrecorded = 0
