"""A TCP server on a loopback port that gives each connection a thread."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable

from typing_extensions import Self

HOST = "127.0.0.1"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)  # SO_LINGER, on, zero seconds


def reset(connection: socket.socket) -> None:
    """Break a connection: the other side sees a reset, not an orderly end."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    connection.close()


def has_left(connection: socket.socket) -> bool:
    """Whether the other side has closed; waits until it sends or closes."""
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except OSError:
        return True


class TcpServer:
    """Serves from the moment it is made until it is closed, which ends every connection.

    Args:
        serve: what a connection gets; it may raise OSError once the connection has broken.
        upstream: host and port for ``connect``.
    """

    def __init__(
        self, serve: Callable[[socket.socket, int], None], upstream: tuple[str, int]
    ) -> None:
        self._serve = serve
        self._upstream = upstream
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._to_refuse = 0
        self._accepted = 0
        self._is_closed = False
        self._listener = socket.create_server((HOST, 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        self._acceptor = threading.Thread(target=self._accept, name="fault-proxy", daemon=True)
        self._acceptor.start()

    def refuse_next(self) -> None:
        """Reset one more of the next connections as soon as it is there."""
        with self._lock:
            self._to_refuse += 1

    def connect(self) -> socket.socket:
        """A connection to the upstream, which ends with the server."""
        connection = socket.create_connection(self._upstream)
        with self._lock:
            self._open.add(connection)
        return connection

    def forget(self, connection: socket.socket) -> None:
        """Close a connection that ``connect`` made."""
        with self._lock:
            self._open.discard(connection)
        connection.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with self._lock:
                self._accepted += 1
                number, is_refused = self._accepted, self._to_refuse > 0
                self._to_refuse -= is_refused
                if not is_refused:
                    self._open.add(connection)
                    thread = threading.Thread(
                        target=self._run, args=(connection, number), name="fault-proxy", daemon=True
                    )
                    self._threads = [t for t in self._threads if t.is_alive()]
                    self._threads.append(thread)
                    thread.start()
            if is_refused:
                reset(connection)

    def _run(self, connection: socket.socket, number: int) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(OSError):
            self._serve(connection, number)
        self.forget(connection)

    def break_connections(self) -> None:
        """End the connections that are open, and go on accepting others."""
        with self._lock:
            connections = list(self._open)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End every connection, and return once all threads have ended."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self.break_connections()
        with self._lock:
            threads = list(self._threads)
        for thread in threads:
            thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
