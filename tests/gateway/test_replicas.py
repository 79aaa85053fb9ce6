"""Processes that share a store keep to the same limits, and use nothing twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.configuration.settings import GatewaySettings
from dfns_signers.gateway.replicas import replicas_of
from dfns_signers.gateway.requests.messages import Refusal
from dfns_signers.gateway.user_actions.single_use import InMemory, Shared, SingleUse
from dfns_signers.rate_limits import stores
from dfns_signers.rate_limits.stores import Store
from dfns_signers.sealed import Sealed
from tests.emulator.caller import answered, compact
from tests.gateway.callers.test_limits import WALLET, caller
from tests.gateway.replicas import SEAL_KEY, shared, two_replicas
from tests.gateway.running import RunningGateway, running_gateway
from tests.gateway.user_actions.signing_callers import by_hand, signing_caller
from tests.support.redis_servers import RedisServer

pytestmark = pytest.mark.timeout(120)


def carried_out(replicas: Sequence[RunningGateway], calls: int) -> Counter[int]:
    """Statuses of so many signed calls to each replica, eight at a time."""

    def call(replica: RunningGateway) -> int:
        with replica.client() as client:
            return client.post("/wallets", json=WALLET, timeout=60).status_code

    with ThreadPoolExecutor(8) as threads:
        return Counter(threads.map(call, [*replicas] * calls))


def test_two_replicas_never_exceed_the_requests_of_the_organisation_together(
    tmp_path: Path, store: RedisServer
) -> None:
    settings = shared(store, 'organisation_rate = "60/hour"') + caller()
    with two_replicas(tmp_path, settings) as replicas:
        assert carried_out(replicas, 20) == {200: 20, 429: 20}
        assert len(replicas[0].emulator.requests) == 60


def test_two_replicas_never_exceed_the_rate_of_a_rule_or_a_caller_together(
    tmp_path: Path, store: RedisServer
) -> None:
    settings = shared(store) + caller(rate='rate = "12/hour"', rule='rate = "7/hour"')
    with two_replicas(tmp_path, settings) as replicas:
        statuses = carried_out(replicas, 12)

    assert statuses == {200: 7, 429: 17}


def test_challenge_and_user_action_of_one_replica_are_used_once_at_any(
    tmp_path: Path, store: RedisServer
) -> None:
    settings = shared(store) + signing_caller(tmp_path)
    with (
        two_replicas(tmp_path, settings) as (one, other),
        by_hand(one) as at_one,
        by_hand(other) as at_other,
    ):
        challenge = at_one.challenge("POST", "/wallets", compact(WALLET).decode())
        factor = at_one.factor(challenge)
        action = answered(at_other.complete(challenge, factor))["userAction"]
        answered(at_one.send("POST", "/wallets", compact(WALLET), user_action=action))

        again = at_one.complete(challenge, factor)
        replayed = at_other.send("POST", "/wallets", compact(WALLET), user_action=action)

        assert answered(again, 400)["error"]["details"]["gateway"] == "challenge-used"
        assert answered(replayed, 403)["error"]["details"]["gateway"] == "user-action-used"
        assert len(one.emulator.requests) == 3


@pytest.fixture(params=["one process", "two replicas"])
def ledgers(request: pytest.FixtureRequest, store: RedisServer) -> Sequence[SingleUse]:
    """Two that remember together what has been used."""
    if request.param == "one process":
        return [InMemory()] * 2
    return [used(store.url), used(store.url)]


def used(url: str) -> Shared:
    return Shared(Store(Sealed(url), "'store' of [gateway]"))


def test_name_is_used_once_by_whichever_replica_comes_first(
    ledgers: Sequence[SingleUse], request: pytest.FixtureRequest
) -> None:
    names = [f"{request.node.name} {number}" for number in range(20)]

    async def claimed() -> Counter[str]:
        claims = [(name, ledger) for name in names for ledger in (*ledgers, *ledgers)]
        answers = await asyncio.gather(*(ledger.claim(name, 300) for name, ledger in claims))
        return Counter(name for (name, _), done in zip(claims, answers, strict=True) if done)

    assert asyncio.run(claimed()) == dict.fromkeys(names, 1)


def test_ledger_forgets_what_is_too_old_to_be_used() -> None:
    now = 1000.0
    ledger = InMemory(lambda: now)

    async def claim(*names: str, seconds: float) -> list[bool]:
        return [await ledger.claim(name, seconds) for name in names]

    assert asyncio.run(claim("a", "b", seconds=300)) == [True, True]
    assert asyncio.run(claim("c", seconds=60)) == [True]
    now += 299
    assert asyncio.run(claim("a", "c", seconds=300)) == [False, True]
    assert len(ledger) == 3
    now += 300
    assert asyncio.run(claim("d", seconds=300)) == [True]
    assert len(ledger) == 1


def test_store_keeps_what_was_used_no_longer_than_it_matters(store: RedisServer) -> None:
    ledger = Store(Sealed(store.url), "'store'")

    asyncio.run(used(store.url).claim("kept", 299.2))

    left = ledger.ask(lambda storage: storage.get_connection().ttl("dfns-signers:used:kept"))
    assert 290 < left <= 300


def test_nothing_may_be_used_while_the_store_fails_and_it_may_afterwards(
    own_store: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ledger = used(own_store.url)
    own_store.stop()
    with pytest.raises(Refusal) as refused:
        asyncio.run(ledger.claim("one", 300))

    assert (refused.value.status, refused.value.check) == (503, "rate-store")
    own_store.start()
    monkeypatch.setattr(stores, "PAUSE", 0)
    assert asyncio.run(ledger.claim("one", 300))


@pytest.mark.parametrize("key", ["", "5a" * 31, "not hexadecimal " * 8, "5a5"])
def test_seal_key_that_is_short_or_not_hexadecimal_is_refused_and_not_repeated(key: str) -> None:
    settings = GatewaySettings.model_validate(
        {"listen": ["127.0.0.1:0"], "seal_keys": [SEAL_KEY, key]}, context={"reveal": False}
    )

    with pytest.raises(ConfigurationError) as refused:
        replicas_of(settings)

    assert not key or key not in str(refused.value)


def test_replicas_need_a_seal_key_in_common() -> None:
    settings = GatewaySettings.model_validate(
        {"listen": ["127.0.0.1:0"], "store": "redis://127.0.0.1:1"}
    )

    with pytest.raises(ConfigurationError, match="openssl rand -hex 32"):
        replicas_of(settings)


def test_seal_keys_need_a_store_which_remembers_what_was_used() -> None:
    """Else each replica, and each start of one, would take what another has used."""
    settings = GatewaySettings.model_validate(
        {"listen": ["127.0.0.1:0"], "seal_keys": [SEAL_KEY]}, context={"reveal": False}
    )

    with pytest.raises(ConfigurationError, match="key 'seal_keys': without a 'store'"):
        replicas_of(settings)


def test_user_action_of_one_organisation_is_refused_before_another(
    tmp_path: Path, store: RedisServer
) -> None:
    """Gateways that share store, seal key and callers, such as those of two profiles of a file."""
    settings = shared(store) + signing_caller(tmp_path)
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        folder.mkdir()
    with ExitStack() as stack:
        one, other = (stack.enter_context(running_gateway(each, settings)) for each in folders)
        at_one, at_other = (stack.enter_context(by_hand(gateway)) for gateway in (one, other))
        payload = compact(WALLET)
        challenge, unused = (at_one.challenge("POST", "/wallets", payload.decode()) for _ in "12")
        action = answered(at_one.complete(challenge, at_one.factor(challenge)))["userAction"]

        completed = at_other.complete(unused, at_one.factor(unused))
        sent = at_other.send("POST", "/wallets", payload, user_action=action)

        assert answered(completed, 400)["error"]["details"]["gateway"] == "challenge"
        assert answered(sent, 403)["error"]["details"]["gateway"] == "user-action"
        assert not other.emulator.requests
        answered(at_one.send("POST", "/wallets", payload, user_action=action))
