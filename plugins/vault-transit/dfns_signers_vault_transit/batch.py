"""Sign messages that are asked for at the same time in one request."""

from __future__ import annotations

import contextlib
import copy
import itertools
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Final

from dfns_signers.plugin import KeyResponse, WorkerThreads, deadlines, errors
from dfns_signers_vault_transit.options import BatchOptions
from dfns_signers_vault_transit.process import Process

# In base64 less than 1 MB: servers take 32 MB, and 1 MiB in a string; proxies often 1 MB in all.
_MAX_BYTES: Final = 700_000
_MAX_SENDERS: Final = 32  # threads that send for tasks


@dataclass(eq=False, slots=True)
class _Item:
    """A message, how to wake its caller, and the outcome.

    It waits, is sent (and then belongs to the request), and is done; it never goes back.

    Attributes:
        until: when its caller stops waiting: to leave, and once it is sent for the outcome.
        signing: what becomes of it; cancelled if it is not sent.
        batch: what it is sent with.
        is_done: whether the request is over.
        is_left: whether its caller was cancelled.
        outcome: of the request; None if that was interrupted.
    """

    message: bytes
    until: float
    wake: Callable[[], object]
    signing: Future[KeyResponse] = field(default_factory=Future)
    batch: list[_Item] = field(default_factory=list)
    is_done: bool = False
    is_left: bool = False
    outcome: KeyResponse | Exception | None = None

    def settle(self) -> None:
        self.is_done = True
        if self.signing.cancelled():
            return
        if isinstance(self.outcome, KeyResponse):
            self.signing.set_result(self.outcome)
            return
        cause = self.outcome or errors.SigningKeyError(
            "the request that would have made this signature was interrupted; sign again"
        )
        # One failure may belong to many callers, and each writes its own traceback into it.
        failure = copy.copy(cause)
        failure.__cause__ = cause
        self.signing.set_exception(failure)


