"""Start a server for tests on a free port of this machine, and stop it for certain."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from random import SystemRandom
from typing import Final

from dfns_signers.closing import Closing
from dfns_signers.errors import DfnsSignersError
from dfns_signers_testkit.guardian import GRACE

_POLL: Final = 0.05
_TAIL: Final = 3000
# Below those that Linux, macOS and Windows give to whoever connects or listens on any port: such a
# port could be taken until the server has started.
_PORTS: Final = range(20_000, 32_000)


class ServerStartError(DfnsSignersError):
    """A server is not installed, ended early, or was not ready in time."""


class ServerProcess(Closing):
    """A server in a process of its own.

    It ends with ``close``, and also when this process ends, even if it is killed.

    Args:
        command: program and arguments.
        environment: its whole environment.
        is_ready: called until it returns True; an OSError counts as False.
        deadline: seconds until it must be ready.
        folder: its working directory.

    Raises:
        ServerStartError: it ends early or is not ready in time; the message has the end of its
            output.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        is_ready: Callable[[], bool],
        deadline: float = 60.0,
        folder: Path | None = None,
    ) -> None:
        self._name = Path(command[0]).name
        self._log = tempfile.TemporaryFile()  # noqa: SIM115  # closed in close()
        self._process = subprocess.Popen(  # noqa: S603  # the caller's own command
            [sys.executable, "-m", "dfns_signers_testkit.guardian", *command],
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        try:
            self._wait(is_ready, time.monotonic() + deadline)
        except BaseException:  # Ctrl-C and cancellation, too
            self.close()
            raise

    def output(self) -> str:
        """The end of what the server has printed so far."""
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace")[-_TAIL:]

    def close(self) -> None:
        """Stop it with SIGTERM, and after a few seconds with SIGKILL."""
        if self._process.stdin and not self._process.stdin.closed:
            self._process.stdin.close()
            self._process.wait(GRACE * 3)
            self._log.close()

    def _wait(self, is_ready: Callable[[], bool], end: float) -> None:
        while not _holds(is_ready):
            if self._process.poll() is not None:
                raise ServerStartError(
                    f"{self._name} ended with {self._process.returncode} while it started:\n"
                    f"{self.output()}"
                )
            if time.monotonic() > end:
                raise ServerStartError(f"{self._name} was not ready in time:\n{self.output()}")
            time.sleep(_POLL)  # a server calls nobody when it is ready


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nothing listens on, and that only who names it gets.

    Raises:
        ServerStartError: there is none.
    """
    for _ in range(1000):
        port = SystemRandom().choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise ServerStartError("no port of 127.0.0.1 is free: stop servers that run")


def require_free_port(port: int) -> int:
    """See that nothing listens on a port of 127.0.0.1: its readiness would be taken for ours.

    Raises:
        ServerStartError: something does.
    """
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)) == 0:
            raise ServerStartError(
                f"something listens on 127.0.0.1:{port} already: stop it, or choose another port"
            )
    return port


def _holds(is_ready: Callable[[], bool]) -> bool:
    try:
        return is_ready()
    except OSError:
        return False
