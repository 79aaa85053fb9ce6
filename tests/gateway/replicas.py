"""Replicas of a gateway: processes with one configuration, before one API."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from dfns_signers.emulator import Emulator
from tests.gateway.processes import gateway_process
from tests.gateway.running import LISTEN, RunningGateway, configuration
from tests.support.redis_servers import RedisServer

SEAL_KEY = "5a" * 32


def shared(store: RedisServer, further: str = "") -> str:
    """What ``[gateway]`` says of replicas that share a store, in TOML."""
    return f'{LISTEN}\nstore = "{store.url}"\nseal_keys = ["{SEAL_KEY}"]\n{further}\n'


@contextmanager
def two_replicas(folder: Path, gateway: str) -> Iterator[Sequence[RunningGateway]]:
    """Two processes that serve; arguments as for ``running_gateway``."""
    with Emulator(exact_payloads=True) as emulator, ExitStack() as stack:
        file = configuration(folder, emulator, gateway)
        replicas = [
            stack.enter_context(gateway_process(file, name)) for name in ("first", "second")
        ]
        yield [RunningGateway(replica.urls, emulator) for replica in replicas]
