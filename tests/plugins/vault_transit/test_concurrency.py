"""Threads, event loops and bursts on a real server."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dfns_signers.errors import SigningKeyError
from dfns_signers.signing_key import KeyResponse
from tests.core.client.scripted import Reply, ScriptedApi
from tests.core.keys import is_signature
from tests.plugins.vault_transit.conftest import FAKE_SIGN, OpenKey
from tests.plugins.vault_transit.operator import Operator

MESSAGES = [b"message %d" % number for number in range(100)]
BATCHES = pytest.mark.parametrize("batch", [None, {}, {"max_size": 7}], ids=str)


def count_requests(key: Any, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Every request of a key to its server from now on."""
    seen: list[object] = []
    original = key._vault._send

    def counting(*args: Any) -> Any:
        seen.append(args)
        return original(*args)

    monkeypatch.setattr(key._vault, "_send", counting)
    return seen


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
def test_many_tasks_each_get_the_signature_of_their_message(
    batch: dict[str, int] | None, operator: Operator, open_key: OpenKey
) -> None:
    name = operator.key()
    key = open_key(name, batch=batch)

    async def sign_all() -> list[bytes]:
        return list(await asyncio.gather(*map(key.asign, MESSAGES)))

    signatures = asyncio.run(sign_all())

    public = operator.public_key(name)
    assert all(map(is_signature, [public] * 100, MESSAGES, signatures))


def test_burst_of_a_hundred_threads_costs_a_few_requests(
    operator: Operator, open_key: OpenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = open_key(operator.key("rsa-2048"), batch={"max_wait": 10})
    requests = count_requests(key, monkeypatch)
    together = threading.Barrier(100)

    def sign(message: bytes) -> bytes:
        together.wait(20)
        return key.sign(message)

    with ThreadPoolExecutor(100) as threads:
        list(threads.map(sign, MESSAGES))

    assert len(requests) <= 10


def test_burst_of_a_hundred_tasks_costs_a_few_requests(
    operator: Operator, open_key: OpenKey, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = open_key(operator.key("rsa-2048"), batch={"max_wait": 10})
    requests = count_requests(key, monkeypatch)

    async def sign_all() -> None:
        await asyncio.gather(*map(key.asign, MESSAGES))

    asyncio.run(sign_all())

    assert len(requests) <= 10


def test_evidence_of_a_batch_has_the_request_it_was_in(
    operator: Operator, open_key: OpenKey
) -> None:
    key = open_key(operator.key("rsa-2048"), batch={"max_wait": 10})

    with ThreadPoolExecutor(20) as threads:
        evidences = [s.evidence for s in threads.map(key.sign_with_evidence, MESSAGES)]

    assert all(e.request_id and e.key_version == "1" for e in evidences)
    assert 1 < len({e.request_id for e in evidences}) < 100


def test_event_loop_runs_on_while_vault_is_slow(fake: ScriptedApi, open_fake: OpenKey) -> None:
    """The server answers only once the loop, still running, has told it to."""
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


def test_failed_item_of_an_answer_fails_alone(
    fake: ScriptedApi, operator: Operator, open_fake: OpenKey
) -> None:
    """Vault answers per item, and may do so with an error status."""
    results = [{"error": "requested version for signing is higher than the latest key version"}]
    fake.on(FAKE_SIGN, Reply(status=400, body={"data": {"batch_results": results}}))
    key = open_fake(batch={})

    (outcome,) = key._sign_many([b"message"])

    assert "no such version" in str(outcome)


@pytest.mark.parametrize("result", [{}, {"signature": "vault:v1:AAAA"}, "signed", None], ids=str)
def test_item_that_is_no_signature_of_the_key_fails_alone(
    result: object, fake: ScriptedApi, operator: Operator, open_fake: OpenKey
) -> None:
    good = {"signature": f"vault:v2:{'A' * 86}==", "key_version": 2}
    fake.on(FAKE_SIGN, Reply(body={"data": {"batch_results": [good, result]}}))

    first, second = open_fake(batch={})._sign_many([b"first", b"second"])

    assert isinstance(first, KeyResponse)
    assert isinstance(second, SigningKeyError)


@pytest.mark.parametrize("results", [[], [{}, {}], {}, None], ids=str)
def test_answer_with_another_number_of_results_is_refused(
    results: object, fake: ScriptedApi, open_fake: OpenKey
) -> None:
    fake.on(FAKE_SIGN, Reply(body={"data": {"batch_results": results}}))

    with pytest.raises(Exception, match="not what Vault's API documents"):
        open_fake(batch={}).sign(b"message")


def test_key_that_is_closed_sends_nothing_more_of_what_it_gathered(
    operator: Operator, open_key: OpenKey
) -> None:
    key = open_key(operator.key(), batch={})
    assert key._gatherer
    key.close()

    with pytest.raises(SigningKeyError, match="was closed"):
        key._gatherer.sign(b"message")
