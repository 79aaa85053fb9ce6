"""Making a client: time and memory, after the first one."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator
from typing import Final

import dfns_sdk

from bench.measuring import Effort, Samples
from bench.resident import resident
from bench.table import Goal, Row
from dfns_signers import AsyncDfnsClient, DfnsClient

_BASE_URL: Final = "https://api.dfns.example"
_MADE: Final = 50


def rows(effort: Effort) -> Iterator[Row]:
    """Every row of this area."""
    config = dfns_sdk.DfnsClientConfig(auth_token="token", base_url=_BASE_URL)  # noqa: S106
    makes: dict[str, Callable[[], object]] = {
        "DfnsClient": lambda: DfnsClient("token", base_url=_BASE_URL),
        "AsyncDfnsClient": lambda: AsyncDfnsClient("token", base_url=_BASE_URL),
        "dfns-sdk": lambda: dfns_sdk.DfnsClient(config),
    }
    rounds = effort.of(5)
    seconds, memory = Samples(makes), Samples(makes)
    for make in makes.values():
        make()
    kept: list[object] = []  # or the memory of one round would serve the next
    for _ in range(rounds):
        for name, make in makes.items():
            kept.append(_measured(name, make, seconds, memory))
    how = f"{rounds} rounds of {_MADE} clients that are kept, https, after the first"
    for kind in ("DfnsClient", "AsyncDfnsClient"):
        yield Row(
            f"making a client, {kind}",
            seconds.of(kind, factor=1e3),
            "ms CPU",
            how,
            {"dfns-sdk": seconds.of("dfns-sdk", factor=1e3)},
            Goal(at_most=0.3),
        )
        yield Row(
            f"memory of a client, {kind}",
            memory.of(kind, factor=1e-6),
            "MB",
            how,
            {"dfns-sdk": memory.of("dfns-sdk", factor=1e-6)},
            Goal(at_most=0.1),
        )


def _measured(
    name: str, make: Callable[[], object], seconds: Samples, memory: Samples
) -> list[object]:
    gc.collect()
    before, begin = resident(), time.process_time()
    clients = [make() for _ in range(_MADE)]
    seconds.add(name, (time.process_time() - begin) / _MADE)
    memory.add(name, (resident() - before) / _MADE)
    return clients
