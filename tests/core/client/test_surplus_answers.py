"""What a server sends beyond its answer is never the answer to another request."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from functools import partial
from typing import Any

import pytest

from tests.core.client.driving import Connector

PATIENCE = 20


def answer(name: str) -> bytes:
    body = json.dumps({"name": name}).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


@pytest.fixture
def url() -> Iterator[str]:
    """Of a server that answers each request with its target, and the first one twice, at once."""
    first = threading.Lock()

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while head := connection.recv(65_536):
                name = head.split()[1].decode()
                times = 2 if first.acquire(blocking=False) else 1
                connection.sendall(answer(name) * times)

    def accept() -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=[connection]).start()

    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        server = threading.Thread(target=accept)
        server.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
        server.join(PATIENCE)


def get(path: str, client: Any) -> Any:
    return client.get(path)


def test_second_answer_to_a_request_is_not_that_to_the_next(connect: Connector, url: str) -> None:
    dfns = connect("token", base_url=url)

    names = [dfns.call(partial(get, path))["name"] for path in ("/a", "/b", "/c")]

    assert names == ["/a", "/b", "/c"]
