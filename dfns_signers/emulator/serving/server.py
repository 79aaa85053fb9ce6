"""The HTTP server: the service as an ASGI application, on uvicorn in a thread of its own.

Only this module and those that it alone imports import the packages of the extra "emulator".
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from email.utils import formatdate
from pathlib import Path
from typing import TYPE_CHECKING, Final

import uvicorn
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dfns_signers.emulator.console.application import with_console
from dfns_signers.emulator.requests.messages import Incoming
from dfns_signers.emulator.service import MAXIMUM_BODY_BYTES, Service
from dfns_signers.emulator.serving.certificates import LocalAuthority
from dfns_signers.emulator.serving.cross_origin import allowing
from dfns_signers.emulator.serving.starting import ServerSettings
from dfns_signers.errors import ListeningError

if TYPE_CHECKING:
    from dfns_signers.emulator.serving.certificates import LocalAuthority

STOP_SECONDS: Final = 5.0
_GRACE_SECONDS: Final = 1
_BACKLOG: Final = 2048


class ServerThread:
    """Serves the API on a loopback address until it is stopped.

    Attributes:
        url: base URL of the API.

    Raises:
        ListeningError: the port is in use or not permitted.
    """

    def __init__(self, service: Service, settings: ServerSettings) -> None:
        self._listener = _listen(settings.address, settings.port)
        self._authority = _new_authority() if settings.tls else None
        self.url = _url_of(self._listener, "https" if settings.tls else "http")
        # log_config: the logging of the program is not ours to configure. log_level: at lower
        # levels than this uvicorn logs headers, which have tokens in them.
        config = uvicorn.Config(
            with_console(allowing(_application(service), settings.cors_origins), service),
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
            date_header=False,  # uvicorn renews it in the loop that is not run here
        )
        config.load()
        if self._authority is not None:
            config.ssl = self._authority.server_context()
        self._server = _Server(config)
        self._thread = threading.Thread(target=self._run, name="dfns-emulator", daemon=True)

    @property
    def ca_file(self) -> Path | None:
        """The certificate that clients must trust; None for http."""
        return self._authority.file if self._authority else None

    def start(self) -> None:
        """Begin to serve; connections that queue on the socket are not lost."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and return when the thread has ended.

        Raises:
            RuntimeError: it has not ended in time.
        """
        self._server.stop()
        if self._authority is not None:
            self._authority.close()
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            raise RuntimeError(f"the emulator did not stop within {STOP_SECONDS:g} s")
        self._listener.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))


class _Server(uvicorn.Server):
    """uvicorn, stopped by an event and without the pauses that it makes for it.

    A test suite starts and stops an emulator for each test; the pauses are most of its time.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Ask it to stop, from any thread; also before it has begun to run."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it has stopped by itself
                self._loop.call_soon_threadsafe(self._stopped.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        if not self.should_exit:
            await self._stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_GRACE_SECONDS)
        # A client that never finishes its request must not keep a socket open.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


def _new_authority() -> LocalAuthority:
    from dfns_signers.emulator.serving.certificates import LocalAuthority  # noqa: PLC0415 - slow to import

    return LocalAuthority()


def _url_of(listener: socket.socket, scheme: str) -> str:
    address, port = listener.getsockname()[:2]
    return f"{scheme}://{f'[{address}]' if ':' in address else address}:{port}"


def _listen(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off: 40 ms for each answer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise ListeningError(
            f"the emulator cannot listen on {address}, port {port}: {error.strerror}. Name another "
            "port, or 0 for any that is free"
        ) from error
    return listener


def _application(service: Service) -> ASGIApp:
    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            incoming = await _read(Request(scope, receive))
        except ClientDisconnect:
            return
        answer = service.answer(incoming)
        if answer.later:
            answer = await asyncio.to_thread(answer.later)
        headers = {"Date": formatdate(service.state.clock(), usegmt=True), **answer.headers}
        response = Response(answer.content, answer.status, headers, answer.media_type)
        await response(scope, receive, send)

    return application


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
