"""The example of delegated signing, running against an emulator."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

from dfns_signers.emulator import Emulator
from examples.delegated_signing.__main__ import application


@contextmanager
def served_example(emulator: Emulator) -> Iterator[str]:
    """Serve the example; gives its origin."""
    with bound() as listener:
        origin = origin_of(listener)
        with served(application(emulator).starlette(origin=origin), listener):
            yield origin


@contextmanager
def bound() -> Iterator[socket.socket]:
    """A socket on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener


def origin_of(listener: socket.socket) -> str:
    """Where browsers see it: by the one name without TLS that passkeys work on."""
    return f"http://localhost:{listener.getsockname()[1]}"


@contextmanager
def served(app: ASGIApp, listener: socket.socket) -> Iterator[None]:
    """Serve an ASGI application."""
    config = uvicorn.Config(app, log_config=None, ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join()
