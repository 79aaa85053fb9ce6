"""Transports with as many connections as requests under way, each kept for the next request.

The pools of httpx keep 20 connections, and look at each of them for each request.
"""

from __future__ import annotations

import ssl
import threading
import time
from collections import deque
from collections.abc import Iterable
from contextlib import AsyncExitStack, suppress
from typing import Any, Generic, TypeVar

import anyio
import httpcore
import httpx

from dfns_signers.client.httpcore_messages import (
    AsyncBody,
    Body,
    as_httpcore,
    as_httpx,
    errors_of_httpx,
)
from dfns_signers.client.single_writes import AsyncSingleWrites, SingleWrites
from dfns_signers.client.timed_connections import TimedBackend


class _Connection(httpcore.HTTP11Connection):
    expires_at = 0.0

    def is_usable(self) -> bool:
        """Whether it is open, and nothing came over it that was not asked for."""
        return self.is_idle() and not self.has_expired() and not self._h11_state.trailing_data[0]


class _AsyncConnection(httpcore.AsyncHTTP11Connection):
    expires_at = 0.0

    def __init__(
        self, origin: httpcore.Origin, stream: httpcore.AsyncNetworkStream, expiry: float
    ) -> None:
        super().__init__(origin, stream, expiry)
        self._tls = stream.get_extra_info("ssl_object")

    def is_usable(self) -> bool:
        """Whether it is open, and nothing came over it that was not asked for."""
        is_clean = not self._h11_state.trailing_data[0] and not self._has_unread_tls_data()
        return self.is_idle() and not self.has_expired() and is_clean

    def _has_unread_tls_data(self) -> bool:
        """Whether a record was received, but not read; a blocking one would be in the socket."""
        if self._tls is None:
            return False
        try:
            self._tls.read(1)
        except ssl.SSLWantReadError:
            return False
        except ssl.SSLError:
            return True
        return True  # data, or the end of it


ConnectionT = TypeVar("ConnectionT", bound=_Connection | _AsyncConnection)


class _Kept(Generic[ConnectionT]):
    """The connections of a transport: those in use, and idle ones, of which the last used is next.

    Those that nobody needs any more so expire.
    """

    def __init__(self, expiry: float) -> None:
        self._expiry = expiry
        # Re-entrant, for the handler of a signal may send a request, too.
        self._lock = threading.RLock()
        self._idle: deque[ConnectionT] = deque()
        self._in_use: set[ConnectionT] = set()
        self._is_closed = False

    def take(self) -> tuple[ConnectionT | None, list[ConnectionT]]:
        """An idle connection if one can be used, and those that cannot, which are to be closed."""
        spent: list[ConnectionT] = []
        # None may be left at any step, for the handler of a signal may take some.
        with self._lock, suppress(IndexError):
            while self._idle[0].expires_at < time.monotonic():
                spent.append(self._idle.popleft())
            while True:
                connection = self._idle.pop()
                if connection.is_usable():
                    self._in_use.add(connection)
                    return connection, spent
                spent.append(connection)
        return None, spent

    def add(self, connection: ConnectionT) -> None:
        """A connection that was made, and is in use."""
        with self._lock:
            self._in_use.add(connection)

    def give_back(self, connection: ConnectionT) -> bool:
        """Whether a connection is kept that is no longer in use; otherwise it is to be closed."""
        with self._lock:
            self._in_use.discard(connection)
            is_kept = connection.is_idle() and not self._is_closed
            if is_kept:
                connection.expires_at = time.monotonic() + self._expiry
                self._idle.append(connection)
            return is_kept

    def close(self) -> list[ConnectionT]:
        """Keep no more; returns all that are to be closed."""
        with self._lock:
            self._is_closed = True
            connections = [*self._idle, *self._in_use]
            self._idle.clear()
            return connections


