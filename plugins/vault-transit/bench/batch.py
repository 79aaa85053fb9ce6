"""Measure what gathering saves: bursts of signatures, each alone and gathered.

Usage: python plugins/vault-transit/bench/batch.py [--burst N] [--rounds N]

Starts the local server that the test suite starts; see docs/vault-transit.md.
"""

# ruff: noqa: INP001  # a script, of no package

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import platform
import secrets
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import hvac  # type: ignore[import-untyped]

from dfns_signers_testkit.vault import VaultServer, local_vault
from dfns_signers_vault_transit.key import VaultTransitKey
from dfns_signers_vault_transit.options import BatchOptions

KEY_TYPES = ("ed25519", "ecdsa-p256", "rsa-2048")

Burst = Callable[[VaultTransitKey, Sequence[bytes]], set[str | None]]


@dataclass(frozen=True)
class Measurement:
    """One burst: seconds, and the ids of the requests that it took."""

    seconds: float
    requests: int


def burst_of_threads(key: VaultTransitKey, messages: Sequence[bytes]) -> set[str | None]:
    """As many threads as messages, started together."""
    together = threading.Barrier(len(messages))

    def sign(message: bytes) -> str | None:
        together.wait()
        return key.sign_with_evidence(message).evidence.request_id

    with ThreadPoolExecutor(len(messages)) as threads:
        return set(threads.map(sign, messages))


def burst_of_tasks(key: VaultTransitKey, messages: Sequence[bytes]) -> set[str | None]:
    """As many tasks as messages, in one event loop."""

    async def sign_all() -> set[str | None]:
        signed = await asyncio.gather(*map(key.asign_with_evidence, messages))
        return {signature.evidence.request_id for signature in signed}

    return asyncio.run(sign_all())


def one_after_the_other(key: VaultTransitKey, messages: Sequence[bytes]) -> set[str | None]:
    """No concurrency: there is nothing to gather."""
    return {key.sign_with_evidence(message).evidence.request_id for message in messages}


BURSTS: dict[str, Burst] = {
    "threads": burst_of_threads,
    "tasks": burst_of_tasks,
    "sequential": one_after_the_other,
}


def measure(key: VaultTransitKey, burst: Burst, size: int, rounds: int) -> Measurement:
    """The median of some rounds; the first is not counted."""
    taken = []
    for number in range(rounds + 1):
        messages = [b"%d of round %d" % (i, number) for i in range(size)]
        begin = time.perf_counter()
        requests = len(burst(key, messages))
        taken.append(Measurement(time.perf_counter() - begin, requests))
    counted = taken[1:]
    return Measurement(
        statistics.median(one.seconds for one in counted),
        round(statistics.median(one.requests for one in counted)),
    )


def report(server: VaultServer, size: int, rounds: int) -> None:
    """Print a row for each type of key and kind of burst."""
    client = hvac.Client(url=server.address, token=server.token)
    mount = f"dfns-bench-{secrets.token_hex(4)}"
    client.sys.enable_secrets_engine("transit", path=mount)
    version = client.sys.read_health_status(method="GET")["version"]
    show(f"{size} signatures at once, median of {rounds} rounds; server {version};")
    show(f"Python {platform.python_version()}, {os.cpu_count()} cores shared with the server;")
    show("every signature verified.\n")
    show(f"{'key':<12}{'burst':<12}{'alone':>20}{'gathered':>22}{'faster':>9}")
    try:
        for key_type in KEY_TYPES:
            client.secrets.transit.create_key(key_type, key_type=key_type, mount_point=mount)
            for name, burst in BURSTS.items():
                alone, gathered = (
                    measure(
                        VaultTransitKey(client, key_type, mount=mount, batch=batch),
                        burst,
                        size,
                        rounds,
                    )
                    for batch in (None, BatchOptions(max_size=max(size, 2)))
                )
                show(
                    f"{key_type:<12}{name:<12}{shown(alone):>20}{shown(gathered):>22}"
                    f"{alone.seconds / gathered.seconds:>8.1f}x"
                )
    finally:
        client.sys.disable_secrets_engine(mount)


def shown(one: Measurement) -> str:
    """Milliseconds and requests."""
    return f"{one.seconds * 1000:.0f} ms/{one.requests} req."


def show(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    """Measure on the local server."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--burst", type=int, default=100, help="signatures at once")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count")
    arguments = parser.parse_args()
    # A hundred threads on one client open more connections than are kept.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    with local_vault() as server:
        report(server, arguments.burst, arguments.rounds)


if __name__ == "__main__":
    main()
