"""A small HTTP server that answers as the test wants, also what no Dfns API would answer."""

from __future__ import annotations

import json
import threading
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from typing_extensions import Self


@dataclass(frozen=True)
class Seen:
    """A request as it arrived, tokens included; ``target`` is path and query as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def user_action(self) -> str | None:
        return self.headers.get("x-dfns-useraction")


@dataclass(frozen=True)
class Reply:
    """An answer; a body that is neither bytes nor text goes as JSON."""

    status: int = 200
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        text = self.body if isinstance(self.body, str) else json.dumps(self.body)
        return text.encode()


CUT: Final = Reply(status=0)
"""The connection breaks instead of an answer."""
SILENCE: Final = Reply(status=-1)
"""No answer comes until the server stops."""

Answer = Reply | Callable[[Seen], Reply]


class ScriptedApi:
    """Knows the two steps of a user action; everything else is scripted with ``on``.

    Each step gives a new challenge and a new user action: ``action-1``, ``action-2`` and so on.
    """

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.released = threading.Event()
        self._answers: dict[str, deque[Answer]] = defaultdict(deque)
        self._always: dict[str, Answer] = {}
        self._lock = threading.Lock()
        self._issued = 0
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def on(self, path: str, *answers: Answer, always: Answer | None = None) -> None:
        """Answer the next requests to a path, and every later one."""
        self._answers[path].extend(answers)
        if always is not None:
            self._always[path] = always

    def sent(self, path: str) -> list[Seen]:
        """The requests to a path."""
        return [seen for seen in self.seen if seen.target.partition("?")[0] == path]

    def reply(self, seen: Seen) -> Reply:
        """What the script has for a request."""
        with self._lock:
            self.seen.append(seen)
            path = seen.target.partition("?")[0]
            if self._answers[path]:
                answer = self._answers[path].popleft()
            else:
                answer = self._always.get(path, self._usual(seen, path))
        return answer(seen) if callable(answer) else answer

    def _usual(self, seen: Seen, path: str) -> Reply:
        if path.endswith("/auth/action/init"):
            self._issued += 1
            text = f"challenge-{self._issued}"
            return Reply(body={"challenge": text, "challengeIdentifier": f"id-{self._issued}"})
        if path.endswith("/auth/action"):
            identifier = json.loads(seen.body)["challengeIdentifier"]
            return Reply(body={"userAction": identifier.replace("id-", "action-")})
        return Reply(body={})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    api: ScriptedApi
    daemon_threads = False
    request_queue_size = 256  # that a busy machine refuses no connection

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that left early is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    disable_nagle_algorithm = True  # head and body leave apart

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.server.api.reply(Seen(self.command, self.path, headers, body))
        if reply is SILENCE:
            self.server.api.released.wait()
        if reply.status <= 0:
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.content)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = _answer  # noqa: N815 - the server's names

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""
