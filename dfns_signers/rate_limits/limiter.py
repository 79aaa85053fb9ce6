"""Who waits for permits, and who gets them: first come, first served, blocking and asynchronous."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import Future, wait
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import Context
from hashlib import sha256
from typing import Final, TypeAlias

import anyio

from dfns_signers import deadlines, forks, retries, worker_threads
from dfns_signers.errors import DfnsSignersError, NoPermitError, RateLimitedError
from dfns_signers.rate_limits.rate_limit import WINDOW, RateLimit
from dfns_signers.rate_limits.shared_window import SharedWindow
from dfns_signers.rate_limits.window import Window

_Key: TypeAlias = tuple[str, int, float, bytes]


class _Ticket:
    """A call that waits for permits, or has them.

    Attributes:
        permits: how many; it gets all of them together.
        what: names the call in errors.
        end: when its time is over.
        admitted: done when it has them, or an error instead.
        used_at: when what it waited for began.
    """

    def __init__(self, permits: int, what: str) -> None:
        self.permits = permits
        self.what = what
        left = deadlines.remaining()
        self.end = math.inf if left is None else time.monotonic() + left
        self.admitted: Future[None] = Future()
        self.used_at: float | None = None

    @property
    def is_admitted(self) -> bool:
        """Whether it has its permits."""
        return self.admitted.done() and self.admitted.exception() is None

    def use(self) -> None:
        """Begin what the permits are for; NoPermitError if there are none."""
        if not self.admitted.done():
            raise self.late()
        self.admitted.result()
        self.used_at = time.monotonic()

    def late(self) -> NoPermitError:
        """The error where there are no permits in time."""
        return NoPermitError(
            f"{self.what} was not sent: the requests of 'rate_limit' are used up for longer than "
            "the time of the call ('call_timeout') lasts; send fewer calls, or give them more time"
        )


class RateLimiter:
    """Gives permits to calls in the order in which they come.

    While calls wait, one thread of this limiter takes permits for the first of them. Blocking and
    asynchronous callers only wait to be admitted.

    Args:
        window: counts the permits.
    """

    def __init__(self, window: Window | SharedWindow) -> None:
        self._window = window
        self._threads = worker_threads.WorkerThreads(1)
        self._begin()
        forks.watch(self)

    def after_fork(self) -> None:
        """Nobody waits in a forked child."""
        self._begin()
        self._window.after_fork()

    def _begin(self) -> None:
        self._changed = threading.Condition()
        self._changes = 0
        self._waiting: dict[_Ticket, None] = {}
        self._is_serving = False
        self._paused_until = -math.inf
        self._rests_until = -math.inf

    @contextmanager
    def lent(self, permits: int, what: str) -> Iterator[None]:
        """Wait for permits, and count them as used when what runs inside has ended.

        Args:
            permits: one for each request.
            what: names the call in errors.

        Raises:
            NoPermitError: there is none in the time that is left, or the store fails.
        """
        ticket = _Ticket(permits, what)
        try:
            self._enter(ticket)
            wait([ticket.admitted], deadlines.remaining())
            ticket.use()
            with self._noting_refusals():
                yield
        finally:
            self._leave(ticket)

    @asynccontextmanager
    async def alent(self, permits: int, what: str) -> AsyncIterator[None]:
        """``lent`` for asyncio and trio."""
        ticket = _Ticket(permits, what)
        try:
            self._enter(ticket)
            if not ticket.admitted.done():
                with anyio.move_on_after(deadlines.remaining()):
                    await worker_threads.finished(ticket.admitted)
            ticket.use()
            with self._noting_refusals():
                yield
        finally:
            self._leave(ticket)

    @contextmanager
    def _noting_refusals(self) -> Iterator[None]:
        """Where Dfns refuses a request all the same, have everybody wait."""
        try:
            yield
        except RateLimitedError as error:
            pause = retries.retry_after(error)
            with self._changed:
                if pause is None:
                    self._window.drain()
                else:
                    # After a whole window without requests, none counts.
                    until = time.monotonic() + min(pause, WINDOW)
                    self._paused_until = max(self._paused_until, until)
            raise

    def _enter(self, ticket: _Ticket) -> None:
        with self._changed:
            is_first = not self._waiting
            self._waiting[ticket] = None
            if is_first and self._pause() <= 0 and self._window.take_at_once(ticket.permits):
                self._admit(ticket)
            elif not is_first and ticket.end < self._rests_until < math.inf:
                self._refuse(ticket, ticket.late())
            else:
                self._serve_if_needed()
                if is_first:
                    self._note_change()

    def _leave(self, ticket: _Ticket) -> None:
        with self._changed:
            if self._forgets(ticket):
                self._note_change()
            elif ticket.used_at is not None:
                self._window.settle(ticket.permits, time.monotonic() - ticket.used_at)
                # A rest for a time needs no call to end; before a rest, the window may have been
                # asked while this call was under way.
                if not math.isfinite(self._rests_until):
                    self._note_change()
            elif ticket.is_admitted:
                self._window.give_back(ticket.permits)
                self._note_change()
            with suppress(DfnsSignersError):  # as a process ends
                self._serve_if_needed()

    def _forgets(self, ticket: _Ticket) -> bool:
        """Take a ticket out of the line; whether it was in it."""
        return self._waiting.pop(ticket, ticket) is None

    def _admit(self, ticket: _Ticket) -> None:
        """Hand over permits that were taken."""
        if self._forgets(ticket):
            ticket.admitted.set_result(None)
        else:
            self._window.give_back(ticket.permits)

    def _refuse(self, ticket: _Ticket, error: NoPermitError) -> None:
        if self._forgets(ticket):
            ticket.admitted.set_exception(error)

    def _note_change(self) -> None:
        self._changes += 1
        self._changed.notify_all()

    def _pause(self) -> float:
        return self._paused_until - time.monotonic()

    def _serve_if_needed(self) -> None:
        if not self._is_serving and (self._waiting or self._window.has_debts):
            # Not in the context of the call that comes first, nor within its time.
            Context().run(self._threads.submit, self._serve)
            self._is_serving = True

    def _serve(self) -> None:
        """Take permits for the first that waits, until nobody does."""
        while True:
            with self._changed:
                first = next(iter(self._waiting), None)
                if first is None and not self._window.has_debts:
                    self._is_serving = False
                    return
                seen, pause = self._changes, self._pause()
            if pause <= 0:
                pause = self._take_for(first)
            if pause > 0:
                self._rest(pause, seen)

    def _take_for(self, first: _Ticket | None) -> float:
        """Admit a ticket, or refuse all; returns the seconds to wait before that can be tried."""
        try:
            pause = self._window.take(first.permits if first else 0)
        except NoPermitError as error:
            with self._changed:
                for ticket in list(self._waiting):
                    self._refuse(ticket, NoPermitError(f"{ticket.what} was not sent: {error}"))
            return 0.0
        if first and not pause:
            with self._changed:
                self._admit(first)
        return pause

    def _rest(self, seconds: float, seen: int) -> None:
        """Wait until permits may be free, or for a change; refuse those who have no time for it."""
        with self._changed:
            self._rests_until = time.monotonic() + seconds
            if seconds != math.inf:
                for ticket in list(self._waiting):
                    if ticket.end < self._rests_until:
                        self._refuse(ticket, ticket.late())
            self._changed.wait_for(
                lambda: self._changes != seen or not (self._waiting or self._window.has_debts),
                None if seconds == math.inf else seconds,
            )
            self._rests_until = -math.inf


class _Limiters:
    """The limiters of this process, one for each limit.

    They are kept: the requests of a client that is closed count on.
    """

    def __init__(self) -> None:
        self._limiters: dict[_Key, RateLimiter] = {}
        self.after_fork()
        forks.watch(self)

    def after_fork(self) -> None:
        """Another thread of the parent may hold the lock."""
        self._lock = threading.RLock()

    def of(self, limit: RateLimit, name: str) -> RateLimiter:
        """The limiter of all clients with an equal limit of that name."""
        url = limit.store
        key = (
            name,
            limit.requests,
            limit.fallback,
            sha256(url.open().encode()).digest() if url else b"",
        )
        with self._lock:
            limiter = self._limiters.get(key)
            if limiter is None:
                window = SharedWindow(limit, name) if url else Window(limit.requests)
                limiter = self._limiters[key] = RateLimiter(window)
            return limiter


_limiters: Final = _Limiters()


def limiter_of(rate_limit: RateLimit | int, base_url: str) -> RateLimiter:
    """The limiter of a client, which it shares with those that have an equal limit.

    Args:
        rate_limit: as the client was given it.
        base_url: the limit is for this API unless it has a name.

    Raises:
        ConfigurationError: it is not a rate limit.
    """
    limit = rate_limit if isinstance(rate_limit, RateLimit) else RateLimit(rate_limit)
    return _limiters.of(limit, limit.name or base_url)
