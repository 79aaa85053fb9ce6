"""Connections that come or go in the moment in which a listener ends."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from contextlib import ExitStack
from typing import Any

import pytest

from dfns_signers.gateway.configuration.addresses import parse_listen
from dfns_signers.gateway.requests.messages import Answer, Peer, Refusal
from dfns_signers.gateway.serving.acceptor import Acceptor
from dfns_signers.gateway.serving.bounds import Bounds
from dfns_signers.gateway.serving.listeners import open_listener


async def never_asked(_scope: dict[str, Any], _receive: Any, _send: Any) -> None:
    raise AssertionError("nothing was sent")


def never_refused(_refusal: Refusal, _peer: Peer) -> Answer:
    raise AssertionError("nothing was sent")


@pytest.mark.parametrize("turns", range(4))
def test_connection_that_arrives_with_the_end_is_closed(turns: int) -> None:
    async def ended_with_one_waiting() -> bytes:
        listener = open_listener(parse_listen("127.0.0.1:0"))
        acceptor = Acceptor(listener, never_asked, never_refused, tls=lambda: None, bounds=Bounds())
        acceptor.start()
        await asyncio.sleep(0)
        with socket.create_connection(listener.listening.getsockname()) as client:
            for _ in range(turns):  # so far the loop has come with it
                await asyncio.sleep(0)
            await acceptor.stop()
            client.settimeout(10)
            return await asyncio.to_thread(client.recv, 1)

    assert asyncio.run(ended_with_one_waiting()) == b""


def test_connection_may_be_closed_whenever_its_handshake_fails() -> None:
    async def closed_at_every_turn() -> bytes:
        listener = open_listener(parse_listen("127.0.0.1:0"))
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        acceptor = Acceptor(listener, never_asked, never_refused, tls=lambda: tls, bounds=Bounds())
        acceptor.start()
        with socket.create_connection(listener.listening.getsockname(), timeout=10) as client:
            for _ in range(100):
                acceptor.close_waiting()
                await asyncio.sleep(0)
            await acceptor.stop()
            return await asyncio.to_thread(client.recv, 1)

    assert asyncio.run(closed_at_every_turn()) == b""


def test_moment_in_which_the_machine_has_no_descriptor_leaves_room_for_all_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accept, refusals = socket.socket.accept, [OSError(errno.ENFILE, "too many open files")]

    def refused_once(listening: socket.socket) -> Any:
        if refusals:
            raise refusals.pop()
        return accept(listening)

    async def accepted() -> int:
        listener = open_listener(parse_listen("127.0.0.1:0"))
        acceptor = Acceptor(listener, never_asked, never_refused, tls=lambda: None, bounds=Bounds())
        acceptor.start()
        with ExitStack() as clients:
            for _ in range(20):
                address = listener.listening.getsockname()
                clients.enter_context(socket.create_connection(address))
            for _ in range(1000):
                if len(acceptor.connections) == 20:
                    break
                await asyncio.sleep(0.01)
            found = len(acceptor.connections)
            await acceptor.stop()
        return found

    monkeypatch.setattr(socket.socket, "accept", refused_once)

    assert asyncio.run(accepted()) == 20
