"""The request that delivers an event to a webhook on this machine."""

from __future__ import annotations

import ssl
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx

from dfns_signers.emulator.serving.listening import is_loopback
from dfns_signers.emulator.webhooks.deliveries import SIGNATURE_HEADER, Attempt, Delivery

_TIMEOUT_SECONDS: Final = 3.0


def new_client() -> httpx.Client:
    """A client that follows no redirect and uses no proxy: nothing leaves the machine."""
    return httpx.Client(
        timeout=_TIMEOUT_SECONDS, trust_env=False, verify=ssl.create_default_context()
    )


def send(client: httpx.Client, attempt: Attempt, timestamp: int) -> Delivery:
    """Deliver once; only an answer of 200 is a success (Dfns docs)."""
    if not is_loopback(urlsplit(attempt.url).hostname or ""):
        return Delivery(
            attempt,
            timestamp,
            error="the emulator delivers to 127.0.0.1, [::1] and localhost only",
        )
    body = attempt.body(timestamp)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "dfns-signers-emulator",
        SIGNATURE_HEADER: attempt.signature(body),
    }
    try:
        # The body of the answer means nothing, and may have no end.
        with client.stream("POST", attempt.url, content=body, headers=headers) as response:
            status = response.status_code
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Delivery(attempt, timestamp, error=f"{type(error).__name__}: {error}")
    found = "" if status == HTTPStatus.OK else f"expected the status 200, found {status}"
    return Delivery(attempt, timestamp, status, found)
