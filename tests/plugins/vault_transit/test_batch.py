"""Gathering: who leaves when, with whom, and what each caller gets; without a server."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import anyio.to_thread
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dfns_signers.errors import KeyStateError, KeyStoreUnavailableError, SigningKeyError
from dfns_signers.signing_key import KeyResponse
from dfns_signers_vault_transit.batch import Gatherer
from dfns_signers_vault_transit.options import BatchOptions


class Gate:
    """A server whose answers wait until they are let go; ``arrived`` tells that one came."""

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


def wait_for_queue(gatherer: Gatherer, length: int) -> None:
    for _ in range(2000):
        with gatherer._lock:
            if len(gatherer._waiting) == length:
                return
        threading.Event().wait(0.005)
    raise AssertionError(f"there were never {length} messages that wait")


def wait_until_taken(gatherer: Gatherer, gate: Gate, count: int) -> None:
    """Until this many messages behind the first have come, sent or not."""
    for _ in range(2000):
        with gatherer._lock:
            if sum(map(len, gate.requests)) - 1 + len(gatherer._waiting) == count:
                return
        threading.Event().wait(0.005)
    raise AssertionError(f"there were never {count} messages")


@pytest.fixture
def gate() -> Gate:
    return Gate()


def burst(
    gatherer: Gatherer, gate: Gate, threads: ThreadPoolExecutor, messages: Sequence[bytes]
) -> list[Future[KeyResponse]]:
    """The first message in flight, and the others behind it, in order."""
    futures = [threads.submit(gatherer.sign, messages[0])]
    assert gate.arrived.acquire(timeout=20)
    for number, message in enumerate(messages[1:], start=1):
        futures.append(threads.submit(gatherer.sign, message))
        if number < gatherer._options.max_size:
            wait_for_queue(gatherer, number)
    return futures


def test_message_that_finds_nothing_in_flight_leaves_at_once_and_alone(gate: Gate) -> None:
    gate.open.set()
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10))

    assert [gatherer.sign(m).signature for m in (b"a", b"b")] == [b"signed a", b"signed b"]
    assert gate.requests == [[b"a"], [b"b"]]


def test_messages_behind_one_in_flight_leave_together_in_order(gate: Gate) -> None:
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(6) as threads:
        futures = burst(gatherer, gate, threads, [b"0", b"1", b"2", b"3", b"4"])
        gate.open.set()

    assert gate.requests == [[b"0"], [b"1", b"2", b"3", b"4"]]
    assert [f.result().signature for f in futures] == [b"signed %d" % i for i in range(5)]


def test_full_batch_does_not_wait_for_the_one_in_flight(gate: Gate) -> None:
    stopped = Gatherer(gate.send, BatchOptions(max_size=3, max_wait=10), clock=lambda: 0.0)
    with ThreadPoolExecutor(6) as threads:
        burst(stopped, gate, threads, [b"0", b"1", b"2", b"3"])
        has_left = gate.arrived.acquire(timeout=5)
        gate.open.set()

    assert has_left
    assert gate.requests == [[b"0"], [b"1", b"2", b"3"]]


def test_message_that_has_waited_long_enough_leaves_beside_the_one_in_flight(gate: Gate) -> None:
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=0.001))
    with ThreadPoolExecutor(2) as threads:
        threads.submit(gatherer.sign, b"0")
        first = gate.arrived.acquire(timeout=20)
        threads.submit(gatherer.sign, b"1")
        second = gate.arrived.acquire(timeout=20)
        gate.open.set()

    assert first
    assert second
    assert gate.requests == [[b"0"], [b"1"]]


def test_item_that_fails_fails_alone(gate: Gate) -> None:
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(6) as threads:
        futures = burst(gatherer, gate, threads, [b"0", b"1", b"bad", b"3"])
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

    gatherer = Gatherer(fail, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(6) as threads:
        futures = burst(gatherer, gate, threads, [b"0", b"1", b"2"])
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

    gatherer = Gatherer(interrupted, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(6) as threads:
        futures = burst(gatherer, gate, threads, [b"0", b"1", b"2"])
        gate.open.set()

    kinds = sorted(type(future.exception()).__name__ for future in futures[1:])
    assert kinds == ["KeyboardInterrupt", "SigningKeyError"]
    assert gatherer.sign(b"next").signature == b"signed next"


def test_outside_asyncio_each_message_takes_a_worker_thread(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in trio: the loop is not asked for anything that only asyncio has."""
    gate.open.set()

    async def in_thread(function: Callable[[bytes], KeyResponse], message: bytes) -> KeyResponse:
        return function(message)

    monkeypatch.setattr(anyio.to_thread, "run_sync", in_thread)

    with pytest.raises(StopIteration) as finished:
        Gatherer(gate.send, BatchOptions()).asign(b"a").send(None)

    assert finished.value.value.signature == b"signed a"


