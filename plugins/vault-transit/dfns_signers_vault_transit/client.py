"""Build the hvac client: TLS, timeouts, and neither redirects nor cookies."""

from __future__ import annotations

from http.cookiejar import DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import hvac  # type: ignore[import-untyped]
import requests
from hvac.adapters import RawAdapter  # type: ignore[import-untyped]

from dfns_signers.plugin import Sealed, deadlines, is_loopback
from dfns_signers_vault_transit.answers import content_of
from dfns_signers_vault_transit.environment import variable
from dfns_signers_vault_transit.transport import Transport

if TYPE_CHECKING:
    from dfns_signers_vault_transit.options import VaultTransitConnection


class StrictAdapter(RawAdapter):  # type: ignore[misc]  # hvac is untyped
    """Answers with a JSON object, or raises VaultRefusalError.

    Redirects are never followed: requests would take the token along to wherever they lead. An
    answer is read until the deadline, as far as the bound of its size, and never decompressed.
    """

    def __init__(self, *args: Any, timeout: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, timeout=timeout, **kwargs)
        self.allow_redirects = False
        self.strict_http = True  # lists by GET: proxies do not know LIST
        self._timeouts = timeout if isinstance(timeout, tuple) else (timeout, timeout)

    @property
    def token(self) -> str | None:
        """The token that requests are sent with; kept sealed."""
        return self._token.open()

    @token.setter
    def token(self, value: str | None) -> None:
        self._token = Sealed(value)

    def request(self, *args: Any, json: Any = None, headers: Any = None, **kwargs: Any) -> Any:
        """Like the base class's; returns the JSON object of the answer, ``{}`` if it is empty."""
        sent = Sealed(json)
        del json
        # Answers and errors hold the request with its token; hvac writes that into the headers.
        try:
            answer = Sealed(
                super().request(
                    *args,
                    **kwargs,
                    json=sent.open(),
                    headers={**(headers or {}), "Accept-Encoding": "identity"},
                    raise_exception=False,
                    stream=True,
                    timeout=tuple(map(deadlines.at_most, self._timeouts)),
                    hooks={"response": [*self.session.hooks["response"], _forget_redirect]},
                )
            )
        except requests.RequestException as error:
            error.request = None
            raise
        with answer.open():
            return content_of(answer, sent, self._token)


def build_client(options: VaultTransitConnection) -> Any:
    """An ``hvac.Client`` without a token, as the options say."""
    session = requests.Session()
    session.auth = lambda request: request  # else requests looks for one in ~/.netrc
    session.verify = str(options.ca_cert) if options.ca_cert else True  # hvac prefers it
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # none is kept
    transport = Transport(options.tls_server_name)
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


def _proxies(address: str) -> dict[str, str]:
    """Vault's own proxy, past the general ones; none for a server on this machine."""
    host = urlsplit(address).hostname or ""
    if is_loopback(host):
        return {"no_proxy": host}
    proxy = variable(str, "PROXY_ADDR", "HTTP_PROXY")
    return {"http": proxy, "https": proxy} if proxy else {}


def _forget_redirect(response: requests.Response, **_: Any) -> None:
    """Keep requests from reading where a redirect leads, and its body, without any bound."""
    response.headers.pop("Location", None)
