"""Signatures of Vault Transit: alone, and many at once, on a dev server of OpenBao."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import hvac  # type: ignore[import-untyped]

from bench.measuring import Effort, in_turns
from bench.table import Goal, Row
from dfns_signers_testkit.vault import dev_server, find_program
from dfns_signers_vault_transit.key import VaultTransitKey

_KEY_TYPES: Final = ("ed25519", "ecdsa-p256", "rsa-2048")
_NAMES: Final = {"ed25519": "Ed25519", "ecdsa-p256": "P-256", "rsa-2048": "RSA-2048"}
_ALONE: Final = "each alone"

Burst = Callable[[VaultTransitKey, int], None]
"""Signs that many messages at once."""


def rows(effort: Effort) -> Iterator[Row]:
    """What batches cost where there is one message, and what they save where there are many."""
    # A hundred threads on one client open more connections than are kept.
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)
    with dev_server(find_program(os.environ)) as server:
        client = hvac.Client(url=server.address, token=server.token)
        client.sys.enable_secrets_engine("transit")
        for key_type in _KEY_TYPES:
            client.secrets.transit.create_key(key_type, key_type=key_type)
        yield _one_by_one(client, effort)
        for key_type in _KEY_TYPES:
            yield _at_once(client, key_type, "tasks", _tasks, 100, effort)
        yield _at_once(client, "ed25519", "threads", _threads, 100, effort)
        yield _at_once(client, "ed25519", "tasks", _tasks, 1000, effort)


def _one_by_one(client: Any, effort: Effort) -> Row:
    rounds, calls = effort.of(200), 20
    with _key(client, "ed25519") as key, _key(client, "ed25519", batch=None) as alone:
        samples = in_turns(
            {"ours": lambda: key.sign(b"message"), _ALONE: lambda: alone.sign(b"message")},
            rounds=rounds,
            calls=calls,
        )
    return Row(
        "Vault signature, sync, Ed25519",
        samples.speed("ours", beside=_ALONE),
        "of batches off",
        f"{rounds} rounds of {calls}, CPU time",
        goal=Goal(at_least=0.97),
    )


def _at_once(
    client: Any, key_type: str, kind: str, burst: Burst, number: int, effort: Effort
) -> Row:
    rounds = effort.of(9)
    with _key(client, key_type) as key, _key(client, key_type, batch=None) as alone:
        samples = in_turns(
            {"ours": lambda: burst(key, number), _ALONE: lambda: burst(alone, number)},
            rounds=rounds,
            calls=1,
            clock=time.perf_counter,
        )
    return Row(
        f"Vault signature, {number} {kind} at once, {_NAMES[key_type]}",
        samples.of("ours", factor=1e3),
        "ms for all",
        f"{rounds} rounds, wall time; the server is on the same cores; each signature verified",
        {_ALONE: samples.of(_ALONE, factor=1e3)},
    )


def _key(client: Any, key_type: str, **options: Any) -> VaultTransitKey:
    return VaultTransitKey(client, key_type, key_version=1, **options)


def _tasks(key: VaultTransitKey, number: int) -> None:
    async def sign_all() -> None:
        await asyncio.gather(*(key.asign(b"%d" % index) for index in range(number)))

    asyncio.run(sign_all())


def _threads(key: VaultTransitKey, number: int) -> None:
    with ThreadPoolExecutor(number) as pool:
        list(pool.map(key.sign, (b"%d" % index for index in range(number))))
