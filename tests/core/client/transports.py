"""A transport that fails on demand, for failures that depend on timing on a real network."""

from __future__ import annotations

import httpx


class FailingTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Sends over real HTTP, except to the paths that fail; remembers every request."""

    def __init__(self, failures: dict[str, Exception] | None = None) -> None:
        self.failures = failures or {}
        self.requests: list[httpx.Request] = []
        self._http = httpx.HTTPTransport()
        self._async_http = httpx.AsyncHTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self._note(request)
        return self._http.handle_request(request)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._note(request)
        return await self._async_http.handle_async_request(request)

    def _note(self, request: httpx.Request) -> None:
        self.requests.append(request)
        if request.url.path in self.failures:
            raise self.failures[request.url.path]

    def close(self) -> None:
        self._http.close()

    async def aclose(self) -> None:
        await self._async_http.aclose()
