"""Worker threads: bounded, of our own, and left by a caller that is cancelled."""

from __future__ import annotations

import subprocess
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from contextvars import ContextVar

import anyio
import anyio.to_thread
import pytest

from dfns_signers import deadlines, worker_threads
from dfns_signers.errors import DfnsSignersError
from dfns_signers.worker_threads import MAX_THREADS, WorkerThreads
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

    monkeypatch.setattr("concurrent.futures.wait", interrupted)
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
@pytest.mark.anyio
async def test_work_that_begins_work_gets_a_thread_though_all_are_busy() -> None:
    all_begun = threading.Barrier(MAX_THREADS)

    def outer() -> str:
        all_begun.wait(BOUND)
        return worker_threads.wait_for(worker_threads.submit(lambda: "inner"))

    async with anyio.create_task_group() as tasks:
        for _ in range(MAX_THREADS):
            tasks.start_soon(worker_threads.run, outer)


def test_pools_do_not_wait_for_each_other(held: Callable[[], None]) -> None:
    stuck, other = WorkerThreads(1), WorkerThreads(1)
    stuck.submit(held)

    assert other.submit(lambda: "at once").result(BOUND) == "at once"


def test_work_that_finds_no_thread_to_start_never_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[int] = []

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(DfnsSignersError, match="no worker thread could be started"):
            WorkerThreads().submit(ran.append, 1)

    assert WorkerThreads().submit(lambda: "a thread").result(BOUND) == "a thread"
    assert ran == []


def test_place_of_work_that_could_not_be_started_is_free_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    threads = WorkerThreads(1)

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(DfnsSignersError):
            threads.submit(print)

    assert threads.submit(lambda: "a thread").result(BOUND) == "a thread"


def test_thread_that_has_no_more_to_do_takes_the_next_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_threads, "_PATIENCE", BOUND)
    threads = WorkerThreads(1)

    first = threads.submit(threading.current_thread).result(BOUND)

    assert threads.submit(threading.current_thread).result(BOUND) is first


def test_thread_ends_when_there_is_no_more_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_threads, "_PATIENCE", 0)

    thread = WorkerThreads().submit(threading.current_thread).result(BOUND)

    thread.join(BOUND)
    assert not thread.is_alive()


def test_thread_that_waits_for_work_keeps_nothing_of_the_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_threads, "_PATIENCE", 2 * BOUND)
    forgotten = threading.Event()
    secret = type("Secret", (), {})()
    weakref.finalize(secret, forgotten.set)
    threads = WorkerThreads()

    threads.submit(id, secret).result(BOUND)
    del secret

    assert forgotten.wait(BOUND)


def test_waiting_work_runs_in_its_order() -> None:
    release, ran = threading.Event(), list[int]()
    threads = WorkerThreads(1)
    threads.submit(release.wait, BOUND)

    futures = [threads.submit(ran.append, number) for number in range(5)]
    release.set()
    wait(futures, BOUND)

    assert ran == [0, 1, 2, 3, 4]


PROGRAM = """
import threading
from dfns_signers import deadlines, worker_threads
"""


def test_process_ends_without_waiting_for_a_worker() -> None:
    hang = "worker_threads.submit(threading.Event().wait)\nprint('ended')"

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + hang],
        capture_output=True,
        text=True,
        check=True,
        timeout=BOUND,
    )

    assert done.stdout == "ended\n"


def test_threads_work_on_after_the_main_thread_has_returned() -> None:
    work = """
def later():
    threading.main_thread().join()
    with deadlines.within(20):
        print(worker_threads.wait_for(worker_threads.submit(lambda: "done")))
threading.Thread(target=later).start()
"""

    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + work],
        capture_output=True,
        text=True,
        check=True,
        timeout=BOUND,
    )

    assert done.stdout == "done\n"


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
