"""What becomes of a signature whose caller was cancelled: said to the observers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine
from functools import partial
from queue import SimpleQueue
from typing import Any

import anyio
import anyio.to_thread
import pytest

from dfns_signers import deadlines, worker_threads
from dfns_signers.errors import KeyStoreUnavailableError, SigningCancelledError, SigningKeyError
from dfns_signers.evidence import Evidence, KeyResponse, Signature
from dfns_signers.hooks import hookimpl
from dfns_signers.signer import KeySigner
from dfns_signers.worker_threads import MAX_THREADS
from tests.core.keys import AnsweringKey, make_signature, private_key

asynchronous = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])

BOUND = 20  # seconds; far more than anything here takes
CHALLENGE = {"challenge": "Y2gt"}


class Observer:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.seen: SimpleQueue[Evidence | Exception] = SimpleQueue()
        self.thread: int | None = None

    @hookimpl
    def after_sign(self, evidence: Evidence) -> None:
        self.seen.put(evidence)

    @hookimpl
    def sign_failed(self, error: Exception) -> None:
        self.thread = threading.get_ident()
        self.seen.put(error)

    def next(self) -> Any:
        return self.seen.get(timeout=BOUND)


class SlowStore:
    """Answers when it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()
        self._failure = failure

    def __call__(self, message: bytes) -> KeyResponse:
        self.asked.set()
        self.may_answer.wait(BOUND)
        if self._failure:
            raise self._failure
        return KeyResponse(make_signature(private_key("ES256"), message))


async def cancelled_when(
    event: threading.Event, act: Callable[[], Coroutine[Any, Any, object]]
) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(act)
        await anyio.to_thread.run_sync(event.wait, BOUND)
        tasks.cancel_scope.cancel()


@asynchronous
@pytest.mark.anyio
async def test_signature_that_is_made_all_the_same_is_shown_as_abandoned() -> None:
    store, observer = SlowStore(), Observer()
    signer = KeySigner(AnsweringKey("ES256", store), "Y2kt", plugins=[observer])

    await cancelled_when(store.asked, lambda: signer.asign(CHALLENGE))
    store.may_answer.set()

    evidence = observer.next()
    assert (evidence.key, evidence.abandoned, evidence.verified) == ("store/key-1", True, True)


@asynchronous
@pytest.mark.anyio
async def test_signature_that_somebody_has_is_not_shown_as_abandoned() -> None:
    observer = Observer()

    await KeySigner(AnsweringKey("ES256"), "Y2kt", plugins=[observer]).asign(CHALLENGE)

    assert observer.next().abandoned is False


@asynchronous
@pytest.mark.anyio
async def test_failure_that_nobody_waits_for_is_shown() -> None:
    failure = KeyStoreUnavailableError("the store is away")
    store, observer = SlowStore(failure), Observer()
    signer = KeySigner(AnsweringKey("ES256", store), "Y2kt", plugins=[observer])

    await cancelled_when(store.asked, lambda: signer.asign(CHALLENGE))
    store.may_answer.set()

    assert observer.next() is failure


@asynchronous
@pytest.mark.anyio
async def test_wrong_signature_that_nobody_waits_for_is_shown_as_a_failure() -> None:
    store, observer = SlowStore(), Observer()
    key = AnsweringKey("Ed25519", store)  # answers with an ECDSA signature
    signer = KeySigner(key, "Y2kt", plugins=[observer])

    await cancelled_when(store.asked, lambda: signer.asign(CHALLENGE))
    store.may_answer.set()

    assert "invalid Ed25519 signature" in str(observer.next())


@asynchronous
@pytest.mark.anyio
async def test_signature_that_was_never_begun_is_reported_as_cancelled() -> None:
    store = SlowStore()
    reported: SimpleQueue[Signature | Exception] = SimpleQueue()
    key = AnsweringKey("ES256", store)

    async with anyio.create_task_group() as others:
        for _ in range(MAX_THREADS):
            others.start_soon(key.asign, b"message")
        await anyio.wait_all_tasks_blocked()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(key.asign_with_evidence, b"message", abandoned=reported.put))
            await anyio.wait_all_tasks_blocked()
            tasks.cancel_scope.cancel()
        store.may_answer.set()

    error = await anyio.to_thread.run_sync(partial(reported.get, timeout=BOUND))
    assert isinstance(error, SigningCancelledError)
    assert "none was made" in str(error)
    assert key.uses == MAX_THREADS


