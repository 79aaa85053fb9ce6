"""The HTTP server, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

import uvicorn
from starlette.types import ASGIApp

STOP_SECONDS = 5.0
_GRACE_SECONDS = 1


class _Server(uvicorn.Server):
    """uvicorn, stopped by an event and without the pauses that it makes for it.

    A test suite starts and stops an emulator for each test; the pauses are most of its time.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = asyncio.Event()

    def stop(self) -> None:
        """Ask it to stop, from any thread; also before it has begun to run."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: it has stopped by itself
                self._loop.call_soon_threadsafe(self._stopped.set)

    async def main_loop(self) -> None:
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        if not self.should_exit:
            await self._stopped.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:  # noqa: ARG002
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if self.server_state.tasks:
            await asyncio.wait(self.server_state.tasks, timeout=_GRACE_SECONDS)
        # A client that never finishes its request must not keep a socket open.
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        await asyncio.sleep(0)


class ServerThread:
    """Serves an application on a socket until it is stopped."""

    def __init__(self, app: ASGIApp, listener: socket.socket) -> None:
        # log_config: the logging of the program is not ours to configure. log_level: at lower
        # levels than this uvicorn logs headers, which have tokens in them.
        config = uvicorn.Config(
            app,
            loop="asyncio",
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            server_header=False,
        )
        self._server = _Server(config)
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name="dfns-emulator", daemon=True)

    def start(self) -> None:
        """Begin to serve; connections that queue on the socket are not lost."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, and return when the thread has ended.

        Raises:
            RuntimeError: it has not ended in time.
        """
        self._server.stop()
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            msg = f"the emulator did not stop within {STOP_SECONDS:g} s"
            raise RuntimeError(msg)
        self._listener.close()

    def _run(self) -> None:
        asyncio.run(self._server.serve(sockets=[self._listener]))
