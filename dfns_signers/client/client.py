"""DfnsClient and AsyncDfnsClient: calls that are signed on their way."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import httpx
from tenacity import AsyncRetrying, Retrying
from typing_extensions import Self, Unpack

from dfns_signers import defaults
from dfns_signers.client.call import Call, QueryValue
from dfns_signers.client.http_calls import (
    Timeout,
    build_request,
    http_options,
    interpret,
    transport_errors,
)
from dfns_signers.client.identities import Auth
from dfns_signers.client.keys import Keys
from dfns_signers.client.pages import Pages
from dfns_signers.client.retries import retry_policy
from dfns_signers.client.verbs import Verbs
from dfns_signers.client.wallets import Wallets
from dfns_signers.closing import AsyncClosing, Closing
from dfns_signers.errors import ConfigurationError
from dfns_signers.sealed import Sealed
from dfns_signers.signer import KeySigner, Signer
from dfns_signers.user_action.httpx_auth import PlainSigner, UserActionAuth
from dfns_signers.user_action.tokens import TokenSource

if TYPE_CHECKING:
    from dfns_signers.config.profile import Settings

R = TypeVar("R")
ItemsT = TypeVar("ItemsT")
HttpT = TypeVar("HttpT", bound=httpx.Client | httpx.AsyncClient)


class BaseClient(Verbs[R], Generic[R, ItemsT, HttpT]):
    """What the four clients share; DfnsClient documents the arguments.

    A method that is not ``async`` here returns what the client sends: a result, or an awaitable.
    """

    _new_http: ClassVar[Any]
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
        max_attempts: int = defaults.MAX_ATTEMPTS,
        http_client: HttpT | None = None,
    ) -> None:
        token = Sealed(auth_token)
        del auth_token
        if max_attempts < 1:
            raise ConfigurationError(f"'max_attempts' must be 1 or more, not {max_attempts}")
        self._auth = UserActionAuth(token.open(), signer, base_url=base_url)
        self._max_attempts = max_attempts
        self._http: HttpT = http_client or self._new_http(**http_options(self._auth, timeout))
        self._owns_http = http_client is None
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
        **settings: Unpack[Settings],
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

        Raises:
            ConfigurationError: a setting is missing or wrong.
            PluginError: the backend cannot be loaded.
            SigningKeyError: the key cannot be opened.
        """
        from dfns_signers.config import assembly, loading  # noqa: PLC0415  # they import pydantic

        overrides = Sealed(settings)
        del settings
        loaded = loading.load_profile(profile, config=config, **overrides.open())
        signer = assembly.configured_signer(loaded) if cls._signs and loaded.signer else None
        arguments = assembly.client_arguments(loaded)
        if signer is not None:
            arguments["signer"] = signer
        client = cls(http_client=http_client, **arguments)
        client._owned_signer = signer
        client._open()
        return client

    def _open(self) -> None:
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

    @abstractmethod
    def _then(self, answer: R, read: Callable[[Any], Any]) -> R:
        """What ``read`` makes of an answer, which may have to be awaited."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._auth!r}>"


class SyncClient(BaseClient[Any, Iterator[Any], httpx.Client], Closing):
    """Sends calls with ``httpx.Client``."""

    _new_http = httpx.Client

    def _send(self, call: Call[Any]) -> Any:
        return Retrying(**retry_policy(call, self._max_attempts))(self._attempt, call, self._auth)

    def _attempt(self, call: Call[Any], auth: UserActionAuth) -> Any:
        request = build_request(self._http, self._auth, call)
        with transport_errors(request, call):
            response = self._http.send(request, auth=auth, follow_redirects=False)
        return interpret(response, request, call)

    def _then(self, answer: Any, read: Callable[[Any], Any]) -> Any:
        return read(answer)

    def _carry_listing(self, call: Call[Any]) -> Iterator[Any]:
        pages = Pages(call)
        while pages.next:
            yield from pages.items(self.send(pages.next))

    def _open(self) -> None:
        try:
            _ = self._owned_signer and self._owned_signer.key
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close connections, and the signer if the configuration opened it."""
        try:
            if self._owns_http:
                self._http.close()
        finally:
            if self._owned_signer:
                self._owned_signer.close()


class AsyncClient(
    BaseClient[Coroutine[Any, Any, Any], AsyncIterator[Any], httpx.AsyncClient], AsyncClosing
):
    """Sends calls with ``httpx.AsyncClient``."""

    _new_http = httpx.AsyncClient

    async def _send(self, call: Call[Any]) -> Any:
        policy = retry_policy(call, self._max_attempts)
        return await AsyncRetrying(**policy)(self._attempt, call, self._auth)

    async def _attempt(self, call: Call[Any], auth: UserActionAuth) -> Any:
        request = build_request(self._http, self._auth, call)
        with transport_errors(request, call):
            response = await self._http.send(request, auth=auth, follow_redirects=False)
        return interpret(response, request, call)

    async def _then(self, answer: Coroutine[Any, Any, Any], read: Callable[[Any], Any]) -> Any:
        return read(await answer)

    async def _carry_listing(self, call: Call[Any]) -> AsyncIterator[Any]:
        pages = Pages(call)
        while pages.next:
            for item in pages.items(await self.send(pages.next)):
                yield item

    async def aclose(self) -> None:
        """Close connections, and the signer if the configuration opened it."""
        try:
            if self._owns_http:
                await self._http.aclose()
        finally:
            if self._owned_signer:
                await self._owned_signer.aclose()


class DfnsClient(SyncClient):
    """Calls the Dfns API and signs what changes state.

    Args:
        auth_token: service account, personal access or login token, or a function that returns it.
        signer: answers challenges; a signer of the official SDK fits too. None for reads only.
        base_url: where the API is; https, or http on this machine. May have a path prefix.
        timeout: seconds for each request (or an ``httpx.Timeout``); None waits for ever.
        max_attempts: how often a call is tried when that is safe; 1 turns repeating off.
        http_client: an httpx client of your own, for proxies, TLS or limits; its own timeout
            counts, and closing it stays with you.

    Raises:
        ConfigurationError: an argument is unusable.
    """


class AsyncDfnsClient(AsyncClient):
    """DfnsClient for asyncio and trio: the same arguments, and every call is awaited."""
