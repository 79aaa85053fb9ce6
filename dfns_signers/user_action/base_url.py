"""Where the API is, and which requests may therefore carry the token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import httpx

from dfns_signers import defaults
from dfns_signers.addresses import is_loopback
from dfns_signers.errors import ConfigurationError, RequestError

_MAX_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """A checked base URL.

    Attributes:
        text: without a slash at its end.
        prefix: its path, ``""`` if it has none; never part of what is signed.
    """

    text: str
    prefix: str
    _origin: tuple[str, str, int | None]
    is_loopback: bool

    @classmethod
    def parse(cls, text: str) -> BaseUrl:
        """Check a base URL.

        Raises:
            ConfigurationError: not absolute, not https (http is accepted for this machine's own
                addresses), or with user, query or fragment.
        """
        try:
            url = httpx.URL(text)
        except (httpx.InvalidURL, TypeError, UnicodeError) as error:
            raise ConfigurationError(f"invalid base URL: {error}") from error
        shown = f"{url.scheme}://{url.netloc.decode('ascii').rpartition('@')[2]}"
        if url.scheme not in {"http", "https"} or not url.host or (url.port or 0) > _MAX_PORT:
            raise ConfigurationError(
                f"expected a base URL that begins with https://, such as {defaults.BASE_URL}, "
                f"found {shown if url.host else 'no host'!r}"
            )
        if url.userinfo or url.query or url.fragment or "?" in text or "#" in text:
            raise ConfigurationError(
                f"the base URL on {shown} must have no user, password, query or fragment"
            )
        loopback = is_loopback(url.host)
        if url.scheme == "http" and not loopback:
            raise ConfigurationError(
                f"the base URL {shown} would send the token unencrypted: use https; plain http is "
                "accepted for this machine only (127.0.0.1, ::1, localhost)"
            )
        prefix = url.raw_path.decode("ascii").rstrip("/")
        origin = f"{url.scheme}://{url.netloc.decode('ascii')}"
        return cls(origin + prefix, prefix, _origin_of(url), loopback)

    def path_of(self, url: httpx.URL) -> str:
        """The API path of a request URL: percent-encoded, without prefix and query.

        Raises:
            RequestError: the URL is not below this base URL, and must not see the token.
        """
        raw = url.raw_path.decode("ascii").partition("?")[0]
        if _origin_of(url) != self._origin or not raw.startswith(self.prefix + "/"):
            raise RequestError(
                f"the request to {url.scheme}://{url.host}{raw} does not belong to {self.text}: "
                "the token is sent nowhere else. Use another client for it, or set 'base_url'"
            )
        return raw[len(self.prefix) :]


def _origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return (url.scheme, url.host, url.port or default)
