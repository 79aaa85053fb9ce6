"""Worker threads of our own, so that the application's never wait for a key store.

Their number is bounded: what a cancelled caller leaves behind holds its thread until it ends, and
whatever finds no thread waits for one.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import copy_context
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from dfns_signers import deadlines, forks
from dfns_signers.errors import DfnsSignersError

P = ParamSpec("P")
T = TypeVar("T")

MAX_THREADS: Final = 64


class _Pool:
    """Threads that are started as they are needed, and anew in a forked child."""

    def __init__(self) -> None:
        self.after_fork()
        forks.watch(self)

    def after_fork(self) -> None:
        """The threads of the parent are not here."""
        self._lock = threading.Lock()
        self._executor: ThreadPoolExecutor | None = None

    def submit(self, task: Callable[[], T]) -> Future[T]:
        with self._lock:
            executor = self._executor = self._executor or ThreadPoolExecutor(
                MAX_THREADS, thread_name_prefix="dfns-signers"
            )
        return executor.submit(task)


_pool: Final = _Pool()


def submit(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
    """Run a function in a worker thread, in a copy of the caller's context.

    Raises:
        DfnsSignersError: there is no thread to be had.
    """
    try:
        return _pool.submit(partial(copy_context().run, function, *args, **kwargs))
    except RuntimeError as error:
        raise DfnsSignersError(
            f"no worker thread could be started ({error}): the process may be out of threads, or "
            "is about to end"
        ) from error


def wait_for(future: Future[T]) -> T:
    """The result of what was submitted, waited for no longer than ``deadlines.remaining()``.

    Raises:
        TimeoutError: the time is over. A function that has not begun will not, and one that has
            goes on in its thread.
    """
    try:
        wait([future], deadlines.remaining())
    finally:  # also after Ctrl-C
        is_late = not future.done()
        future.cancel()
    if is_late:
        raise TimeoutError("the time of the call is over")
    return future.result()


async def run(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function in a worker thread, and return its result; under asyncio and trio.

    A caller that is cancelled does not wait for it: a function that has not begun will not, and one
    that has goes on in its thread.
    """
    return await outcome(submit(function, *args, **kwargs))


async def to_the_end(function: Callable[[], object]) -> None:
    """Run a function that releases something, also for a caller that was cancelled before.

    It never waits for a worker thread: all of them may be waiting for what it releases.
    """
    with anyio.CancelScope(shield=True):
        await anyio.to_thread.run_sync(function, limiter=anyio.CapacityLimiter(1))


async def outcome(future: Future[T]) -> T:
    """The result of what was submitted; cancelled as ``run`` is."""
    try:
        await finished(future)
    except BaseException:
        future.cancel()
        raise
    return future.result()


async def finished(future: Future[Any]) -> None:
    """Wait until a future is done, without a thread; under asyncio and trio."""
    done = anyio.Event()
    loop: Any = anyio.lowlevel.current_token()
    loop = getattr(loop, "native_token", loop)  # anyio 4.11 and later wrap it
    schedule = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon

    def wake(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # a loop that has ended has nobody to wake
            schedule(done.set)

    future.add_done_callback(wake)
    await done.wait()


def when_done(future: Future[T], function: Callable[[Future[T]], object]) -> None:
    """Call a function with a future in a worker thread, once it is done or cancelled."""
    future.add_done_callback(lambda _: unwaited(function, future))


def unwaited(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run a function in a worker thread that nobody waits for; not while the process ends."""
    with contextlib.suppress(DfnsSignersError):
        submit(function, *args, **kwargs)
