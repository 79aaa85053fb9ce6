"""A gateway that runs, and reads its file again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.gateway.processes import GatewayProcess, eventually
from tests.gateway.running import client_of

WALLET = {"network": "EthereumSepolia"}
TAKEN = "the configuration was read again"
NOT_TAKEN = "the configuration is not taken, the former one stays"


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))


@contextmanager
def kept_alive(gateway: GatewayProcess) -> Iterator[httpx.Client]:
    """A caller with one connection, which has had an answer."""
    with client_of(gateway.urls[0]) as caller:
        assert caller.post("/wallets", json=WALLET).status_code == 200
        yield caller


def reloaded(gateway: GatewayProcess, outcome: str = TAKEN) -> str:
    """Send SIGHUP, and wait for its outcome; returns the line of the log."""
    before = len(gateway.logged(outcome))
    gateway.signal(signal.SIGHUP)
    eventually(lambda: len(gateway.logged(outcome)) > before, outcome)
    return gateway.logged(outcome)[-1]
