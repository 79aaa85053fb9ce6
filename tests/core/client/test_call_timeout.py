"""One call has one deadline, over all its requests, attempts, pages, the key and the waiting."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from dfns_signers import deadlines
from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    KeyStoreUnavailableError,
    RateLimitedError,
    TransportTimeoutError,
)
from dfns_signers.evidence import KeyResponse
from dfns_signers.hooks import hookimpl
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.recordings import sent
from tests.core.client.scripted import SILENCE, Reply, ScriptedApi
from tests.core.keys import AnsweringKey

pytestmark = pytest.mark.timeout(30)

SECONDS = 1.0  # more than the steps before the one that is silent ever take
IN_TIME = {"call_timeout": SECONDS, "timeout": 20, "max_attempts": 3}


def create(dfns: Driven) -> Any:
    return dfns.call(lambda client: client.post("/wallets", json={"network": "Solana"}))


@pytest.fixture
def forever() -> Iterator[Callable[..., Any]]:
    """Holds whatever calls it until the test is over."""
    over = threading.Event()
    yield lambda *_: over.wait(20)
    over.set()


@pytest.mark.parametrize(
    ("silent", "uncertain"),
    [("/auth/action/init", False), ("/auth/action", False), ("/wallets", True)],
)
def test_silent_api_ends_with_the_time_of_the_call_and_says_what_it_may_have_done(
    connect: Connector, api: ScriptedApi, signer: KeySigner, silent: str, uncertain: bool
) -> None:
    api.on(silent, always=SILENCE)
    dfns = connect("token", signer, base_url=api.url, **IN_TIME)

    with pytest.raises(TransportTimeoutError, match="within the time of the call") as caught:
        create(dfns)

    assert caught.value.may_have_taken_effect is uncertain
    assert len(api.sent(silent)) == 1


def test_silent_key_store_ends_with_the_time_of_the_call(
    connect: Connector, api: ScriptedApi, forever: Callable[..., Any]
) -> None:
    def never(_: bytes) -> KeyResponse:
        forever()
        raise AssertionError

    signer = KeySigner(AnsweringKey("ES256", never), "Y2kt")
    dfns = connect("token", signer, base_url=api.url, **IN_TIME)

    with pytest.raises(KeyStoreUnavailableError, match="within the time of the call"):
        create(dfns)

    assert api.sent("/wallets") == []


def test_key_that_is_opened_for_ever_ends_with_the_time_of_the_call(
    connect: Connector, api: ScriptedApi, forever: Callable[..., Any]
) -> None:
    dfns = connect("token", KeySigner(forever, "Y2kt"), base_url=api.url, **IN_TIME)

    with pytest.raises(KeyStoreUnavailableError, match="the time of the call"):
        create(dfns)


def test_time_of_a_call_is_not_that_of_what_others_begin_in_it(
    connect: Connector, api: ScriptedApi
) -> None:
    seen: dict[str, float | None] = {}

    class PlainSigner:
        def sign(self, _: Any) -> Any:
            seen["signer"] = deadlines.remaining()
            return {"kind": "Key", "credentialAssertion": {}}

    def provider() -> str:
        seen["provider"] = deadlines.remaining()
        return "token"

    create(connect(provider, PlainSigner(), base_url=api.url, **IN_TIME))

    assert seen == {"provider": None, "signer": None}


def test_time_of_a_call_is_that_of_its_key_and_not_of_its_hooks(
    connect: Connector, api: ScriptedApi
) -> None:
    seen: dict[str, float | None] = {}

    class Observer:
        @hookimpl
        def before_sign(self) -> None:
            seen["guard"] = deadlines.remaining()

        @hookimpl
        def after_sign(self) -> None:
            seen["observer"] = deadlines.remaining()

    class Key(AnsweringKey):
        def _sign(self, message: bytes) -> KeyResponse:
            seen["key"] = deadlines.remaining()
            return super()._sign(message)

    signer = KeySigner(Key("ES256"), "Y2kt", plugins=[Observer()])

    create(connect("token", signer, base_url=api.url, **IN_TIME))

    assert seen.pop("key") is not None
    assert seen == {"guard": None, "observer": None}


def test_pause_that_would_outlast_the_call_is_not_made(
    connect: Connector, emulator: Emulator, pauses: list[float]
) -> None:
    emulator.fail_next("GET", "/wallets", status=429, headers={"Retry-After": "20"})
    dfns = connect(emulator.auth_token, base_url=emulator.url, call_timeout=15)

    with pytest.raises(RateLimitedError):
        dfns.call(lambda client: client.get("/wallets"))

    assert pauses == []
    assert len(sent(emulator, "/wallets")) == 1


def test_pages_without_items_end_with_the_time_of_one_call(
    connect: Connector, api: ScriptedApi
) -> None:
    numbers = itertools.count()
    empty = lambda _: Reply(body={"items": [], "nextPageToken": str(next(numbers))})  # noqa: E731
    api.on("/wallets", always=empty)
    dfns = connect("token", base_url=api.url, **IN_TIME)

    with pytest.raises(TransportTimeoutError):
        dfns.walk(lambda client: client.wallets.list())


def test_delegated_call_ends_in_time_too(
    connect: Connector, api: ScriptedApi, signer: KeySigner
) -> None:
    api.on("/wallets", always=SILENCE)
    dfns = connect.delegated("token", base_url=api.url, **IN_TIME)
    pending = dfns.call(lambda client: client.init("POST", "/wallets", json={}))
    assertion = signer.sign(pending.challenge)

    with pytest.raises(TransportTimeoutError, match="within the time of the call") as caught:
        dfns.call(lambda client: client.complete(pending, assertion))

    assert caught.value.may_have_taken_effect is True


def test_httpx_client_of_the_caller_ends_in_time_where_its_own_timeout_is_longer(
    connect: Connector, api: ScriptedApi
) -> None:
    api.on("/wallets", always=SILENCE)
    own = connect.http(timeout=20)
    dfns = connect("token", base_url=api.url, http_client=own, call_timeout=SECONDS)

    with pytest.raises(TransportTimeoutError):
        dfns.call(lambda client: client.get("/wallets"))


@pytest.mark.parametrize("asked", [31, 300])
def test_longest_pause_is_a_setting(
    connect: Connector, emulator: Emulator, pauses: list[float], asked: int
) -> None:
    emulator.fail_next("GET", "/wallets", status=429, headers={"Retry-After": str(asked)})
    dfns = connect(
        emulator.auth_token, base_url=emulator.url, max_retry_after=300, call_timeout=None
    )

    dfns.call(lambda client: client.get("/wallets"))

    assert pauses == [asked]
