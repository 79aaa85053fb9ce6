"""An httpx client of the caller, which carries a client's requests and stays the caller's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Generic, TypeVar

import httpx

from dfns_signers import forks
from dfns_signers.errors import RequestError

HttpT = TypeVar("HttpT", bound=httpx.Client | httpx.AsyncClient)


class Connections:
    """Where a client gets its httpx client from."""

    _is_closed = False

    def require_open(self) -> None:
        """RequestError once this was closed."""
        if self._is_closed:
            raise RequestError(
                "the client is closed, and the call was not sent: make another client"
            )


class _GivenConnections(Connections, Generic[HttpT]):
    """An httpx client of the caller, who closes it.

    Args:
        http: the httpx client; refused in a forked child once it was used.
    """

    def __init__(self, http: HttpT) -> None:
        self._http = http
        self._use = forks.Use()

    def _checked(self) -> HttpT:
        self.require_open()
        if self._http.is_closed:
            raise RequestError(
                "the httpx client that was given as 'http_client' is closed; nothing was sent"
            )
        if self._use.is_inherited:
            raise RequestError(
                "this process was forked after the client had been used, and the connections of "
                "the httpx client that was given as 'http_client' belong to the parent: make both "
                "in the child. Nothing was sent"
            )
        self._use.note()
        return self._http


class GivenSyncConnections(_GivenConnections[httpx.Client]):
    """An ``httpx.Client`` of the caller."""

    @contextmanager
    def lent(self) -> Iterator[httpx.Client]:
        """The httpx client; RequestError where it cannot be used."""
        yield self._checked()

    def close(self) -> None:
        """Send nothing from now on."""
        self._is_closed = True


class GivenAsyncConnections(_GivenConnections[httpx.AsyncClient]):
    """An ``httpx.AsyncClient`` of the caller."""

    @asynccontextmanager
    async def lent(self) -> AsyncIterator[httpx.AsyncClient]:
        """The httpx client; RequestError where it cannot be used."""
        yield self._checked()

    async def aclose(self) -> None:
        """Send nothing from now on."""
        self._is_closed = True
