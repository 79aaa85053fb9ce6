"""Processes that send as many calls as their rate limit lets them, and note when each ended.

``python -m tests.support.rate_limited_callers ORDER`` is one of them, ORDER as JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any
from unittest.mock import patch

import anyio

from dfns_signers import AsyncDfnsClient, DfnsClient, KeySigner, PemKey, RateLimit, deadlines
from dfns_signers.errors import NoPermitError, RateLimitedError
from dfns_signers.rate_limits import rate_limit, shared_window, window
from tests.support import ROOT

_CONCURRENT = 8


@dataclass(frozen=True)
class Order:
    """What a process calls, and for how long.

    Attributes:
        base_url: of an emulator that knows the credential ``cr-1``.
        token: bearer token.
        key: path of the PEM of that credential.
        limit: requests in a window.
        seconds: how long it goes on at the most.
        requests: how many it begins, or a few more, before it ends.
        store: URL of the store of the limit; empty for a limit of the process.
        window: seconds of a window, if not a minute.
        margin: seconds by which the shared window is longer.
        is_async: which client it uses.
    """

    base_url: str
    token: str
    key: str
    limit: int
    seconds: float
    requests: int | None = None
    store: str = ""
    window: int = rate_limit.WINDOW
    margin: int = shared_window.MARGIN
    is_async: bool = False


@dataclass(frozen=True)
class Report:
    """What came of it.

    Attributes:
        ends: when each request ended at the latest, in seconds since 1970, in order.
        refused: how many calls the API refused with 429.
    """

    ends: list[float]
    refused: int


def run(orders: Sequence[Order]) -> Report:
    """Run a process for each order, all at once."""
    command = [sys.executable, "-m", __name__]
    processes = [
        subprocess.Popen([*command, json.dumps(asdict(o))], stdout=subprocess.PIPE, cwd=ROOT)
        for o in orders
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert all(process.returncode == 0 for process in processes)
    reports = [Report(**json.loads(output)) for output in outputs]
    ends = sorted(end for report in reports for end in report.ends)
    return Report(ends, sum(report.refused for report in reports))


class _Caller:
    """One process: every other call is signed, the rest are reads."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._end = time.monotonic() + order.seconds
        self._ends: list[float] = []
        self._begun = 0
        self._refused = 0

    def report(self) -> Report:
        (anyio.run(self._asynchronously) if self._order.is_async else self._in_threads())
        return Report(self._ends, self._refused)

    def _options(self) -> dict[str, Any]:
        order = self._order
        return {
            "auth_token": order.token,
            "signer": KeySigner(PemKey.from_file(order.key), "cr-1"),
            "base_url": order.base_url,
            "max_attempts": 1,
            "rate_limit": RateLimit(order.limit, store=order.store or None),
        }

    def _in_threads(self) -> None:
        def work(dfns: DfnsClient) -> None:
            while self._goes_on():
                with self._noted(3):
                    dfns.post("/wallets", json={"network": "Solana"})
                with self._noted(1):
                    dfns.get("/keys")

        with DfnsClient(**self._options()) as dfns, ThreadPoolExecutor() as threads:
            for done in [threads.submit(work, dfns) for _ in range(_CONCURRENT)]:
                done.result()

    async def _asynchronously(self) -> None:
        async def work(dfns: AsyncDfnsClient) -> None:
            while self._goes_on():
                with self._noted(3):
                    await dfns.post("/wallets", json={"network": "Solana"})
                with self._noted(1):
                    await dfns.get("/keys")

        async with AsyncDfnsClient(**self._options()) as dfns, anyio.create_task_group() as tasks:
            for _ in range(_CONCURRENT):
                tasks.start_soon(work, dfns)

    def _goes_on(self) -> bool:
        most = self._order.requests
        return time.monotonic() < self._end and (most is None or self._begun < most)

    @contextmanager
    def _noted(self, requests: int) -> Iterator[None]:
        """Note a call, which does not outlast the process."""
        self._begun += requests
        try:
            with deadlines.within(max(0.0, self._end - time.monotonic())):
                yield
        except NoPermitError:
            return
        except RateLimitedError:
            self._refused += 1
        else:
            self._ends.extend([time.time()] * requests)


def _main(text: str) -> None:
    order = Order(**json.loads(text))
    with (
        patch.object(window, "WINDOW", order.window),
        patch.object(shared_window, "WINDOW", order.window),
        patch.object(shared_window, "MARGIN", order.margin),
    ):
        sys.stdout.write(json.dumps(asdict(_Caller(order).report())))


if __name__ == "__main__":
    _main(sys.argv[1])
