"""What holds for every key, whatever its backend does: closing, foreign errors, forks."""

from __future__ import annotations

import asyncio
import logging
import signal
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest

from dfns_signers import deadlines, signing_key
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
from tests.support.forking import in_forked_child
from tests.support.interruption import Act, at_each_line

MESSAGE = b"message"
BOUND = 10


def sign(key: AnsweringKey) -> bytes:
    return key.sign(MESSAGE)


def asign(key: AnsweringKey) -> bytes:
    return anyio.run(key.asign, MESSAGE)


WAYS = pytest.mark.parametrize("way", [sign, asign])
Way = Callable[[AnsweringKey], bytes]


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


def test_key_opened_before_a_fork_refuses_in_the_child_and_says_what_to_do() -> None:
    found = in_forked_child(
        """
        from tests.core.keys import AnsweringKey
        key = AnsweringKey("Ed25519", reference="store/key-1")
        key.sign(b"before")
        """,
        "[outcome(lambda: key.sign(b'm')), outcome(lambda: anyio.run(key.asign, b'm'))]",
        after='key.sign(b"after")',
    )

    refusal = (
        "the key store/key-1 was opened before this process was forked, and its connections belong "
        "to the parent: open the key in the child process"
    )
    assert found == [refusal, refusal]


def test_key_whose_backend_can_is_reopened_in_the_child_once() -> None:
    found = in_forked_child(
        """
        from tests.core.keys import AnsweringKey

        class Reopened(AnsweringKey):
            reopened = 0

            def _reopen(self):
                self.reopened += 1

        key = Reopened("Ed25519")
        """,
        "[outcome(lambda: key.sign(b'm')), outcome(lambda: anyio.run(key.asign, b'm')),"
        " key.reopened]",
    )

    assert found == ["signed", "signed", 1]


def test_child_forked_while_another_thread_signs_can_close_the_key_at_once() -> None:
    found = in_forked_child(
        """
        import threading
        from tests.core.keys import AnsweringKey
        AnsweringKey.close_wait = 1000.0
        asked, may_answer = threading.Event(), threading.Event()

        def answer(message):
            asked.set()
            may_answer.wait(10)

        key = AnsweringKey("Ed25519", answer)
        thread = threading.Thread(target=outcome, args=(lambda: key.sign(b"m"),))
        thread.start()
        asked.wait(10)
        """,
        "[key.close(), outcome(lambda: key.sign(b'm'))]",
        after="may_answer.set(); thread.join()",
    )

    assert found == [None, "the key store/key-1 is closed; open it again to sign"]


def test_child_forked_while_another_thread_reopens_the_key_reopens_it_too() -> None:
    found = in_forked_child(
        """
        import threading
        from tests.core.keys import AnsweringKey
        reopening, may_go_on, parent = threading.Event(), threading.Event(), os.getpid()

        class Reopened(AnsweringKey):
            def _reopen(self):
                if os.getpid() == parent:
                    reopening.set()
                    may_go_on.wait(10)

        key = Reopened("Ed25519")
        key.after_fork()  # as if the parent were a child itself
        thread = threading.Thread(target=lambda: key.sign(b"m"))
        thread.start()
        reopening.wait(10)
        """,
        "outcome(lambda: key.sign(b'm'))",
        after="may_go_on.set(); thread.join()",
    )

    assert found == "signed"


def test_child_forked_at_any_point_of_a_signature_signs_and_closes() -> None:
    statuses = in_forked_child(
        """
        from dfns_signers import closing
        from tests.core.keys import AnsweringKey
        from tests.support.interruption import at_each_line
        statuses = []

        class Reopened(AnsweringKey):
            def _reopen(self):
                pass

        def fork():
            child = os.fork()
            if child == 0:
                signal.alarm(10)
                done = outcome(lambda: key.sign(b"m"))
                key.close()
                os._exit(done != "signed")
            statuses.append(os.waitpid(child, 0)[1])

        def prepared():
            global key
            key = Reopened("Ed25519")
            return lambda: key.sign(b"m"), fork

        for _ in at_each_line(closing, prepared, elsewhere=True):
            pass
        """,
        "statuses",
    )

    assert len(statuses) > 5
    assert set(statuses) == {0}


class Reopened(AnsweringKey):
    """Is reopened in a child; remembers what was done in order."""

    def __init__(self) -> None:
        super().__init__("Ed25519")
        self.events: list[str] = []

    def _reopen(self) -> None:
        self.events.append("reopened")

    def _sign(self, message: bytes) -> KeyResponse:
        self.events.append("signed")
        return super()._sign(message)


