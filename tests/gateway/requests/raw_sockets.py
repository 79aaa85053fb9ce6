"""Connections to a gateway, byte for byte."""

from __future__ import annotations

import socket
from http.client import HTTPResponse
from urllib.parse import urlsplit

from tests.gateway.running import TOKEN


def connection_to(url: str) -> socket.socket:
    """A connection to ``http://…``, ``https://…`` (without TLS) or ``unix:/PATH``."""
    if url.startswith("unix:"):
        connected = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        connected.connect(url.removeprefix("unix:"))
    else:
        parts = urlsplit(url)
        assert parts.port
        connected = socket.create_connection((parts.hostname, parts.port))
    connected.settimeout(30)
    return connected


def head(url: str, line: str = "GET /wallets HTTP/1.1", *headers: str) -> bytes:
    """A request line and headers, with those that every request has."""
    host = "localhost" if url.startswith("unix:") else urlsplit(url).netloc
    lines = [line, f"Host: {host}", f"Authorization: Bearer {TOKEN}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def received(connection: socket.socket) -> bytes:
    """What arrives until the other side closes."""
    content = bytearray()
    try:
        while chunk := connection.recv(65536):
            content += chunk
    except ConnectionResetError:
        pass
    return bytes(content)


def status_of_one(connection: socket.socket) -> int:
    """The status of the next answer, which is read to its end; the connection stays open."""
    answer = HTTPResponse(connection)
    answer.begin()
    answer.read()
    return answer.status


def status_of(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])
