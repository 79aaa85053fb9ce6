"""Threads, event loops and bursts: on a real server, and on one that holds its first answer."""

from __future__ import annotations

import asyncio
import base64
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from typing import Any

import anyio
import pytest

from dfns_signers.errors import KeyNotFoundError, SigningKeyError
from dfns_signers.signing_key import Signature
from dfns_signers_vault_transit.algorithms import KEY_TYPES
from dfns_signers_vault_transit.options import MAX_BATCH
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import OpenKey, raised, sign_together
from tests.plugins.vault_transit.fake_paths import FAKE_SIGN
from tests.plugins.vault_transit.holding import HoldingVault
from tests.plugins.vault_transit.operator import Operator

MESSAGES = [b"message %d" % number for number in range(100)]
PAIR = MESSAGES[:2]
BATCHES = pytest.mark.parametrize("batch", [None, {}, {"max_size": 7}], ids=str)
LOOPS = pytest.mark.parametrize("anyio_backend", ["asyncio", "trio"])

Burst = Callable[[Any, Sequence[bytes]], list[Signature]]


@pytest.fixture
def open_held(holding: HoldingVault, open_key: OpenKey) -> OpenKey:
    """Opens a key that sends its first message alone, and all others together."""

    def open_it(messages: int = len(MESSAGES)) -> Any:
        batch = {"max_size": messages - 1, "max_wait": 10}
        return open_key("k", address=holding.url, mount="transit", key_version=1, batch=batch)

    return open_it


def threads_sign(key: Any, messages: Sequence[bytes]) -> list[Signature]:
    with ThreadPoolExecutor(len(messages)) as threads:
        return list(threads.map(key.sign_with_evidence, messages))


def tasks_sign(key: Any, messages: Sequence[bytes]) -> list[Signature]:
    async def sign_all() -> list[Signature]:
        return list(await asyncio.gather(*map(key.asign_with_evidence, messages)))

    return asyncio.run(sign_all())


BURSTS = pytest.mark.parametrize("burst", [threads_sign, tasks_sign])


