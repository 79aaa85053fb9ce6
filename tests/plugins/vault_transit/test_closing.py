"""Closing a key: nothing is sent afterwards, and nothing in flight loses its connection."""

from __future__ import annotations

import asyncio
import threading

import pytest
import requests

from dfns_signers.errors import SigningKeyError
from dfns_signers_vault_transit import VaultTransitKey
from tests.core.client.scripted import Reply, ScriptedApi
from tests.plugins.vault_transit.conftest import OpenKey
from tests.plugins.vault_transit.fake_paths import FAKE_SIGN


@pytest.mark.parametrize("batch", [None, {}], ids=["single", "batched"])
def test_key_that_was_closed_sends_nothing_more(
    batch: dict[str, int] | None, fake: ScriptedApi, open_fake: OpenKey
) -> None:
    key = open_fake(batch=batch)
    key.close()

    with pytest.raises(SigningKeyError, match="is closed"):
        key.sign(b"message")

    assert fake.sent(FAKE_SIGN) == []


@pytest.mark.parametrize("batch", [None, {}], ids=["single", "batched"])
def test_connections_stay_open_for_the_request_of_a_task_that_was_cancelled(
    batch: dict[str, int] | None,
    fake: ScriptedApi,
    open_fake: OpenKey,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(VaultTransitKey, "close_wait", 0.0)
    events: list[str] = []
    has_arrived, may_answer, is_closed = (threading.Event() for _ in range(3))

    def answer(_seen: object) -> Reply:
        has_arrived.set()
        assert may_answer.wait(20)
        events.append("answered")
        return Reply(status=400)

    def close(_session: requests.Session) -> None:
        events.append("closed")
        is_closed.set()

    fake.on(FAKE_SIGN, answer)
    key = open_fake(batch=batch)
    monkeypatch.setattr(requests.Session, "close", close)

    async def cancel_and_close() -> None:
        signing = asyncio.create_task(key.asign(b"message"))
        assert await asyncio.to_thread(has_arrived.wait, 20)
        signing.cancel()
        await asyncio.gather(signing, return_exceptions=True)
        await key.aclose()
        may_answer.set()

    asyncio.run(cancel_and_close())

    assert is_closed.wait(20)
    assert events == ["answered", "closed"]
