"""An upstream that holds calls until a test lets them go."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from dfns_signers.emulator import Emulator
from tests.core.client.scripted import Reply, Seen
from tests.gateway.running import configuration, configuration_for
from tests.support.relay import Relay


class Holding(Relay):
    """Passes requests on to a server, those to ``/wallets`` only once they are let go."""

    def __init__(self, server: str) -> None:
        super().__init__(server)
        self.let_go = threading.Event()
        self.held: list[Seen] = []

    def reply(self, seen: Seen) -> Reply:
        if seen.target == "/wallets":
            self.held.append(seen)
            assert self.let_go.wait(60)
        return super().reply(seen)

    def __exit__(self, *error: object) -> None:
        self.let_go.set()
        super().__exit__(*error)


@contextmanager
def held_gateway(folder: Path, gateway: str) -> Iterator[tuple[Path, Holding, Emulator]]:
    """A configuration file of a gateway before an emulator whose answers are held."""
    with Emulator(exact_payloads=True) as emulator, Holding(emulator.url) as upstream:
        configuration(folder, emulator, gateway)  # adds the identity of the gateway
        yield configuration_for(upstream.url, folder, gateway), upstream, emulator
