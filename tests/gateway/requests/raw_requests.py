"""Requests as bytes, and what a gateway answers to them."""

from __future__ import annotations

import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from typing_extensions import Self

from tests.gateway.running import TOKEN

LINE = b"\r\n"
BODY = b'{"network":"EthereumSepolia"}'


@dataclass(frozen=True)
class RawAnswer:
    """What came back.

    Attributes:
        is_last: whether the gateway closed the connection behind it.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    is_last: bool

    @property
    def check(self) -> Any:
        """Which check of the gateway refused the request."""
        return json.loads(self.body)["error"]["details"]["gateway"]


class Connection:
    """A connection to a gateway.

    Args:
        url: of a listener.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname is not None
        assert parts.port is not None
        self.host = parts.netloc.encode()
        self._socket = socket.create_connection((parts.hostname, parts.port), timeout=30)
        self._received = self._socket.makefile("rb")

    def send(self, *pieces: bytes) -> None:
        """Send pieces of a request, each for itself."""
        for piece in pieces:
            self._socket.sendall(piece)

    def send_until_refused(self, piece: bytes, *, most: int) -> int:
        """Send a piece again until the gateway closes; returns how many bytes went."""
        sent = 0
        try:
            while sent < most:
                self._socket.sendall(piece)
                sent += len(piece)
        except ConnectionError:
            pass
        return sent

    def send_all_of(self, raw: bytes) -> None:
        """Send all there is, say that there is no more, and wait until the gateway closes."""
        try:
            self._socket.sendall(raw)
            self._socket.shutdown(socket.SHUT_WR)
            while self._received.read(65536):
                pass
        except ConnectionError:
            pass

    def answer(self, method: str = "POST") -> RawAnswer:
        """The next answer."""
        status, *fields = self.head()
        pairs = (line.decode().split(": ", 1) for line in fields)
        headers = {name.lower(): value for name, value in pairs}
        length = 0 if method == "HEAD" else int(headers["content-length"])
        body = self._received.read(length)
        is_last = headers.get("connection") == "close"
        if is_last:
            assert self.is_closed(), "the gateway says that it closes, and does not"
        return RawAnswer(int(status.split()[1]), headers, body, is_last)

    def head(self) -> list[bytes]:
        """The lines of an answer up to its body."""
        lines = []
        while line := self._received.readline().rstrip(LINE):
            lines.append(line)
        assert lines, "the gateway closed the connection without an answer"
        return lines

    def is_closed(self) -> bool:
        """Whether the gateway closes the connection; waits until it does or sends."""
        try:
            return self._received.read(1) == b""
        except ConnectionError:
            return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._received.close()
        self._socket.close()


def request(
    method: bytes = b"POST",
    target: bytes = b"/wallets",
    *,
    host: bytes | None = b"HOST",
    content_type: bytes | None = b"application/json",
    headers: Sequence[bytes] = (),
    body: bytes = BODY,
    length: bool = True,
    version: bytes = b"HTTP/1.1",
) -> bytes:
    """A request of the known caller.

    Args:
        host: ``HOST`` stands for the address of the gateway.
        headers: further lines.
        length: whether it has a Content-Length.
    """
    lines = [b" ".join([method, target, version])]
    lines += [b"Host: " + host] if host is not None else []
    lines += [b"Authorization: Bearer " + TOKEN.encode()]
    lines += [b"Content-Type: " + content_type] if content_type is not None else []
    lines += [b"Content-Length: %d" % len(body)] if length and (body or method != b"GET") else []
    return LINE.join([*lines, *headers, b"", body])


def answer_to(url: str, raw: bytes, method: str = "POST") -> RawAnswer:
    """The answer to one request on a connection of its own."""
    with Connection(url) as connection:
        connection.send(raw.replace(b": HOST", b": " + connection.host))
        return connection.answer(method)


def read(target: bytes, **named: Any) -> bytes:
    """A request that reads; arguments as for ``request``."""
    return request(b"GET", target, content_type=None, body=b"", **named)


def chunked(*lines: bytes, headers: tuple[bytes, ...] = ()) -> bytes:
    """A request whose body is what the lines make of it."""
    fields = [b"Transfer-Encoding: chunked", *headers]
    return request(headers=fields, body=LINE.join([*lines, b""]), length=False)
