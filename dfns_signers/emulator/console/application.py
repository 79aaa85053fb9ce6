"""``/_emulator``: paths that Dfns does not have, for people and tests on this machine.

They take no token. A page of another site cannot use them: it reaches them under its own host name
(DNS rebinding), sends its own origin, or may not send JSON without being asked first.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from importlib.resources import files
from typing import Any, Final, TypeAlias
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dfns_signers.bounded_json import bounded_json
from dfns_signers.emulator.console.exchange_view import exchange_view
from dfns_signers.emulator.console.posted_controls import CONTROLS, Control
from dfns_signers.emulator.service import Service
from dfns_signers.emulator.serving.listening import is_loopback
from dfns_signers.errors import ConfigurationError
from dfns_signers.near_miss import did_you_mean

PREFIX: Final = "/_emulator"
_SHOWN: Final = 500
_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_MAXIMUM_BODY_BYTES: Final = 10_000
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FILES: Final = {
    PREFIX: ("page.html", "text/html"),
    f"{PREFIX}/page.css": ("page.css", "text/css"),
    f"{PREFIX}/page.js": ("page.js", "text/javascript"),
}
_Handler: TypeAlias = Callable[[Service, Request], Awaitable[Any]]


class _RefusedError(Exception):
    """A request that these paths do not take.

    Attributes:
        status: HTTP status code.
    """

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status


def with_console(api: ASGIApp, service: Service) -> ASGIApp:
    """The API, and these paths in front of it."""
    handlers: Mapping[tuple[str, str], _Handler] = {
        ("GET", f"{PREFIX}/exchanges"): partial(_exchanges, secrets.token_hex(8)),
        **{("POST", f"{PREFIX}/{path}"): partial(_do, one) for path, one in CONTROLS.items()},
    }

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        if path == PREFIX or path.startswith(f"{PREFIX}/"):
            response = await _response(handlers, service, Request(scope, receive))
            await response(scope, receive, send)
        else:
            await api(scope, receive, send)

    return application


async def _response(
    handlers: Mapping[tuple[str, str], _Handler], service: Service, request: Request
) -> Response:
    path: str = request.scope["path"]
    try:
        _check_sender(request)
        if request.method == "GET" and path in _FILES:
            name, kind = _FILES[path]
            content = files(__package__).joinpath(name).read_bytes()
            return Response(content, media_type=kind, headers=_HEADERS)
        handler = handlers.get((request.method, path))
        if handler is None:
            known = [other for method, other in handlers if method == request.method]
            hint = did_you_mean(path, known)
            raise _RefusedError(HTTPStatus.NOT_FOUND, f"no {request.method} {path} here{hint}")
        return JSONResponse(await handler(service, request), headers=_HEADERS)
    except _RefusedError as error:
        refusal = {"error": {"status": error.status, "message": str(error)}}
        return JSONResponse(refusal, error.status, headers=_HEADERS)


def _check_sender(request: Request) -> None:
    hosts, origins = request.headers.getlist("host"), request.headers.getlist("origin")
    host = hosts[0] if len(hosts) == 1 else ""
    if not is_loopback(_hostname(host)):
        raise _RefusedError(
            HTTPStatus.FORBIDDEN, "expected 127.0.0.1, [::1] or localhost in the header Host"
        )
    if any(origin != f"{request.scope['scheme']}://{host}" for origin in origins):
        raise _RefusedError(HTTPStatus.FORBIDDEN, "pages of other origins may not ask here")


def _hostname(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


async def _exchanges(start: str, service: Service, request: Request) -> Any:
    """The exchanges after a number; ``start`` differs when the emulator was started again."""
    after = request.query_params.get("after", "0")
    if not _NUMBER.fullmatch(after):
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "after must be the number of an exchange")
    with service.lock:
        found = service.requests.after(int(after), _SHOWN)
    return {"start": start, "exchanges": [exchange_view(exchange) for exchange in found]}


async def _do(control: Control, service: Service, request: Request) -> Any:
    """Do what a test asks for."""
    try:
        return control(service, await _json(request))
    except ConfigurationError as error:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, str(error)) from None


async def _json(request: Request) -> Any:
    # A page of another origin cannot send this type without a preflight, which is refused.
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise _RefusedError(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "the Content-Type must be application/json"
        )
    content = b""
    async for chunk in request.stream():
        content += chunk
        if len(content) > _MAXIMUM_BODY_BYTES:
            raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large")
    try:
        return bounded_json(content)
    except ValueError:
        raise _RefusedError(HTTPStatus.BAD_REQUEST, "the body is not JSON") from None
