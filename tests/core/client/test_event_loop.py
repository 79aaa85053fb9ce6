"""The asynchronous client never blocks the event loop, whatever signs or has the token."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from dfns_signers.assertions import Assertion
from dfns_signers.client.client import AsyncDfnsClient
from dfns_signers.signer import KeySigner
from dfns_signers.signing_key import KeyResponse
from tests.core.client.scripted import ScriptedApi
from tests.core.keys import AnsweringKey, make_signature, private_key

pytestmark = pytest.mark.anyio
PATIENCE = 30.0


async def call_while(client: AsyncDfnsClient, loop_turns: threading.Event) -> None:
    """A signed call that can only end if the loop runs on while it waits."""

    async def turn() -> None:
        await anyio.lowlevel.checkpoint()
        loop_turns.set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(client.post, "/wallets")
        tasks.start_soon(turn)


async def test_key_that_blocks_does_not_block_the_loop(api: ScriptedApi) -> None:
    turned = threading.Event()

    def answer(message: bytes) -> KeyResponse:
        assert turned.wait(PATIENCE)
        return KeyResponse(make_signature(private_key("ES256"), message))

    signer = KeySigner(AnsweringKey("ES256", answer), "cr-1")
    async with AsyncDfnsClient("token", signer, base_url=api.url) as client:
        await call_while(client, turned)

    assert len(api.sent("/wallets")) == 1


async def test_signer_without_an_asynchronous_form_does_not_block_the_loop(
    api: ScriptedApi, signer: KeySigner
) -> None:
    turned = threading.Event()
    threads: list[threading.Thread] = []

    class PlainSigner:
        def sign(self, challenge: Mapping[str, Any]) -> Assertion:
            threads.append(threading.current_thread())
            assert turned.wait(PATIENCE)
            return signer.sign(challenge)

    async with AsyncDfnsClient("token", PlainSigner(), base_url=api.url) as client:
        await call_while(client, turned)

    assert len(api.sent("/wallets")) == 1
    assert threads != [threading.current_thread()]


async def test_token_provider_that_blocks_does_not_block_the_loop(
    api: ScriptedApi, signer: KeySigner
) -> None:
    turned = threading.Event()

    def provide() -> str:
        assert turned.wait(PATIENCE)
        return "token"

    async with AsyncDfnsClient(provide, signer, base_url=api.url) as client:
        await call_while(client, turned)

    assert len(api.sent("/wallets")) == 1


async def test_token_provider_that_says_that_it_does_not_block_needs_no_thread(
    api: ScriptedApi, signer: KeySigner
) -> None:
    threads = []

    class Provider:
        may_block = False

        def __call__(self) -> str:
            threads.append(threading.current_thread())
            return "token"

    async with AsyncDfnsClient(Provider(), signer, base_url=api.url) as client:
        await client.get("/wallets")

    assert threads == [threading.current_thread()]


async def test_calls_at_the_same_time_get_user_actions_of_their_own(
    api: ScriptedApi, signer: KeySigner
) -> None:
    async with (
        AsyncDfnsClient("token", signer, base_url=api.url) as client,
        anyio.create_task_group() as tasks,
    ):
        for _ in range(5):
            tasks.start_soon(client.post, "/wallets")

    assert len({seen.user_action for seen in api.sent("/wallets")}) == 5


async def test_cancelled_call_is_not_sent(api: ScriptedApi) -> None:
    signing = anyio.Event()

    class Sleepy(KeySigner):
        async def asign(self, challenge: Mapping[str, Any]) -> Assertion:
            signing.set()
            await anyio.sleep_forever()
            raise AssertionError("unreachable")

    signer = Sleepy(AnsweringKey("ES256"), "cr-1")
    async with (
        AsyncDfnsClient("token", signer, base_url=api.url) as client,
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(client.post, "/wallets")
        await signing.wait()
        tasks.cancel_scope.cancel()

    assert api.sent("/wallets") == []


async def test_cancelled_call_does_not_wait_for_a_slow_key(api: ScriptedApi) -> None:
    released, asked = threading.Event(), threading.Event()

    def answer(message: bytes) -> KeyResponse:
        asked.set()
        released.wait(PATIENCE)
        return KeyResponse(make_signature(private_key("ES256"), message))

    signer = KeySigner(AnsweringKey("ES256", answer), "cr-1")
    async with AsyncDfnsClient("token", signer, base_url=api.url) as client:
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(client.post, "/wallets")
            assert await anyio.to_thread.run_sync(asked.wait, PATIENCE)
            tasks.cancel_scope.cancel()

        assert not released.is_set()
        released.set()

    assert api.sent("/wallets") == []
