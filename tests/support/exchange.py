"""One HTTP request that a fault proxy has received, and what may be done with it."""

from __future__ import annotations

import http.client
import select
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from tests.support.tcp_server import TcpServer, has_left, reset

_HOP_BY_HOP = frozenset({"connection", "content-length", "transfer-encoding"})


@dataclass(frozen=True)
class Request:
    """A request as it arrived.

    Attributes:
        label: the call that it belongs to.
        ordinal: how many requests of that call came before.
        step: which step of the call it is.
        connection: number of the connection that it came over, from 1.
        raw: its bytes.
    """

    method: str
    target: str
    headers: Sequence[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    raw: bytes = field(repr=False)
    connection: int
    label: str = ""
    ordinal: int = 0
    step: str = ""


@dataclass(frozen=True)
class Answer:
    """An answer with its framing: a status line, headers and the length of its body."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def head(self) -> bytes:
        fields = {**self.headers, "Content-Length": str(len(self.body))}
        lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        reason = http.client.responses.get(self.status, "Odd")
        return f"HTTP/1.1 {self.status} {reason}\r\n{lines}\r\n".encode("latin-1")

    @property
    def raw(self) -> bytes:
        return self.head + self.body


@dataclass
class Exchange:
    """A request whose answer is for a fault to give.

    Attributes:
        random: what a fault draws from.
        earlier: the upstream's answers to the requests of the same call before this one.
        reached: statuses with which the upstream answered this request.
        is_over: whether the connection ends with this request.
    """

    request: Request
    random: Random
    earlier: Sequence[Answer]
    server: TcpServer
    client: socket.socket
    remember: Callable[[Answer], None]
    reached: list[int] = field(default_factory=list)
    is_over: bool = False

    def forward(self) -> Answer:
        """Have the upstream carry the request out."""
        upstream = self.server.connect()
        try:
            upstream.sendall(self.request.raw)
            response = http.client.HTTPResponse(upstream, method=self.request.method)
            response.begin()
            body = response.read()
        except http.client.HTTPException as error:
            raise ConnectionError("the upstream did not answer") from error
        finally:
            self.server.forget(upstream)
        kept = {name: v for name, v in response.getheaders() if name.lower() not in _HOP_BY_HOP}
        answer = Answer(response.status, body, kept)
        self.reached.append(answer.status)
        self.remember(answer)
        return answer

    def forward_part(self, count: int) -> None:
        """Have the upstream see the first bytes of the request, and then its end."""
        upstream = self.server.connect()
        try:
            upstream.sendall(self.request.raw[:count])
            upstream.shutdown(socket.SHUT_WR)
            while upstream.recv(65536):
                pass
        finally:
            self.server.forget(upstream)

    def answer(self, answer: Answer) -> None:
        self.send(answer.raw)

    def send(self, data: bytes) -> None:
        self.client.sendall(data)

    def drip(self, pieces: Sequence[bytes], seconds: float) -> bool:
        """Send pieces with a pause after each; returns False if the client left meanwhile."""
        for piece in pieces:
            self.send(piece)
            readable, _, _ = select.select([self.client], [], [], seconds)
            if readable and has_left(self.client):
                self.is_over = True
                return False
        return True

    def hang(self) -> None:
        """Say nothing until the client leaves or the proxy is closed."""
        self.is_over = True
        while not has_left(self.client):
            self.client.recv(65536)

    def end(self) -> None:
        """Close the connection in the orderly way."""
        self.is_over = True

    def reset(self) -> None:
        """Break the connection."""
        self.is_over = True
        reset(self.client)

    def reset_when_reused(self) -> None:
        """Break the connection as soon as the next request begins to come over it."""
        has_left(self.client)
        self.reset()

    def refuse_next(self) -> None:
        """Have the next connection broken as soon as it is there."""
        self.server.refuse_next()
