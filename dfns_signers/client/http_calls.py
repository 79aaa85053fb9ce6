"""How a call becomes an HTTP request, and a response a result."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from typing import Any, Final

import httpx

from dfns_signers.client.call import Call
from dfns_signers.client.results import ChangeRequest
from dfns_signers.errors import RequestError
from dfns_signers.user_action.httpx_auth import SIGNED_EXTENSION, UserActionAuth
from dfns_signers.user_action.responses import read_json, transport_error

Timeout = float | httpx.Timeout | None

_USER_AGENT: Final = f"dfns-signers/{version('dfns-signers')}"


def http_options(auth: UserActionAuth, timeout: Timeout) -> dict[str, Any]:
    """Arguments for an httpx client of our own.

    Plain http never goes through a proxy that the environment names: it would see the token.
    """
    return {
        "timeout": timeout,
        "trust_env": not auth.base_url.is_loopback,
        "verify": _tls_context(*map(os.environ.get, ("SSL_CERT_FILE", "SSL_CERT_DIR"))),
    }


@cache
def _tls_context(*_environment: str | None) -> ssl.SSLContext:
    """One for all clients: reading the CA certificates takes 20 ms and a megabyte."""
    return httpx.create_ssl_context()


def build_request(
    http: httpx.Client | httpx.AsyncClient, auth: UserActionAuth, call: Call[Any]
) -> httpx.Request:
    """The request for a call, with its body as it was serialised."""
    headers = {"Accept": "application/json", "User-Agent": _USER_AGENT}
    if call.content:
        headers["Content-Type"] = "application/json"
    try:
        return http.build_request(
            call.method,
            auth.base_url.text + call.path,
            params=dict(call.params) or None,
            content=call.content or None,
            headers=headers,
            extensions={SIGNED_EXTENSION: call.signed},
        )
    except (httpx.InvalidURL, UnicodeError) as error:
        raise RequestError(f"path and query of {call.method} make no URL: {error}") from error


def interpret(response: httpx.Response, request: httpx.Request, call: Call[Any]) -> Any:
    """The result of a call, or what ``read_json`` raises."""
    value = read_json(response, sent=request, call=not call.announces)
    if response.status_code == httpx.codes.ACCEPTED and not call.announces:
        return ChangeRequest(value if isinstance(value, dict) else {})
    return value


@contextmanager
def transport_errors(request: httpx.Request, call: Call[Any]) -> Iterator[None]:
    """Turn what httpx raises, on the call or a step before it, into errors of ours."""
    try:
        yield
    except httpx.RequestError as error:
        raise transport_error(error, call=None if call.announces else request) from error
