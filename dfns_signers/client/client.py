"""DfnsClient and AsyncDfnsClient: calls that are signed on their way."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import anyio
import httpx
from tenacity import AsyncRetrying, Retrying
from typing_extensions import Self, Unpack

from dfns_signers import deadlines, defaults
from dfns_signers.client.arguments import CallLimits, check_keepalive_expiry, check_timeout
from dfns_signers.client.call import Call, QueryValue
from dfns_signers.client.connections import async_connections, connections
from dfns_signers.client.given_connections import HttpT
from dfns_signers.client.http_calls import (
    build_request,
    errors_of_ours,
    interpret,
)
from dfns_signers.client.http_settings import HttpSettings, Timeout
from dfns_signers.client.identities import Auth
from dfns_signers.client.keys import Keys
from dfns_signers.client.pages import Pages
from dfns_signers.client.retries import Resumed, retry_policy
from dfns_signers.client.verbs import Verbs
from dfns_signers.client.wallets import Wallets
from dfns_signers.closing import AsyncClosing, Closing
from dfns_signers.errors import CallError
from dfns_signers.rate_limits.rate_limit import SIGNED_CALL, RateLimit
from dfns_signers.sealed import Sealed
from dfns_signers.signer import KeySigner, Signer
from dfns_signers.user_action.httpx_auth import PlainSigner, UserActionAuth, is_signer
from dfns_signers.user_action.responses import bounded
from dfns_signers.user_action.tokens import TokenSource

if TYPE_CHECKING:
    from dfns_signers.config.profile import CommonSettings
    from dfns_signers.rate_limits.limiter import RateLimiter

    class ClientSettings(CommonSettings, total=False):
        """Settings, and a signer as the configuration has it, or one that was made in code."""

        signer: str | Mapping[str, Any] | Signer | PlainSigner


R = TypeVar("R")
ItemsT = TypeVar("ItemsT")


class BaseClient(Verbs[R], Generic[R, ItemsT, HttpT]):
    """What the four clients share; DfnsClient documents the arguments.

    A method that is not ``async`` here returns what the client sends: a result, or an awaitable.
    """

    _connect: ClassVar[Any]
    _signs: ClassVar[bool] = True

    wallets: Wallets[Self]
    keys: Keys[Self]
    auth: Auth[Self]

    def __init__(
        self,
        auth_token: TokenSource,
        signer: Signer | PlainSigner | None = None,
        *,
        base_url: str = defaults.BASE_URL,
        timeout: Timeout = defaults.TIMEOUT,
        call_timeout: float | None = defaults.CALL_TIMEOUT,
        max_attempts: int = defaults.MAX_ATTEMPTS,
        max_retry_after: float = defaults.MAX_RETRY_AFTER,
        rate_limit: int | RateLimit | None = None,
        keepalive_expiry: float = defaults.KEEPALIVE_EXPIRY,
        http_client: HttpT | None = None,
    ) -> None:
        token = Sealed(auth_token)
        del auth_token
        check_timeout(timeout)
        check_keepalive_expiry(keepalive_expiry)
        self._limits = CallLimits(max_attempts, call_timeout, max_retry_after)
        self._auth = UserActionAuth(token.open(), signer, base_url=base_url)
        self._limiter = _limiter_of(rate_limit, self._auth.base_url.text)
        self._signer = signer
        settings = HttpSettings(self._auth.base_url, timeout, keepalive_expiry)
        self._connections = self._connect(http_client, settings)
        self._owned_signer: KeySigner | None = None
        carrier: Any = self
        self.wallets, self.keys, self.auth = Wallets(carrier), Keys(carrier), Auth(carrier)

    @classmethod
    def from_config(
        cls,
        profile: str | None = None,
        *,
        config: str | os.PathLike[str] | None = None,
        http_client: HttpT | None = None,
        **settings: Unpack[ClientSettings],
    ) -> Self:
        """Assemble a client from a profile, the environment and arguments.

        A blocking client opens the signing key now, so that a wrong one stops the program here. An
        asynchronous one opens it at the first signature, in a worker thread, so that no key store
        blocks the event loop. A delegated one opens none.

        Args:
            profile: name of the profile; the default profile if not given.
            config: the configuration file; the default file if not given.
            http_client: as for the class.
            **settings: override settings of the profile, such as ``base_url`` or ``credential_id``.
                ``signer`` may also be a signer that was made in code, which closing leaves open.

        Raises:
            ConfigurationError: a setting is missing or wrong.
            PluginError: the backend cannot be loaded.
            SigningKeyError: the key cannot be opened.
        """
        from dfns_signers.config import assembly, loading  # noqa: PLC0415  # they import pydantic

        overrides: Sealed[dict[str, Any]] = Sealed({**settings})
        del settings
        made = None
        if cls._signs and is_signer(overrides.open().get("signer")):
            made = overrides.open().pop("signer")
        loaded = loading.load_profile(profile, config=config, **overrides.open())
        configured = cls._signs and loaded.signer and made is None
        signer = assembly.configured_signer(loaded) if configured else None
        arguments = assembly.client_arguments(loaded)
        if cls._signs:
            arguments["signer"] = signer or made
        client = cls(http_client=http_client, **arguments)
        client._owned_signer = signer
        client._after_assembly()
        return client

    def _after_assembly(self) -> None:
        """Do what a client that was assembled must do before it is used."""

    def send(self, call: Call[Any]) -> R:
        """Send a call; each attempt signs a new challenge."""
        return self._send(call)

    def paginate(self, path: str, *, params: dict[str, QueryValue] | None = None) -> ItemsT:
        """Walk through every item of a paginated list."""
        return self._carry_listing(Call[Any].of("GET", path, params=params))

    def _carry_signed(self, call: Call[Any]) -> Any:
        return self.send(call)

    @abstractmethod
    def _carry_listing(self, call: Call[Any]) -> ItemsT: ...

    @abstractmethod
    def _send(self, call: Call[Any]) -> R: ...

    @abstractmethod
    def _attempt(self, call: Call[Any], auth: UserActionAuth) -> R: ...

    def _permits(self, call: Call[Any], auth: UserActionAuth) -> tuple[int, str]:
        """How many requests an attempt sends, and of what call."""
        exchange = SIGNED_CALL if auth is self._auth else SIGNED_CALL - 1
        return exchange if call.signed else 1, f"{call.method} {call.path}"

    @abstractmethod
    def _then(self, answer: R, read: Callable[[Any], Any]) -> R:
        """What ``read`` makes of an answer, which may have to be awaited."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._auth!r}>"


def _limiter_of(rate_limit: int | RateLimit | None, base_url: str) -> RateLimiter | None:
    if rate_limit is None:
        return None
    from dfns_signers.rate_limits import limiter  # noqa: PLC0415  # most clients have none

    return limiter.limiter_of(rate_limit, base_url)


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
            request = build_request(http, self._auth, call)
            with deadlines.within(self._limits.call_timeout), errors_of_ours(request, call):
                response = http.send(request, auth=auth, follow_redirects=False, stream=True)
                try:
                    bounded(response, call=not call.announces).read()
                finally:
                    response.close()
        return interpret(response, request, call)

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
        except BaseException:
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
            request = build_request(http, self._auth, call)
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
        return interpret(response, request, call)

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
