"""How an httpx client of our own is made."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.request import getproxies

import httpx

from dfns_signers.client.given_connections import HttpT
from dfns_signers.errors import ConfigurationError
from dfns_signers.user_action.base_url import BaseUrl

Timeout: TypeAlias = float | httpx.Timeout | None


class _NoCookies(httpx.Cookies):
    """Takes none."""

    def extract_cookies(self, response: httpx.Response) -> None:
        """Leave those of an answer: reading them takes longer than signing."""


_NO_COOKIES: Final = _NoCookies()


class Http(httpx.Client):
    """Keeps no cookies."""

    cookies = property(lambda _self: _NO_COOKIES)


class AsyncHttp(httpx.AsyncClient):
    """Keeps no cookies."""

    cookies = property(lambda _self: _NO_COOKIES)


@dataclass(frozen=True)
class HttpSettings:
    """What the httpx clients of one client of ours have in common.

    Attributes:
        base_url: where all requests go.
        timeout: seconds for each request.
        keepalive_expiry: seconds for which an idle connection is kept.

    Raises:
        ConfigurationError: the CA certificates that the environment names cannot be read.
    """

    base_url: BaseUrl
    timeout: Timeout
    keepalive_expiry: float

    def __post_init__(self) -> None:
        self._tls()

    def make(
        self,
        kind: type[HttpT],
        transport: Callable[[str, ssl.SSLContext | None, float], Any],
        guard: Callable[[HttpT], None],
        event_hooks: dict[str, Any],
    ) -> HttpT:
        """An httpx client, which goes through a proxy only where the environment names one.

        Args:
            kind: its class.
            transport: makes the transport to the API itself, of base URL, TLS and expiry.
            guard: what to do to a client with transports of httpx, which it needs for proxies.
            event_hooks: of httpx.

        Raises:
            ConfigurationError: the environment names a proxy that cannot be used.
        """
        common: Any = {"timeout": self.timeout, "event_hooks": event_hooks}
        if not self._may_need_a_proxy():
            direct = transport(self.base_url.text, self._tls(), self.keepalive_expiry)
            return kind(**common, transport=direct, trust_env=False)
        limits = httpx.Limits(keepalive_expiry=self.keepalive_expiry)
        try:
            http = kind(**common, verify=self._tls() or True, limits=limits)
        except Exception as error:
            raise ConfigurationError(
                f"the HTTP client cannot be set up ({type(error).__name__}: {error}): check the "
                "proxy that the environment names (HTTPS_PROXY, ALL_PROXY)"
            ) from error
        guard(http)
        return http

    def _tls(self) -> ssl.SSLContext | None:
        if self.base_url.scheme != "https":
            return None
        file, folder = map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR"))
        return _tls_context(file, folder, _state_of(file) if file else None)

    def _may_need_a_proxy(self) -> bool:
        # Plain http never goes through one: it would see the token.
        scheme = self.base_url.scheme
        return not self.base_url.is_loopback and not getproxies().keys().isdisjoint({scheme, "all"})


@lru_cache(maxsize=1)
def _tls_context(*_source: object) -> ssl.SSLContext:
    """One for all clients: reading the CA certificates takes 20 ms and a megabyte."""
    try:
        return httpx.create_ssl_context()
    except OSError as error:
        raise ConfigurationError(
            "the CA certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read: "
            f"{type(error).__name__}"
        ) from error


def _state_of(file: str) -> object:
    """What is another one once the file was replaced."""
    try:
        found = Path(file).stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