@asynchronous
@pytest.mark.anyio
async def test_caller_that_is_cancelled_while_the_key_is_opened_is_shown() -> None:
    opening, may_open, observer = threading.Event(), threading.Event(), Observer()

    def open_slowly() -> AnsweringKey:
        opening.set()
        may_open.wait(BOUND)
        return AnsweringKey("ES256")

    signer = KeySigner(open_slowly, "Y2kt", plugins=[observer])

    await cancelled_when(opening, lambda: signer.asign(CHALLENGE))
    may_open.set()

    error = observer.next()
    assert isinstance(error, SigningCancelledError)
    assert "before the key was used" in str(error)
    assert observer.thread != threading.get_ident()


@asynchronous
@pytest.mark.anyio
async def test_native_signature_that_was_interrupted_is_shown_as_unknown() -> None:
    asked, observer = threading.Event(), Observer()

    class NativeKey(AnsweringKey):
        async def _asign(self, message: bytes) -> KeyResponse:
            asked.set()
            await anyio.sleep_forever()
            raise AssertionError

    signer = KeySigner(NativeKey("ES256"), "Y2kt", plugins=[observer])

    await cancelled_when(asked, lambda: signer.asign(CHALLENGE))

    error = observer.next()
    assert isinstance(error, SigningCancelledError)
    assert "whether it was made is unknown" in str(error)
    assert observer.thread != threading.get_ident()


@asynchronous
@pytest.mark.anyio
async def test_signature_of_a_key_that_uses_another_key_is_accounted_for_as_its_own() -> None:
    store, observer, inner = SlowStore(), Observer(), AnsweringKey("ES256")

    class Outer(AnsweringKey):
        async def _asign(self, message: bytes) -> KeyResponse:
            await inner.asign(message)
            return await super()._asign(message)

    signer = KeySigner(Outer("ES256", store), "Y2kt", plugins=[observer])

    await cancelled_when(store.asked, lambda: signer.asign(CHALLENGE))
    store.may_answer.set()

    assert observer.next().abandoned is True


@asynchronous
@pytest.mark.anyio
async def test_observer_hears_of_a_signature_though_the_caller_is_cancelled_meanwhile() -> None:
    hearing, may_go_on = threading.Event(), threading.Event()
    heard: SimpleQueue[Evidence] = SimpleQueue()

    class SlowObserver:
        @hookimpl
        def after_sign(self, evidence: Evidence) -> None:
            hearing.set()
            may_go_on.wait(BOUND)
            heard.put(evidence)

    signer = KeySigner(AnsweringKey("ES256"), "Y2kt", plugins=[SlowObserver()])

    await cancelled_when(hearing, lambda: signer.asign(CHALLENGE))
    may_go_on.set()

    assert heard.get(timeout=BOUND).key == "store/key-1"


@asynchronous
@pytest.mark.anyio
async def test_observer_that_waits_for_a_thread_hears_though_the_caller_is_cancelled() -> None:
    made, may_end, observer = anyio.Event(), threading.Event(), Observer()

    class BusyKey(AnsweringKey):
        async def _asign(self, message: bytes) -> KeyResponse:
            for _ in range(MAX_THREADS):
                worker_threads.submit(may_end.wait, BOUND)
            made.set()
            return self._sign(message)

    signer = KeySigner(BusyKey("ES256"), "Y2kt", plugins=[observer])

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(signer.asign, CHALLENGE)
        await made.wait()
        await anyio.wait_all_tasks_blocked()
        tasks.cancel_scope.cancel()
    may_end.set()

    assert observer.next().key == "store/key-1"


