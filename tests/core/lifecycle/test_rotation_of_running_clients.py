"""Clients that reload their configuration lose no call while their key is rotated."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from dfns_signers import AsyncDfnsClient, DfnsClient, lifecycle
from dfns_signers.config import followed_profile
from tests.core.config.changed_files import credentials_used
from tests.core.lifecycle.driving import FIRST
from tests.core.lifecycle.rotating import CREATE, Rotating, agree


def test_client_that_reloads_loses_no_call_of_its_threads_to_the_rotation(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_profile, "LOOK_INTERVAL", 0.0)
    stop, calls = threading.Event(), []

    with DfnsClient.from_config("p", config=rotating.config, reload=True) as dfns:

        def call() -> None:
            while not stop.is_set():
                calls.append(dfns.wallets.create(**CREATE)["id"])

        with ThreadPoolExecutor(4) as pool:
            running = [pool.submit(call) for _ in range(4)]
            try:
                rotating(confirm=lambda _: dfns.wallets.create(**CREATE) is not None)
                used = len(calls)
                while len(calls) < used + 8 and not any(one.done() for one in running):
                    pass
            finally:
                stop.set()
            for one in running:
                one.result()

    assert credentials_used(rotating.emulator)[-1] == rotating.profiles["p"]["credential_id"]
    assert credentials_used(rotating.emulator)[0] == FIRST


def test_client_that_reloads_loses_no_call_of_its_tasks_to_the_rotation(
    rotating: Rotating, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_profile, "LOOK_INTERVAL", 0.0)

    async def main() -> None:
        is_over = False

        async def call() -> None:
            while not is_over:
                await dfns.wallets.create(**CREATE)

        async with AsyncDfnsClient.from_config("p", config=rotating.config, reload=True) as dfns:
            calls = [asyncio.create_task(call()) for _ in range(4)]
            await dfns.wallets.create(**CREATE)
            await lifecycle.arotate("p", config=rotating.config)
            await dfns.wallets.create(**CREATE)
            is_over = True
            await asyncio.gather(*calls)
            await lifecycle.arotate("p", config=rotating.config, confirm=agree)
            await dfns.wallets.create(**CREATE)

    asyncio.run(main())

    assert credentials_used(rotating.emulator)[0] == FIRST
    assert credentials_used(rotating.emulator)[-1] == rotating.profiles["p"]["credential_id"]
