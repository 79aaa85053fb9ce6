"""How many calls are made at once, and timed, by threads or by tasks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import anyio

from dfns_signers import KeySigner
from tests.soak.verdicts import Outcome

NETWORK = "KeyEdDSA"
AT_ONCE = 48


@dataclass(frozen=True)
class Target:
    """Where calls go, and who signs them.

    Attributes:
        timeout: seconds for each request.
        call_timeout: seconds for a whole call.
    """

    base_url: str
    auth_token: str = field(repr=False)
    signer: KeySigner
    timeout: float = 0.4
    call_timeout: float = 5.0

    @property
    def options(self) -> dict[str, Any]:
        """Arguments of a client besides token and signer."""
        return {
            "base_url": self.base_url,
            "timeout": self.timeout,
            "call_timeout": self.call_timeout,
            "max_retry_after": 2.0,
            "max_attempts": 2,
        }


@dataclass
class Played:
    """What became of calls, and what they left behind on their event loop."""

    outcomes: list[Outcome] = field(default_factory=list)
    tasks_left: list[str] = field(default_factory=list)


Driver = Callable[[Target, Sequence[str]], Played]


def arguments(label: str) -> dict[str, Any]:
    """What a wallet is asked for: every second call may be repeated."""
    is_even = int(label.rpartition("-")[2]) % 2 == 0
    return {"network": NETWORK, "name": label, "external_id": label if is_even else None}


def timed(label: str, call: Callable[[], Any]) -> Outcome:
    """How a call ends."""
    began = time.monotonic()
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  # which ones may come is what is judged
        return Outcome(label, error=error, seconds=time.monotonic() - began)
    return Outcome(label, result, seconds=time.monotonic() - began)


async def atimed(label: str, call: Callable[[], Awaitable[Any]]) -> Outcome:
    """How an awaited call ends."""
    began = time.monotonic()
    try:
        result = await call()
    except Exception as error:  # noqa: BLE001  # which ones may come is what is judged
        return Outcome(label, error=error, seconds=time.monotonic() - began)
    return Outcome(label, result, seconds=time.monotonic() - began)


def in_threads(labels: Sequence[str], call: Callable[[str], Any]) -> Played:
    """Call from many threads."""
    with ThreadPoolExecutor(AT_ONCE, "driver") as pool:
        return Played(list(pool.map(lambda label: timed(label, lambda: call(label)), labels)))


def on_a_loop(
    labels: Sequence[str],
    open_client: Callable[[], Any],
    call: Callable[[Any, str], Awaitable[Outcome]],
    backend: str,
    *,
    at_once: int = AT_ONCE,
) -> Played:
    """Call from many tasks of one event loop, with one client."""
    played = Played()

    async def main() -> None:
        limiter = anyio.CapacityLimiter(at_once)

        async def one(client: Any, label: str) -> None:
            async with limiter:
                played.outcomes.append(await call(client, label))

        async with open_client() as client, anyio.create_task_group() as group:
            for label in labels:
                group.start_soon(one, client, label)
        if backend == "asyncio":  # trio's tasks cannot outlive the nursery that they are in
            left = asyncio.all_tasks() - {asyncio.current_task()}
            played.tasks_left.extend(map(repr, left))

    anyio.run(main, backend=backend)
    return played
