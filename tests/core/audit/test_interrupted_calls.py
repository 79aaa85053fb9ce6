"""However a call is interrupted, its records say how it ended."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from dfns_signers import AsyncDfnsClient
from dfns_signers.audit.trail import AuditTrail
from dfns_signers.config.guard import NAME, Guard
from dfns_signers.emulator import Emulator
from dfns_signers.evidence import KeyResponse
from dfns_signers.hooks import SigningHooks
from dfns_signers.signer import KeySigner
from dfns_signers.user_action.httpx_auth import UserActionAuth
from tests.core.audit.trails import recorded
from tests.core.keys import AnsweringKey, make_signature, private_key, public_key, public_pem
from tests.gateway.processes import eventually

WALLET = {"network": "Bitcoin"}
ENDS = ({"decided": 1, "failed": 1}, {"decided": 1, "signed": 1, "answered": 1})
FEW = 10
Call = Callable[[KeySigner, Emulator], Awaitable[object]]


class SlowKey(AnsweringKey):
    """A key whose signatures a worker thread makes, as those of key stores."""

    def __init__(self) -> None:
        super().__init__("ES256", self._answer)

    def _answer(self, message: bytes) -> KeyResponse:
        return KeyResponse(make_signature(private_key("ES256"), message))


async def by_client(signer: KeySigner, emulator: Emulator) -> object:
    async with AsyncDfnsClient("token", signer, base_url=emulator.url) as client:
        return await client.wallets.create(network="Bitcoin")


async def by_httpx(signer: KeySigner, emulator: Emulator) -> object:
    auth = UserActionAuth("token", signer, base_url=emulator.url)
    async with httpx.AsyncClient(base_url=emulator.url, auth=auth) as http:
        return await http.post("/wallets", json=WALLET)


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator(credentials={"cr-1": public_pem(public_key("ES256"))}, token="token") as emulator:
        yield emulator


class CancelledAt(Coroutine[Any, Any, None]):
    """A coroutine whose task is cancelled where it waits for the nth time."""

    def __init__(self, suspension: int, work: Coroutine[Any, Any, None]) -> None:
        self._left, self._work = suspension, work

    def send(self, value: Any) -> Any:
        awaited = self._work.send(value)
        self._left -= 1
        task = asyncio.current_task()
        if self._left == 0 and task is not None:
            task.cancel()
        return awaited

    def throw(self, *error: Any) -> Any:
        return self._work.throw(*error)

    def close(self) -> None:
        self._work.close()

    def __await__(self) -> Generator[Any, Any, None]:
        return self._work.__await__()


@pytest.mark.parametrize("call", [by_client, by_httpx])
def test_call_that_is_cancelled_wherever_it_waits_ends_in_the_trail(
    emulator: Emulator, call: Call, trail: AuditTrail, file: Path
) -> None:
    guard = Guard(lambda _request: {}, trail)

    async def run() -> None:
        signer = KeySigner(SlowKey(), "cr-1", plugins=SigningHooks([(NAME, guard)]))
        await call(signer, emulator)

    def both_ends_are_met() -> bool:
        for suspension in count(1):
            try:
                asyncio.run(cancelled(suspension, run()))
            except asyncio.CancelledError:
                continue
            break
        assert suspension > FEW
        eventually(lambda: all(events in ENDS for events in by_call(file)), "all calls have ended")
        return all(end in by_call(file) for end in ENDS)

    # How often a call waits for the network differs, so that one round may pass a place over.
    eventually(both_ends_are_met, "a call was cancelled before its signature, and one behind it")


async def cancelled(suspension: int, work: Coroutine[Any, Any, None]) -> None:
    await asyncio.get_running_loop().create_task(CancelledAt(suspension, work))


def by_call(file: Path) -> list[dict[str, int]]:
    """How many records of each event each attempt has."""
    calls: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for record in recorded(file):
        calls[record["call"]][record["event"]] += 1
    return [dict(events) for events in calls.values()]
