"""CORS: pages of the origins that were named may call the API from a browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from dfns_signers.emulator.requests.routes import METHODS

# What the official SDKs send, the former ones too.
_HEADERS: Final = (
    "authorization",
    "content-type",
    "x-dfns-appid",
    "x-dfns-nonce",
    "x-dfns-sdk-version",
    "x-dfns-useraction",
)


def allowing(application: ASGIApp, origins: Sequence[str]) -> ASGIApp:
    """The application, which answers preflight requests of pages of these origins."""
    if not origins:
        return application
    named = CORSMiddleware(
        application, allow_origins=origins, allow_methods=METHODS, allow_headers=_HEADERS
    )

    async def allowing_named(scope: Scope, receive: Receive, send: Send) -> None:
        # The application refuses a preflight of another origin, and shows that among its requests.
        is_preflight = scope["type"] == "http" and scope["method"] == "OPTIONS"
        is_named = Headers(scope=scope).get("origin") in origins if is_preflight else True
        await (named if is_named else application)(scope, receive, send)

    return allowing_named
