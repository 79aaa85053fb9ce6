"""The request that delivers an event to a webhook on this machine."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

import httpx

from dfns_signers.emulator.serving.listening import is_loopback
from dfns_signers.emulator.webhooks.deliveries import SIGNATURE_HEADER, Attempt, Delivery

TIMEOUT: Final = 3.0
"""Seconds that a receiver has to answer."""


def new_client() -> httpx.AsyncClient:
    """A client that follows no redirect and uses no proxy: nothing leaves the machine."""
    return httpx.AsyncClient(timeout=TIMEOUT, trust_env=False, verify=ssl.create_default_context())


async def send(client: httpx.AsyncClient, attempt: Attempt, timestamp: int) -> Delivery:
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
        # In all: the time limits of the client are for each part that arrives.
        answer = _status(client, attempt.url, body, headers)
        status = await asyncio.wait_for(answer, TIMEOUT)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        return Delivery(attempt, timestamp, error=f"{type(error).__name__}: {error}")
    except asyncio.TimeoutError:
        return Delivery(attempt, timestamp, error=f"no answer within {TIMEOUT:g} s")
    found = "" if status == HTTPStatus.OK else f"expected the status 200, found {status}"
    return Delivery(attempt, timestamp, status, found)


async def _status(
    client: httpx.AsyncClient, url: str, body: bytes, headers: Mapping[str, str]
) -> int:
    # The body of the answer means nothing, and may have no end.
    async with client.stream("POST", url, content=body, headers=headers) as response:
        return response.status_code
