"""Worker threads: bounded, of our own, and left by a caller that is cancelled."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextvars import ContextVar

import anyio
import anyio.to_thread
import pytest

from dfns_signers import deadlines, worker_threads
from dfns_signers.worker_threads import MAX_THREADS
from tests.support.forking import in_forked_child

both_backends = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])

BOUND = 20  # seconds; far more than anything here takes

variable: ContextVar[str] = ContextVar("variable")


@pytest.fixture
def held() -> Iterator[Callable[[], None]]:
    """A function that holds its thread until the test is over."""
    release = threading.Event()

    def hold() -> None:
        release.wait(BOUND)

    yield hold
    release.set()


@both_backends
@pytest.mark.anyio
async def test_runs_in_another_thread_with_the_context_of_its_caller() -> None:
    variable.set("of the caller")

    thread, value = await worker_threads.run(lambda: (threading.get_ident(), variable.get()))

    assert (thread != threading.get_ident(), value) == (True, "of the caller")


@both_backends
@pytest.mark.anyio
async def test_exception_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        await worker_threads.run(lambda: 1 / 0)


@both_backends
@pytest.mark.anyio
async def test_threads_are_bounded_however_many_callers_give_up(held: Callable[[], None]) -> None:
    before = threading.active_count()

    with anyio.move_on_after(0):
        async with anyio.create_task_group() as tasks:
            for _ in range(5 * MAX_THREADS):
                tasks.start_soon(worker_threads.run, held)

    assert threading.active_count() - before <= MAX_THREADS


@both_backends
@pytest.mark.anyio
async def test_applications_threads_do_not_wait_for_ours(held: Callable[[], None]) -> None:
    futures = [worker_threads.submit(held) for _ in range(MAX_THREADS)]

    assert await anyio.to_thread.run_sync(lambda: "at once") == "at once"
    assert not any(future.done() for future in futures)


@both_backends
@pytest.mark.anyio
async def test_what_a_cancelled_caller_leaves_before_it_began_never_runs() -> None:
    release = threading.Event()
    ran: list[int] = []
    futures = [worker_threads.submit(release.wait, BOUND) for _ in range(MAX_THREADS)]

    with anyio.move_on_after(0.01):
        await worker_threads.run(ran.append, 1)
    release.set()
    wait(futures, BOUND)
    await worker_threads.run(lambda: None)

    assert ran == []


@both_backends
@pytest.mark.anyio
async def test_release_runs_though_its_caller_is_cancelled_and_no_thread_is_free(
    held: Callable[[], None],
) -> None:
    for _ in range(MAX_THREADS):
        worker_threads.submit(held)
    released: list[int] = []

    with anyio.CancelScope() as scope:
        scope.cancel()
        await worker_threads.to_the_end(lambda: released.append(1))

    assert released == [1]


@both_backends
@pytest.mark.anyio
async def test_release_does_not_wait_for_the_threads_of_the_application() -> None:
    limiter, released = anyio.to_thread.current_default_thread_limiter(), anyio.Event()
    borrowers = [object() for _ in range(int(limiter.total_tokens))]
    for borrower in borrowers:
        limiter.acquire_on_behalf_of_nowait(borrower)

    async def release() -> None:
        await worker_threads.to_the_end(lambda: None)
        released.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(release)
        try:
            with anyio.fail_after(BOUND):
                await released.wait()
        finally:
            for borrower in borrowers:
                limiter.release_on_behalf_of(borrower)


@both_backends
@pytest.mark.anyio
@pytest.mark.parametrize("begun", [True, False])
async def test_report_of_a_future_comes_in_a_worker_thread(begun: bool) -> None:
    future: Future[int] = Future()
    reported: Future[tuple[int, bool]] = Future()
    if begun:
        future.set_running_or_notify_cancel()
        future.set_result(7)
    else:
        future.cancel()

    worker_threads.when_done(
        future, lambda done: reported.set_result((threading.get_ident(), done.cancelled()))
    )

    thread, cancelled = reported.result(BOUND)
    assert (thread != threading.get_ident(), cancelled) == (True, not begun)


def test_thread_waits_no_longer_than_it_has_time(held: Callable[[], None]) -> None:
    with deadlines.within(0), pytest.raises(TimeoutError):
        worker_threads.wait_for(worker_threads.submit(held))


def test_thread_gets_what_was_returned_or_raised() -> None:
    with deadlines.within(BOUND):
        assert worker_threads.wait_for(worker_threads.submit(divmod, 7, 2)) == (3, 1)
        with pytest.raises(ZeroDivisionError):
            worker_threads.wait_for(worker_threads.submit(divmod, 7, 0))


def test_wait_that_is_interrupted_leaves_nothing_to_begin(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(worker_threads, "wait", interrupted)
    future: Future[None] = Future()

    with pytest.raises(KeyboardInterrupt):
        worker_threads.wait_for(future)

    assert future.cancelled()


def test_what_a_thread_gave_up_before_it_began_never_runs() -> None:
    ran: list[int] = []
    release = threading.Event()
    futures = [worker_threads.submit(release.wait, BOUND) for _ in range(MAX_THREADS)]

    with deadlines.within(0), pytest.raises(TimeoutError):
        worker_threads.wait_for(worker_threads.submit(ran.append, 1))
    release.set()
    wait(futures, BOUND)
    worker_threads.submit(lambda: None).result(BOUND)

    assert ran == []


@both_backends
def test_loop_that_ended_meanwhile_disturbs_no_worker(
    anyio_backend: str, caplog: pytest.LogCaptureFixture
) -> None:
    release, ended = threading.Event(), threading.Event()
    future = worker_threads.submit(release.wait, BOUND)

    async def give_up() -> None:
        with anyio.move_on_after(0.01):
            await worker_threads.finished(future)

    anyio.run(give_up, backend=anyio_backend)
    future.add_done_callback(lambda _: ended.set())  # called after that of the loop
    release.set()

    assert ended.wait(BOUND)
    assert [record for record in caplog.records if record.name == "concurrent.futures"] == []


def test_process_that_ends_starts_no_thread_and_says_so() -> None:
    program = """
