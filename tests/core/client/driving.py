"""Both kinds of client, called the same way, so that one test holds for both."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import httpx
from anyio.from_thread import BlockingPortal

from dfns_signers.client.client import AsyncDfnsClient, DfnsClient
from dfns_signers.client.delegated import AsyncDelegatedDfnsClient, DelegatedDfnsClient


@dataclass(frozen=True)
class Driven:
    """A client; the asynchronous one runs on the event loop of the portal."""

    client: Any
    portal: BlockingPortal | None

    def call(self, action: Callable[[Any], Any]) -> Any:
        """The result of one call."""
        if self.portal is None:
            return action(self.client)
        return self.portal.call(_awaited, action, self.client)

    def walk(self, action: Callable[[Any], Any]) -> list[Any]:
        """Every item of a listing."""
        if self.portal is None:
            return list(action(self.client))
        return self.portal.call(_collected, action, self.client)


@dataclass(frozen=True)
class Connector:
    """Opens clients of one kind, and closes them at the end of the test."""

    stack: ExitStack
    portal: BlockingPortal | None

    def __call__(self, *arguments: Any, **options: Any) -> Driven:
        """A client that signs."""
        return self._driven((AsyncDfnsClient if self.portal else DfnsClient)(*arguments, **options))

    def delegated(self, *arguments: Any, **options: Any) -> Driven:
        """A client for which somebody else signs."""
        kind = AsyncDelegatedDfnsClient if self.portal else DelegatedDfnsClient
        return self._driven(kind(*arguments, **options))

    def http(self, **options: Any) -> Any:
        """An httpx client that fits, for ``http_client``."""
        if self.portal is None:
            return self.stack.enter_context(httpx.Client(**options))
        http = httpx.AsyncClient(**options)
        self.stack.callback(self.portal.call, http.aclose)
        return http

    def _driven(self, client: Any) -> Driven:
        if self.portal is None:
            self.stack.callback(client.close)
        else:
            self.stack.callback(self.portal.call, client.aclose)
        return Driven(client, self.portal)


async def _awaited(action: Callable[[Any], Any], client: Any) -> Any:
    return await action(client)


async def _collected(action: Callable[[Any], Any], client: Any) -> list[Any]:
    return [item async for item in action(client)]
