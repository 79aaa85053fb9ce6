"""A signer that opens its key when it is first needed."""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import anyio
import pytest

from dfns_signers import deadlines, worker_threads
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import (
    ConfigurationError,
    CredentialNotAllowedError,
    KeyStoreUnavailableError,
    SecretRefusedError,
    SigningKeyError,
)
from dfns_signers.hooks import SigningRequest, hookimpl
from dfns_signers.lazy_key import LazyKey
from dfns_signers.signer import KeySigner
from dfns_signers.worker_threads import MAX_THREADS
from tests.core.keys import AnsweringKey

CHALLENGE = {"challenge": "Y2gt"}


class Opener:
    """Opens a key; fails as often as it is given errors."""

    def __init__(self, *failures: SigningKeyError) -> None:
        self.key = AnsweringKey("ES256")
        self.calls = 0
        self._failures = list(failures)

    def __call__(self) -> AnsweringKey:
        self.calls += 1
        if self._failures:
            raise self._failures.pop(0)
        return self.key


def signer_of(opener: Any, *plugins: object) -> KeySigner:
    return KeySigner(opener, "Y2kt", plugins=plugins)


def sign(signer: Any, challenge: Any = None) -> Any:
    return signer.sign(challenge or CHALLENGE)


def asign(signer: Any, challenge: Any = None) -> Any:
    return anyio.run(signer.asign, challenge or CHALLENGE)


WAYS = pytest.mark.parametrize("way", [sign, asign])


@WAYS
def test_key_is_opened_at_the_first_signature_and_kept(way: Any) -> None:
    opener = Opener()
    signer = signer_of(opener)
    assert opener.calls == 0

    assertions = [way(signer), way(signer)]

    assert opener.calls == 1
    assert [one["credentialAssertion"]["credId"] for one in assertions] == ["Y2kt", "Y2kt"]