class _Transport(Generic[ConnectionT]):
    """What both kinds share.

    Args:
        base_url: where all requests go.
        context: for https.
        expiry: seconds for which an idle connection is kept.
    """

    def __init__(self, base_url: str, context: ssl.SSLContext | None, expiry: float) -> None:
        self._origin = httpcore.URL(base_url).origin
        self._host = self._origin.host.decode("ascii")
        self._context = context
        self._expiry = expiry
        self._kept: _Kept[ConnectionT] = _Kept(expiry)


class KeepAliveTransport(_Transport[_Connection], httpx.BaseTransport):
    """Sends blocking requests, each of which ends with the time of the call."""

    _backend = TimedBackend(httpcore.SyncBackend())

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a connection of its own; errors are those of httpx."""
        with errors_of_httpx():
            connection = self._connection(request)
            try:
                response: Any = connection.handle_request(as_httpcore(request))
            except BaseException:  # Ctrl-C and cancellation, too
                self._give_back(connection)
                raise
        body = Body(response.stream, lambda: self._give_back(connection))
        return as_httpx(response, body)

    def _connection(self, request: httpx.Request) -> _Connection:
        connection, spent = self._kept.take()
        for old in spent:
            old.close()
        if connection is None:
            connection = self._connect(request)
            self._kept.add(connection)
        return connection

    def _connect(self, request: httpx.Request) -> _Connection:
        timeout = _connect_timeout(request)
        stream = self._backend.connect_tcp(self._host, self._origin.port, timeout)
        if self._context is not None:
            stream = stream.start_tls(self._context, self._host, timeout)
        return _Connection(self._origin, SingleWrites(stream), self._expiry)

    def _give_back(self, connection: _Connection) -> None:
        if not self._kept.give_back(connection):
            connection.close()

    def close(self) -> None:
        """Close all connections."""
        for connection in self._kept.close():
            connection.close()


class AsyncKeepAliveTransport(_Transport[_AsyncConnection], httpx.AsyncBaseTransport):
    """The same for one event loop of asyncio or trio."""

    _backend = httpcore.AnyIOBackend()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request over a connection of its own; errors are those of httpx."""
        with errors_of_httpx():
            connection = await self._connection(request)
            try:
                response: Any = await connection.handle_async_request(as_httpcore(request))
            except BaseException:  # Ctrl-C and cancellation, too
                await self._give_back(connection)
                raise
        body = AsyncBody(response.stream, lambda: self._give_back(connection))
        return as_httpx(response, body)

    async def _connection(self, request: httpx.Request) -> _AsyncConnection:
        connection, spent = self._kept.take()
        try:
            await _close(spent)
        except BaseException:  # Ctrl-C and cancellation, too
            if connection is not None:
                await self._give_back(connection)
            raise
        if connection is None:
            connection = await self._connect(request)
            self._kept.add(connection)
        return connection

    async def _connect(self, request: httpx.Request) -> _AsyncConnection:
        timeout = _connect_timeout(request)
        stream = await self._backend.connect_tcp(self._host, self._origin.port, timeout)
        if self._context is not None:
            try:
                stream = await stream.start_tls(self._context, self._host, timeout)
            except BaseException:  # Ctrl-C and cancellation, too
                with anyio.CancelScope(shield=True):
                    await stream.aclose()
                raise
        return _AsyncConnection(self._origin, AsyncSingleWrites(stream), self._expiry)

    async def _give_back(self, connection: _AsyncConnection) -> None:
        if not self._kept.give_back(connection):
            await _close([connection])

    async def aclose(self) -> None:
        """Close all connections."""
        await _close(self._kept.close())


async def _close(connections: Iterable[_AsyncConnection]) -> None:
    # All of them, also where asyncio itself cancels the task, which no scope shields from.
    with anyio.CancelScope(shield=True):
        async with AsyncExitStack() as stack:
            for connection in connections:
                stack.push_async_callback(connection.aclose)


def _connect_timeout(request: httpx.Request) -> float | None:
    timeout: float | None = request.extensions.get("timeout", {}).get("connect")
    return timeout