class Batcher:
    """Sends the messages of concurrent callers together, threads and tasks alike.

    A message that finds no request in flight leaves at once. Those that come while one is in
    flight leave together, in a request that one of their callers sends: when the request in
    flight is back, when there are ``max_size`` of them, or when the first has waited ``max_wait``
    seconds, whichever comes first. A message of more than ``max_bytes`` goes alone.

    A request has the time that ``send`` gives it, whatever is left to the caller that sends it. A
    caller whose own time (``deadlines``) ends takes a message that was not sent along; one that was
    sent is waited for, so that what became of it is known.

    All state changes under one lock, and each change wakes the callers that waited for it: no
    thread runs while there is nothing to sign.

    Args:
        send: sends messages in one request, and returns the outcome of each, in the same order.
        options: bounds.
        max_bytes: of all messages in a request.
        patience: seconds to wait for the outcome of a request: longer than any request takes.
        senders: runs the requests of tasks; threads of its own, unless given.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        send: Callable[[Sequence[bytes]], Sequence[KeyResponse | Exception]],
        options: BatchOptions,
        *,
        max_bytes: int = _MAX_BYTES,
        patience: float = math.inf,
        senders: Executor | WorkerThreads | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._send = send
        self._options = options
        self._max_bytes = max_bytes
        self._patience = patience
        self._clock = clock
        self._lock = threading.Lock()
        self._waiting: deque[_Item] = deque()
        self._bytes = 0  # of those that wait
        self._in_flight = 0
        self._process = Process()
        # Its own: anyio's worker threads may all be waiting here for what a task has to send.
        self._senders = senders or WorkerThreads(_MAX_SENDERS)

    @property
    def waiting(self) -> int:
        """How many messages wait to be sent."""
        return len(self._waiting)

    def sign(self, message: bytes) -> KeyResponse:
        """Have a message signed, alone or among others.

        Raises:
            KeyStoreUnavailableError: the time of the caller ended before its message was sent.
            SigningKeyError: this message was refused, the request that it was in failed or was
                lost, or this process was forked from the one that this was made in.
        """
        ready = threading.Event()
        item = self._enqueue(message, ready.set)
        try:
            while not item.is_done:
                # Cleared before the look: what happens after it sets the event again.
                ready.clear()
                if batch := self._take_turn(item):
                    self._dispatch(batch)
                elif not item.is_done:
                    ready.wait(self._left(item))
        finally:
            self._leave(item)
        return item.signing.result()

    async def asign(
        self, message: bytes, pursue: Callable[[Future[KeyResponse]], object] = lambda _: None
    ) -> KeyResponse:
        """Like ``sign``, for an asyncio task: each request takes a thread, not each message.

        Args:
            message: as for ``sign``.
            pursue: is given what says, also after the task was cancelled, what became of the
                message: signed or failed, or cancelled because it was not sent.
        """
        import asyncio  # noqa: PLC0415  # a tenth of the start, and of no use to threads

        loop, ready = asyncio.get_running_loop(), asyncio.Event()
        item = self._enqueue(message, lambda: loop.call_soon_threadsafe(ready.set))
        pursue(item.signing)
        try:
            while not item.is_done:
                ready.clear()
                if batch := self._take_turn(item):
                    # Without an await: a task that is cancelled would strand the others' messages.
                    self._start(batch)
                elif not item.is_done:
                    left = self._left(item)
                    timer = None if left is None else loop.call_later(left, ready.set)
                    try:
                        await ready.wait()
                    finally:
                        if timer:
                            timer.cancel()
        finally:
            self._leave(item)
        return item.signing.result()

    def _enqueue(self, message: bytes, wake: Callable[[], object]) -> _Item:
        self._process.require("what signs in batches")
        item = _Item(message, self._clock() + self._options.max_wait, wake)
        with self._lock:
            self._waiting.append(item)
            self._bytes += len(message)
        return item

    def _take_turn(self, item: _Item) -> list[_Item]:
        """The messages that this caller has to send now; none if it has to wait or is done."""
        with self._lock:
            if item.batch:
                if self._clock() >= item.until:
                    self._settle(item.batch)  # the thread that sent it is gone
                return []
            if deadlines.remaining() == 0:
                raise errors.KeyStoreUnavailableError(
                    "the time of the call was over before its message was sent, for the requests "
                    "before it were still under way; try again, or allow the call more time"
                )
            if not self._may_leave(item):
                return []
            # The oldest leave, which may or may not be this caller's own message.
            batch = [self._waiting.popleft() for _ in range(self._next_size())]
            for one in batch:
                one.batch, one.until = batch, self._clock() + self._patience
                self._bytes -= len(one.message)
            self._in_flight += 1
            return batch

    def _may_leave(self, item: _Item) -> bool:
        return (
            self._in_flight == 0
            or len(self._waiting) >= self._options.max_size
            or (self._bytes > self._max_bytes and len(self._waiting) > 1)
            or self._clock() >= item.until
        )

    def _next_size(self) -> int:
        """How many of the messages that wait fit into one request: at least one."""
        left = self._max_bytes
        for size, item in enumerate(itertools.islice(self._waiting, self._options.max_size)):
            left -= len(item.message)
            if left < 0:
                return max(size, 1)
        return min(len(self._waiting), self._options.max_size)

    def _left(self, item: _Item) -> float | None:
        """Seconds that a caller waits for its turn, or for the outcome."""
        left = max(0.0, item.until - self._clock())
        if not item.batch and (remaining := deadlines.remaining()) is not None:
            left = min(left, remaining)
        return None if left == math.inf else left

    def _start(self, batch: list[_Item]) -> None:
        """Send in another thread; nothing can cancel that."""
        try:
            self._senders.submit(self._dispatch, batch)
        except (RuntimeError, errors.DfnsSignersError) as error:
            failure = errors.SigningKeyError(
                f"the request could not be started; the process may be out of threads ({error})"
            )
            with self._lock:
                for item in batch:
                    item.outcome = failure
                self._settle(batch)

    def _dispatch(self, batch: list[_Item]) -> None:
        # An executor that finds no thread raises, and keeps what it was given.
        sent = [item for item in batch if not (item.is_done or item.is_left)]
        for item in batch:
            if item.is_left:
                item.signing.cancel()
        outcomes: Sequence[KeyResponse | Exception] = []
        try:
            with deadlines.lifted():
                outcomes = self._send([item.message for item in sent]) if sent else []
        except Exception as error:  # noqa: BLE001  # each caller raises it
            outcomes = [error] * len(sent)
        finally:
            # Also when the thread that sends is interrupted: the others' callers are woken.
            with self._lock:
                for item, outcome in zip(sent, outcomes, strict=False):
                    item.outcome = outcome
                self._settle(batch)

    def _settle(self, batch: list[_Item]) -> None:
        """Wake the callers of a request that is over, whether it has outcomes or was lost."""
        if batch[0].is_done:
            return
        self._in_flight -= 1
        for item in batch:
            item.settle()
            _wake(item)
        self._pass_turn()

    def _leave(self, item: _Item) -> None:
        """A caller that was cancelled takes its message along, and passes its turn on."""
        with self._lock:
            item.is_left = True
            if not item.batch:
                item.signing.cancel()
                self._waiting.remove(item)
                self._bytes -= len(item.message)
                self._pass_turn()

    def _pass_turn(self) -> None:
        """Wake the caller of the oldest message, which finds nothing in flight."""
        if self._waiting and self._in_flight == 0:
            _wake(self._waiting[0])


def _wake(item: _Item) -> None:
    # In a loop that is closed nobody is left to be woken.
    with contextlib.suppress(RuntimeError):
        item.wake()
