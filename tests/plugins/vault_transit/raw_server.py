"""A server that writes bytes of the test's choice, at the pace of the test's choice."""

from __future__ import annotations

import socketserver
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

_PAUSE: Final = 0.05


@contextmanager
def raw_server(answer: Sequence[bytes], tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """The port of a server that answers each connection with these pieces, slowly if several."""
    stopped = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            plain = self.request
            with tls.wrap_socket(plain, server_side=True) if tls else plain as connection:
                connection.recv(65536)
                for piece in answer:
                    connection.sendall(piece)
                    if stopped.wait(_PAUSE):
                        return

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that left early is no news."""

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            stopped.set()
            server.shutdown()
            thread.join()
