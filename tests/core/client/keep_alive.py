"""A server that keeps connections open and says over which one each request came."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from typing_extensions import Self


class KeepAliveApi:
    """Answers every GET with ``{"port": …}``, the client's port, which tells connections apart.

    Args:
        at_once: how many requests must be there before any of them is answered.
    """

    def __init__(self, at_once: int = 1) -> None:
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.all_there = threading.Barrier(at_once)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def wait_until_nobody_is_connected(self) -> bool:
        """Whether every client closes its connections within half a minute."""
        return self.wait_until_connected(0)

    def wait_until_connected(self, number: int) -> bool:
        """Whether so many connections, no more, are left within half a minute."""
        with self._server.changed:
            return self._server.changed.wait_for(
                lambda: len(self._server.connected) == number, timeout=30
            )

    def expect_at_once(self, number: int) -> None:
        """Change how many requests must be there."""
        self._server.all_there = threading.Barrier(number)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256
    all_there: threading.Barrier

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.changed = threading.Condition()
        self.connected: set[int] = set()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left early is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        with self.server.changed:
            self.server.connected.add(self.client_address[1])

    def finish(self) -> None:
        super().finish()
        with self.server.changed:
            self.server.connected.discard(self.client_address[1])
            self.server.changed.notify_all()

    def do_GET(self) -> None:
        self.server.all_there.wait(30)
        content = json.dumps({"port": self.client_address[1]}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
