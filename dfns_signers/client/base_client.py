"""What the blocking, asynchronous and delegated clients share."""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

import httpx
from typing_extensions import Self, Unpack

from dfns_signers import defaults
from dfns_signers.client.arguments import CallLimits, check_keepalive_expiry, check_timeout
from dfns_signers.client.auth import Auth
from dfns_signers.client.call import Call, QueryValue
from dfns_signers.client.given_connections import HttpT
from dfns_signers.client.http_calls import build_request, interpret
from dfns_signers.client.http_settings import HttpSettings, Timeout
from dfns_signers.client.keys import Keys
from dfns_signers.client.verbs import Verbs
from dfns_signers.client.wallets import Wallets
from dfns_signers.errors import ConfigurationError
from dfns_signers.rate_limits.rate_limit import SIGNED_CALL, RateLimit
from dfns_signers.sealed import Sealed
from dfns_signers.signer import KeySigner, Signer
from dfns_signers.user_action.any_signer import PlainSigner, is_signer
from dfns_signers.user_action.httpx_auth import UserActionAuth
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
        reload: bool = False,
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
            reload: whether calls follow the file: when it changes, later ones sign with the key and
                credential that the profile names then. Other settings stay as they are.
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
        signer = None
        if reload:
            _require_configured(cls._signs and made is None)
            signer = assembly.reloading_signer(loaded, profile, overrides)
        elif cls._signs and loaded.signer and made is None:
            signer = assembly.configured_signer(loaded)
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

    def _request_for(
        self, http: httpx.Client | httpx.AsyncClient, call: Call[Any]
    ) -> httpx.Request:
        return build_request(http, self._auth, call)

    def _result_of(self, response: httpx.Response, request: httpx.Request, call: Call[Any]) -> Any:
        return interpret(response, request, call)

    @abstractmethod
    def _then(self, answer: R, read: Callable[[Any], Any]) -> R:
        """What ``read`` makes of an answer, which may have to be awaited."""

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self._auth!r}>"


def _require_configured(is_configured: bool) -> None:
    if not is_configured:
        raise ConfigurationError(
            "'reload' is for a signer that the configuration chooses, and this client has none: "
            "leave 'reload' out"
        )


def _limiter_of(rate_limit: int | RateLimit | None, base_url: str) -> RateLimiter | None:
    if rate_limit is None:
        return None
    from dfns_signers.rate_limits import limiter  # noqa: PLC0415  # most clients have none

    return limiter.limiter_of(rate_limit, base_url)
