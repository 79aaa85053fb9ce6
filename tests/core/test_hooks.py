"""Guards refuse before a signature, observers look on after it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import anyio
import pytest

from dfns_signers.algorithms import Algorithm
from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import (
    ChallengeError,
    InvalidSignatureError,
    KeyStoreUnavailableError,
    SigningRefusedError,
)
from dfns_signers.hooks import SigningHooks, SigningRequest, hookimpl
from dfns_signers.signer import KeySigner, Signer
from dfns_signers.signing_key import Evidence, KeyResponse
from tests.core.keys import AnsweringKey

CREDENTIAL = "Y2ktNzloaHQ"
CHALLENGE = {"challenge": "Y2gtNzloaHQ", "challengeIdentifier": "eyJ0eXAi"}
SIGNED = b'{"type":"key.get","challenge":"Y2gtNzloaHQ"}'


def sign(signer: Signer) -> Any:
    return signer.sign(CHALLENGE)


def asign(signer: Signer) -> Any:
    return anyio.run(signer.asign, CHALLENGE)


Way = Callable[[Signer], Any]
WAYS = pytest.mark.parametrize("way", [sign, asign])


class Guard:
    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.seen: list[SigningRequest] = []

    @hookimpl
    def before_sign(self, request: SigningRequest) -> None:
        self.seen.append(request)
        if self.failure:
            raise self.failure


class Observer:
    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.seen: list[tuple[SigningRequest, Evidence]] = []

    @hookimpl
    def after_sign(self, request: SigningRequest, evidence: Evidence) -> None:
        self.seen.append((request, evidence))
        if self.failure:
            raise self.failure


def signer_with(*plugins: object, key: AnsweringKey | None = None) -> KeySigner:
    return KeySigner(key or AnsweringKey("ES256"), CREDENTIAL, plugins=plugins)


@WAYS
def test_guard_that_agrees_sees_what_is_about_to_be_signed(way: Way) -> None:
    guard = Guard()

    way(signer_with(guard, key=AnsweringKey("ES256", reference="store/key-1")))

    assert guard.seen == [
        SigningRequest(
            credential_id=CREDENTIAL,
            key="store/key-1",
            algorithm=Algorithm.ES256,
            challenge=CHALLENGE,
            message=SIGNED,
            call=None,
        )
    ]


@WAYS
def test_guard_that_refuses_keeps_the_key_from_being_used(way: Way) -> None:
    refusal = SigningRefusedError("more than the limit")
    key, observer = AnsweringKey("ES256"), Observer()

    with pytest.raises(SigningRefusedError) as caught:
        way(signer_with(Guard(refusal), observer, key=key))

    assert caught.value is refusal
    assert key.uses == 0
    assert observer.seen == []


@WAYS
@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_refusal_among_several_guards_is_enough(way: Way, place: int) -> None:
    guards = [Guard(), Guard(), Guard()]
    guards[place].failure = SigningRefusedError("no")
    key = AnsweringKey("ES256")

    with pytest.raises(SigningRefusedError):
        way(signer_with(*guards, key=key))

    assert key.uses == 0


@WAYS
def test_guards_are_asked_as_pluggy_orders_them_until_one_refuses(way: Way) -> None:
    class First(Guard):
        @hookimpl(tryfirst=True)
        def before_sign(self, request: SigningRequest) -> None:
            super().before_sign(request)

    earlier, refusing, first = Guard(), Guard(SigningRefusedError("no")), First()

    with pytest.raises(SigningRefusedError):
        way(signer_with(first, earlier, refusing))

    assert [len(guard.seen) for guard in (first, refusing, earlier)] == [1, 1, 0]


@WAYS
@pytest.mark.parametrize("failure", [ConnectionError("db is down"), KeyError("amount")])
def test_guard_that_fails_refuses_naming_plugin_and_cause(way: Way, failure: Exception) -> None:
    class LimitGuard(Guard):
        pass

    hooks = SigningHooks([("limits", LimitGuard(failure))])
    key = AnsweringKey("ES256", reference="store/key-1")

    with pytest.raises(SigningRefusedError, match="'limits' failed") as caught:
        way(KeySigner(key, CREDENTIAL, plugins=hooks))

    assert caught.value.__cause__ is failure
    for part in ("store/key-1", type(failure).__name__, str(failure)):
        assert part in str(caught.value)
    assert key.uses == 0


@WAYS
@pytest.mark.parametrize("answer", [False, True, 0, "no"])
def test_guard_that_answers_instead_of_raising_refuses(way: Way, answer: object) -> None:
    class Answering:
        @hookimpl
        def before_sign(self) -> object:
            return answer

    key = AnsweringKey("ES256")

    with pytest.raises(SigningRefusedError, match="refuses by raising"):
        way(signer_with(Answering(), key=key))

    assert key.uses == 0


@WAYS
def test_guard_sees_the_announced_call(way: Way) -> None:
    guard = Guard()
    call = AnnouncedCall("PUT", "/wallets/wa-1", '{"name":"cold"}')

    way(signer_with(guard).for_call(call))

    seen = guard.seen[0].call
    assert seen is not None
    assert (seen.method, seen.path, seen.payload) == ("PUT", "/wallets/wa-1", '{"name":"cold"}')


@WAYS
def test_observer_sees_request_and_evidence_of_the_signature(way: Way) -> None:
    observer = Observer()
    key = AnsweringKey("ES256", reference="store/key-1")

    way(signer_with(observer, key=key))

    ((request, evidence),) = observer.seen
    assert request.message == SIGNED
    assert evidence.key == "store/key-1"
    assert evidence.fingerprint == key.fingerprint
    assert evidence.verified is True


@WAYS
def test_observer_is_not_told_of_a_signature_that_was_refused(way: Way) -> None:
    observer = Observer()
    key = AnsweringKey("Ed25519", lambda _: KeyResponse(bytes(64)))

    with pytest.raises(InvalidSignatureError):
        way(signer_with(observer, key=key))

    assert observer.seen == []


@WAYS
def test_observer_that_fails_is_logged_and_neither_signature_nor_others_suffer(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    before, failing, after = Observer(), Observer(OSError("disk full")), Observer()
    hooks = SigningHooks([("first", before), ("audit", failing), ("last", after)])

    assertion = way(KeySigner(AnsweringKey("ES256"), CREDENTIAL, plugins=hooks))

    assert assertion["kind"] == "Key"
    assert [len(observer.seen) for observer in (before, failing, after)] == [1, 1, 1]
    (record,) = [record for record in caplog.records if record.name == "dfns_signers.hooks"]
    assert record.levelno == logging.ERROR
    assert "'audit' failed after a signature" in record.getMessage()
    assert record.exc_info is not None
    assert record.exc_info[1] is failing.failure


@WAYS
def test_observer_that_would_end_the_process_is_logged_and_changes_nothing(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    class Ending:
        @hookimpl
        def after_sign(self) -> None:
            raise SystemExit("the audit log is full")

    assert way(signer_with(Ending()))["kind"] == "Key"
    assert "failed after a signature" in caplog.text


def test_ctrl_c_within_an_observer_ends_the_signature() -> None:
    class Interrupted:
        @hookimpl
        def after_sign(self) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        signer_with(Interrupted()).sign(CHALLENGE)


@pytest.mark.anyio
async def test_asign_runs_no_hook_on_the_thread_of_the_event_loop() -> None:
    threads: dict[str, int] = {}

    class Plugin:
        @hookimpl
        def before_sign(self) -> None:
            threads["before"] = threading.get_ident()

        @hookimpl
        def after_sign(self) -> None:
            threads["after"] = threading.get_ident()

    await signer_with(Plugin()).asign(CHALLENGE)

    assert threads.keys() == {"before", "after"}
    assert threading.get_ident() not in threads.values()


@pytest.mark.anyio
@pytest.mark.parametrize("others_block", [False, True])
async def test_asign_needs_a_thread_only_where_a_hook_may_block(*, others_block: bool) -> None:
    threads = []

    class Prompt:
        hooks_may_block = False

        @hookimpl
        def before_sign(self) -> None:
            threads.append(threading.get_ident())

    class Other:
        @hookimpl
        def after_sign(self) -> None:
            """Observe nothing."""

    plugins = [Prompt(), Other()] if others_block else [Prompt()]
    await signer_with(*plugins).asign(CHALLENGE)

    assert (threading.get_ident() not in threads) is others_block


@WAYS
def test_hook_may_take_only_the_arguments_that_it_needs(way: Way) -> None:
    seen: list[str] = []

    class Plugin:
        @hookimpl
        def before_sign(self) -> None:
            seen.append("before")

        @hookimpl
        def after_sign(self, evidence: Evidence) -> None:
            seen.append(evidence.algorithm)

    way(signer_with(Plugin()))

    assert seen == ["before", "ES256"]


def test_request_repr_shows_neither_challenge_nor_message_nor_body() -> None:
    guard = Guard()
    call = AnnouncedCall("POST", "/wallets", '{"secret":"canary"}')

    signer_with(guard).for_call(call).sign({"challenge": "canary"})

    assert "canary" not in repr(guard.seen[0])
    assert "/wallets" in repr(guard.seen[0])


@pytest.mark.parametrize(("plugins", "expected"), [((), False), ((Guard(),), True)])
def test_hooks_are_true_when_somebody_stands_in_the_path(
    plugins: tuple[object, ...], expected: bool
) -> None:
    assert bool(SigningHooks((None, plugin) for plugin in plugins)) is expected
    assert bool(SigningHooks([(None, Observer())])) is True


class FailureObserver:
    def __init__(self, failure: Exception | None = None) -> None:
        self.failure = failure
        self.seen: list[tuple[SigningRequest, Exception]] = []

    @hookimpl
    def sign_failed(self, request: SigningRequest, error: Exception) -> None:
        self.seen.append((request, error))
        if self.failure:
            raise self.failure


def failing(error: Exception) -> AnsweringKey:
    def fail(_message: bytes) -> KeyResponse:
        raise error

    return AnsweringKey("ES256", fail, reference="store/key-1")


@WAYS
def test_failed_signature_is_observed_with_its_request_and_the_error_of_the_caller(
    way: Way,
) -> None:
    observer = FailureObserver()

    with pytest.raises(KeyStoreUnavailableError) as caught:
        way(signer_with(observer, key=failing(KeyStoreUnavailableError("away"))))

    ((request, error),) = observer.seen
    assert error is caught.value
    assert (request.key, request.message) == ("store/key-1", SIGNED)


@WAYS
def test_refused_signature_is_observed_as_failed(way: Way) -> None:
    observer = FailureObserver()

    with pytest.raises(SigningRefusedError):
        way(signer_with(observer, Guard(SigningRefusedError("no"))))

    ((_, error),) = observer.seen
    assert isinstance(error, SigningRefusedError)


@WAYS
def test_failure_before_the_key_is_open_is_observed_without_a_key(way: Way) -> None:
    def cannot_open() -> AnsweringKey:
        raise KeyStoreUnavailableError("away")

    observer = FailureObserver()

    with pytest.raises(KeyStoreUnavailableError):
        way(KeySigner(cannot_open, CREDENTIAL, plugins=[observer]))

    ((request, _),) = observer.seen
    assert (request.key, request.algorithm) == ("a key that is not open", None)
    assert request.credential_id == CREDENTIAL


@WAYS
def test_signature_that_succeeds_is_not_observed_as_failed(way: Way) -> None:
    observer = FailureObserver()

    way(signer_with(observer))

    assert observer.seen == []


@WAYS
def test_observer_of_failures_that_fails_itself_is_logged_and_changes_no_error(
    way: Way, caplog: pytest.LogCaptureFixture
) -> None:
    first, second = FailureObserver(OSError("disk full")), FailureObserver()

    with pytest.raises(KeyStoreUnavailableError):
        way(signer_with(first, second, key=failing(KeyStoreUnavailableError("away"))))

    assert len(second.seen) == 1
    assert "failed after a failed signature" in caplog.text


@WAYS
@pytest.mark.parametrize("challenge", [{}, {"challenge": ""}, {"challenge": "\ud800"}])
def test_challenge_that_cannot_be_read_is_observed_as_failed(
    way: Way, challenge: dict[str, str]
) -> None:
    observer = FailureObserver()
    signer = signer_with(observer)

    asign_it: Any = signer.asign
    answer = signer.sign if way is sign else partial(anyio.run, asign_it)

    with pytest.raises(ChallengeError):
        answer(challenge)

    ((request, error),) = observer.seen
    assert isinstance(error, ChallengeError)
    assert (request.challenge, request.message) == (challenge, b"")
