"""Accepts the connections of a listener, and keeps each peer from taking the place of others."""

from __future__ import annotations

import asyncio
import errno
import logging
import math
import socket
import ssl
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from functools import partial
from typing import Any, Final, TypeAlias

import uvicorn
from uvicorn.server import ServerState

from dfns_signers.gateway.operation.allowance import Allowance
from dfns_signers.gateway.requests.messages import Peer
from dfns_signers.gateway.serving.bounds import MAX_HEAD, Bounds
from dfns_signers.gateway.serving.connections import Connection, Refuse
from dfns_signers.gateway.serving.fairness import connection_to_close
from dfns_signers.gateway.serving.listeners import Listener

_log: Final = logging.getLogger(__name__)

Application: TypeAlias = Callable[[dict[str, Any], Any, Any], Awaitable[None]]
TlsContext: TypeAlias = Callable[[], ssl.SSLContext | None]

_EXHAUSTED: Final = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_PAUSE: Final = 0.1  # seconds
_SPARE: Final = 16  # descriptors
_WARNINGS: Final = 10  # a minute


class Acceptor:
    """A listener at work.

    Args:
        listener: closed by ``stop``.
        application: of ASGI; the scope has the ``Peer`` in its ``state``.
        refuse: answers what cannot be read.
        tls: asked at each connection; returns None for plain http.
        bounds: of the connections.
    """

    def __init__(
        self,
        listener: Listener,
        application: Application,
        refuse: Refuse,
        *,
        tls: TlsContext,
        bounds: Bounds,
    ) -> None:
        self.listener = listener
        self.connections: set[Connection] = set()
        self._config = uvicorn.Config(
            application,
            http="h11",
            ws="none",
            lifespan="off",
            proxy_headers=False,
            access_log=False,
            log_config=None,
            timeout_keep_alive=math.ceil(bounds.idle),
            h11_max_incomplete_event_size=MAX_HEAD,
        )
        self._config.load()
        self._refuse = refuse
        self._tls = tls
        self._bounds = bounds
        self._most = bounds.connections
        self._server = ServerState()
        self._openings: dict[Connection, asyncio.Task[None]] = {}
        self._resuming: asyncio.TimerHandle | None = None
        self._warnings = Allowance(_WARNINGS, 60.0, time.monotonic)

    @property
    def calls(self) -> set[asyncio.Task[None]]:
        """The requests that are being answered, whether or not their connections last."""
        return self._server.tasks

    def start(self) -> None:
        """Accept connections from now on."""
        # ``loop.sock_accept`` would lose a connection if it is cancelled in the moment of its end.
        asyncio.get_running_loop().add_reader(self.listener.listening, self._accept)

    async def stop(self) -> None:
        """Accept none any more, and close each connection once it has no call under way."""
        self._pause()
        with suppress(OSError):  # BlockingIOError: there is none left
            while True:
                self._take(self.listener.listening.accept()[0])
        self.listener.close()
        if self.connections:
            await asyncio.sleep(_PAUSE)  # what clients had sent by then is read
        self.close_waiting()

    def close_waiting(self) -> None:
        """Close connections that have no call under way, and the others after their answer."""
        for connection in self.connections.copy():
            if connection.transport is None:
                self._openings[connection].cancel()
            elif not connection.transport.is_closing():
                connection.shutdown()

    def abort(self) -> None:
        """Close what is still there at once."""
        self._pause()
        for call in self.calls:
            call.cancel()
        for connection in self.connections.copy():
            self._drop(connection)

    def _pause(self) -> None:
        if self._resuming is not None:
            self._resuming.cancel()
        if self.listener.listening.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self.listener.listening)

    def _accept(self) -> None:
        try:
            self._take(self.listener.listening.accept()[0])
        except OSError as error:
            if error.errno in _EXHAUSTED:  # others are those of a connection that is gone already
                self._rest(error)

    def _rest(self, exhausted: OSError) -> None:
        """Accept none for a moment, and close connections, so that there is room for others."""
        if self._warnings.take() is not None:
            _log.warning("no connection can be accepted: %s", exhausted.strerror)
        self._make_room(None)
        if exhausted.errno == errno.EMFILE:  # of this process, for as long as it runs
            self._spare_descriptors()
        self._pause()
        self._resuming = asyncio.get_running_loop().call_later(_PAUSE, self.start)

    def _spare_descriptors(self) -> None:
        """Have fewer connections from now on: calls need some for Dfns, secrets and the trail."""
        self._most = min(self._most, max(len(self.connections) - _SPARE, _SPARE))
        for _ in range(_SPARE):
            self._make_room(None)

    def _take(self, accepted: socket.socket) -> None:
        try:
            peer = self.listener.peer(accepted)
        except OSError:  # it is gone already
            accepted.close()
            return
        if len(self.connections) >= self._most and not self._make_room(peer):
            accepted.close()
            return
        accepted.setblocking(False)
        connection = Connection(self._config, self._server, peer, self._bounds, self._refuse)
        self.connections.add(connection)
        connection.lost.add_done_callback(lambda _lost: self.connections.discard(connection))
        opening = asyncio.create_task(self._open(connection, accepted))
        self._openings[connection] = opening
        opening.add_done_callback(partial(self._opened, connection, accepted))

    async def _open(self, connection: Connection, accepted: socket.socket) -> None:
        context = self._tls()
        await asyncio.get_running_loop().connect_accepted_socket(
            lambda: connection,
            accepted,
            ssl=context,
            ssl_handshake_timeout=None if context is None else self._bounds.handshake,
        )

    def _opened(
        self, connection: Connection, accepted: socket.socket, opening: asyncio.Task[None]
    ) -> None:
        del self._openings[connection]
        failure = asyncio.CancelledError() if opening.cancelled() else opening.exception()
        if failure is not None:  # of the handshake
            # Its frames refer to it, and to 256 KiB of buffers: those would wait for the collector.
            failure.__traceback__ = None
            accepted.close()
            self.connections.discard(connection)  # it has no opening to cancel any more
            connection.mark_lost()

    def _make_room(self, peer: Peer | None) -> bool:
        victim = connection_to_close(self.connections, peer)
        if victim is not None:
            self._drop(victim)
        return victim is not None

    def _drop(self, connection: Connection) -> None:
        if connection.transport is None:
            self._openings[connection].cancel()
        else:
            connection.transport.abort()
        self.connections.discard(connection)
