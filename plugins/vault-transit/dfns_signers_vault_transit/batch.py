"""Gather what is asked for at the same time into one request."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

import anyio.to_thread

from dfns_signers.errors import SigningKeyError
from dfns_signers.signing_key import KeyResponse
from dfns_signers_vault_transit.options import BatchOptions

_INTERRUPTED: Final = "the request that would have made this signature was interrupted; sign again"


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
    seconds, whichever comes first.

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
        """Like ``sign``; in asyncio, each request takes a worker thread, not each message."""
        if not _is_in_asyncio():
            return await anyio.to_thread.run_sync(self.sign, message)
        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        item = self._enqueue(message, lambda: loop.call_soon_threadsafe(ready.set))
        try:
            while not item.is_done:
                ready.clear()
                if batch := self._turn(item):
                    await anyio.to_thread.run_sync(self._dispatch, batch)
                elif not item.is_done:
                    with contextlib.suppress(asyncio.TimeoutError):
                        await asyncio.wait_for(ready.wait(), self._patience(item))
        finally:
            self._leave(item)
        return item.result()

    def _enqueue(self, message: bytes, wake: Callable[[], object]) -> _Item:
        item = _Item(message, self._clock() + self._options.max_wait, wake)
        with self._lock:
            self._waiting.append(item)
        return item

    def _turn(self, item: _Item) -> list[_Item]:
        """The messages that this caller has to send now; none if it has to wait or is done."""
        with self._lock:
            if item.is_sent or not self._may_leave(item):
                return []
            size = min(len(self._waiting), self._options.max_size)
            batch = [self._waiting.popleft() for _ in range(size)]
            for one in batch:
                one.is_sent = True
            self._in_flight += 1
            return batch

    def _may_leave(self, item: _Item) -> bool:
        return (
            self._in_flight == 0
            or len(self._waiting) >= self._options.max_size
            or self._clock() >= item.latest
        )

    def _patience(self, item: _Item) -> float | None:
        """Seconds that a caller waits for its turn; without a limit once its message is sent."""
        return None if item.is_sent else max(0.0, item.latest - self._clock())

    def _dispatch(self, batch: list[_Item]) -> None:
        outcomes: Sequence[KeyResponse | Exception] = []
        try:
            outcomes = self._send([item.message for item in batch])
        except Exception as error:  # noqa: BLE001  # each caller raises it
            outcomes = [error] * len(batch)
        finally:
            self._settle(batch, outcomes)

    def _settle(self, batch: list[_Item], outcomes: Sequence[KeyResponse | Exception]) -> None:
        with self._lock:
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
