"""DfnsClient and AsyncDfnsClient: calls that are signed on their way."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import Any

import anyio
import httpx
from tenacity import AsyncRetrying, Retrying

from dfns_signers import deadlines
from dfns_signers.client.base_client import BaseClient
from dfns_signers.client.call import Call
from dfns_signers.client.connections import async_connections, connections
from dfns_signers.client.http_calls import errors_of_ours
from dfns_signers.client.pages import Pages
from dfns_signers.client.retries import retry_policy
from dfns_signers.closing import AsyncClosing, Closing
from dfns_signers.errors import CallError
from dfns_signers.retries import Resumed
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.httpx_auth import UserActionAuth
from dfns_signers.user_action.responses import bounded


class SyncClient(BaseClient[Any, Iterator[Any], httpx.Client], Closing):
    """Sends calls with ``httpx.Client``."""

    _connect = staticmethod(connections)

    def _send(self, call: Call[Any]) -> Any:
        with deadlines.within(self._limits.call_timeout):
            try:
                return self._attempt(call, self._auth)
            except CallError as error:
                attempts = Resumed(error, self._attempt)
            return Retrying(**retry_policy(call, self._limits))(attempts.next, call, self._auth)

    def _attempt(self, call: Call[Any], auth: UserActionAuth) -> Any:
        if self._limiter is None:
            return self._exchange(call, auth)
        self._connections.require_open()
        permits = self._permits(call, auth)
        with deadlines.within(self._limits.call_timeout), self._limiter.lent(*permits):
            return self._exchange(call, auth)

    def _exchange(self, call: Call[Any], auth: UserActionAuth) -> Any:
        with self._connections.lent() as http:
            request = self._request_for(http, call)
            with deadlines.within(self._limits.call_timeout), errors_of_ours(request, call):
                response = http.send(request, auth=auth, follow_redirects=False, stream=True)
                try:
                    bounded(response, call=not call.announces).read()
                finally:
                    response.close()
        return self._result_of(response, request, call)

    def _then(self, answer: Any, read: Callable[[Any], Any]) -> Any:
        return read(answer)

    def _carry_listing(self, call: Call[Any]) -> Iterator[Any]:
        pages = Pages(call)
        while pages.next:
            yield from self._next_items(pages)

    def _next_items(self, pages: Pages) -> list[Any]:
        # Pages without items count as one call, for there may be no end of them.
        with deadlines.within(self._limits.call_timeout):
            while (call := pages.next) is not None:
                items = pages.items(self.send(call))
                if items:
                    return items
        return []

    def open(self) -> None:
        """Open the signing key now, rather than at the first signature.

        Raises:
            SigningKeyError: it cannot be opened.
        """
        self._connections.require_open()
        if isinstance(self._signer, KeySigner):
            _ = self._signer.key

    def _after_assembly(self) -> None:
        try:
            self.open()
        except BaseException:  # Ctrl-C and cancellation, too
            self.close()
            raise

    def close(self) -> None:
        """Close connections, and the signer if the configuration opened it."""
        try:
            self._connections.close()
        finally:
            if self._owned_signer:
                self._owned_signer.close()


class AsyncClient(
    BaseClient[Coroutine[Any, Any, Any], AsyncIterator[Any], httpx.AsyncClient], AsyncClosing
):
    """Sends calls with ``httpx.AsyncClient``."""

    _connect = staticmethod(async_connections)

    async def _send(self, call: Call[Any]) -> Any:
        with deadlines.within(self._limits.call_timeout):
            try:
                return await self._attempt(call, self._auth)
            except CallError as error:
                attempts = Resumed(error, self._attempt)

            async def attempt() -> Any:  # tenacity awaits what is marked so
                return await attempts.next(call, self._auth)

            return await AsyncRetrying(**retry_policy(call, self._limits))(attempt)

    async def _attempt(self, call: Call[Any], auth: UserActionAuth) -> Any:
        if self._limiter is None:
            return await self._exchange(call, auth)
        self._connections.require_open()
        permits = self._permits(call, auth)
        with deadlines.within(self._limits.call_timeout):
            async with self._limiter.alent(*permits):
                return await self._exchange(call, auth)

    async def _exchange(self, call: Call[Any], auth: UserActionAuth) -> Any:
        async with self._connections.lent() as http:
            request = self._request_for(http, call)
            with (
                deadlines.within(self._limits.call_timeout),
                errors_of_ours(request, call),
                anyio.fail_after(deadlines.remaining()),
            ):
                response = await http.send(request, auth=auth, follow_redirects=False, stream=True)
                try:
                    await bounded(response, call=not call.announces).aread()
                finally:
                    with anyio.CancelScope(shield=True):
                        await response.aclose()
        return self._result_of(response, request, call)

    async def _then(self, answer: Coroutine[Any, Any, Any], read: Callable[[Any], Any]) -> Any:
        return read(await answer)

    async def _carry_listing(self, call: Call[Any]) -> AsyncIterator[Any]:
        pages = Pages(call)
        while pages.next:
            for item in await self._next_items(pages):
                yield item

    async def _next_items(self, pages: Pages) -> list[Any]:
        with deadlines.within(self._limits.call_timeout):
            while (call := pages.next) is not None:
                items = pages.items(await self.send(call))
                if items:
                    return items
        return []

    async def aopen(self) -> None:
        """Open the signing key now, in a worker thread, rather than at the first signature.

        Raises:
            SigningKeyError: it cannot be opened.
        """
        self._connections.require_open()
        if isinstance(self._signer, KeySigner):
            await self._signer.aopen()

    async def aclose(self) -> None:
        """Close connections, and the signer if the configuration opened it.

        In a cancelled scope too.
        """
        try:
            await self._connections.aclose()
        finally:
            if self._owned_signer:
                await self._owned_signer.aclose()


class DfnsClient(SyncClient):
    """Calls the Dfns API and signs what changes state.

    Args:
        auth_token: service account, personal access or login token, or a function that returns it.
        signer: answers challenges; a signer of the official SDK fits too. None for reads only.
        base_url: where the API is; https, or http on this machine. May have a path prefix.
        timeout: seconds for each request (or an ``httpx.Timeout``); None for no such bound.
        call_timeout: seconds for a call as a whole: all its attempts and requests, opening the key,
            signing and waiting; None for no such bound. A token provider and a signer of the
            official SDK are not interrupted in a blocking call.
        max_attempts: how often a call is tried when that is safe; 1 turns repeating off.
        max_retry_after: seconds to wait at most where the API asks for a pause; if it asks for
            more, its error is raised at once.
        rate_limit: requests that this process may send in any 60 seconds; calls wait their turn. A
            ``RateLimit`` to share it between processes. Clients with an equal one share it.
        keepalive_expiry: seconds for which an idle connection is kept for the next request.
        http_client: an httpx client of your own, for proxies, TLS or limits; its own timeouts
            and limits count, and closing it stays with you.

    Raises:
        ConfigurationError: an argument is unusable.
    """


class AsyncDfnsClient(AsyncClient):
    """DfnsClient for asyncio and trio: the same arguments, and every call is awaited."""
