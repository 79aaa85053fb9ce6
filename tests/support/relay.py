"""Stands between a process and an HTTP server, and can kill the process at a request."""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final

import requests

from tests.core.client.scripted import CUT, Reply, ScriptedApi, Seen

_OF_THE_CONNECTION: Final = {
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "date",
    "host",
    "keep-alive",
    "server",
    "transfer-encoding",
}


def passed_on(seen: Seen, server: str) -> Reply:
    """What a server answers to a request."""
    answer = requests.request(
        seen.method, server + seen.target, headers=_kept(seen.headers), data=seen.body, timeout=30
    )
    return Reply(answer.status_code, answer.content, _kept(answer.headers))


def _kept(headers: object) -> dict[str, str]:
    items = dict(headers).items()  # type: ignore[call-overload]  # of two kinds
    return {name: value for name, value in items if name.lower() not in _OF_THE_CONNECTION}


class Killing:
    """Kills a process once its call has been carried out, and before it is answered."""

    def __init__(self) -> None:
        self._operation: str | None = None
        self._victim: Future[subprocess.Popen[bytes]] = Future()

    def at(self, operation: str) -> None:
        """Kill the process that ``is_of`` names when it makes the next call of this name."""
        self._operation = operation
        self._victim = Future()

    def is_of(self, process: subprocess.Popen[bytes]) -> None:
        """Name the process, once it has started."""
        self._victim.set_result(process)

    def carried_out(self, operation: str) -> bool:
        """Whether the process was killed for a call, which is then not to be answered."""
        if operation != self._operation:
            return False
        self._operation = None
        self._victim.result(timeout=30).send_signal(signal.SIGKILL)
        return True


class Relay(ScriptedApi):
    """Passes every request on to a server.

    Args:
        server: its URL.
        operation: how ``killing`` names a request.
    """

    def __init__(
        self,
        server: str,
        operation: Callable[[Seen], str] = lambda seen: f"{seen.method} {seen.target}",
    ) -> None:
        super().__init__()
        self.killing = Killing()
        self._to = server
        self._operation = operation

    def reply(self, seen: Seen) -> Reply:
        answer = passed_on(seen, self._to)
        return CUT if self.killing.carried_out(self._operation(seen)) else answer
