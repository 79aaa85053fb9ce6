"""The httpx client that carries a client's requests: one per process, and one per event loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Final

import anyio
import httpx
from anyio.lowlevel import RunVar

from dfns_signers import forks
from dfns_signers.client.given_connections import (
    Connections,
    GivenAsyncConnections,
    GivenSyncConnections,
    HttpT,
)
from dfns_signers.client.http_settings import AsyncHttp, Http, HttpSettings
from dfns_signers.client.keep_alive import AsyncKeepAliveTransport, KeepAliveTransport
from dfns_signers.client.timed_connections import check_answers, end_with_the_call
from dfns_signers.closing import Gate
from dfns_signers.errors import ConfigurationError

CLOSE_WAIT: Final = 10.0
"""Seconds that closing waits for requests under way."""

_GRACE: Final = 1.0  # of them, seconds that it waits although it is cancelled

_EVENT_LOOP: Final[RunVar[object]] = RunVar("dfns_signers.event_loop")


def connections(given: object, settings: HttpSettings) -> OwnConnections | GivenSyncConnections:
    """Those of a blocking client: of the ``httpx.Client`` that was given, or of one of our own.

    Args:
        given: an ``httpx.Client``, or None.
        settings: of one of our own.

    Raises:
        ConfigurationError: something else was given, or the environment names an unusable proxy.
    """
    if given is None:
        return OwnConnections(settings)
    return GivenSyncConnections(_of_kind(httpx.Client, given))


def async_connections(
    given: object, settings: HttpSettings
) -> OwnAsyncConnections | GivenAsyncConnections:
    """Those of an asynchronous client; arguments as for ``connections``."""
    if given is None:
        return OwnAsyncConnections(settings)
    return GivenAsyncConnections(_of_kind(httpx.AsyncClient, given))


class OwnConnections(Connections):
    """An ``httpx.Client`` of our own, made anew in a forked child.

    That of the parent stays as it is there: closing it would end connections that the parent uses.

    Args:
        settings: of the ``httpx.Client``.
    """

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._gate = Gate()
        self._lock = threading.RLock()
        self._of_parent: list[httpx.Client | None] = []
        self._http: httpx.Client | None = self._made()
        forks.watch(self)

    @contextmanager
    def lent(self) -> Iterator[httpx.Client]:
        """The httpx client of this process for one attempt; RequestError if this is closed."""
        ticket = self._gate.enter()
        try:
            self.require_open()
            with self._lock:
                http = self._http = self._http or self._made()
            yield http
        finally:
            self._gate.leave(ticket)

    def _made(self) -> httpx.Client:
        # Each request asks, for a call is several, and this may be closed between them.
        hooks = {"request": [lambda _request: self.require_open()]}
        return self._settings.make(Http, KeepAliveTransport, end_with_the_call, hooks)

    def after_fork(self) -> None:
        """Connect anew in a forked child."""
        self._gate.after_fork()
        self._lock = threading.RLock()
        self._of_parent.append(self._http)
        self._http = None

    def close(self) -> None:
        """Close the connections of this process, once the requests under way have ended.

        Waits for them, ten seconds at most; the last of them closes otherwise.
        """
        self._is_closed = True
        self._gate.shut(self._release, wait=CLOSE_WAIT)

    def _release(self) -> None:
        if self._http is not None:
            self._http.close()


class OwnAsyncConnections(Connections):
    """An ``httpx.AsyncClient`` of our own for each event loop, closed when that loop ends.

    Those of a parent process stay as they are in a forked child.

    Args:
        settings: of the ``httpx.AsyncClient``.
    """

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        self._lent: dict[object, _Loan] = {}
        self._of_parent: list[object] = []
        forks.watch(self)

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[httpx.AsyncClient]:
        """The httpx client of the running event loop, for one attempt.

        Raises:
            RequestError: this is closed.
        """
        self.require_open()
        loop = _running_loop()
        loan = self._lent.get(loop)
        if loan is None:
            self._forget_loops_that_are_closed()
            loan = _Loan(self._lend(loop))
            loan.http = await anext(loan.lender)
            self._lent[loop] = loan
        with loan.in_use():
            yield loan.http

    async def _lend(self, loop: object) -> AsyncGenerator[httpx.AsyncClient, None]:
        # asyncio and trio close the asynchronous generators of a loop that ends.
        async def require_open(_request: httpx.Request) -> None:
            self.require_open()

        hooks = {"request": [require_open]}
        http = self._settings.make(AsyncHttp, AsyncKeepAliveTransport, check_answers, hooks)
        try:
            yield http
        finally:
            self._lent.pop(loop, None)
            with anyio.CancelScope(shield=True):
                await http.aclose()

    def _forget_loops_that_are_closed(self) -> None:
        """Let go of clients whose loop ended without closing its asynchronous generators."""
        for loop, loan in list(self._lent.items()):
            if loan.loop is not None and loan.loop.is_closed():
                del self._lent[loop]

    def after_fork(self) -> None:
        """Connect anew in a forked child."""
        self._of_parent.append(self._lent)
        self._lent = {}

    async def aclose(self) -> None:
        """Close the connections of the running event loop; those of others close as they end.

        Waits for the requests under way, ten seconds at most. In a cancelled scope too.
        """
        self._is_closed = True
        loan = self._lent.pop(_running_loop(), None)
        if loan is not None:
            try:
                with anyio.move_on_after(_GRACE, shield=True):
                    await loan.until_unused()
                with anyio.move_on_after(CLOSE_WAIT):
                    await loan.until_unused()
            finally:
                await loan.lender.aclose()


class _Loan:
    """An httpx client, the generator that closes it, and the loop of asyncio it is for."""

    http: httpx.AsyncClient

    def __init__(self, lender: AsyncGenerator[httpx.AsyncClient, None]) -> None:
        self.lender = lender
        self._uses = 0
        self._unused = anyio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        with suppress(RuntimeError):  # under trio
            self.loop = asyncio.get_running_loop()

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Count an attempt, for closing to wait for it."""
        self._uses += 1
        try:
            yield
        finally:
            self._uses -= 1
            if self._uses == 0:
                self._unused.set()

    async def until_unused(self) -> None:
        """Wait until no attempt is under way."""
        self._unused = anyio.Event()
        if self._uses:
            await self._unused.wait()


def _running_loop() -> object:
    """What stands for the running event loop, without keeping it alive."""
    loop = _EVENT_LOOP.get(None)
    if loop is None:
        loop = object()
        _EVENT_LOOP.set(loop)
    return loop


def _of_kind(kind: type[HttpT], given: object) -> HttpT:
    if not isinstance(given, kind):
        raise ConfigurationError(
            f"'http_client' must be an httpx.{kind.__name__}, not {type(given).__name__}"
        )
    return given
