"""Closing waits for the requests under way, for a while, and leaves no connection behind."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient
from dfns_signers.client import connections
from dfns_signers.errors import BadRequestError, RequestError
from tests.core.client.driving import Connector, Driven
from tests.core.client.keep_alive import KeepAliveApi
from tests.core.client.scripted import Reply, ScriptedApi, Seen

PATIENCE = 30.0


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Closing that waits for what is over takes longer than the test may."""
    monkeypatch.setattr(connections, "CLOSE_WAIT", 3600)


class Held:
    """Answers of the scripted server to paths, each when the test lets it."""

    def __init__(self, api: ScriptedApi, *paths: str) -> None:
        self.arrived = {path: threading.Event() for path in paths}
        self.may_answer = {path: threading.Event() for path in paths}
        for path in paths:
            api.on(path, self._answer)

    def _answer(self, seen: Seen) -> Reply:
        self.arrived[seen.target].set()
        self.may_answer[seen.target].wait(PATIENCE)
        return Reply(body={"at": seen.target})


def close(dfns: Driven) -> None:
    if dfns.portal:
        dfns.portal.call(dfns.client.aclose)
    else:
        dfns.client.close()


class Calling(threading.Thread):
    """A call in a thread, held at the server, and a closing of its client in another."""

    def __init__(self, dfns: Driven, api: ScriptedApi) -> None:
        self._held = Held(api, "/wallets/wa-1")
        self._dfns = dfns
        self.answers: list[Any] = []
        self.closing = threading.Thread(target=close, args=[dfns])
        super().__init__(target=self._call)
        self.start()
        assert self._held.arrived["/wallets/wa-1"].wait(PATIENCE)
        self.closing.start()

    def let_it_end(self) -> None:
        self._held.may_answer["/wallets/wa-1"].set()
        for thread in (self, self.closing):
            thread.join(PATIENCE)

    def _call(self) -> None:
        self.answers.append(self._dfns.call(lambda client: client.get("/wallets/wa-1")))


def test_closing_waits_for_the_request_under_way_which_gets_its_answer(
    connect: Connector, api: ScriptedApi
) -> None:
    dfns = connect("token", base_url=api.url)
    dfns.call(lambda client: client.get("/wallets"))  # has ended, and is not waited for
    calling = Calling(dfns, api)
    calling.closing.join(0.05)
    assert calling.closing.is_alive()
    calling.let_it_end()

    assert calling.answers == [{"at": "/wallets/wa-1"}]
    with pytest.raises(RequestError, match="the client is closed"):
        dfns.call(lambda client: client.get("/wallets"))


def test_blocking_client_is_closed_by_the_last_request_where_waiting_is_over(
    api: ScriptedApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "CLOSE_WAIT", 0.05)
    calling = Calling(Driven(DfnsClient("token", base_url=api.url), None), api)
    calling.closing.join(PATIENCE)
    assert not calling.closing.is_alive()
    calling.let_it_end()

    assert calling.answers == [{"at": "/wallets/wa-1"}]


@pytest.mark.usefixtures("patient")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
@pytest.mark.parametrize("cancelled", [False, True])
def test_closing_waits_for_the_last_of_several_requests(
    api: ScriptedApi, backend: str, cancelled: bool
) -> None:
    held = Held(api, "/wallets/wa-1", "/wallets/wa-2")
    happened: list[str] = []

    async def call(dfns: AsyncDfnsClient, path: str) -> None:
        happened.append((await dfns.get(path))["at"])

    async def close_it(dfns: AsyncDfnsClient, started: anyio.Event) -> None:
        with anyio.CancelScope() as scope:
            if cancelled:
                scope.cancel()
            started.set()
            await dfns.aclose()
        happened.append("closed")

    async def run() -> None:
        dfns, started = AsyncDfnsClient("token", base_url=api.url), anyio.Event()
        async with anyio.create_task_group() as tasks:
            for path, arrived in held.arrived.items():
                tasks.start_soon(call, dfns, path)
                await anyio.to_thread.run_sync(arrived.wait, PATIENCE)
            tasks.start_soon(close_it, dfns, started)
            await started.wait()
            for number, path in enumerate(held.may_answer, 1):
                held.may_answer[path].set()
                while len(happened) < number:
                    await anyio.lowlevel.checkpoint()

    anyio.run(run, backend=backend)

    assert happened == ["/wallets/wa-1", "/wallets/wa-2", "closed"]


@pytest.mark.usefixtures("patient")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("status", [200, 400])
def test_closing_does_not_wait_for_calls_that_are_over(
    connect: Connector, api: ScriptedApi, status: int
) -> None:
    api.on("/wallets", Reply(status, {}))
    dfns = connect("token", base_url=api.url)

    with contextlib.suppress(BadRequestError):
        dfns.call(lambda client: client.get("/wallets"))
    close(dfns)

    assert len(api.seen) == 1


@pytest.mark.usefixtures("patient")
@pytest.mark.timeout(60)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_of_two_tasks_that_close_one_waits_for_the_request_under_way(
    api: ScriptedApi, backend: str
) -> None:
    held = Held(api, "/wallets/wa-1")
    happened: list[str] = []

    async def call(dfns: AsyncDfnsClient) -> None:
        happened.append((await dfns.get("/wallets/wa-1"))["at"])

    async def close_it(dfns: AsyncDfnsClient) -> None:
        await dfns.aclose()
        happened.append("closed")

    async def run() -> None:
        dfns = AsyncDfnsClient("token", base_url=api.url)
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(call, dfns)
            await anyio.to_thread.run_sync(held.arrived["/wallets/wa-1"].wait, PATIENCE)
            tasks.start_soon(close_it, dfns)
            tasks.start_soon(close_it, dfns)
            with anyio.fail_after(PATIENCE):
                while not happened:
                    await anyio.lowlevel.checkpoint()
            held.may_answer["/wallets/wa-1"].set()

    anyio.run(run, backend=backend)

    assert happened == ["closed", "/wallets/wa-1", "closed"]


@pytest.mark.parametrize("fails", [False, True])
def test_closing_ends_the_connections_of_calls_that_are_over(fails: bool) -> None:
    with KeepAliveApi() as api:
        dfns = DfnsClient("token", base_url=api.url)
        dfns.get("/wallets")
        if fails:
            with pytest.raises(RequestError):
                dfns.get("/wallets", params={"a": "b" * 100_000})
        threading.Thread(target=dfns.close).start()

        assert api.wait_until_nobody_is_connected()
