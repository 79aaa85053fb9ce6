"""Sessions on the server, for our own page only: a browser has nothing but an id, in a cookie."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any, TypeVar

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dfns_signers import AsyncDelegatedDfnsClient, PendingAction

T = TypeVar("T")
HEADERS = {
    "content-security-policy": "default-src 'self'; img-src data:; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}


@dataclass
class Session:
    """What the server remembers of a browser.

    Attributes:
        email: who signs in, or has signed in.
        newcomer: client with the temporary token of a registration or recovery under way.
        challenge: of a login under way.
        dfns: client with the end user's token, once signed in.
        pending: what the end user is about to sign.
        id: the secret in the cookie.
    """

    email: str = ""
    newcomer: AsyncDelegatedDfnsClient | None = None
    challenge: Any = None
    dfns: AsyncDelegatedDfnsClient | None = None
    pending: PendingAction | None = None
    id: str = field(default_factory=secrets.token_urlsafe, repr=False)


class Sessions:
    """Middleware: ``request.state.session`` is the session of the cookie, or a new one.

    They are in memory; a real application keeps them in a store, until they expire. A handler may
    put another ``Session`` there, whose cookie the browser then gets. Requests that change anything
    must come from the page: browsers say so in ``Origin``.
    """

    def __init__(self, app: ASGIApp, origin: str) -> None:
        self._app, self._origin = app, origin
        self._sessions: dict[str, Session] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Carry a request to the application, and its answer back with the cookie."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        known = self._sessions.get(request.cookies.get("session", ""))
        request.state.session = known or Session()

        async def send_with_headers(message: Message) -> None:
            session = request.state.session
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                if session is not known:
                    self._sessions.pop(known.id if known else "", None)
                    self._sessions[session.id] = session
                    # Over https, add "; Secure" and name it "__Host-session".
                    cookie = f"session={session.id}; Path=/; HttpOnly; SameSite=Strict"
                    headers.append("set-cookie", cookie)
            await send(message)

        app = self._app
        if request.method != "GET" and request.headers.get("origin") != self._origin:
            app = JSONResponse({"error": f"open this page at {self._origin}"}, 403)
        await app(scope, receive, send_with_headers)


def kept(value: T | None) -> T:
    """What a session should have kept; 409 if it has not, such as after a restart."""
    if value is None:
        raise HTTPException(409, "The server does not know what you began: reload this page.")
    return value
