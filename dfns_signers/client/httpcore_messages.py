"""Requests, responses and errors of httpx and httpcore, each as the other has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import httpcore
import httpx


def as_httpcore(request: httpx.Request) -> httpcore.Request:
    """A request of httpx as httpcore sends it."""
    url = request.url
    return httpcore.Request(
        request.method,
        httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path),
        headers=request.headers.raw,
        content=request.stream,
        extensions=request.extensions,
    )


def as_httpx(
    response: httpcore.Response, body: httpx.SyncByteStream | httpx.AsyncByteStream
) -> httpx.Response:
    """A response of httpcore as httpx reads it."""
    return httpx.Response(
        response.status, headers=response.headers, stream=body, extensions=response.extensions
    )


@contextmanager
def errors_of_httpx() -> Iterator[None]:
    """Raise the errors of httpcore as those of httpx."""
    try:
        yield
    except (
        httpcore.NetworkError,
        httpcore.ProtocolError,
        httpcore.TimeoutException,
        httpcore.UnsupportedProtocol,
    ) as error:
        raise getattr(httpx, type(error).__name__)(str(error)) from error