def test_tasks_and_threads_are_gathered_together(gate: Gate) -> None:
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10))

    async def sign_three(threads: ThreadPoolExecutor) -> list[bytes]:
        first = asyncio.create_task(gatherer.asign(b"0"))
        await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        second = asyncio.create_task(gatherer.asign(b"1"))
        await asyncio.to_thread(wait_for_queue, gatherer, 1)
        third = asyncio.wrap_future(threads.submit(gatherer.sign, b"2"))
        await asyncio.to_thread(wait_for_queue, gatherer, 2)
        gate.open.set()
        return [one.signature for one in await asyncio.gather(first, second, third)]

    with ThreadPoolExecutor(1) as threads:
        signatures = asyncio.run(sign_three(threads))

    assert signatures == [b"signed 0", b"signed 1", b"signed 2"]
    assert gate.requests == [[b"0"], [b"1", b"2"]]


def test_task_that_has_waited_long_enough_leaves_beside_the_one_in_flight(gate: Gate) -> None:
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=0.001))

    async def sign_two() -> None:
        tasks = [asyncio.create_task(gatherer.asign(message)) for message in (b"0", b"1")]
        for _ in tasks:
            assert await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        gate.open.set()
        await asyncio.gather(*tasks)

    asyncio.run(sign_two())

    assert gate.requests == [[b"0"], [b"1"]]


def test_task_that_is_cancelled_takes_its_message_along_and_passes_its_turn_on(
    gate: Gate,
) -> None:
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10))

    async def cancel_one() -> bytes:
        first = asyncio.create_task(gatherer.asign(b"0"))
        await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        cancelled, last = (asyncio.create_task(gatherer.asign(m)) for m in (b"1", b"2"))
        await asyncio.to_thread(wait_for_queue, gatherer, 2)
        cancelled.cancel()
        await asyncio.gather(cancelled, return_exceptions=True)
        gate.open.set()
        await first
        return (await last).signature

    assert asyncio.run(cancel_one()) == b"signed 2"
    assert gate.requests == [[b"0"], [b"2"]]


def test_task_that_leads_is_cancelled_and_its_followers_are_signed(gate: Gate) -> None:
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10))

    async def cancel_leader(threads: ThreadPoolExecutor) -> bytes:
        anyio.to_thread.current_default_thread_limiter().total_tokens = 1
        release = threading.Event()
        busy = asyncio.ensure_future(anyio.to_thread.run_sync(release.wait))
        first = asyncio.wrap_future(threads.submit(gatherer.sign, b"0"))
        await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        leader, follower = (asyncio.create_task(gatherer.asign(m)) for m in (b"1", b"2"))
        await asyncio.to_thread(wait_for_queue, gatherer, 2)
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
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10))

    async def cancel_at_once() -> bytes:
        task = asyncio.create_task(gatherer.asign(b"0"))
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gate.open.set()
        return (await asyncio.wait_for(gatherer.asign(b"1"), 5)).signature

    assert asyncio.run(cancel_at_once()) == b"signed 1"


