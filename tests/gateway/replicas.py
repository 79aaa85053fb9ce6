"""Replicas of a gateway: processes with one configuration, before one API."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dfns_signers.emulator import Emulator
from tests.gateway.running import LISTEN, RunningGateway, configuration
from tests.support.redis_servers import RedisServer

SEAL_KEY = "5a" * 32
_PROGRAM = "from dfns_signers.cli import main; main()"


def shared(store: RedisServer, further: str = "") -> str:
    """What ``[gateway]`` says of replicas that share a store, in TOML."""
    return f'{LISTEN}\nstore = "{store.url}"\nseal_keys = ["{SEAL_KEY}"]\n{further}\n'


@contextmanager
def two_replicas(folder: Path, gateway: str) -> Iterator[Sequence[RunningGateway]]:
    """Two processes that serve; arguments as for ``running_gateway``."""
    with Emulator(exact_payloads=True) as emulator, ExitStack() as stack:
        file = configuration(folder, emulator, gateway)
        urls = [stack.enter_context(_replica(file)) for _ in range(2)]
        yield [RunningGateway([url], emulator) for url in urls]


@contextmanager
def _replica(file: Path) -> Iterator[str]:
    command = [sys.executable, "-c", _PROGRAM, "gateway", "--config", str(file)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            line = process.stderr.readline()
            assert line.startswith("ready: "), line + process.stderr.read()
            yield line.removeprefix("ready: ").strip()
        finally:
            process.terminate()
