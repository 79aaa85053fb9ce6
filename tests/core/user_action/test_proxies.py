"""The token for this machine is sent through no proxy, whichever httpx client sends it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import anyio
import httpcore
import httpx
import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient, KeySigner
from dfns_signers.errors import RequestError
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.client.keep_alive import KeepAliveApi
from tests.core.client.scripted import ScriptedApi

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.fixture
def proxy(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedApi]:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ScriptedApi() as running:
        monkeypatch.setenv("HTTP_PROXY", running.url)
        yield running


def call_with_auth(http: httpx.Client, api: ScriptedApi, signer: KeySigner, method: str) -> None:
    auth = UserActionAuth("token", signer, base_url=api.url)
    http.request(method, f"{api.url}/wallets", auth=auth)


def call_with_client(http: httpx.Client, api: ScriptedApi, signer: KeySigner, method: str) -> None:
    DfnsClient("token", signer, base_url=api.url, http_client=http).request(method, "/wallets")


async def acall_with_auth(
    http: httpx.AsyncClient, api: ScriptedApi, signer: KeySigner, method: str
) -> None:
    auth = UserActionAuth("token", signer, base_url=api.url)
    await http.request(method, f"{api.url}/wallets", auth=auth)


async def acall_with_client(
    http: httpx.AsyncClient, api: ScriptedApi, signer: KeySigner, method: str
) -> None:
    dfns = AsyncDfnsClient("token", signer, base_url=api.url, http_client=http)
    await dfns.request(method, "/wallets")


METHODS = pytest.mark.parametrize("method", ["GET", "POST"])


@METHODS
@pytest.mark.parametrize("call", [call_with_auth, call_with_client])
def test_proxy_of_the_environment_sees_nothing(
    api: ScriptedApi, proxy: ScriptedApi, signer: KeySigner, method: str, call: Callable[..., None]
) -> None:
    with httpx.Client() as http, pytest.raises(RequestError, match="through a proxy"):
        call(http, api, signer, method)

    assert proxy.seen == api.seen == []


@METHODS
@BACKENDS
@pytest.mark.parametrize("call", [acall_with_auth, acall_with_client])
def test_proxy_of_the_environment_sees_nothing_of_asynchronous_calls(
    api: ScriptedApi,
    proxy: ScriptedApi,
    signer: KeySigner,
    method: str,
    call: Callable[..., Any],
    backend: str,
) -> None:
    async def run() -> None:
        async with httpx.AsyncClient() as http:
            with pytest.raises(RequestError, match="through a proxy"):
                await call(http, api, signer, method)

    anyio.run(run, backend=backend)

    assert proxy.seen == api.seen == []


def test_proxy_that_is_connected_already_sees_nothing_more(
    api: ScriptedApi, signer: KeySigner
) -> None:
    with KeepAliveApi() as proxy, httpx.Client(proxy=proxy.url) as http:
        first, again = (http.get(f"{api.url}/x").json()["port"] for _ in range(2))
        assert first == again

        with pytest.raises(RequestError, match="through a proxy"):
            call_with_client(http, api, signer, "GET")

    assert api.seen == []


def test_proxy_is_not_even_connected(api: ScriptedApi, signer: KeySigner) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{bound.getsockname()[1]}"

        with (
            httpx.Client(proxy=nobody) as http,
            pytest.raises(RequestError, match="through a proxy"),
        ):
            call_with_client(http, api, signer, "GET")


def test_client_without_a_proxy_calls_this_machine(
    api: ScriptedApi, proxy: ScriptedApi, signer: KeySigner
) -> None:
    with httpx.Client(trust_env=False) as http:
        call_with_auth(http, api, signer, "POST")
        call_with_client(http, api, signer, "POST")

    assert proxy.seen == []
    assert len(api.seen) == 6


def test_trace_of_the_caller_still_hears_of_the_call(api: ScriptedApi, signer: KeySigner) -> None:
    events: list[str] = []

    def trace(event: str, info: Mapping[str, Any]) -> None:
        events.append(event)

    auth = UserActionAuth("token", signer, base_url=api.url)
    with httpx.Client(auth=auth, trust_env=False) as http:
        http.get(f"{api.url}/wallets", extensions={"trace": trace})

    assert "http11.send_request_headers.started" in events


@BACKENDS
def test_asynchronous_trace_of_the_caller_still_hears_of_the_call(
    api: ScriptedApi, signer: KeySigner, backend: str
) -> None:
    events: list[str] = []

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        events.append(event)

    async def run() -> None:
        auth = UserActionAuth("token", signer, base_url=api.url)
        async with httpx.AsyncClient(auth=auth, trust_env=False) as http:
            await http.get(f"{api.url}/wallets", extensions={"trace": trace})

    anyio.run(run, backend=backend)

    assert "http11.send_request_headers.started" in events


class Recorded(httpx.BaseTransport):
    """Sends through a pool of httpcore, over a network that is a script."""

    def __init__(self, pool: httpcore.ConnectionPool) -> None:
        self._pool = pool

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self._pool.request("GET", str(request.url), extensions=request.extensions)
        return httpx.Response(answer.status, content=answer.content)


ANSWER = httpcore.MockBackend([b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"])


def test_port_that_a_url_leaves_out_is_no_other_place() -> None:
    pool = httpcore.ConnectionPool(network_backend=ANSWER)

    with httpx.Client(transport=Recorded(pool)) as http:
        auth = UserActionAuth("token", base_url="http://localhost")
        assert http.get("http://localhost/wallets", auth=auth).json() == {}


def test_proxy_on_another_machine_with_the_same_port_sees_nothing() -> None:
    proxy = httpcore.HTTPProxy("http://proxy.example:8080", network_backend=ANSWER)
    auth = UserActionAuth("token", base_url="http://localhost:8080")

    with (
        httpx.Client(transport=Recorded(proxy)) as http,
        pytest.raises(RequestError, match="through a proxy"),
    ):
        http.get("http://localhost:8080/wallets", auth=auth)
