"""Plain http to this machine goes past every proxy, whichever httpx client sends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import httpx

from dfns_signers.errors import RequestError

TRACE_EXTENSION: Final = "trace"
"""Extension of httpx: a function that hears of each event of a request before it happens."""

_HTTP_PORT: Final = 80


def refuse_proxies(request: httpx.Request) -> None:
    """Have a request fail before anything of it reaches a proxy; keeps a trace that it has."""
    check, given = _Check(request.url), request.extensions.get(TRACE_EXTENSION)

    def trace(event: str, info: Mapping[str, Any]) -> None:
        check(event, info)
        if given:
            given(event, info)

    request.extensions = {**request.extensions, TRACE_EXTENSION: trace}


def refuse_proxies_async(request: httpx.Request) -> None:
    """The same for a request that ``httpx.AsyncClient`` sends."""
    check, given = _Check(request.url), request.extensions.get(TRACE_EXTENSION)

    async def trace(event: str, info: Mapping[str, Any]) -> None:
        check(event, info)
        if given:
            await given(event, info)

    request.extensions = {**request.extensions, TRACE_EXTENSION: trace}


class _Check:
    """Compares where a request goes with where it should go.

    The events are those that httpcore documents. With a forward proxy, the request whose headers
    are about to be sent is one to the proxy; with a SOCKS proxy, the connection is.
    """

    def __init__(self, url: httpx.URL) -> None:
        self._wanted = (url.raw_host, url.port or _HTTP_PORT)

    def __call__(self, event: str, info: Mapping[str, Any]) -> None:
        if event.endswith(".connect_tcp.started"):
            goes_to = (str(info["host"]).encode("ascii"), info["port"])
        elif event.endswith(".send_request_headers.started"):
            url = info["request"].url
            goes_to = (url.host, url.port or _HTTP_PORT)
        else:
            return
        if goes_to != self._wanted:
            raise RequestError(
                "the request goes to this machine in plain http, and the httpx client would send "
                "it through a proxy, which would see the token: make the client with "
                "trust_env=False and without 'proxy', or name this machine in NO_PROXY"
            )