@BATCHES
@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa-p256", "rsa-2048"])
def test_many_threads_each_get_the_signature_of_their_message(
    key_type: str, batch: dict[str, int] | None, operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key(key_type)
    key = open_key(name, batch=batch)

    with ThreadPoolExecutor(16) as threads:
        signatures = list(threads.map(key.sign, MESSAGES))

    public = operator.public_key(name)
    assert all(map(is_signature, [public] * 100, MESSAGES, signatures))


@BATCHES
@LOOPS
@pytest.mark.anyio
async def test_many_tasks_each_get_the_signature_of_their_message(
    batch: dict[str, int] | None, operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key()
    key = open_key(name, batch=batch)
    signatures = {}

    async def sign(message: bytes) -> None:
        signatures[message] = await key.asign(message)

    with anyio.fail_after(60):
        async with anyio.create_task_group() as tasks:
            for message in MESSAGES:
                tasks.start_soon(sign, message)

    public = operator.public_key(name)
    assert all(is_signature(public, m, signatures[m]) for m in MESSAGES)


@BURSTS
def test_burst_of_a_hundred_costs_two_requests_and_evidence_names_the_own_one(
    burst: Burst, holding: HoldingVault, open_held: OpenKey
) -> None:
    signatures = burst(open_held(), MESSAGES)

    assert sorted(holding.sizes) == [1, 99]
    assert Counter(s.evidence.request_id for s in signatures) == {"of-1": 1, "of-99": 99}


@pytest.mark.parametrize("key_type", ["ed25519", "ecdsa-p256", "rsa-4096"])
def test_largest_batch_is_one_request_that_the_server_takes(
    key_type: str, operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key(key_type)
    batch = [{"input": base64.b64encode(b"%d" % i).decode()} for i in range(MAX_BATCH)]
    parameters = KEY_TYPES[key_type].parameters

    answer = operator.client.secrets.transit.sign_data(
        name, batch_input=batch, key_version=1, mount_point=operator.mount, **parameters
    )

    assert len(answer["data"]["batch_results"]) == MAX_BATCH


def test_event_loop_runs_on_while_vault_is_slow(fake: ScriptedApi, open_fake: OpenKey) -> None:
    """The server answers only once the loop, still running, has let it."""
    may_answer = threading.Event()

    def answer(_seen: object) -> Reply:
        return Reply(status=400 if may_answer.wait(20) else 500)

    fake.on(FAKE_SIGN, answer)
    key = open_fake()

    async def sign_and_tick() -> BaseException | None:
        signing = asyncio.create_task(key.asign(b"message"))
        await asyncio.sleep(0)
        may_answer.set()
        return (await asyncio.gather(signing, return_exceptions=True))[0]  # type: ignore[return-value]

    assert "HTTP 400" in str(asyncio.run(sign_and_tick()))


def test_failed_item_of_an_answer_with_an_error_status_is_explained(fake: ScriptedApi) -> None:
    error = {"error": "requested version for signing is higher than the latest key version"}
    fake.on(FAKE_SIGN, Reply(status=400, body={"data": {"batch_results": [error] * 2}}))

    with pytest.raises(KeyNotFoundError, match=r"no such version.*attempt 1 of 3"):
        raised(sign_together(PAIR, at=fake.url, max_attempts=3))


def test_observers_are_shown_what_became_of_a_signature_in_a_batch_whose_task_was_cancelled(
    holding: HoldingVault, open_held: OpenKey
) -> None:
    key = open_held(3)
    holding.may_answer.clear()
    shown: Queue[Signature | Exception] = Queue()

    async def cancel_one() -> None:
        tasks = [
            asyncio.create_task(key.asign_with_evidence(message, abandoned=shown.put))
            for message in MESSAGES[:3]
        ]
        for _ in range(2):
            assert await asyncio.to_thread(holding.arrived.acquire, timeout=20)
        tasks[2].cancel()
        await asyncio.gather(tasks[2], return_exceptions=True)
        holding.may_answer.set()
        await asyncio.gather(*tasks[:2])

    asyncio.run(cancel_one())

    signature = shown.get(timeout=20)
    assert isinstance(signature, Signature)
    assert is_signature(key.public_key, MESSAGES[2], signature.value)
    assert signature.evidence.abandoned
    assert signature.evidence.request_id == "of-2"


@pytest.mark.parametrize("result", [{}, {"signature": "vault:v2:AAAA"}, "signed", None], ids=str)
def test_item_that_is_not_a_signature_of_the_key_fails_alone(
    result: object, holding: HoldingVault, open_held: OpenKey
) -> None:
    holding.broken[base64.b64encode(b"bad").decode()] = result
    key = open_held(3)

    with ThreadPoolExecutor(3) as threads:
        futures = [threads.submit(key.sign, message) for message in (b"bad", b"good", b"fine")]

    assert sorted(holding.sizes) == [1, 2]
    assert isinstance(futures[0].exception(), SigningKeyError)
    assert [future.exception() for future in futures[1:]] == [None, None]


@pytest.mark.parametrize("count", [0, 1, 3, None])
def test_answer_with_another_number_of_results_is_refused(
    count: int | None, fake: ScriptedApi
) -> None:
    results = None if count is None else [{"signature": f"vault:v1:{'A' * 86}=="}] * count
    fake.on(FAKE_SIGN, Reply(body={"data": {"batch_results": results}}))

    with pytest.raises(SigningKeyError, match="not what Vault's API documents"):
        raised(sign_together(PAIR, at=fake.url))


@BURSTS
def test_closing_waits_for_the_signatures_under_way(
    burst: Burst, holding: HoldingVault, open_held: OpenKey
) -> None:
    key = open_held(3)
    holding.may_answer.clear()

    with ThreadPoolExecutor(2) as threads:
        signing = threads.submit(burst, key, [b"0", b"1", b"2"])
        assert holding.arrived.acquire(timeout=20)
        assert holding.arrived.acquire(timeout=20)
        closing = threads.submit(key.close)
        holding.may_answer.set()
        closing.result(20)

    assert len(signing.result(0)) == 3
    with pytest.raises(SigningKeyError, match="is closed"):
        key.sign(b"message")