import atexit
from dfns_signers import worker_threads
from dfns_signers.errors import DfnsSignersError

def late():
    worker_threads.unwaited(print, "never")
    try:
        worker_threads.submit(print, "never")
    except DfnsSignersError as error:
        print(error)

atexit.register(late)
"""

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert ended.stderr == ""
    assert ended.stdout.startswith("no worker thread could be started (")
    assert ended.stdout.count("\n") == 1


@both_backends
def test_forked_child_has_threads_of_its_own(anyio_backend: str) -> None:
    outcome = in_forked_child(
        """
        from concurrent.futures import wait
        from dfns_signers import deadlines, worker_threads
        # All of them, so that the child would start none if it thought that they are there.
        wait([worker_threads.submit(lambda: None) for _ in range(1000)])
        """,
        "anyio.run(worker_threads.run, lambda: 'done', backend=argument)",
        anyio_backend,
    )

    assert outcome == "done"


SLOW_START = """
import threading
from dfns_signers import worker_threads

started = []

class SlowToStart(worker_threads.ThreadPoolExecutor):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        started.append(self)
        meanwhile()

worker_threads.ThreadPoolExecutor = SlowToStart
"""


def test_threads_that_are_needed_at_once_are_of_one_pool() -> None:
    outcome = in_forked_child(
        f"""{SLOW_START}
def meanwhile():
    if len(started) == 1:
        other.start()
        other.join(0.2)  # it waits for this pool; if it did not, it would start another

other = threading.Thread(target=worker_threads.submit, args=(lambda: None,))
worker_threads.submit(lambda: None).result(10)
other.join()
""",
        "len(started)",
    )

    assert outcome == 1


def test_fork_while_another_thread_starts_the_pool_does_not_hang_the_child() -> None:
    outcome = in_forked_child(
        f"""{SLOW_START}
starting, forked, parent = threading.Event(), threading.Event(), os.getpid()

def meanwhile():
    if os.getpid() == parent:
        starting.set()
        forked.wait(10)

threading.Thread(target=worker_threads.submit, args=(lambda: None,)).start()
starting.wait(10)
""",
        "worker_threads.submit(lambda: 'done').result(10)",
        after="forked.set()",
    )

    assert outcome == "done"
