"""Where the API is, and which requests may therefore carry the token."""

from __future__ import annotations

from dataclasses import dataclass

import httpx

from dfns_signers import defaults
from dfns_signers.addresses import DEFAULT_PORTS, check_service_url, is_loopback
from dfns_signers.errors import ConfigurationError, RequestError


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """A checked base URL.

    Attributes:
        text: without a slash at its end.
        prefix: its path, ``""`` if it has none; never part of what is signed.
        scheme: ``http`` or ``https``.
    """

    text: str
    prefix: str
    scheme: str
    _origin: tuple[str, str, int | None]
    is_loopback: bool

    @classmethod
    def parse(cls, text: str) -> BaseUrl:
        """Check a base URL; ConfigurationError for one that ``check_service_url`` refuses."""
        try:
            url = httpx.URL(text)
            for form in (text, str(url)):  # as it is written, and as httpx reads it
                check_service_url(form, example=defaults.BASE_URL)
        except (httpx.InvalidURL, TypeError, ValueError) as error:
            raise ConfigurationError(f"invalid base URL: {error}") from error
        prefix = url.raw_path.decode("ascii").rstrip("/")
        return cls(
            _text_of_origin(url) + prefix,
            prefix,
            url.scheme,
            _origin_of(url),
            is_loopback(url.host),
        )

    def path_of(self, url: httpx.URL) -> str:
        """The API path of a request URL: percent-encoded, without prefix and query."""
        raw = url.raw_path.decode("ascii").partition("?")[0]
        if _origin_of(url) != self._origin or not raw.startswith(self.prefix + "/"):
            raise RequestError(
                f"the request to {_text_of_origin(url)}{raw} does not belong to {self.text}: "
                "the token is sent nowhere else. Use another client for it, or set 'base_url'"
            )
        return raw[len(self.prefix) :]


def _text_of_origin(url: httpx.URL) -> str:
    return f"{url.scheme}://{url.netloc.decode('ascii')}"


def _origin_of(url: httpx.URL) -> tuple[str, str, int | None]:
    return (url.scheme, url.host, url.port or DEFAULT_PORTS.get(url.scheme))
