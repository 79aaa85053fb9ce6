"""A web server in a thread whose answers a test chooses, for real clients to talk to."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from dfns_signers.closing import Closing

JSON = "application/x-amz-json-1.1"


@dataclass(frozen=True)
class Request:
    """A request as it arrived; names of headers in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def access_key_id(self) -> str:
        """Whose credentials signed it."""
        return self._scope()[0]

    @property
    def region(self) -> str:
        return self._scope()[2]

    @property
    def service(self) -> str:
        return self._scope()[3]

    def _scope(self) -> list[str]:
        algorithm, _, rest = self.headers["authorization"].partition(" Credential=")
        assert algorithm == "AWS4-HMAC-SHA256"
        return rest.partition(",")[0].split("/")


@dataclass(frozen=True)
class Reply:
    status: int
    body: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Raw:
    """Bytes as they go over the wire, head and body; the connection ends after them."""

    pieces: Iterable[bytes]


Answer = Callable[[Request], Reply | Raw | None]
"""What a server does with a request; None is a connection that is cut."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256  # that a busy machine refuses no connection


class HttpDouble(Closing):
    """Listens on a free port of 127.0.0.1."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._lock = threading.Lock()
        self._ended = threading.Condition(self._lock)
        self.requests: list[Request] = []
        self.connections = 0
        self.open_connections = 0
        self.failures: list[str] = []
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=[0.01])
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join(10)
        self._server.server_close()
        assert self.failures == []

    def has_no_connection_within(self, seconds: float) -> bool:
        """Whether every client has closed its connections by then."""
        with self._ended:
            return self._ended.wait_for(lambda: self.open_connections == 0, timeout=seconds)

    def _reply(self, request: Request) -> Reply | Raw | None:
        with self._lock:
            self.requests.append(request)
        try:
            return self._answer(request)
        except Exception as error:  # noqa: BLE001  # raised in the test when the server closes
            self.failures.append(f"{type(error).__name__}: {error}")
            return Reply(599, b"the double failed")

    def _handler(double) -> type[BaseHTTPRequestHandler]:  # noqa: N805  # self is the handler's
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                with double._lock:
                    double.connections += 1
                    double.open_connections += 1
                super().setup()

            def finish(self) -> None:
                super().finish()
                with double._ended:
                    double.open_connections -= 1
                    double._ended.notify_all()

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                headers = {name.lower(): value for name, value in self.headers.items()}
                reply = double._reply(Request(self.command, self.path, headers, body))
                if not isinstance(reply, Reply):
                    self.close_connection = True
                    with suppress(ConnectionError):  # the client has had enough
                        for piece in reply.pieces if reply else ():
                            self.wfile.write(piece)
                    return
                self.send_response(reply.status)
                self.send_header("Content-Type", reply.content_type)
                self.send_header("Content-Length", str(len(reply.body)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.body)

            do_POST = handle_any  # noqa: N815  # the name that http.server looks for

            def log_request(self, *_: object) -> None:
                pass

        return Handler
