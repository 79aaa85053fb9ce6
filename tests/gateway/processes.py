"""A gateway in a process of its own, for signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tests.core.processes import interruptible

_PROGRAM = """
import json, logging, sys
from dfns_signers.gateway.loading import load_gateway
from dfns_signers.gateway.serving.server import run_gateway

logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
gateway = load_gateway(config=sys.argv[1])
run_gateway(gateway, lambda urls: print(json.dumps(list(urls)), flush=True))
"""


@dataclass(frozen=True)
class GatewayProcess:
    """A gateway that is ready.

    Attributes:
        urls: of its listeners, in the order of ``listen``.
        log: file with its log.
    """

    process: subprocess.Popen[str]
    urls: Sequence[str]
    log: Path

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def logged(self, text: str) -> list[str]:
        """The lines of the log with a text."""
        return [line for line in self.log.read_text().splitlines() if text in line]

    def exit_code(self) -> int:
        """Wait for the end."""
        return self.process.wait(60)


@contextmanager
def gateway_process(
    file: Path, name: str = "gateway", **environment: str
) -> Iterator[GatewayProcess]:
    """Run the gateway of a configuration file; ``name`` is that of its log."""
    log = file.parent / f"{name}.log"
    with log.open("w") as stream, interruptible():
        process = subprocess.Popen(
            [sys.executable, "-c", _PROGRAM, str(file)],
            stdout=subprocess.PIPE,
            stderr=stream,
            text=True,
            env={**os.environ, **environment},
        )
    with process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line, log.read_text()
            yield GatewayProcess(process, json.loads(line), log)
        finally:
            process.kill()


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Wait until something holds, however long a busy machine takes."""
    end = monotonic() + 60
    while not holds():
        assert monotonic() < end, f"it never was so: {what}"
        sleep(0.01)
