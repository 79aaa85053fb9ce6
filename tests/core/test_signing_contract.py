"""What holds for every key, whatever its backend does: closing, foreign errors, forks."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from typing import Any

import anyio
import pytest

from dfns_signers import deadlines
from dfns_signers.encodings import ecdsa_der_from_raw
from dfns_signers.errors import (
    DfnsSignersError,
    InvalidSignatureError,
    KeyStoreThrottledError,
    SecretRefusedError,
    SigningKeyError,
)
from dfns_signers.signing_key import KeyResponse
from tests.core.keys import AnsweringKey, make_signature, private_key
from tests.core.signing_ways import MESSAGE, WAYS, Way, asign, sign

BOUND = 10


class SlowStore:
    """Answers when it is let."""

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def __call__(self, message: bytes) -> KeyResponse:
        self.asked.set()
        assert self.may_answer.wait(BOUND)
        return KeyResponse(make_signature(private_key("Ed25519"), message))


class Signing(threading.Thread):
    """A signature under way in a thread."""

    def __init__(self, way: Way, key: AnsweringKey, store: SlowStore) -> None:
        super().__init__()
        self._way, self._key = way, key
        self.outcome: Any = None
        self.start()
        assert store.asked.wait(BOUND)

    def run(self) -> None:
        try:
            self.outcome = self._way(self._key)
        except DfnsSignersError as error:
            self.outcome = error


@WAYS
def test_closing_waits_for_the_signature_under_way(way: Way) -> None:
    store = SlowStore()
    key = AnsweringKey("Ed25519", store)
    signing = Signing(way, key, store)
    closing = threading.Thread(target=key.close)
    closing.start()
    closing.join(0.1)

    waits, released_early = closing.is_alive(), key.releases
    store.may_answer.set()
    closing.join(BOUND)
    signing.join(BOUND)

    assert waits
    assert (released_early, key.releases) == (0, 1)
    assert isinstance(signing.outcome, bytes)


@WAYS
def test_closing_that_waited_long_enough_leaves_the_release_to_the_last_signature(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AnsweringKey, "close_wait", 0.01)
    store = SlowStore()
    key = AnsweringKey("Ed25519", store)
    signing = Signing(way, key, store)

    key.close()
    released_early = key.releases
    store.may_answer.set()
    signing.join(BOUND)

    assert (released_early, key.releases) == (0, 1)
    assert isinstance(signing.outcome, bytes)
    with pytest.raises(SigningKeyError, match="is closed"):
        key.sign(MESSAGE)


def bounded_sign(key: AnsweringKey) -> bytes:
    with deadlines.within(BOUND):
        return key.sign(MESSAGE)


@pytest.mark.parametrize("way", [sign, asign, bounded_sign])
def test_closed_key_refuses_although_a_signature_is_still_under_way(
    way: Way, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AnsweringKey, "close_wait", 0.0)
    store = SlowStore()
    key = AnsweringKey("Ed25519", store)
    signing = Signing(sign, key, store)
    key.close()
    store.asked.clear()

    with pytest.raises(SigningKeyError, match="is closed"):
        way(key)
    asked = store.asked.is_set()
    store.may_answer.set()
    signing.join(BOUND)

    assert not asked


@pytest.mark.anyio
async def test_native_signature_under_way_holds_off_the_release(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(AnsweringKey, "close_wait", 0.0)
    may_answer = anyio.Event()

    class Native(AnsweringKey):
        async def _asign(self, message: bytes) -> KeyResponse:
            await may_answer.wait()
            return self._sign(message)

    key = Native("Ed25519")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(key.asign, MESSAGE)
        await anyio.wait_all_tasks_blocked()
        await key.aclose()
        released_early = key.releases
        may_answer.set()

    assert (released_early, key.releases) == (0, 1)


def test_release_that_fails_after_the_last_signature_is_logged_and_the_signature_stands(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_key: AnsweringKey) -> None:
        raise OSError("the socket is gone")

    monkeypatch.setattr(AnsweringKey, "close_wait", 0.0)
    monkeypatch.setattr(AnsweringKey, "_close", fail)
    store = SlowStore()
    key = AnsweringKey("Ed25519", store)
    signing = Signing(sign, key, store)

    key.close()
    store.may_answer.set()
    signing.join(BOUND)

    assert isinstance(signing.outcome, bytes)
    (record,) = [r for r in caplog.records if r.levelno == logging.ERROR]
    assert "closing failed" in record.getMessage()


def test_key_that_is_closed_within_its_own_signature_does_not_wait_for_itself() -> None:
    def close_and_answer(message: bytes) -> KeyResponse:
        key.close()
        assert key.releases == 0
        return KeyResponse(make_signature(private_key("Ed25519"), message))

    key = AnsweringKey("Ed25519", close_and_answer)

    assert key.sign(MESSAGE)
    assert key.releases == 1


@pytest.mark.anyio
async def test_signature_whose_caller_was_cancelled_still_holds_off_the_release() -> None:
    store = SlowStore()
    key = AnsweringKey("Ed25519", store)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(key.asign, MESSAGE)
        await anyio.to_thread.run_sync(store.asked.wait, BOUND)
        tasks.cancel_scope.cancel()
    closing = threading.Thread(target=key.close)
    closing.start()
    await anyio.to_thread.run_sync(closing.join, 0.1)

    waits, released_early = closing.is_alive(), key.releases
    store.may_answer.set()
    await anyio.to_thread.run_sync(closing.join, BOUND)

    assert waits
    assert (released_early, key.releases) == (0, 1)


@WAYS
def test_foreign_exception_ends_as_an_error_of_ours_that_names_key_and_backend(way: Way) -> None:
    def fail(_message: bytes) -> KeyResponse:
        raise RuntimeError("password=canary")

    with pytest.raises(SigningKeyError) as caught:
        way(AnsweringKey("Ed25519", fail, reference="store/key-7"))

    assert str(caught.value) == (
        "cannot sign with the key store/key-7: its backend (tests.core.keys) failed with "
        "RuntimeError; report it to the author of the backend"
    )
    assert isinstance(caught.value.__cause__, RuntimeError)


@WAYS
def test_signature_that_cannot_be_converted_ends_as_an_invalid_one_that_names_the_key(
    way: Way,
) -> None:
    def convert(_message: bytes) -> KeyResponse:
        return KeyResponse(ecdsa_der_from_raw(b"odd"))

    with pytest.raises(InvalidSignatureError) as caught:
        way(AnsweringKey("ES256", convert, reference="store/key-7"))

    for part in ("store/key-7", "expected r‖s", "report it to the author of the backend"):
        assert part in str(caught.value)


@WAYS
def test_secret_that_was_refused_while_signing_is_never_sent_again(way: Way) -> None:
    def refuse(_message: bytes) -> KeyResponse:
        raise SecretRefusedError("the PIN was refused")

    key, errors = AnsweringKey("Ed25519", refuse), list[SecretRefusedError]()

    for _ in range(3):
        with pytest.raises(SecretRefusedError, match="the PIN was refused") as caught:
            way(key)
        errors.append(caught.value)

    assert key.uses == 1
    assert len(set(map(id, errors))) == 3  # each has the traceback of its own caller


@WAYS
def test_error_of_ours_passes_as_it_is(way: Way) -> None:
    throttled = KeyStoreThrottledError("slow down")

    def fail(_message: bytes) -> KeyResponse:
        raise throttled

    with pytest.raises(KeyStoreThrottledError) as caught:
        way(AnsweringKey("Ed25519", fail))

    assert caught.value is throttled


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_cancelled_block_still_closes_the_key() -> None:
    key = AnsweringKey("Ed25519")

    with anyio.move_on_after(0.01):
        async with key:
            await anyio.sleep_forever()

    assert key.releases == 1


def test_signature_that_ends_on_another_thread_than_it_began_on_is_counted_once() -> None:
    loop, began = asyncio.new_event_loop(), asyncio.Event()

    class Native(AnsweringKey):
        async def _asign(self, message: bytes) -> KeyResponse:
            began.set()
            await may_answer.wait()
            return self._sign(message)

    key, may_answer = Native("Ed25519"), asyncio.Event()
    task = loop.create_task(key.asign(MESSAGE))
    thread = threading.Thread(target=loop.run_until_complete, args=(began.wait(),))
    thread.start()
    thread.join(BOUND)

    may_answer.set()
    signature = loop.run_until_complete(task)
    loop.close()
    key.close()

    assert signature
    assert key.releases == 1


def test_closing_that_is_interrupted_while_it_waits_still_releases() -> None:
    store = SlowStore()
    key = AnsweringKey("Ed25519", store)
    signing = Signing(sign, key, store)
    previous = signal.signal(signal.SIGALRM, lambda *_: signal.default_int_handler(0, None))
    signal.setitimer(signal.ITIMER_REAL, 0.05)

    with pytest.raises(KeyboardInterrupt):
        key.close()
    signal.signal(signal.SIGALRM, previous)
    released_early = key.releases
    store.may_answer.set()
    signing.join(BOUND)

    assert (released_early, key.releases) == (0, 1)
