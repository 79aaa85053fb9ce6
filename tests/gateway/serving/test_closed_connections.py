"""Connections that end: soon, whatever their clients do, and without leaving anything behind."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from dfns_signers.gateway.configuration.addresses import parse_listen
from dfns_signers.gateway.requests.messages import json_answer, send_answer
from dfns_signers.gateway.serving.acceptor import Acceptor
from dfns_signers.gateway.serving.bounds import Bounds
from dfns_signers.gateway.serving.connections import Connection
from dfns_signers.gateway.serving.listeners import open_listener
from tests.support.certificates import Authority

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset
NEVER = 3600.0

Client = Callable[[], socket.socket]


async def answering(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    await send_answer(json_answer(200, {}), send)


@asynccontextmanager
async def accepting(tls: ssl.SSLContext | None) -> AsyncIterator[tuple[Acceptor, Client]]:
    """A listener at work, and what connects to it."""
    acceptor = Acceptor(
        open_listener(parse_listen("127.0.0.1:0")),
        answering,
        lambda refusal, _peer: refusal.answer(),
        tls=lambda: tls,
        bounds=Bounds(idle=NEVER),
    )
    address = acceptor.listener.listening.getsockname()
    acceptor.start()
    try:
        yield acceptor, lambda: socket.create_connection(address, timeout=30)
    finally:
        acceptor.abort()
        acceptor.listener.close()


@pytest.fixture
def contexts(tmp_path: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS of a server, and of a client that trusts it."""
    Authority(tmp_path).issue("server", "localhost")
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(tmp_path / "server.pem", tmp_path / "server.key")
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(tmp_path / "ca.pem")
    return server, client


async def until_gone(acceptor: Acceptor) -> None:
    """Wait until a listener has no connection; the loop forgets the last of them a turn later."""
    for _ in range(3000):
        if not acceptor.connections:
            break
        await asyncio.sleep(0.01)
    await asyncio.sleep(0.01)


def left(kind: type) -> int:
    """How many objects of a kind there are."""
    return sum(type(one) is kind for one in gc.get_objects())


@contextmanager
def without_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_handshakes_that_fail_leave_no_buffers_to_the_collector(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async def failed() -> int:
        async with accepting(contexts[0]) as (acceptor, connected):
            before = left(ssl.SSLObject)
            for _ in range(5):
                with connected() as client:
                    client.sendall(REQUEST)
                    assert await asyncio.to_thread(client.recv, 1) == b""
            await until_gone(acceptor)
            return left(ssl.SSLObject) - before

    with without_collector():
        assert asyncio.run(failed()) == 0


def test_connection_that_is_reset_behind_its_answer_is_not_kept() -> None:
    async def reset() -> int:
        gc.collect()
        before = left(Connection)
        async with accepting(None) as (acceptor, connected):
            with connected() as client:
                client.sendall(REQUEST)
                assert await asyncio.to_thread(client.recv, 65536)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            await until_gone(acceptor)
            gc.collect()
            return left(Connection) - before

    assert asyncio.run(reset()) == 0


def test_client_that_does_not_end_tls_does_not_hold_up_the_end(
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
) -> None:
    async def ended() -> bool:
        async with accepting(contexts[0]) as (acceptor, connected):
            with await asyncio.to_thread(idle_client, contexts[1], connected):
                await acceptor.stop()
                # asyncio itself would wait for 30 seconds.
                ends = [connection.lost for connection in acceptor.connections]
                _, still_there = await asyncio.wait(ends, timeout=15)
                return not still_there

    assert asyncio.run(ended())


def idle_client(context: ssl.SSLContext, connected: Client) -> ssl.SSLSocket:
    """A connection whose client got its answer, and looks at it no more."""
    client = context.wrap_socket(connected(), server_hostname="localhost")
    client.sendall(REQUEST)
    assert client.recv(65536)
    return client