def test_threads_that_sign_at_once_in_a_child_reopen_the_key_once_and_sign_after_it() -> None:
    keys: list[Reopened] = []

    def prepared() -> tuple[Act, Act]:
        keys.append(Reopened())
        keys[-1].after_fork()
        return partial(sign, keys[-1]), partial(sign, keys[-1])

    for _ in at_each_line(signing_key, prepared, elsewhere=True):
        assert keys[-1].events == ["reopened", "signed", "signed"]

    assert len(keys) > 10


@WAYS
def test_reopening_that_fails_ends_as_an_error_of_ours_and_is_tried_again(way: Way) -> None:
    failures = [OSError("no route")]

    class Failing(Reopened):
        def _reopen(self) -> None:
            if failures:
                raise failures.pop()
            super()._reopen()

    key = Failing()
    key.after_fork()

    with pytest.raises(SigningKeyError, match="failed with OSError"):
        way(key)

    assert way(key)
    assert key.events == ["reopened", "signed"]


def test_key_that_a_task_reopens_in_the_child_does_not_block_the_event_loop() -> None:
    is_elsewhere = in_forked_child(
        """
        import threading
        from tests.core.keys import AnsweringKey

        class Reopened(AnsweringKey):
            def _reopen(self):
                self.thread = threading.get_ident()

        key = Reopened("Ed25519")
        """,
        "[anyio.run(key.asign, b'm') and None, key.thread != threading.get_ident()][1]",
    )

    assert is_elsewhere


def test_signer_that_opens_its_key_opens_another_in_the_child_and_leaves_the_first_alone() -> None:
    found = in_forked_child(
        """
        from dfns_signers import KeySigner
        from tests.core.keys import AnsweringKey
        opened = []

        def open_key():
            opened.append(AnsweringKey("Ed25519"))
            return opened[-1]

        signer = KeySigner(open_key, "cr-1")
        sign()
        """,
        "[outcome(sign), outcome(sign), signer.close(), [key.releases for key in opened]]",
    )

    assert found == ["signed", "signed", None, [0, 1]]


def test_signer_whose_key_is_another_in_the_child_refuses_it() -> None:
    found = in_forked_child(
        """
        from dfns_signers import KeySigner
        from tests.core.keys import AnsweringKey
        kinds, opened = iter(["Ed25519", "ES256"]), []

        def open_key():
            opened.append(AnsweringKey(next(kinds)))
            return opened[-1]

        signer = KeySigner(open_key, "cr-1")
        sign()
        """,
        "[outcome(sign), [key.releases for key in opened]]",
    )

    assert "it is another key" in found[0]
    assert found[1] == [0, 1]


def test_signer_of_a_key_that_was_opened_for_it_keeps_that_key_in_the_child() -> None:
    found = in_forked_child(
        """
        from dfns_signers import KeySigner, PemKey
        from tests.core.keys import private_key
        signer = KeySigner(PemKey(private_key("Ed25519"), reference="test"), "cr-1")
        sign()
        """,
        "[outcome(sign), outcome(asign)]",
    )

    assert found == ["signed", "signed"]


def test_fork_while_another_thread_opens_the_key_does_not_hang_the_child() -> None:
    found = in_forked_child(
        """
        import threading
        from dfns_signers import KeySigner
        from tests.core.keys import AnsweringKey
        opening, may_open, parent = threading.Event(), threading.Event(), os.getpid()

        def open_key():
            if os.getpid() == parent:
                opening.set()
                may_open.wait(10)
            return AnsweringKey("Ed25519")

        signer = KeySigner(open_key, "cr-1")
        thread = threading.Thread(target=lambda: signer.key)
        thread.start()
        opening.wait(10)
        """,
        "outcome(sign)",
        after="""
        may_open.set()
        thread.join()
        """,
    )

    assert found == "signed"


def test_pem_key_signs_in_a_child() -> None:
    found = in_forked_child(
        """
        from dfns_signers import PemKey
        from tests.core.keys import private_key
        key = PemKey(private_key("Ed25519"), reference="test")
        key.sign(b"before")
        """,
        'outcome(lambda: key.sign(b"m"))',
    )

    assert found == "signed"


def test_key_that_a_child_inherited_is_not_released_by_it() -> None:
    found = in_forked_child(
        """
        from tests.core.keys import AnsweringKey
        key = AnsweringKey("Ed25519")
        key.sign(b"before")
        """,
        "[key.close(), key.releases, outcome(lambda: key.sign(b'm'))]",
    )

    assert found[:2] == [None, 0]
    assert "is closed" in found[2]


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
