"""A closed client says so, and calls that were under way fail with what became of them."""

from __future__ import annotations

import threading
from typing import Any

import anyio
import anyio.to_thread
import httpx
import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient, KeySigner
from dfns_signers.client import connections
from dfns_signers.client.keep_alive import AsyncKeepAliveTransport, KeepAliveTransport
from dfns_signers.errors import CallError, DfnsSignersError, RequestError, SigningKeyError
from tests.core.client.driving import Connector, Driven
from tests.core.client.scripted import SILENCE, Reply, ScriptedApi, Seen
from tests.core.keys import AnsweringKey

PATIENCE = 30.0


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing waits but for a moment."""
    monkeypatch.setattr(connections, "CLOSE_WAIT", 0.05)


def close(driven: Driven) -> None:
    if driven.portal:
        driven.portal.call(driven.client.aclose)
    else:
        driven.client.close()


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_closed_client_sends_nothing_and_says_so(
    connect: Connector, api: ScriptedApi, signer: KeySigner, method: str, given: bool
) -> None:
    options = {"http_client": connect.http()} if given else {}
    tokens = iter(["token"])
    dfns = connect(lambda: next(tokens), signer, base_url=api.url, **options)
    close(dfns)
    close(dfns)

    with pytest.raises(RequestError, match="the client is closed"):
        dfns.call(lambda client: client.request(method, "/wallets"))

    assert api.seen == []
    assert list(tokens) == ["token"]  # nobody asked for it


def test_closing_leaves_the_http_client_of_the_caller_open(connect: Connector) -> None:
    http = connect.http()

    close(connect("token", http_client=http))

    assert not http.is_closed


def test_http_client_that_its_owner_closed_is_named(connect: Connector, api: ScriptedApi) -> None:
    http = connect.http()
    dfns = connect("token", base_url=api.url, http_client=http)
    dfns.call(lambda client: client.get("/wallets"))
    if connect.portal:
        connect.portal.call(http.aclose)
    else:
        http.close()

    with pytest.raises(RequestError, match="'http_client' is closed; nothing was sent"):
        dfns.call(lambda client: client.get("/wallets"))


@pytest.mark.usefixtures("impatient")
def test_client_that_is_closed_while_it_signs_does_not_send_the_call(
    connect: Connector, api: ScriptedApi
) -> None:
    clients: list[Driven] = []

    class Closer:
        def sign(self, challenge: Any) -> Any:
            close(clients[0])
            return {"kind": "Key", "credentialAssertion": {}}

    clients.append(connect("token", Closer(), base_url=api.url))

    with pytest.raises(RequestError, match="the client is closed, and the call was not sent"):
        clients[0].call(lambda client: client.post("/wallets"))

    assert [seen.target for seen in api.seen] == ["/auth/action/init"]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_call_of_another_task_fails_with_the_doubt_when_the_client_is_closed(
    api: ScriptedApi, signer: KeySigner, backend: str
) -> None:
    arrived = threading.Event()
    errors: list[BaseException] = []

    def note(_: Seen) -> Reply:
        arrived.set()
        return SILENCE

    async def call(dfns: AsyncDfnsClient) -> None:
        try:
            await dfns.post("/wallets")
        except DfnsSignersError as error:
            errors.append(error)

    async def run() -> None:
        dfns = AsyncDfnsClient("token", signer, base_url=api.url)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, dfns)
            await anyio.to_thread.run_sync(arrived.wait, PATIENCE)
            await dfns.aclose()

    api.on("/wallets", note)
    anyio.run(run, backend=backend)

    assert isinstance(errors[0], CallError)
    assert errors[0].may_have_taken_effect
    api.released.set()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_key_can_be_opened_early_in_both_kinds_of_client(backend: str) -> None:
    opened: list[threading.Thread] = []

    def open_key() -> AnsweringKey:
        opened.append(threading.current_thread())
        return AnsweringKey("ES256")

    async def run() -> None:
        async with AsyncDfnsClient("token", KeySigner(open_key, "cr-1")) as dfns:
            await dfns.aopen()
            await dfns.aopen()

    anyio.run(run, backend=backend)
    with DfnsClient("token", KeySigner(open_key, "cr-1")) as dfns:
        dfns.open()

    assert len(opened) == 2
    assert opened[0] is not threading.current_thread()


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_key_that_cannot_be_opened_early_says_so(backend: str) -> None:
    def fail() -> AnsweringKey:
        raise SigningKeyError("no such key")

    signer = KeySigner(fail, "cr-1")
    with DfnsClient("token", signer) as dfns, pytest.raises(SigningKeyError, match="no such key"):
        dfns.open()

    async def run() -> None:
        async with AsyncDfnsClient("token", signer) as dfns:
            await dfns.aopen()

    with pytest.raises(SigningKeyError, match="no such key"):
        anyio.run(run, backend=backend)


@pytest.mark.parametrize("signer", [None, object])
def test_opening_a_client_without_a_key_does_nothing(signer: Any) -> None:
    class Foreign:
        def sign(self, challenge: Any) -> Any:
            raise AssertionError("not asked")

    with DfnsClient("token", signer and Foreign()) as dfns:
        dfns.open()


def test_closed_client_opens_no_key(connect: Connector, signer: KeySigner) -> None:
    dfns = connect("token", signer)
    close(dfns)

    with pytest.raises(RequestError, match="closed"):
        dfns.call(lambda client: client.aopen() if dfns.portal else client.open())


@pytest.mark.parametrize("timeout", [30, 4, None, httpx.Timeout(9, connect=2)])
def test_own_http_client_has_the_timeout_that_was_asked_for(
    connect: Connector, monkeypatch: pytest.MonkeyPatch, timeout: Any
) -> None:
    asked: list[dict[str, Any]] = []

    def refuse(request: httpx.Request) -> None:
        asked.append(request.extensions["timeout"])
        raise httpx.ConnectError("refused")

    async def arefuse(_: object, request: httpx.Request) -> None:
        refuse(request)

    monkeypatch.setattr(KeepAliveTransport, "handle_request", lambda _, request: refuse(request))
    monkeypatch.setattr(AsyncKeepAliveTransport, "handle_async_request", arefuse)
    own = {} if timeout == 30 else {"timeout": timeout}
    dfns = connect("token", max_attempts=1, call_timeout=None, **own)

    with pytest.raises(CallError):
        dfns.call(lambda client: client.get("/wallets"))

    assert asked == [httpx.Timeout(timeout).as_dict()]
