"""Requests and responses of httpx as those of httpcore, and errors the other way around."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import httpcore
import httpx
from typing_extensions import Self


def as_httpcore(request: httpx.Request) -> httpcore.Request:
    """A request, with its extensions."""
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def as_httpx(response: httpcore.Response, body: Body | AsyncBody) -> httpx.Response:
    """A response, whose body is read from ``body``."""
    return httpx.Response(
        response.status, headers=response.headers, stream=body, extensions=response.extensions
    )


@contextmanager
def errors_of_httpx() -> Iterator[None]:
    """Raise errors of httpcore as those of httpx of the same name."""
    try:
        yield
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
    ) as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error


class Body(httpx.SyncByteStream):
    """The body of a response, whose end frees the connection."""

    def __init__(self, stream: Any, free: Callable[[], None]) -> None:
        self._stream = stream
        self._free: Callable[[], None] | None = free

    def __iter__(self) -> Iterator[bytes]:
        with errors_of_httpx():
            yield from self._stream

    def close(self) -> None:
        """Free the connection."""
        free, self._free = self._free, None
        if free is not None:
            try:
                with errors_of_httpx():
                    self._stream.close()
            finally:
                free()


class AsyncBody(httpx.AsyncByteStream):
    """The same, without a generator: httpx leaves those that it no longer reads to the loop."""

    def __init__(self, stream: Any, free: Callable[[], Awaitable[None]]) -> None:
        self._stream = stream
        self._pieces = aiter(stream)
        self._free: Callable[[], Awaitable[None]] | None = free

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        with errors_of_httpx():
            piece: bytes = await anext(self._pieces)
        return piece

    async def aclose(self) -> None:
        """Free the connection."""
        free, self._free = self._free, None
        if free is not None:
            with anyio.CancelScope(shield=True):
                try:
                    with errors_of_httpx():
                        await self._pieces.aclose()
                        await self._stream.aclose()
                finally:
                    await free()
