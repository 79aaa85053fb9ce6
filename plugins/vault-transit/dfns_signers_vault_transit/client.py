"""Build the hvac client: TLS, timeouts, no redirects, and errors that keep their status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import hvac  # type: ignore[import-untyped]
import requests
from hvac.adapters import RawAdapter  # type: ignore[import-untyped]
from requests.adapters import HTTPAdapter

from dfns_signers.plugin import is_loopback
from dfns_signers_vault_transit.environment import variable

if TYPE_CHECKING:
    from dfns_signers_vault_transit.options import VaultTransitConnection

_NO_CONTENT: Final = 204
_POOL: Final = 64  # connections kept for threads; the default of 10 warns when there are more


class VaultRefusalError(Exception):
    """An answer with an error status, a redirect, or one that is not a JSON object.

    Attributes:
        status: HTTP status code; hvac's own errors do not keep it.
        errors: what Vault says.
        retry_after: seconds to wait as Vault asks.
    """

    def __init__(
        self, status: int, errors: Sequence[str] = (), retry_after: float | None = None
    ) -> None:
        super().__init__(": ".join(filter(None, [f"HTTP {status}", "; ".join(errors)])))
        self.status = status
        self.errors = errors
        self.retry_after = retry_after


class StrictAdapter(RawAdapter):  # type: ignore[misc]  # hvac is untyped
    """Answers with a JSON object, or raises VaultRefusalError.

    Redirects are never followed: requests would take the token along to wherever they lead.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.allow_redirects = False
        self.strict_http = True  # lists by GET: proxies do not know LIST

    def request(self, *args: Any, **kwargs: Any) -> Any:
        """Like the base class's; returns the JSON object of the answer, ``{}`` if it is empty."""
        response = super().request(*args, **{**kwargs, "raise_exception": False})
        content = {} if response.status_code == _NO_CONTENT else _json(response)
        is_success = response.status_code // 100 == 2  # noqa: PLR2004
        # Vault may answer a batch with an error status, and yet with the result of each item.
        if content is not None and (is_success or _has_results(content.get("data"))):
            return content
        raise _refusal(response, content)


def build_client(options: VaultTransitConnection) -> Any:
    """An ``hvac.Client`` without a token, as the options say."""
    session = requests.Session()
    session.auth = lambda request: request  # else requests looks for one in ~/.netrc
    session.verify = str(options.ca_cert) if options.ca_cert else True  # hvac prefers it
    transport = _Transport(options.tls_server_name)
    session.mount("https://", transport)
    session.mount("http://", transport)
    cert, key = options.client_cert, options.client_key or options.client_cert
    return hvac.Client(
        url=options.address,
        token="",
        namespace=options.namespace,
        session=session,
        cert=(str(cert), str(key)) if cert else None,
        proxies=_proxies(options.address),
        timeout=(options.connect_timeout, options.read_timeout),
        adapter=StrictAdapter,
    )


def strict_client(client: Any) -> Any:
    """A client on the same session, server, namespace and token, with a StrictAdapter."""
    # As an argument: set later, it would not reach the parts of the client that are made with it.
    return hvac.Client(token="", adapter=lambda **_: StrictAdapter.from_adapter(client.adapter))


class _Transport(HTTPAdapter):
    """Keeps enough connections, and may expect another name in the server's certificate."""

    def __init__(self, server_name: str | None) -> None:
        self._tls = {"server_hostname": server_name} if server_name else {}
        super().__init__(pool_maxsize=_POOL)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **{**kwargs, **self._tls})

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        return super().proxy_manager_for(proxy, **{**kwargs, **self._tls})


def _proxies(address: str) -> dict[str, str]:
    """Vault's own proxy, past the general ones; none for a server on this machine."""
    host = urlsplit(address).hostname or ""
    if is_loopback(host):
        return {"no_proxy": host}
    proxy = variable(str, "PROXY_ADDR", "HTTP_PROXY")
    return {"http": proxy, "https": proxy} if proxy else {}


def _json(response: requests.Response) -> Mapping[str, Any] | None:
    try:
        content = response.json()
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _has_results(data: Any) -> bool:
    return isinstance(data, dict) and "batch_results" in data


def _refusal(response: requests.Response, content: Mapping[str, Any] | None) -> VaultRefusalError:
    listed = (content or {}).get("errors")
    errors = [str(one) for one in listed] if isinstance(listed, list) else []
    asked = response.headers.get("Retry-After", "")
    # A date is not read, and zero asks for nothing.
    retry_after = float(asked) if asked.isdecimal() else 0.0
    return VaultRefusalError(response.status_code, errors, retry_after or None)
