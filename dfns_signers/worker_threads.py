"""Worker threads of our own, so that the application's never wait for a key store.

Their number is bounded: what a cancelled caller leaves behind holds its thread until it ends, and
what finds no thread waits for one. They are daemons: a process ends without waiting for them.

concurrent.futures (which imports logging) and anyio are imported where they are needed first: a
key in this process needs neither.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from dfns_signers import deadlines, forks
from dfns_signers.errors import DfnsSignersError

if TYPE_CHECKING:
    from concurrent.futures import Future

P = ParamSpec("P")
T = TypeVar("T")

MAX_THREADS: Final = 64

# Seconds that a thread waits for more to do: the next signature then starts none.
_PATIENCE: Final = 1.0

# Seconds that a caller waits for a closing although it is cancelled.
_GRACE: Final = 1.0


class WorkerThreads:
    """Threads that are started as they are needed, and end a second after the last work.

    Args:
        size: how many there are at most. Work that a worker thread begins gets one beyond that, for
            what waits for it may hold all the others.
    """

    def __init__(self, size: int = MAX_THREADS) -> None:
        self._size = size
        self.after_fork()
        forks.watch(self)

    def after_fork(self) -> None:
        """Forget the threads of the parent in a forked child."""
        # Re-entrant, for the handler of a signal may begin something, too.
        self._more = threading.Condition(threading.RLock())
        self._threads = 0
        self._idle = 0
        self._waiting: OrderedDict[Future[Any], Callable[[], None]] = OrderedDict()

    def submit(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Run a function in a worker thread, in a copy of the caller's context.

        Raises:
            DfnsSignersError: there is no thread to be had. The function will not run.
        """
        from concurrent.futures import Future  # noqa: PLC0415

        future: Future[T] = Future()
        call = partial(copy_context().run, function, *args, **kwargs)
        task = partial(_run, future, call)
        if isinstance(threading.current_thread(), _Worker):
            _start(task)
        else:
            self._enqueue(future, task)
        return future

    async def run(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function in a worker thread, and return its result; under asyncio and trio.

        A caller that is cancelled does not wait for it: a function that has not begun will not, and
        one that has goes on in its thread.
        """
        return await outcome(self.submit(function, *args, **kwargs))

    def _enqueue(self, future: Future[Any], task: Callable[[], None]) -> None:
        with self._more:
            self._waiting[future] = task
            is_short = len(self._waiting) > self._idle and self._threads < self._size
            if is_short:
                self._threads += 1
            else:
                self._more.notify()
        if is_short:
            try:
                _start(self._work)
            except DfnsSignersError:
                with self._more:
                    self._threads -= 1
                    # Another thread may have taken it meanwhile.
                    if self._waiting.pop(future, None) is not None:
                        raise
        future.add_done_callback(self._forget)

    def _work(self) -> None:
        while (task := self._next()) is not None:
            task()
            # While the thread waits, it keeps nothing of what it worked with.
            del task

    def _next(self) -> Callable[[], None] | None:
        """What has waited longest; None when it is time to end."""
        with self._more:
            self._idle += 1
            self._more.wait_for(lambda: self._waiting, _PATIENCE)
            self._idle -= 1
            if self._waiting:
                return self._waiting.popitem(last=False)[1]
            self._threads -= 1
            return None

    def _forget(self, future: Future[Any]) -> None:
        """A caller that was cancelled waits no more."""
        with self._more:
            self._waiting.pop(future, None)


class _Worker(threading.Thread):
    """One of our threads."""

    def __init__(self, **options: Any) -> None:
        super().__init__(daemon=True, **options)


def _start(work: Callable[[], None]) -> None:
    try:
        _Worker(target=work, name="dfns-signers").start()
    except RuntimeError as error:
        raise DfnsSignersError(
            f"no worker thread could be started ({error}): the process may be out of threads, or "
            "is about to end"
        ) from error


def _run(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  # raised by those that wait
        future.set_exception(error)
    else:
        future.set_result(result)


_foreign: Final = WorkerThreads()

submit: Final = _foreign.submit
"""Runs other people's code that may block (hooks, token providers, signers): ``WorkerThreads``."""

run: Final = _foreign.run
"""The same, awaited: ``WorkerThreads``."""


async def outcome(future: Future[T]) -> T:
    """The result of what was submitted; cancelled as ``WorkerThreads.run`` is."""
    try:
        await finished(future)
    except BaseException:  # Ctrl-C and cancellation, too
        future.cancel()
        raise
    return future.result()


async def finished(future: Future[Any]) -> None:
    """Wait until a future is done, without a thread; under asyncio and trio."""
    import anyio.lowlevel  # noqa: PLC0415

    done = anyio.Event()
    loop: Any = anyio.lowlevel.current_token()
    loop = getattr(loop, "native_token", loop)  # anyio 4.11 and later wrap it
    schedule = getattr(loop, "call_soon_threadsafe", None) or loop.run_sync_soon

    def wake(_: object) -> None:
        with contextlib.suppress(RuntimeError):  # a loop that has ended has nobody to wake
            schedule(done.set)

    future.add_done_callback(wake)
    await done.wait()


def wait_for(future: Future[T]) -> T:
    """The result of what was submitted, waited for no longer than ``deadlines.remaining()``.

    Raises:
        TimeoutError: the time is over. A function that has not begun will not, and one that has
            goes on in its thread.
    """
    from concurrent.futures import wait  # noqa: PLC0415

    try:
        wait([future], deadlines.remaining())
    finally:  # also after Ctrl-C
        is_late = not future.done()
        future.cancel()
    if is_late:
        raise TimeoutError("the time of the call is over")
    return future.result()


async def to_the_end(function: Callable[[], object]) -> None:
    """Run a function that releases something; a caller that is cancelled leaves it to its thread.

    It never waits for a worker thread: all of them may be waiting for what it releases.
    """
    import anyio  # noqa: PLC0415

    releasing = WorkerThreads(1).submit(function)
    with anyio.move_on_after(_GRACE, shield=True):
        await finished(releasing)
    await finished(releasing)
    releasing.result()


def when_done(future: Future[T], function: Callable[[Future[T]], object]) -> None:
    """Call a function with a future in a worker thread, once it is done or cancelled."""
    future.add_done_callback(lambda _: unwaited(function, future))


def unwaited(function: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Run a function in a worker thread that nobody waits for; not while the process ends."""
    with contextlib.suppress(DfnsSignersError):
        submit(function, *args, **kwargs)
