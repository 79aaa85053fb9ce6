"""Observers hear what came of each call that was signed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import httpx
import pytest

from dfns_signers.announced_call import AnnouncedCall, CallAnswer
from dfns_signers.backends.pem.key import PemKey
from dfns_signers.emulator import Emulator
from dfns_signers.errors import ApiError, SigningRefusedError
from dfns_signers.hooks import hookimpl
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.httpx_auth import UserActionAuth
from dfns_signers.user_action.request_extensions import CALL_ID_EXTENSION, CALLER_EXTENSION
from tests.core.keys import private_key, private_pem

WALLET = b'{"network":"Bitcoin"}'
Handle = Callable[[httpx.Request], httpx.Response]


class Observer:
    """Remembers what it was shown."""

    def __init__(self) -> None:
        self.seen: list[tuple[AnnouncedCall, CallAnswer]] = []
        self.hooks_may_block = True
        self.thread: threading.Thread | None = None

    @hookimpl
    def call_answered(self, call: AnnouncedCall, answer: CallAnswer) -> None:
        self.seen.append((call, answer))
        self.thread = threading.current_thread()

    @property
    def answer(self) -> CallAnswer:
        ((_, answer),) = self.seen
        return answer


@pytest.fixture
def observer() -> Observer:
    return Observer()


@pytest.fixture
def signer(observer: Observer) -> KeySigner:
    key = PemKey.from_pem(private_pem(private_key("Ed25519")))
    return KeySigner(key, "cr-first", plugins=[observer])


def test_answer_is_seen_with_its_call(http: httpx.Client, observer: Observer) -> None:
    http.post(
        "/wallets",
        content=WALLET,
        extensions={CALLER_EXTENSION: "payments", CALL_ID_EXTENSION: "call-1"},
    )

    ((call, answer),) = observer.seen
    assert (call.method, call.path, call.caller, call.id) == (
        *("POST", "/wallets"),
        *("payments", "call-1"),
    )
    assert (answer.status, answer.error, answer.may_have_taken_effect) == (200, None, False)
    assert answer.seconds > 0


def test_read_is_not_seen(http: httpx.Client, observer: Observer) -> None:
    http.get("/wallets")

    assert observer.seen == []


def test_refusal_of_the_api_is_seen_with_its_id_and_its_body_is_left_to_the_caller(
    http: httpx.Client, observer: Observer
) -> None:
    refused = http.post("/wallets", content=b'{"network":"Nowhere"}')

    assert observer.answer.status == 400
    assert observer.answer.error_id == refused.json()["error"]["id"]
    assert not observer.answer.may_have_taken_effect


def test_refused_user_action_is_seen(
    http: httpx.Client, emulator: Emulator, observer: Observer
) -> None:
    emulator.fail_next("POST", "/auth/action", status=403)

    with pytest.raises(ApiError):
        http.post("/wallets", content=WALLET)

    assert (observer.answer.status, observer.answer.error) == (403, "PermissionDeniedError")
    assert not observer.answer.may_have_taken_effect


def test_call_that_a_guard_refuses_is_not_seen(emulator: Emulator, observer: Observer) -> None:
    class Refuses:
        @hookimpl
        def before_sign(self) -> None:
            raise SigningRefusedError("no")

    key = PemKey.from_pem(private_pem(private_key("Ed25519")))
    auth = UserActionAuth(
        emulator.auth_token,
        KeySigner(key, "cr-first", plugins=[Refuses(), observer]),
        base_url=emulator.url,
    )

    with httpx.Client(base_url=emulator.url, auth=auth) as http, pytest.raises(SigningRefusedError):
        http.post("/wallets", content=WALLET)

    assert observer.seen == []


class Breaking(httpx.HTTPTransport):
    """Sends everything but the call itself, which fails."""

    def __init__(self, error: httpx.TransportError) -> None:
        super().__init__()
        self._error = error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/wallets":
            raise self._error
        return super().handle_request(request)


@pytest.mark.parametrize(
    ("error", "may_have_taken_effect"),
    [(httpx.ReadTimeout("late"), True), (httpx.ConnectError("no way"), False)],
    ids=lambda value: type(value).__name__,
)
def test_call_without_an_answer_is_seen_with_what_went_wrong(
    emulator: Emulator,
    auth: UserActionAuth,
    observer: Observer,
    error: httpx.TransportError,
    may_have_taken_effect: bool,
) -> None:
    transport = Breaking(error)

    with (
        httpx.Client(base_url=emulator.url, auth=auth, transport=transport) as http,
        pytest.raises(type(error)),
    ):
        http.post("/wallets", content=WALLET)

    assert (observer.answer.status, observer.answer.error) == (None, type(error).__name__)
    assert observer.answer.may_have_taken_effect == may_have_taken_effect


@pytest.mark.anyio
async def test_asynchronous_client_has_its_answers_seen(
    emulator: Emulator, auth: UserActionAuth, observer: Observer
) -> None:
    async with httpx.AsyncClient(base_url=emulator.url, auth=auth) as http:
        await http.post("/wallets", content=WALLET)

    assert observer.answer.status == 200


@pytest.mark.anyio
@pytest.mark.parametrize("may_block", [False, True])
async def test_answer_is_shown_in_a_thread_if_an_observer_may_block(
    emulator: Emulator, auth: UserActionAuth, observer: Observer, *, may_block: bool
) -> None:
    observer.hooks_may_block = may_block
    async with httpx.AsyncClient(base_url=emulator.url, auth=auth) as http:
        await http.post("/wallets", content=WALLET)

    assert (observer.thread is not threading.current_thread()) is may_block


def test_cancelled_call_is_seen(
    emulator: Emulator, auth: UserActionAuth, observer: Observer
) -> None:
    async def main() -> None:
        sent = asyncio.Event()

        class Hanging(httpx.AsyncHTTPTransport):
            async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
                if request.url.path == "/wallets":
                    sent.set()
                    await asyncio.Event().wait()
                return await super().handle_async_request(request)

        async with httpx.AsyncClient(base_url=emulator.url, auth=auth, transport=Hanging()) as http:
            call = asyncio.create_task(http.post("/wallets", content=WALLET))
            await sent.wait()
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

    asyncio.run(main())

    assert (observer.answer.status, observer.answer.error) == (None, "no answer")
    assert observer.answer.may_have_taken_effect


def test_observer_that_fails_changes_nothing(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    class Fails:
        @hookimpl
        def call_answered(self) -> None:
            raise ValueError("no")

    key = PemKey.from_pem(private_pem(private_key("Ed25519")))
    signer = KeySigner(key, "cr-first", plugins=[Fails()])
    auth = UserActionAuth(emulator.auth_token, signer, base_url=emulator.url)

    with httpx.Client(base_url=emulator.url, auth=auth) as http:
        assert http.post("/wallets", content=WALLET).is_success

    assert "failed after an answer, which it does not change" in caplog.text
