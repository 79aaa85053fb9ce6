"""One asynchronous client serves several event loops, one after the other and at once."""

from __future__ import annotations

import asyncio
import gc
import threading
import warnings
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import httpx
import pytest

from dfns_signers.client import connections
from dfns_signers.client.client import AsyncDfnsClient
from dfns_signers.client.delegated import AsyncDelegatedDfnsClient
from dfns_signers.client.http_settings import AsyncHttp
from tests.core.client.keep_alive import KeepAliveApi

BACKENDS = pytest.mark.parametrize("backend", ["asyncio", "trio"])


@pytest.fixture
def api() -> Iterator[KeepAliveApi]:
    with KeepAliveApi() as running:
        yield running


async def port(dfns: Any) -> int:
    answer = await dfns.get("/wallets")
    found: int = answer["port"]
    return found


async def two_ports(dfns: Any) -> tuple[int, int]:
    return await port(dfns), await port(dfns)


@BACKENDS
@pytest.mark.parametrize("kind", [AsyncDfnsClient, AsyncDelegatedDfnsClient])
def test_client_that_is_never_closed_serves_one_run_after_the_other(
    api: KeepAliveApi, backend: str, kind: Callable[..., Any]
) -> None:
    dfns = kind("token", base_url=api.url)

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        runs = [anyio.run(two_ports, dfns, backend=backend) for _ in range(4)]
        gc.collect()

    assert all(first == second for first, second in runs)
    assert len({first for first, _ in runs}) == 4
    assert api.wait_until_nobody_is_connected()


def test_run_of_asyncio_and_run_of_trio_share_a_client(api: KeepAliveApi) -> None:
    dfns = AsyncDfnsClient("token", base_url=api.url)

    for backend in ("asyncio", "trio", "asyncio"):
        anyio.run(port, dfns, backend=backend)

    assert api.wait_until_nobody_is_connected()


def test_run_of_asyncio_may_begin_within_a_run_of_trio(api: KeepAliveApi) -> None:
    dfns = AsyncDfnsClient("token", base_url=api.url)

    async def outer() -> tuple[int, int, int]:
        first = await port(dfns)
        inner = await anyio.to_thread.run_sync(asyncio.run, port(dfns))
        return first, inner, await port(dfns)

    first, inner, again = anyio.run(outer, backend="trio")

    assert first == again != inner


@BACKENDS
def test_client_keeps_nothing_of_runs_that_ended(api: KeepAliveApi, backend: str) -> None:
    dfns = AsyncDfnsClient("token", base_url=api.url)
    https: weakref.WeakSet[httpx.AsyncClient] = weakref.WeakSet()

    class Noted(AsyncHttp):
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            https.add(self)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(connections, "AsyncHttp", Noted)
        for _ in range(3):
            anyio.run(port, dfns, backend=backend)
    gc.collect()

    assert len(https) == 0


@BACKENDS
def test_client_is_closed_in_a_run_that_closes_it_in_a_cancelled_scope(
    api: KeepAliveApi, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Waiting(AsyncHttp):
        async def aclose(self) -> None:
            await anyio.lowlevel.checkpoint()
            await super().aclose()

    monkeypatch.setattr(connections, "AsyncHttp", Waiting)

    async def run() -> bool:
        dfns = AsyncDfnsClient("token", base_url=api.url)
        await port(dfns)
        with anyio.CancelScope() as scope:
            scope.cancel()
            await dfns.aclose()
        return await anyio.to_thread.run_sync(api.wait_until_nobody_is_connected)

    assert anyio.run(run, backend=backend)


def test_loop_that_is_run_again_keeps_its_connection(api: KeepAliveApi) -> None:
    dfns = AsyncDfnsClient("token", base_url=api.url)
    loop = asyncio.new_event_loop()
    try:
        first = loop.run_until_complete(port(dfns))
        assert loop.run_until_complete(port(dfns)) == first
        loop.run_until_complete(dfns.aclose())
    finally:
        loop.close()

    assert api.wait_until_nobody_is_connected()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_loop_that_was_closed_without_its_generators_leaves_no_connection_for_good(
    api: KeepAliveApi,
) -> None:
    dfns = AsyncDfnsClient("token", base_url=api.url)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(port(dfns))
    loop.close()
    del loop

    asyncio.run(port(dfns))
    gc.collect()

    assert api.wait_until_nobody_is_connected()


def test_loops_of_two_threads_use_one_client_at_once(api: KeepAliveApi) -> None:
    dfns = AsyncDfnsClient("token", base_url=api.url)
    both = threading.Barrier(2)
    ports: list[tuple[int, int]] = []

    async def call() -> None:
        first = await port(dfns)
        await asyncio.to_thread(both.wait, 30)
        ports.append((first, await port(dfns)))

    threads = [threading.Thread(target=asyncio.run, args=(call(),)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(ports) == 2
    assert all(first == second for first, second in ports)
    assert ports[0] != ports[1]


@BACKENDS
def test_client_left_by_a_cancelled_scope_is_closed_all_the_same(
    api: KeepAliveApi, backend: str
) -> None:
    async def run() -> bool:
        with anyio.CancelScope() as scope:
            async with AsyncDfnsClient("token", base_url=api.url) as dfns:
                await port(dfns)
                scope.cancel()
                await anyio.sleep_forever()
        return await anyio.to_thread.run_sync(api.wait_until_nobody_is_connected)

    assert anyio.run(run, backend=backend)


@BACKENDS
def test_http_client_of_the_caller_is_left_open(api: KeepAliveApi, backend: str) -> None:
    async def run() -> None:
        async with httpx.AsyncClient() as http:
            async with AsyncDfnsClient("token", base_url=api.url, http_client=http) as dfns:
                first = await port(dfns)
            assert not http.is_closed
            async with AsyncDfnsClient("token", base_url=api.url, http_client=http) as other:
                assert await port(other) == first

    anyio.run(run, backend=backend)
