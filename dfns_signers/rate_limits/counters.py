"""Counters of rates such as ``10/minute``: who has no room is refused, and nobody waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, Final, Protocol
from urllib.parse import quote

from dfns_signers import forks
from dfns_signers.rate_limits.rates import Rate
from dfns_signers.rate_limits.stores import Store
from dfns_signers.rate_limits.window import Window
from dfns_signers.sealed import Sealed

_PREFIX: Final = "dfns-signers:rate"
_NOT_AT_ONCE: Final = 0.001  # seconds; a store counts a permit until the window is over


class Counters(Protocol):
    """Counts by name, in a moving window for each: the last minute of a rate by the minute.

    A name keeps what was counted where the number of its rate changes.

    Attributes:
        blocks: whether counting waits for an answer of a store.
    """

    blocks: bool

    def take(self, name: str, rate: Rate, cost: int = 1) -> float:
        """Count, if there is room.

        Args:
            name: of the counter, as ``counter_name`` makes it.
            rate: what it may count.
            cost: how much is counted, together; no more than the number of the rate.

        Returns:
            0 if it was counted; else the seconds after which there is room, unless others take it.

        Raises:
            NoPermitError: the store fails.
        """

    def pause(self, name: str, rate: Rate, cost: int = 1) -> float:
        """What ``take`` would return or raise; nothing is counted."""


def counter_name(*parts: str) -> str:
    """One name of several, of which none can be taken for another."""
    return "/".join(quote(part, safe=":") for part in parts)


class InMemory:
    """Counts for this process, by a clock that nobody sets; a forked child goes on by itself.

    The memory storage of ``limits`` goes by the time of day, starts a thread for each burst of
    calls, and hangs in a forked child.

    Args:
        clock: seconds that never go backwards.
    """

    blocks = False

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._windows: dict[tuple[str, int], Window] = {}
        self._lock = threading.RLock()
        forks.watch(self)

    def after_fork(self) -> None:
        """Another thread of the parent may hold the locks."""
        self._lock = threading.RLock()
        for window in self._windows.values():
            window.after_fork()

    def take(self, name: str, rate: Rate, cost: int = 1) -> float:
        """See ``Counters``."""
        with self._lock:
            window = self._window(name, rate)
            pause = window.take(cost)
            if not pause:
                window.settle(cost, 0)
            return pause

    def pause(self, name: str, rate: Rate, cost: int = 1) -> float:
        """See ``Counters``."""
        with self._lock:
            return self._window(name, rate).pause(cost)

    def _window(self, name: str, rate: Rate) -> Window:
        key = (name, rate.seconds)
        window = self._windows.get(key)
        if window is None:
            # Names that are gone from the configuration leave nothing behind.
            self._windows = {old: one for old, one in self._windows.items() if one.counted}
            window = self._windows[key] = Window(rate.number, self._clock, rate.seconds)
        window.limit = rate.number
        return window


class Shared:
    """Counts for all processes that share a store, by the library ``limits``.

    Args:
        store: Redis or Valkey.
    """

    blocks = True

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, name: str, rate: Rate, cost: int = 1) -> float:
        """See ``Counters``."""

        def taken(storage: Any) -> float:
            if storage.acquire_entry(_key(name, rate), rate.number, rate.seconds, cost):
                return 0.0
            return _pause(storage, name, rate, cost) or _NOT_AT_ONCE

        return self._store.ask(taken)

    def pause(self, name: str, rate: Rate, cost: int = 1) -> float:
        """See ``Counters``."""
        return self._store.ask(lambda storage: _pause(storage, name, rate, cost))


def _key(name: str, rate: Rate) -> str:
    return f"{_PREFIX}:{name}:{rate.seconds}"


def _pause(storage: Any, name: str, rate: Rate, cost: int) -> float:
    # The permit that has to come free is the oldest of so many of the newest ones.
    newest = rate.number - cost + 1
    taken_at, counted = storage.get_moving_window(_key(name, rate), newest, rate.seconds)
    if counted < newest:
        return 0.0
    left = float(taken_at) + rate.seconds - time.time()
    # By a clock that went back since, in a longer time than the store keeps any.
    return min(max(left, 0.0), rate.seconds) + _NOT_AT_ONCE


class _OfThisProcess:
    """The counters of this process, one for each store: what is loaded anew counts on."""

    def __init__(self) -> None:
        self._in_memory = InMemory()
        self._shared: dict[bytes, Shared] = {}
        self.after_fork()
        forks.watch(self)

    def after_fork(self) -> None:
        """Another thread of the parent may hold the lock."""
        self._lock = threading.RLock()

    def of(self, url: Sealed[str] | None, setting: str) -> Counters:
        """Those of a store, or those in memory."""
        if url is None:
            return self._in_memory
        key = sha256(f"{setting} {url.open()}".encode()).digest()
        with self._lock:
            if key not in self._shared:
                self._shared[key] = Shared(Store(url, setting))
            return self._shared[key]


counters_of: Final = _OfThisProcess().of
"""The counters of a store, which a URL in a setting names; None for those in memory.

Raises ConfigurationError as ``stores.library_of`` does.
"""
