"""CORS: pages of the origins that were named may call the API from a browser."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp

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
    return CORSMiddleware(
        application, allow_origins=origins, allow_methods=METHODS, allow_headers=_HEADERS
    )
