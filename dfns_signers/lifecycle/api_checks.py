"""Checks of the way to the Dfns API: reached, its clock, and whether it accepts the token."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx

from dfns_signers.backends.diagnosis import Finding
from dfns_signers.bounded_json import bounded_json
from dfns_signers.client.client import DfnsClient
from dfns_signers.client.http_settings import Http, HttpSettings
from dfns_signers.client.identities import Credential
from dfns_signers.client.keep_alive import KeepAliveTransport
from dfns_signers.client.timed_connections import end_with_the_call
from dfns_signers.config.assembly import client_arguments
from dfns_signers.config.loading import LoadedProfile
from dfns_signers.errors import PermissionDeniedError
from dfns_signers.lifecycle.checks import (
    Checked,
    Findings,
    checked,
    explained,
    failure,
    not_examined,
    ok,
    warning,
)
from dfns_signers.user_action.base_url import BaseUrl
from dfns_signers.user_action.responses import transport_error

_CREDENTIALS: Final = "/auth/credentials"
_MAX_SKEW: Final = 30.0
"""Seconds that the clocks may differ: tokens and key stores go by them."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What answers at the base URL, without the token.

    Attributes:
        http: the HTTP client over which it was reached.
        is_gateway: whether it is a gateway of this package.
    """

    http: Http
    is_gateway: bool


def reached(loaded: LoadedProfile, stack: ExitStack) -> Findings[Reached | None]:
    """The API, as it was reached; its HTTP client is closed with ``stack``."""
    settings = loaded.settings
    url = BaseUrl.parse(settings.base_url)

    def ask() -> tuple[Http, httpx.Response]:
        connections = HttpSettings(url, settings.timeout, settings.keepalive_expiry)
        http = connections.make(Http, KeepAliveTransport, end_with_the_call, {})
        stack.callback(http.close)
        try:
            return http, http.get(url.text + _CREDENTIALS)
        except httpx.RequestError as error:
            request = error.request
            raise transport_error(error, request=request, may_have_been_sent=False) from error

    remedy = "check 'base_url', the network, proxies, and the CA certificates (SSL_CERT_FILE)"
    found = yield from checked("Dfns", ask, remedy, within=settings.call_timeout)
    if found is None:
        yield from not_examined("Dfns was not reached", "clock")
        return None
    http, response = found.value
    if _is_of_gateway(response):
        yield ok("Dfns", f"{url.text} is a gateway, which the profile calls", found.seconds)
        return Reached(http, is_gateway=True)
    is_api = yield from _answered(response, url, found.seconds)
    yield from _clock(response)
    return Reached(http, is_gateway=False) if is_api else None


def _is_of_gateway(response: httpx.Response) -> bool:
    """Whether a gateway of this package refused the request by itself."""
    try:
        return bool(bounded_json(response.content)["error"]["details"]["gateway"])
    except (ValueError, TypeError, KeyError):
        return False


def _answered(response: httpx.Response, url: BaseUrl, seconds: float) -> Findings[bool]:
    """Whether the answer to a request without a token may be that of the Dfns API."""
    status = response.status_code
    said = f"{url.text} answered with {status}"
    if response.is_redirect or status == httpx.codes.NOT_FOUND:
        what = "a redirect, which is never followed" if response.is_redirect else "no such path"
        remedy = "correct 'base_url': it is the address of the API, with its path prefix if any"
        yield failure("Dfns", f"{said}: {what}", remedy, seconds)
        return False
    if response.is_server_error or status == httpx.codes.TOO_MANY_REQUESTS:
        yield warning("Dfns", said, "try again later", seconds)
    else:
        secured = "TLS" if url.scheme == "https" else "no TLS, on this machine"
        yield ok("Dfns", f"{said} to a request without a token ({secured})", seconds)
    return True


def _clock(response: httpx.Response) -> Iterator[Finding]:
    here = time.time()
    try:
        there: datetime = parsedate_to_datetime(response.headers["date"])
        skew = here - there.timestamp()
    except (KeyError, ValueError, OverflowError):  # a year that no clock has, too
        yield warning("clock", "not compared: the answer of Dfns has no date", "compare it by hand")
        return
    if abs(skew) <= _MAX_SKEW:
        yield ok("clock", f"within {_MAX_SKEW:g} seconds of that of Dfns")
        return
    yield warning(
        "clock",
        f"this machine is {abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} Dfns",
        "synchronise it (NTP): tokens and the logins of key stores go by it",
    )


def _is_credential(item: object) -> bool:
    """Whether an item of the list is what Dfns documents, as far as it is read here."""
    return isinstance(item, dict) and isinstance(item.get("credentialId"), str)


def client(loaded: LoadedProfile, http: Http, stack: ExitStack) -> Findings[DfnsClient | None]:
    """A client that reads with the token of the profile, and tries once."""

    def connect() -> DfnsClient:
        arguments = {**client_arguments(loaded), "max_attempts": 1}
        return stack.enter_context(DfnsClient(**arguments, http_client=http))

    found = yield from checked("authentication", connect, "correct the setting", warns=False)
    return found.value if found else None


def known_caller(dfns: DfnsClient, limit: float) -> Findings[None]:
    """Whether a gateway knows the caller; more is for the rules of the caller to say."""

    def ask() -> None:
        with suppress(PermissionDeniedError):
            dfns.get(_CREDENTIALS)

    remedy = "look at 'auth_token', and where the gateway runs at its log, which says what is wrong"
    found = yield from checked("authentication", ask, remedy, within=limit)
    if found is None:
        yield from not_examined("the gateway does not know the caller", "user action")
        return
    yield ok("authentication", "the gateway knows the caller", found.seconds)
    yield warning(
        "user action",
        "not examined: which calls the caller may announce is for its rules to say",
        "where the gateway runs: dfns-signers gateway check --explain CALLER METHOD PATH",
    )


def listed_credentials(
    dfns: DfnsClient, limit: float
) -> Findings[Checked[list[Credential] | None] | None]:
    """The credentials of the token's identity; a value of None where it may not list them.

    None where Dfns does not accept the token, or its list does not end within a limit in seconds.
    """
    refusals: list[PermissionDeniedError] = []

    def ask() -> list[Credential] | None:
        try:
            return [one for one in dfns.auth.credentials.list() if _is_credential(one)]
        except PermissionDeniedError as error:
            refusals.append(error)
            return None

    found = yield from checked(
        "authentication",
        ask,
        "see what the token says of itself: kind, expiry and region; Dfns may have revoked it",
        within=limit,
    )
    if found is None:
        return None
    if refusals:
        message = (
            f"the token is accepted, and may not list its credentials: {explained(refusals[0])}"
        )
        remedy = "grant its identity the permission to read credentials, for them to be compared"
        yield warning("authentication", message, remedy, found.seconds)
    else:
        yield ok("authentication", "Dfns accepts the token", found.seconds)
    return found
