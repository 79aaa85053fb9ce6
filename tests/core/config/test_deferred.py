"""A signer that opens its key when it is first needed."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import pytest

from dfns_signers.config.deferred import DeferredSigner
from dfns_signers.errors import KeyStoreUnavailableError, SigningKeyError
from dfns_signers.hooks import AnnouncedCall, SigningRequest, hookimpl
from dfns_signers.signer import KeySigner
from tests.core.keys import AnsweringKey

CHALLENGE = {"challenge": "Y2gt"}


class Opener:
    """Opens a signer; fails as often as it is told to."""

    def __init__(self, failures: int = 0, plugins: tuple[object, ...] = ()) -> None:
        self.key = AnsweringKey("ES256")
        self.calls = 0
        self._failures = failures
        self._plugins = plugins

    def __call__(self) -> KeySigner:
        self.calls += 1
        if self.calls <= self._failures:
            raise KeyStoreUnavailableError("the store is away")
        return KeySigner(self.key, "Y2kt", plugins=self._plugins)


def sign(signer: DeferredSigner) -> Any:
    return signer.sign(CHALLENGE)


def asign(signer: DeferredSigner) -> Any:
    return anyio.run(signer.asign, CHALLENGE)


WAYS = pytest.mark.parametrize("way", [sign, asign])


@WAYS
def test_key_is_opened_at_the_first_signature_and_kept(way: Any) -> None:
    opener = Opener()
    signer = DeferredSigner(opener)
    assert opener.calls == 0

    assertions = [way(signer), way(signer)]

    assert opener.calls == 1
    assert [one["credentialAssertion"]["credId"] for one in assertions] == ["Y2kt", "Y2kt"]


@WAYS
def test_opening_that_failed_is_tried_again_at_the_next_signature(way: Any) -> None:
    opener = Opener(failures=1)
    signer = DeferredSigner(opener)
    with pytest.raises(KeyStoreUnavailableError):
        way(signer)

    way(signer)

    assert opener.calls == 2


@pytest.mark.parametrize("asynchronous", [True, False])
def test_guard_is_told_the_call(asynchronous: bool) -> None:
    class Guard:
        seen: SigningRequest | None = None

        @hookimpl
        def before_sign(self, request: SigningRequest) -> None:
            self.seen = request

    guard, call = Guard(), AnnouncedCall("POST", "/wallets", "{}")
    bound = DeferredSigner(Opener(plugins=(guard,))).for_call(call)

    if asynchronous:
        anyio.run(bound.asign, CHALLENGE)
    else:
        bound.sign(CHALLENGE)

    assert guard.seen is not None
    assert guard.seen.call == call


@pytest.mark.parametrize("asynchronous", [True, False])
def test_closing_closes_the_key_that_was_opened(asynchronous: bool) -> None:
    opener = Opener()
    signer = DeferredSigner(opener)
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
    signer = DeferredSigner(opener)

    if asynchronous:
        anyio.run(signer.aclose)
    else:
        signer.close()

    with pytest.raises(SigningKeyError, match="the signer is closed"):
        signer.sign(CHALLENGE)
    assert opener.calls == 0


def test_closing_during_an_opening_leaves_no_key_open() -> None:
    opener, opening, closing = Opener(), threading.Event(), threading.Event()

    def open_slowly() -> KeySigner:
        opening.set()
        closing.wait(10)
        return opener()

    signer = DeferredSigner(open_slowly)
    signing = threading.Thread(target=signer.open)
    signing.start()
    opening.wait(10)
    ending = threading.Thread(target=signer.close)
    ending.start()
    closing.set()
    for thread in (signing, ending):
        thread.join(10)

    assert opener.key.releases == 1


def test_repr_tells_whether_a_key_is_open() -> None:
    signer = DeferredSigner(Opener())
    assert "not opened yet" in repr(signer)

    signer.sign(CHALLENGE)

    assert "store/key-1" in repr(signer)