@WAYS
def test_threads_that_sign_at_once_open_one_key(way: Any) -> None:
    opener, barrier = Opener(), threading.Barrier(8)
    signer = signer_of(opener)

    def sign_at_once() -> None:
        barrier.wait(10)
        way(signer)

    threads = [threading.Thread(target=sign_at_once) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert (opener.calls, opener.key.uses) == (1, 8)


@WAYS
def test_opening_that_failed_is_tried_again_at_the_next_signature(way: Any) -> None:
    opener = Opener(KeyStoreUnavailableError("the store is away"))
    signer = signer_of(opener)
    with pytest.raises(KeyStoreUnavailableError):
        way(signer)

    way(signer)

    assert opener.calls == 2


@WAYS
def test_secret_that_was_refused_is_never_tried_again(way: Any) -> None:
    opener = Opener(SecretRefusedError("the PIN was refused"))
    signer = signer_of(opener)

    for _ in range(3):
        with pytest.raises(SecretRefusedError, match="the PIN was refused"):
            way(signer)

    assert opener.calls == 1


@WAYS
def test_challenge_of_another_credential_opens_no_key(way: Any) -> None:
    opener = Opener()
    refused = {**CHALLENGE, "allowCredentials": {"key": [{"type": "public-key", "id": "other"}]}}

    with pytest.raises(CredentialNotAllowedError, match="does not allow the credential 'Y2kt'"):
        way(signer_of(opener), refused)

    assert opener.calls == 0


@WAYS
def test_guard_sees_the_call(way: Any) -> None:
    class Guard:
        seen: SigningRequest | None = None

        @hookimpl
        def before_sign(self, request: SigningRequest) -> None:
            self.seen = request

    guard, call = Guard(), AnnouncedCall("POST", "/wallets", "{}")

    way(signer_of(Opener(), guard).for_call(call))

    assert guard.seen is not None
    assert guard.seen.call == call


@pytest.mark.parametrize("asynchronous", [True, False])
def test_closing_closes_the_key_that_was_opened(asynchronous: bool) -> None:
    opener = Opener()
    signer = signer_of(opener)
    signer.sign(CHALLENGE)

    if asynchronous:
        anyio.run(signer.aclose)
    else:
        signer.close()

    assert opener.key.releases == 1
    with pytest.raises(SigningKeyError, match="closed"):
        signer.sign(CHALLENGE)


@pytest.mark.parametrize("asynchronous", [True, False])
def test_signer_that_was_closed_before_it_was_needed_opens_no_key(asynchronous: bool) -> None:
    opener = Opener()
    signer = signer_of(opener)

    if asynchronous:
        anyio.run(signer.aclose)
    else:
        signer.close()

    with pytest.raises(SigningKeyError, match="the signer is closed"):
        signer.sign(CHALLENGE)
    assert opener.calls == 0


def test_closing_during_an_opening_leaves_no_key_open() -> None:
    opener, opening, closing = Opener(), threading.Event(), threading.Event()

    def open_slowly() -> AnsweringKey:
        opening.set()
        closing.wait(10)
        return opener()

    signer = signer_of(open_slowly)

    def refused() -> None:
        with pytest.raises(SigningKeyError, match="the signer is closed"):
            _ = signer.key

    signing = threading.Thread(target=refused)
    signing.start()
    opening.wait(10)
    ending = threading.Thread(target=signer.close)
    ending.start()
    closing.set()
    for thread in (signing, ending):
        thread.join(10)

    assert opener.key.releases == 1


def test_repr_says_whether_a_key_is_open() -> None:
    signer = signer_of(Opener())
    assert "a key not opened yet" in repr(signer)

    signer.sign(CHALLENGE)

    assert "store/key-1" in repr(signer)


def is_waiting_for_the_opening(thread: threading.Thread) -> bool:
    """Whether a thread is within the call that waits for the opening of another."""
    frame = sys._current_frames().get(thread.ident or 0)
    while frame is not None and frame.f_code is not LazyKey.get.__code__:
        frame = frame.f_back
    return frame is not None and frame.f_locals.get("is_new") is False


def test_threads_that_waited_for_an_opening_share_its_failure() -> None:
    opening, may_fail, waiting = threading.Event(), threading.Event(), threading.Barrier(9)
    calls: list[int] = []

    def fail_slowly() -> AnsweringKey:
        calls.append(1)
        opening.set()
        may_fail.wait(10)
        raise KeyStoreUnavailableError("the store is away")

    def failure() -> None:
        with pytest.raises(KeyStoreUnavailableError, match="the store is away"):
            _ = signer.key

    def wait_and_fail() -> None:
        waiting.wait(10)
        failure()

    signer = signer_of(fail_slowly)
    first = threading.Thread(target=failure)
    first.start()
    opening.wait(10)
    others = [threading.Thread(target=wait_and_fail) for _ in range(8)]
    for thread in others:
        thread.start()
    waiting.wait(10)
    end = time.monotonic() + 10
    while not all(is_waiting_for_the_opening(thread) for thread in others):
        assert time.monotonic() < end
    may_fail.set()
    for thread in (first, *others):
        thread.join(10)

    assert len(calls) == 1


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_waiting_for_an_opening_can_be_cancelled() -> None:
    may_open = threading.Event()

    def open_slowly() -> AnsweringKey:
        may_open.wait(10)
        return AnsweringKey("ES256")

    signer = signer_of(open_slowly)

    with anyio.move_on_after(0.01) as scope:
        await signer.asign(CHALLENGE)
    may_open.set()

    assert scope.cancelled_caught
    assert await signer.asign(CHALLENGE)


@pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])
@pytest.mark.anyio
async def test_tasks_that_wait_for_an_opening_share_its_failure_and_take_no_thread() -> None:
    calls, may_fail = [], threading.Event()

    def fail_slowly() -> AnsweringKey:
        calls.append(1)
        may_fail.wait(10)
        raise KeyStoreUnavailableError("the store is away")

    signer = signer_of(fail_slowly)
    failures: list[KeyStoreUnavailableError] = []

    async def fail() -> None:
        with pytest.raises(KeyStoreUnavailableError, match="the store is away") as failure:
            await signer.asign(CHALLENGE)
        failures.append(failure.value)

    async with anyio.create_task_group() as tasks:
        for _ in range(10 * MAX_THREADS):
            tasks.start_soon(fail)
        await anyio.wait_all_tasks_blocked()
        assert await worker_threads.run(lambda: "a thread is free") == "a thread is free"
        may_fail.set()

    assert len(calls) == 1
    assert len({id(failure) for failure in failures}) == 10 * MAX_THREADS