def test_key_store_that_is_silent_ends_with_the_time_of_the_call() -> None:
    store, observer = SlowStore(), Observer()
    signer = KeySigner(AnsweringKey("ES256", store), "Y2kt", plugins=[observer])

    with (
        deadlines.within(0.01),
        pytest.raises(KeyStoreUnavailableError, match="no signature within the time of the call"),
    ):
        signer.sign(CHALLENGE)
    store.may_answer.set()

    shown = {type(one): one for one in (observer.next(), observer.next())}
    assert shown.pop(KeyStoreUnavailableError)
    # Whether the store was asked depends on how soon a thread began.
    ((kind, last),) = shown.items()
    assert kind is SigningCancelledError or last.abandoned is True


@asynchronous
@pytest.mark.anyio
async def test_key_whose_store_hangs_keeps_no_other_key_and_no_observer_from_their_work() -> None:
    stuck, observer = SlowStore(), Observer()
    dead, alive = AnsweringKey("ES256", stuck), AnsweringKey("ES256")

    async with anyio.create_task_group() as tasks:
        for _ in range(MAX_THREADS + 1):
            tasks.start_soon(dead.asign, b"message")
        await anyio.wait_all_tasks_blocked()
        with anyio.fail_after(BOUND):
            await KeySigner(alive, "Y2kt", plugins=[observer]).asign(CHALLENGE)
        tasks.cancel_scope.cancel()
    stuck.may_answer.set()

    assert observer.next().key == "store/key-1"
    assert alive.uses == 1


@asynchronous
@pytest.mark.anyio
async def test_closing_that_is_cancelled_leaves_the_signature_under_way_to_a_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(worker_threads, "_GRACE", 0.01)
    store, released = SlowStore(), threading.Event()

    class Key(AnsweringKey):
        def _close(self) -> None:
            released.set()

    signer = KeySigner(Key("ES256", store), "Y2kt")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(signer.asign, CHALLENGE)
        await anyio.to_thread.run_sync(store.asked.wait, BOUND)
        with anyio.CancelScope() as leaving:
            leaving.cancel()
            await signer.aclose()
        assert not released.is_set()
        store.may_answer.set()

    assert leaving.cancelled_caught
    assert await anyio.to_thread.run_sync(released.wait, BOUND)


@pytest.mark.parametrize("failure", [KeyStoreUnavailableError("the store is away"), OSError()])
def test_failure_that_the_caller_gets_is_not_reported_as_abandoned(failure: Exception) -> None:
    reported: list[Signature | Exception] = []
    store = SlowStore(failure)
    store.may_answer.set()
    key = AnsweringKey("ES256", store)

    async def asign() -> None:
        await key.asign_with_evidence(b"message", abandoned=reported.append)

    with deadlines.within(BOUND), pytest.raises(SigningKeyError):
        key.sign_with_evidence(b"message", abandoned=reported.append)
    with pytest.raises(SigningKeyError):
        anyio.run(asign)
    worker_threads.submit(lambda: None).result(BOUND)

    assert reported == []


def test_guards_and_observers_run_in_the_thread_of_the_caller() -> None:
    threads: list[int] = []

    class Witness:
        @hookimpl
        def before_sign(self) -> None:
            threads.append(threading.get_ident())

        @hookimpl
        def after_sign(self) -> None:
            threads.append(threading.get_ident())

    with deadlines.within(BOUND):
        KeySigner(AnsweringKey("ES256"), "Y2kt", plugins=[Witness()]).sign(CHALLENGE)

    assert threads == [threading.get_ident()] * 2


@pytest.mark.parametrize(("in_process", "seconds"), [(True, BOUND), (False, None)])
def test_signature_that_needs_no_thread_of_its_own_takes_none(
    in_process: bool, seconds: float | None
) -> None:
    threads: list[int] = []

    def answer(message: bytes) -> KeyResponse:
        threads.append(threading.get_ident())
        return KeyResponse(make_signature(private_key("ES256"), message))

    class Key(AnsweringKey):
        signs_in_process = in_process

    with deadlines.within(seconds):
        Key("ES256", answer).sign(b"message")

    assert threads == [threading.get_ident()]
