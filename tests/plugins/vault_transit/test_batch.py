"""Batches: who leaves when, with whom, and what each caller gets; without a server."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfns_signers import deadlines
from dfns_signers.errors import KeyStateError, KeyStoreUnavailableError, SigningKeyError
from dfns_signers.signing_key import KeyResponse
from dfns_signers_vault_transit.batch import Batcher
from dfns_signers_vault_transit.options import BatchOptions


class Gate:
    """A server whose answers wait until they are let go; ``arrived`` counts those that came."""

    def __init__(self) -> None:
        self.requests: list[list[bytes]] = []
        self.arrived = threading.Semaphore(0)
        self.open = threading.Event()

    def send(self, messages: Sequence[bytes]) -> Sequence[KeyResponse | Exception]:
        self.requests.append(list(messages))
        self.arrived.release()
        assert self.open.wait(20)
        return [answer_to(message) for message in messages]


def answer_to(message: bytes) -> KeyResponse | Exception:
    if message.startswith(b"bad"):
        return KeyStateError(f"refused {message.decode()}")
    return KeyResponse(b"signed " + message)


def wait_until(is_so: Callable[[], bool]) -> None:
    for _ in range(4000):
        if is_so():
            return
        threading.Event().wait(0.005)
    raise AssertionError("it did not happen within 20 s")


def wait_for_queue(batcher: Batcher, length: int) -> None:
    wait_until(lambda: batcher.waiting == length)


@pytest.fixture
def gate() -> Gate:
    return Gate()


def burst(
    batcher: Batcher,
    gate: Gate,
    threads: ThreadPoolExecutor,
    messages: Sequence[bytes],
    *,
    max_size: int = 100,
) -> list[Future[KeyResponse]]:
    """The first message in flight, and the others behind it, in order."""
    futures = [threads.submit(batcher.sign, messages[0])]
    assert gate.arrived.acquire(timeout=20)
    for number, message in enumerate(messages[1:], start=1):
        futures.append(threads.submit(batcher.sign, message))
        if number < max_size:
            wait_for_queue(batcher, number)
    return futures


def test_message_that_finds_nothing_in_flight_leaves_at_once_and_alone(gate: Gate) -> None:
    gate.open.set()
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))

    assert [batcher.sign(m).signature for m in (b"a", b"b")] == [b"signed a", b"signed b"]
    assert gate.requests == [[b"a"], [b"b"]]


def test_messages_behind_one_in_flight_leave_together_in_order(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(6) as threads:
        futures = burst(batcher, gate, threads, [b"0", b"1", b"2", b"3", b"4"])
        gate.open.set()

    assert gate.requests == [[b"0"], [b"1", b"2", b"3", b"4"]]
    assert [f.result().signature for f in futures] == [b"signed %d" % i for i in range(5)]


def test_full_batch_does_not_wait_for_the_one_in_flight(gate: Gate) -> None:
    stopped = Batcher(gate.send, BatchOptions(max_size=3, max_wait=10), clock=lambda: 0.0)
    with ThreadPoolExecutor(6) as threads:
        burst(stopped, gate, threads, [b"0", b"1", b"2", b"3"], max_size=3)
        has_left = gate.arrived.acquire(timeout=5)
        gate.open.set()

    assert has_left
    assert gate.requests == [[b"0"], [b"1", b"2", b"3"]]


def test_message_that_has_waited_long_enough_leaves_beside_the_one_in_flight(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=0.001))
    with ThreadPoolExecutor(2) as threads:
        threads.submit(batcher.sign, b"0")
        first = gate.arrived.acquire(timeout=20)
        threads.submit(batcher.sign, b"1")
        second = gate.arrived.acquire(timeout=20)
        gate.open.set()

    assert first
    assert second
    assert gate.requests == [[b"0"], [b"1"]]


def test_request_has_its_own_time_whatever_is_left_to_the_thread_that_sends_it(
    gate: Gate,
) -> None:
    left: list[float | None] = []

    def send(messages: Sequence[bytes]) -> Sequence[KeyResponse | Exception]:
        left.append(deadlines.remaining())
        return gate.send(messages)

    def sign_within(seconds: float, message: bytes) -> KeyResponse:
        with deadlines.within(seconds):
            return batcher.sign(message)

    batcher = Batcher(send, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(sign_within, 30, b"0")
        assert gate.arrived.acquire(timeout=20)
        leader = threads.submit(sign_within, 30, b"1")
        wait_for_queue(batcher, 1)
        follower = threads.submit(sign_within, 60, b"2")
        wait_for_queue(batcher, 2)
        gate.open.set()

    assert gate.requests == [[b"0"], [b"1", b"2"]]
    assert left == [None, None]
    assert [one.result().signature for one in (first, leader, follower)] == [
        b"signed 0",
        b"signed 1",
        b"signed 2",
    ]


@pytest.mark.parametrize("seconds", [0, 0.05])
def test_message_whose_caller_has_no_time_left_is_not_sent_and_passes_its_turn_on(
    gate: Gate, seconds: float
) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(2) as threads:
        burst(batcher, gate, threads, [b"0"])
        with deadlines.within(seconds), pytest.raises(KeyStoreUnavailableError, match="was sent"):
            batcher.sign(b"1")
        last = threads.submit(batcher.sign, b"2")
        wait_for_queue(batcher, 1)
        gate.open.set()

    assert gate.requests == [[b"0"], [b"2"]]
    assert last.result().signature == b"signed 2"


def test_task_that_has_no_time_left_leaves_the_queue(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))

    async def sign_late() -> None:
        first = asyncio.create_task(batcher.asign(b"0"))
        assert await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        with deadlines.within(0.05), pytest.raises(KeyStoreUnavailableError, match="was sent"):
            await batcher.asign(b"1")
        gate.open.set()
        await first

    asyncio.run(sign_late())

    assert gate.requests == [[b"0"]]


def test_item_that_fails_fails_alone(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(6) as threads:
        futures = burst(batcher, gate, threads, [b"0", b"1", b"bad", b"3"])
        gate.open.set()

    assert [f.result().signature for f in (futures[0], futures[1], futures[3])] == [
        b"signed 0",
        b"signed 1",
        b"signed 3",
    ]
    with pytest.raises(KeyStateError, match="refused bad"):
        futures[2].result()


def test_request_that_fails_is_an_error_of_its_own_for_each(gate: Gate) -> None:
    def fail(messages: Sequence[bytes]) -> Sequence[KeyResponse | Exception]:
        gate.send(messages)
        raise KeyStoreUnavailableError("down")

    batcher = Batcher(fail, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(6) as threads:
        futures = burst(batcher, gate, threads, [b"0", b"1", b"2"])
        gate.open.set()

    errors = [future.exception() for future in futures]
    assert [str(error) for error in errors] == ["down"] * 3
    assert len({id(error) for error in errors}) == 3
    assert {type(error) for error in errors} == {KeyStoreUnavailableError}


def test_thread_that_is_interrupted_while_it_sends_leaves_nobody_waiting(gate: Gate) -> None:
    def interrupted(messages: Sequence[bytes]) -> Sequence[KeyResponse | Exception]:
        answers = gate.send(messages)
        if len(messages) > 1:
            raise KeyboardInterrupt
        return answers

    batcher = Batcher(interrupted, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(6) as threads:
        futures = burst(batcher, gate, threads, [b"0", b"1", b"2"])
        gate.open.set()

    kinds = sorted(type(future.exception()).__name__ for future in futures[1:])
    assert kinds == ["KeyboardInterrupt", "SigningKeyError"]
    assert batcher.sign(b"next").signature == b"signed next"


def test_tasks_and_threads_share_a_request(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))

    async def sign_three(threads: ThreadPoolExecutor) -> list[bytes]:
        first = asyncio.create_task(batcher.asign(b"0"))
        await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        second = asyncio.create_task(batcher.asign(b"1"))
        await asyncio.to_thread(wait_for_queue, batcher, 1)
        third = asyncio.wrap_future(threads.submit(batcher.sign, b"2"))
        await asyncio.to_thread(wait_for_queue, batcher, 2)
        gate.open.set()
        return [one.signature for one in await asyncio.gather(first, second, third)]

    with ThreadPoolExecutor(1) as threads:
        signatures = asyncio.run(sign_three(threads))

    assert signatures == [b"signed 0", b"signed 1", b"signed 2"]
    assert gate.requests == [[b"0"], [b"1", b"2"]]


def test_task_that_has_waited_long_enough_leaves_beside_the_one_in_flight(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=0.001))

    async def sign_two() -> None:
        tasks = [asyncio.create_task(batcher.asign(message)) for message in (b"0", b"1")]
        for _ in tasks:
            assert await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        gate.open.set()
        await asyncio.gather(*tasks)

    asyncio.run(sign_two())

    assert gate.requests == [[b"0"], [b"1"]]


def test_task_that_is_cancelled_takes_its_message_along_and_passes_its_turn_on(
    gate: Gate,
) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))

    async def cancel_one() -> bytes:
        first = asyncio.create_task(batcher.asign(b"0"))
        await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        cancelled, last = (asyncio.create_task(batcher.asign(m)) for m in (b"1", b"2"))
        await asyncio.to_thread(wait_for_queue, batcher, 2)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        gate.open.set()
        await first
        return (await last).signature

    assert asyncio.run(cancel_one()) == b"signed 2"
    assert gate.requests == [[b"0"], [b"2"]]


def test_what_becomes_of_a_message_is_known_although_its_task_was_cancelled(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))
    pursued: list[Future[KeyResponse]] = []

    async def cancel_both() -> None:
        sent = asyncio.create_task(batcher.asign(b"sent", pursued.append))
        assert await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        waiting = asyncio.create_task(batcher.asign(b"waiting", pursued.append))
        await asyncio.to_thread(wait_for_queue, batcher, 1)
        sent.cancel()
        waiting.cancel()
        await asyncio.gather(sent, waiting, return_exceptions=True)
        gate.open.set()

    asyncio.run(cancel_both())

    assert pursued[0].result(20).signature == b"signed sent"
    assert pursued[1].cancelled()


def test_task_that_leads_is_cancelled_and_its_followers_are_signed(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))

    async def cancel_leader(threads: ThreadPoolExecutor) -> bytes:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        release = threading.Event()
        busy = asyncio.ensure_future(anyio.to_thread.run_sync(release.wait))
        first = asyncio.wrap_future(threads.submit(batcher.sign, b"0"))
        await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        leader, follower = (asyncio.create_task(batcher.asign(m)) for m in (b"1", b"2"))
        await asyncio.to_thread(wait_for_queue, batcher, 2)
        gate.open.set()
        await first
        has_left = await asyncio.to_thread(gate.arrived.acquire, timeout=5)
        leader.cancel()
        release.set()
        await busy
        assert has_left
        return (await asyncio.wait_for(follower, 20)).signature

    with ThreadPoolExecutor(1) as threads:
        assert asyncio.run(cancel_leader(threads)) == b"signed 2"


def test_task_that_is_cancelled_at_once_leaves_nothing_in_flight(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))

    async def cancel_at_once() -> bytes:
        task = asyncio.create_task(batcher.asign(b"0"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gate.open.set()
        return (await asyncio.wait_for(batcher.asign(b"1"), 5)).signature

    assert asyncio.run(cancel_at_once()) == b"signed 1"


def test_task_leads_although_every_worker_thread_waits_for_it(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))

    async def crowd(threads: ThreadPoolExecutor) -> int:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = 2
        first = asyncio.wrap_future(threads.submit(batcher.sign, b"0"))
        await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        tasks = [asyncio.create_task(batcher.asign(b"1"))]
        await asyncio.to_thread(wait_for_queue, batcher, 1)
        for number in (2, 3):
            sign = anyio.to_thread.run_sync(batcher.sign, b"%d" % number)
            tasks.append(asyncio.ensure_future(sign))
            await asyncio.to_thread(wait_for_queue, batcher, number)
        gate.open.set()
        done, _ = await asyncio.wait([first, *tasks], timeout=5)
        return len(done)

    with ThreadPoolExecutor(1) as threads:
        assert asyncio.run(crowd(threads)) == 4


def test_messages_of_more_bytes_than_a_request_takes_go_in_several(gate: Gate) -> None:
    options = BatchOptions(max_wait=10)
    batcher = Batcher(gate.send, options, max_bytes=10, clock=lambda: 0.0)
    messages = [b"first", b"small", b"b" * 30, b"last"]

    def has_come(count: int) -> bool:
        return len(gate.requests) - 1 + batcher.waiting == count

    with ThreadPoolExecutor(4) as threads:
        threads.submit(batcher.sign, messages[0])
        assert gate.arrived.acquire(timeout=20)
        for count, message in enumerate(messages[1:], start=1):
            threads.submit(batcher.sign, message)
            wait_until(partial(has_come, count))
        gate.open.set()

    assert sorted(map(len, gate.requests)) == [1, 1, 1, 1]
    assert {m for request in gate.requests for m in request} == set(messages)


@pytest.mark.parametrize("is_sent", [True, False])
def test_large_messages_that_are_gone_hold_up_nobody_and_hurry_nobody(
    is_sent: bool, gate: Gate
) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10), max_bytes=10)
    gate.open.set()
    if is_sent:
        batcher.sign(b"a large one")
    else:
        with deadlines.within(0), pytest.raises(KeyStoreUnavailableError):
            batcher.sign(b"a large one")
    gate.requests.clear()
    gate.arrived, gate.open = threading.Semaphore(0), threading.Event()

    with ThreadPoolExecutor(4) as threads:
        burst(batcher, gate, threads, [b"0", b"1", b"2", b"3"])
        gate.open.set()

    assert gate.requests == [[b"0"], [b"1", b"2", b"3"]]


def test_request_of_large_messages_stays_below_a_megabyte(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10), clock=lambda: 0.0)
    messages = [bytes([number]) * 250_000 for number in range(8)]

    with ThreadPoolExecutor(8) as threads:
        signing = [threads.submit(batcher.sign, message) for message in messages]
        assert gate.arrived.acquire(timeout=20)
        gate.open.set()

    assert {f.result().signature for f in signing} == {b"signed " + one for one in messages}
    sizes = [sum(len(base64.b64encode(one)) for one in request) for request in gate.requests]
    assert max(sizes) < 950_000


class NoThreads(Executor):
    """Stands for a process that is out of threads."""

    def submit(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("can't start new thread")


def test_request_that_cannot_be_started_is_an_error_and_hinders_nobody(gate: Gate) -> None:
    gate.open.set()
    batcher = Batcher(gate.send, BatchOptions(), senders=NoThreads())

    with pytest.raises(SigningKeyError, match="could not be started"):
        asyncio.run(batcher.asign(b"0"))

    assert batcher.sign(b"1").signature == b"signed 1"


def test_request_that_an_executor_kept_although_it_found_no_thread_is_not_sent(gate: Gate) -> None:
    """As ThreadPoolExecutor does: it queues what it is given, and then raises."""
    gate.open.set()
    kept: list[Callable[[], object]] = []

    class Keeping(NoThreads):
        def submit(self, function: Any, /, *arguments: Any, **_: Any) -> Any:
            kept.append(partial(function, *arguments))
            return super().submit(function)

    with pytest.raises(SigningKeyError, match="could not be started"):
        asyncio.run(Batcher(gate.send, BatchOptions(), senders=Keeping()).asign(b"0"))
    for run in kept:
        run()

    assert gate.requests == []


def test_callers_of_a_request_whose_thread_is_gone_fail_and_the_next_are_signed(
    gate: Gate,
) -> None:
    class Losing(Executor):
        def submit(self, *_: Any, **__: Any) -> Any:
            """Drop what it is given."""

    batcher = Batcher(gate.send, BatchOptions(max_wait=10), patience=0.1, senders=Losing())

    async def sign_all(threads: ThreadPoolExecutor) -> list[object]:
        first = asyncio.wrap_future(threads.submit(batcher.sign, b"first"))
        assert await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        leader = asyncio.create_task(batcher.asign(b"leader"))
        await asyncio.to_thread(wait_for_queue, batcher, 1)
        follower = asyncio.wrap_future(threads.submit(batcher.sign, b"follower"))
        await asyncio.to_thread(wait_for_queue, batcher, 2)
        gate.open.set()
        await first
        return list(await asyncio.gather(leader, follower, return_exceptions=True))

    with ThreadPoolExecutor(2) as threads:
        failures = asyncio.run(sign_all(threads))

    assert {type(one) for one in failures} == {SigningKeyError}
    assert {str(one).rpartition(" was ")[2] for one in failures} == {"interrupted; sign again"}
    assert batcher.sign(b"next").signature == b"signed next"
    assert gate.requests == [[b"first"], [b"next"]]


def test_messages_whose_tasks_were_cancelled_are_not_sent_by_the_threads_that_get_free(
    gate: Gate,
) -> None:
    pursued: list[Future[KeyResponse]] = []
    with ThreadPoolExecutor(1) as senders:
        batcher = Batcher(gate.send, BatchOptions(max_size=2, max_wait=10), senders=senders)

        async def cancel_all() -> None:
            slow = asyncio.create_task(batcher.asign(b"slow"))
            assert await asyncio.to_thread(gate.arrived.acquire, timeout=20)
            tasks = [
                asyncio.create_task(batcher.asign(b"%d" % n, pursued.append)) for n in range(50)
            ]
            await asyncio.to_thread(wait_for_queue, batcher, 0)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            gate.open.set()
            await slow

        asyncio.run(cancel_all())

    assert gate.requests == [[b"slow"]]
    assert [future.cancelled() for future in pursued] == [True] * 50
    assert batcher.sign(b"next").signature == b"signed next"


def test_loop_that_ended_while_its_message_was_in_flight_hinders_nobody(gate: Gate) -> None:
    batcher = Batcher(gate.send, BatchOptions(max_wait=10))

    async def give_up() -> None:
        task = asyncio.ensure_future(batcher.asign(b"1"))
        await asyncio.to_thread(wait_for_queue, batcher, 1)
        task.cancel()

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(batcher.sign, b"0")
        assert gate.arrived.acquire(timeout=20)
        asyncio.run(give_up())
        gate.open.set()

    assert first.result(20).signature == b"signed 0"
    assert batcher.sign(b"2").signature == b"signed 2"


@settings(deadline=None, max_examples=25)
@given(
    messages=st.lists(st.binary(min_size=1, max_size=4), min_size=1, max_size=40, unique=True),
    max_size=st.integers(2, 10),
    max_wait=st.sampled_from([0.0001, 0.01, 1.0]),
)
def test_every_caller_gets_the_answer_to_its_own_message(
    messages: list[bytes], max_size: int, max_wait: float
) -> None:
    gate = Gate()
    gate.open.set()
    batcher = Batcher(gate.send, BatchOptions(max_size=max_size, max_wait=max_wait))

    def outcome(message: bytes) -> KeyResponse | str:
        try:
            return batcher.sign(message)
        except SigningKeyError as error:
            return str(error)

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(outcome, messages))

    expected = [answer_to(message) for message in messages]
    assert outcomes == [str(e) if isinstance(e, Exception) else e for e in expected]
    assert sorted(m for request in gate.requests for m in request) == sorted(messages)
    assert max(map(len, gate.requests)) <= max_size