def test_task_leads_although_every_worker_thread_waits_for_it(gate: Gate) -> None:
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10))

    async def crowd(threads: ThreadPoolExecutor) -> int:
        limiter = anyio.to_thread.current_default_thread_limiter()
        limiter.total_tokens = 2
        first = asyncio.wrap_future(threads.submit(gatherer.sign, b"0"))
        await asyncio.to_thread(gate.arrived.acquire, timeout=20)
        tasks = [asyncio.create_task(gatherer.asign(b"1"))]
        await asyncio.to_thread(wait_for_queue, gatherer, 1)
        for number in (2, 3):
            sign = anyio.to_thread.run_sync(gatherer.sign, b"%d" % number)
            tasks.append(asyncio.ensure_future(sign))
            await asyncio.to_thread(wait_for_queue, gatherer, number)
        gate.open.set()
        done, _ = await asyncio.wait([first, *tasks], timeout=5)
        return len(done)

    with ThreadPoolExecutor(1) as threads:
        assert asyncio.run(crowd(threads)) == 4


def test_messages_of_more_than_a_megabyte_go_in_several_requests(
    gate: Gate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dfns_signers_vault_transit.batch._MOST_BYTES", 10)
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10), clock=lambda: 0.0)
    messages = [b"first", b"small", b"b" * 30, b"last"]
    with ThreadPoolExecutor(4) as threads:
        futures = [threads.submit(gatherer.sign, messages[0])]
        assert gate.arrived.acquire(timeout=20)
        for message in messages[1:]:
            futures.append(threads.submit(gatherer.sign, message))
            settled = len(futures) - 1
            wait_until_taken(gatherer, gate, settled)
        gate.open.set()

    assert sorted(map(len, gate.requests)) == [1, 1, 1, 1]
    assert {m for request in gate.requests for m in request} == set(messages)


def test_closing_refuses_what_waits_and_lets_what_is_in_flight_come_back(gate: Gate) -> None:
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10))
    with ThreadPoolExecutor(2) as threads:
        first, second = burst(gatherer, gate, threads, [b"0", b"1"])
        gatherer.close()
        refused = second.exception(timeout=20)
        gate.open.set()

    assert first.result().signature == b"signed 0"
    assert "was closed" in str(refused)
    with pytest.raises(SigningKeyError, match="was closed"):
        gatherer.sign(b"2")


def test_request_that_cannot_be_started_is_an_error_and_hinders_nobody(gate: Gate) -> None:
    gate.open.set()
    gatherer = Gatherer(gate.send, BatchOptions())
    gatherer._senders.shutdown()

    with pytest.raises(SigningKeyError, match="could not be started"):
        asyncio.run(gatherer.asign(b"0"))

    assert gatherer.sign(b"1").signature == b"signed 1"


def test_loop_that_ended_while_its_message_was_in_flight_hinders_nobody(gate: Gate) -> None:
    gatherer = Gatherer(gate.send, BatchOptions(max_wait=10))

    async def give_up() -> None:
        task = asyncio.ensure_future(gatherer.asign(b"1"))
        await asyncio.to_thread(wait_for_queue, gatherer, 1)
        task.cancel()

    with ThreadPoolExecutor(1) as threads:
        first = threads.submit(gatherer.sign, b"0")
        assert gate.arrived.acquire(timeout=20)
        asyncio.run(give_up())
        gate.open.set()

    assert first.result(20).signature == b"signed 0"
    assert gatherer.sign(b"2").signature == b"signed 2"


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
    gatherer = Gatherer(gate.send, BatchOptions(max_size=max_size, max_wait=max_wait))

    def outcome(message: bytes) -> KeyResponse | str:
        try:
            return gatherer.sign(message)
        except SigningKeyError as error:
            return str(error)

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(outcome, messages))

    expected = [answer_to(message) for message in messages]
    assert outcomes == [str(e) if isinstance(e, Exception) else e for e in expected]
    assert sorted(m for request in gate.requests for m in request) == sorted(messages)
    assert max(map(len, gate.requests)) <= max_size
