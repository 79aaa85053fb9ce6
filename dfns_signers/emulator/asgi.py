"""The service as an ASGI application."""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dfns_signers.emulator.exchange import Incoming
from dfns_signers.emulator.service import MAXIMUM_BODY_BYTES, Service


def build_app(service: Service) -> ASGIApp:
    """An application that answers every request with the service."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        try:
            incoming = await _read(request)
        except ClientDisconnect:
            return
        answer = service.answer(incoming)
        response = Response(answer.content, answer.status, dict(answer.headers), answer.media_type)
        await response(scope, receive, send)

    return app


async def _read(request: Request) -> Incoming:
    # A body that is too large is read to its end all the same: a client that is still writing
    # would see the connection break instead of the answer.
    body = bytearray()
    oversized = False
    async for chunk in request.stream():
        oversized = oversized or len(body) + len(chunk) > MAXIMUM_BODY_BYTES
        if not oversized:
            body += chunk
    return Incoming(
        method=request.method,
        raw_path=request.scope["raw_path"].decode("ascii"),
        query=request.scope["query_string"].decode("ascii"),
        headers=tuple(request.headers.items()),
        body=b"" if oversized else bytes(body),
        oversized=oversized,
    )
