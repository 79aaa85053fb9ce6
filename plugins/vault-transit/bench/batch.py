"""Measure what batches save: bursts of signatures, each sent alone and in batches.

Usage: python plugins/vault-transit/bench/batch.py [--burst N] [--rounds N]

Starts the local server that the test suite starts; see docs/vault-transit.md.
"""

# ruff: noqa: INP001, T201  # a script, of no package

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import platform
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import hvac  # type: ignore[import-untyped]

from dfns_signers_testkit.vault import VaultServer, dev_server, find_program
from dfns_signers_vault_transit.key import VaultTransitKey
from dfns_signers_vault_transit.options import MAX_BATCH, BatchOptions

KEY_TYPES = ("ed25519", "ecdsa-p256", "rsa-2048")

Burst = Callable[[VaultTransitKey, Sequence[bytes]], set[str | None]]
"""Signs messages, and returns the ids of the requests that it took."""


def threads(key: VaultTransitKey, messages: Sequence[bytes]) -> set[str | None]:
    """As many threads as messages."""
    with ThreadPoolExecutor(len(messages)) as pool:
        return {s.evidence.request_id for s in pool.map(key.sign_with_evidence, messages)}


def tasks(key: VaultTransitKey, messages: Sequence[bytes]) -> set[str | None]:
    """As many tasks as messages, in one event loop."""

    async def sign_all() -> set[str | None]:
        signed = await asyncio.gather(*map(key.asign_with_evidence, messages))
        return {signature.evidence.request_id for signature in signed}

    return asyncio.run(sign_all())


def sequential(key: VaultTransitKey, messages: Sequence[bytes]) -> set[str | None]:
    """One after the other: no two messages share a request."""
    return {key.sign_with_evidence(message).evidence.request_id for message in messages}


def measure(key: VaultTransitKey, burst: Burst, size: int, rounds: int) -> tuple[float, float]:
    """Milliseconds and requests: the medians of some rounds; the first is not counted."""
    taken = []
    for number in range(rounds + 1):
        messages = [b"%d of round %d" % (i, number) for i in range(size)]
        begin = time.perf_counter()
        requests = len(burst(key, messages))
        taken.append((1000 * (time.perf_counter() - begin), requests))
    return tuple(map(statistics.median, zip(*taken[1:], strict=True)))


def report(server: VaultServer, size: int, rounds: int) -> None:
    """Print a row for each type of key and kind of burst."""
    client = hvac.Client(url=server.address, token=server.token)
    client.sys.enable_secrets_engine("transit")
    version = client.sys.read_health_status(method="GET")["version"]
    print(f"{size} signatures at once, median of {rounds} rounds; server {version};")
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores shared with the server;")
    print("every signature verified.\n")
    print(f"{'key':<12}{'burst':<12}{'alone':>20}{'batched':>22}{'faster':>9}")
    for key_type in KEY_TYPES:
        client.secrets.transit.create_key(key_type, key_type=key_type)
        for burst in (threads, tasks, sequential):
            row = f"{key_type:<12}{burst.__name__:<12}"
            times = []
            for batch, width in ((None, 20), (BatchOptions(max_size=min(size, MAX_BATCH)), 22)):
                with VaultTransitKey(client, key_type, key_version=1, batch=batch) as key:
                    milliseconds, requests = measure(key, burst, size, rounds)
                row += f"{f'{milliseconds:.0f} ms/{requests:.0f} req.':>{width}}"
                times.append(milliseconds)
            print(f"{row}{times[0] / times[1]:>8.1f}x", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--burst", type=int, default=100, help="signatures at once")
    parser.add_argument("--rounds", type=int, default=5, help="rounds that count")
    arguments = parser.parse_args()
    # A hundred threads on one client open more connections than are kept.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    with dev_server(find_program(os.environ)) as local:
        report(local, arguments.burst, arguments.rounds)
