"""Connections of our own: they end with the time of the call, and carry one answer for one request.

The timeouts of httpx are for one read or write each, and begin anew with every byte. A call of an
event loop is cancelled when its time is over; blocking ones read and write no longer.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Iterator
from typing import Any, Final

import httpcore
import httpx

from dfns_signers import deadlines
from dfns_signers.client.surplus_answers import SurplusCheck
from dfns_signers.sealed import Sealed

_PIECE: Final = 16_384  # bytes; the timeout of a write is for each time that the socket takes some


def end_with_the_call(http: httpx.Client) -> None:
    """Let every connection of a client end within ``deadlines.remaining()``, and check it."""
    for pool in _pools(http):
        pool._network_backend = TimedBackend(pool._network_backend, pool)  # noqa: SLF001


def check_answers(http: httpx.AsyncClient) -> None:
    """Let no connection of an asynchronous client carry more answers than requests."""
    for pool in _pools(http):
        pool._network_backend = _CheckedBackend(pool._network_backend, pool)  # noqa: SLF001


def _pools(http: httpx.Client | httpx.AsyncClient) -> Iterator[Any]:
    # httpx has no public way to give its transports a network backend of httpcore.
    for transport in (http._transport, *http._mounts.values()):  # noqa: SLF001
        pool = getattr(transport, "_pool", None)
        if pool is not None:
            yield pool


def bounded(timeout: float | None, over: type[httpcore.TimeoutException]) -> float | None:
    """The shorter of a timeout and the time that is left; raises ``over`` if none is."""
    try:
        return deadlines.at_most(timeout)
    except TimeoutError as error:
        raise over(str(error)) from None


def _addresses(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as error:
        raise httpcore.ConnectError(str(error)) from error
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class TimedBackend(httpcore.NetworkBackend):
    """Opens streams that end with the call.

    Args:
        backend: that opens them.
        pool: of httpcore, whose connections are checked for surplus answers.
    """

    def __init__(self, backend: httpcore.NetworkBackend, pool: Any = None) -> None:
        self._backend = backend
        self._pool = pool

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers in time."""
        failure: Exception = httpcore.ConnectError(f"{host} has no address")
        # One after the other, or each address of a host would have all the time that is left.
        for address in _addresses(host, port):
            left = bounded(timeout, httpcore.ConnectTimeout)
            try:
                stream = self._backend.connect_tcp(
                    address, port, left, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
            else:
                return _TimedStream(stream, self._pool)
        raise failure


class _TimedStream(httpcore.NetworkStream):
    """Reads and writes as long as the call may take."""

    def __init__(self, stream: httpcore.NetworkStream, pool: Any) -> None:
        self._stream = stream
        self._pool = pool
        self._surplus = SurplusCheck(pool)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, bounded(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        request, length = Sealed(buffer), len(buffer)  # the token is in it
        del buffer
        self._surplus.require_none(self)
        for start in range(0, length, _PIECE):
            left = bounded(timeout, httpcore.WriteTimeout)
            self._stream.write(request.open()[start : start + _PIECE], left)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        timeout = bounded(timeout, httpcore.ConnectTimeout)
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _TimedStream(stream, self._pool)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Opens streams that carry one answer for one request."""

    def __init__(self, backend: httpcore.AsyncNetworkBackend, pool: Any) -> None:
        self._backend = backend
        self._pool = pool

    async def connect_tcp(self, *address: Any, **options: Any) -> httpcore.AsyncNetworkStream:
        stream = await self._backend.connect_tcp(*address, **options)
        return _CheckedStream(stream, self._pool)


class _CheckedStream(httpcore.AsyncNetworkStream):
    """Writes no request while an answer is waiting."""

    def __init__(self, stream: httpcore.AsyncNetworkStream, pool: Any) -> None:
        self._stream = stream
        self._pool = pool
        self._surplus = SurplusCheck(pool)

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return await self._stream.read(max_bytes, timeout)

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        request = Sealed(buffer)
        del buffer
        self._surplus.require_none(self)
        await self._stream.write(request.open(), timeout)

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.AsyncNetworkStream:
        stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        return _CheckedStream(stream, self._pool)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
