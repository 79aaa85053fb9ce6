"""Gather what is asked for at the same time into one request."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import anyio.to_thread

from dfns_signers.errors import SigningKeyError
from dfns_signers.signing_key import KeyResponse
from dfns_signers_vault_transit.options import BatchOptions

_INTERRUPTED: Final = "the request that would have made this signature was interrupted; sign again"
_CLOSED: Final = "the key was closed before this message was sent; open it again to sign"
_NOT_STARTED: Final = (
    "the request could not be started; the key is closed, or threads are exhausted"
)

_MOST_BYTES: Final = (
    1_000_000  # of the messages of a request; servers take 32 MB, proxies often 1 MB
)
_MOST_SENDERS: Final = 32  # threads that send for tasks


class _Item:
    """A message, how to wake who waits for its signature, and what came of it."""

    __slots__ = ("is_done", "is_sent", "latest", "message", "outcome", "wake")

    def __init__(self, message: bytes, latest: float, wake: Callable[[], object]) -> None:
        self.message = message
        self.latest = latest
        self.wake = wake
        self.is_sent = self.is_done = False
        self.outcome: KeyResponse | Exception | None = None

    def result(self) -> KeyResponse:
        if isinstance(self.outcome, Exception):
            # One failure may belong to many callers, and each writes its own traceback into it.
            raise copy.copy(self.outcome) from self.outcome
        if self.outcome is None:
            raise SigningKeyError(_INTERRUPTED)
        return self.outcome


class Gatherer:
    """Gathers the messages of concurrent callers, threads and tasks alike.

    A message that finds no request in flight leaves at once. Those that come while one is in
    flight leave together, in a request that one of their callers sends: when the request in
    flight is back, when there are ``max_size`` of them, or when the first has waited ``max_wait``
    seconds, whichever comes first. The messages of a request have 1 MB in all; a bigger one goes
    alone.

    Args:
        send: sends messages in one request, and returns what came of each, in the same order.
        options: bounds.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        send: Callable[[Sequence[bytes]], Sequence[KeyResponse | Exception]],
        options: BatchOptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._options = options
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[_Item] = deque()
        self._in_flight = 0
        self._is_closed = False
        # Of its own: anyio's worker threads may all be waiting here for what a task has to send.
        self._senders = ThreadPoolExecutor(_MOST_SENDERS, thread_name_prefix="vault-transit")

    def close(self) -> None:
        """Refuse what has not been sent; what is on its way comes back."""
        with self._lock:
            self._is_closed = True
            for item in self._waiting:
                item.is_sent = item.is_done = True
                item.outcome = SigningKeyError(_CLOSED)
                _wake(item)
            self._waiting.clear()
        self._senders.shutdown(wait=False)

    def sign(self, message: bytes) -> KeyResponse:
        """Have a message signed, alone or among others.

        Raises:
            SigningKeyError: this message was refused, or the request that it was in failed.
        """
        ready = threading.Event()
        item = self._enqueue(message, ready.set)
        try:
            while not item.is_done:
                ready.clear()
                if batch := self._turn(item):
                    self._dispatch(batch)
                elif not item.is_done:
                    ready.wait(self._patience(item))
        finally:
            self._leave(item)
        return item.result()

    async def asign(self, message: bytes) -> KeyResponse:
        """Like ``sign``; in asyncio, each request takes a thread, not each message."""
        if not _is_in_asyncio():
            return await anyio.to_thread.run_sync(self.sign, message)
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        item = self._enqueue(message, lambda: loop.call_soon_threadsafe(ready.set))
        try:
            while not item.is_done:
                ready.clear()
                if batch := self._turn(item):
                    # Without an await: a task that is cancelled would strand the others' messages.
                    self._start(batch)
                elif not item.is_done:
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(ready.wait(), self._patience(item))
        finally:
            self._leave(item)
        return item.result()

    def _enqueue(self, message: bytes, wake: Callable[[], object]) -> _Item:
        item = _Item(message, self._clock() + self._options.max_wait, wake)
        with self._lock:
            if self._is_closed:
                raise SigningKeyError(_CLOSED)
            self._waiting.append(item)
        return item

    def _turn(self, item: _Item) -> list[_Item]:
        """The messages that this caller has to send now; none if it has to wait or is done."""
        with self._lock:
            if item.is_sent or not self._may_leave(item):
                return []
            batch = [self._waiting.popleft() for _ in range(self._next_size())]
            for one in batch:
                one.is_sent = True
            self._in_flight += 1
            return batch

    def _may_leave(self, item: _Item) -> bool:
        return (
            self._in_flight == 0
            or len(self._waiting) >= self._options.max_size
            or len(self._waiting) > self._next_size()
            or self._clock() >= item.latest
        )

    def _next_size(self) -> int:
        """How many of the messages that wait fit into one request: at least one."""
        left = _MOST_BYTES
        for size, item in enumerate(itertools.islice(self._waiting, self._options.max_size)):
            left -= len(item.message)
            if left < 0:
                return max(size, 1)
        return min(len(self._waiting), self._options.max_size)

    def _patience(self, item: _Item) -> float | None:
        """Seconds that a caller waits for its turn; without a limit once its message is sent."""
        return None if item.is_sent else max(0.0, item.latest - self._clock())

    def _start(self, batch: list[_Item]) -> None:
        """Send in another thread; nothing can cancel that."""
        try:
            self._senders.submit(self._dispatch, batch)
        except RuntimeError as error:
            failure = SigningKeyError(f"{_NOT_STARTED} ({error})")
            self._settle(batch, [failure] * len(batch))

    def _dispatch(self, batch: list[_Item]) -> None:
        if batch[0].is_done:
            return  # an executor that finds no thread raises, and keeps what it was given
        outcomes: Sequence[KeyResponse | Exception] = []
        try:
            outcomes = self._send([item.message for item in batch])
        except Exception as error:  # noqa: BLE001  # each caller raises it
            outcomes = [error] * len(batch)
        finally:
            self._settle(batch, outcomes)

    def _settle(self, batch: list[_Item], outcomes: Sequence[KeyResponse | Exception]) -> None:
        with self._lock:
            if batch[0].is_done:
                return
            self._in_flight -= 1
            for item, outcome in zip(batch, outcomes, strict=False):
                item.outcome = outcome
            for item in batch:
                item.is_done = True
                _wake(item)
            self._pass_turn()

    def _leave(self, item: _Item) -> None:
        """A caller that was cancelled takes its message along, and passes its turn on."""
        with self._lock:
            if not item.is_sent:
                self._waiting.remove(item)
                self._pass_turn()

    def _pass_turn(self) -> None:
        if self._waiting and self._in_flight == 0:
            _wake(self._waiting[0])


def _is_in_asyncio() -> bool:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _wake(item: _Item) -> None:
    # A loop that is closed has nobody in it to be woken.
    with contextlib.suppress(RuntimeError):
        item.wake()