def test_thread_waits_for_an_opening_no_longer_than_it_has_time() -> None:
    opening, may_open = threading.Event(), threading.Event()

    def open_slowly() -> AnsweringKey:
        opening.set()
        may_open.wait(10)
        return AnsweringKey("ES256")

    signer = signer_of(open_slowly)
    first = threading.Thread(target=lambda: signer.key)
    first.start()
    opening.wait(10)

    with deadlines.within(0), pytest.raises(KeyStoreUnavailableError, match="still being opened"):
        signer.sign(CHALLENGE)
    may_open.set()
    first.join(10)

    assert signer.sign(CHALLENGE)


def test_opening_has_its_own_time_not_that_of_the_first_caller() -> None:
    seen: list[float | None] = []

    def look() -> AnsweringKey:
        seen.append(deadlines.remaining())
        return AnsweringKey("ES256")

    with deadlines.within(5):
        signer_of(look).sign(CHALLENGE)

    assert seen == [None]


def test_opening_that_is_interrupted_leaves_the_next_one_to_the_others() -> None:
    opener = Opener()
    interruptions = [KeyboardInterrupt]

    def open_or_be_interrupted() -> AnsweringKey:
        if interruptions:
            raise interruptions.pop()
        return opener()

    signer = signer_of(open_or_be_interrupted)
    with pytest.raises(KeyboardInterrupt):
        signer.sign(CHALLENGE)

    assert signer.sign(CHALLENGE)


def test_signer_that_is_closed_by_the_thread_that_opens_its_key_leaves_no_key_open() -> None:
    key = AnsweringKey("ES256")

    def open_and_be_interrupted() -> AnsweringKey:
        signer.close()  # as the handler of a signal would
        return key

    signer = signer_of(open_and_be_interrupted)

    with pytest.raises(SigningKeyError, match="the signer is closed"):
        signer.sign(CHALLENGE)
    assert key.releases == 1


def test_function_that_opens_a_key_by_its_own_signer_is_refused() -> None:
    signers: list[KeySigner] = []
    signers.append(signer_of(lambda: signers[0].key))

    with pytest.raises(SigningKeyError, match="uses that signer"):
        signers[0].sign(CHALLENGE)


@pytest.mark.parametrize(
    ("opener", "error", "said"),
    [
        (lambda: 1 / 0, SigningKeyError, "failed with ZeroDivisionError"),
        (lambda: "key.pem", ConfigurationError, "returned str, expected a SigningKey"),
    ],
)
def test_function_that_opens_no_key_ends_in_an_error_of_ours(
    opener: Any, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        signer_of(opener).sign(CHALLENGE)


def test_failure_of_an_opening_keeps_its_cause_and_where_it_came_from() -> None:
    cause = OSError("no route")

    def fail_to_open() -> AnsweringKey:
        raise KeyStoreUnavailableError("the store is away") from cause

    with pytest.raises(KeyStoreUnavailableError) as caught:
        signer_of(fail_to_open).sign(CHALLENGE)

    assert caught.value.__cause__ is cause
    assert "fail_to_open" in [entry.name for entry in caught.traceback]


def test_closing_that_fails_after_a_late_opening_is_logged_and_hides_nothing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Failing(AnsweringKey):
        def _close(self) -> None:
            raise OSError("the socket is gone")

    def open_and_be_closed() -> AnsweringKey:
        signer.close()
        return Failing("ES256")

    signer = signer_of(open_and_be_closed)

    with pytest.raises(SigningKeyError, match="the signer is closed"):
        signer.sign(CHALLENGE)
    (record,) = [record for record in caplog.records if record.levelname == "ERROR"]
    assert "closing failed" in record.getMessage()
