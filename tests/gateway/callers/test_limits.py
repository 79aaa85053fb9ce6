"""What a caller, a rule and the organisation may have, and what one caller leaves the others."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path

import httpx
import pytest

from dfns_signers.announced_call import AnnouncedCall
from dfns_signers.errors import ConfigurationError
from dfns_signers.gateway.callers import limits
from dfns_signers.gateway.callers.callers import Caller
from dfns_signers.gateway.requests.grammar import PIECE
from dfns_signers.gateway.requests.messages import Refusal
from dfns_signers.policy.counting import counting
from dfns_signers.policy.policy import Policy
from dfns_signers.policy.rule import Rule
from dfns_signers.rate_limits.counters import InMemory
from dfns_signers.rate_limits.rates import Rate
from tests.gateway.running import LISTEN, TOKEN, running_gateway
from tests.support.clock import Clock
from tests.support.redis_servers import RedisServer

WALLET = {"network": "EthereumSepolia"}
OTHER_TOKEN = "token-of-another"
_WALLETS = """
[[gateway.callers.{name}.allow]]
name = "wallets"
call = "POST /wallets"
{rule}

[[gateway.callers.{name}.allow]]
name = "look"
call = "GET /wallets"
"""


def caller(name: str = "payments", token: str = TOKEN, *, rate: str = "", rule: str = "") -> str:
    """A caller that may create and list wallets; ``rate`` and ``rule`` are further settings."""
    digest = sha256(token.encode()).hexdigest()
    table = f'[gateway.callers.{name}]\ntoken_sha256 = ["{digest}"]\n{rate}\n'
    return table + _WALLETS.format(name=name, rule=rule)


def gateway(*callers: str, further: str = "") -> str:
    return "\n".join((LISTEN, further, *callers))


def statuses(client: httpx.Client, calls: int) -> list[int]:
    return [client.post("/wallets", json=WALLET).status_code for _ in range(calls)]


def refusal(answer: httpx.Response) -> tuple[int, str]:
    """Status and check of an answer that has to wait for a time that is given."""
    assert 0 < int(answer.headers["retry-after"]) <= 3600
    return answer.status_code, answer.json()["error"]["details"]["gateway"]


def test_caller_has_as_many_calls_as_its_rate(tmp_path: Path) -> None:
    settings = gateway(caller(rate='rate = "3/hour"'))
    with running_gateway(tmp_path, settings) as running, running.client() as client:
        assert statuses(client, 3) == [200] * 3
        sent = len(running.emulator.requests)

        refused = client.get("/wallets")

        assert refusal(refused) == (429, "caller-rate")
        assert len(running.emulator.requests) == sent


def test_payment_that_is_split_meets_the_rate_of_its_rule(tmp_path: Path) -> None:
    settings = gateway(caller(rule='rate = "2/hour"'))
    with running_gateway(tmp_path, settings) as running, running.client() as client:
        assert statuses(client, 2) == [200] * 2

        refused = client.post("/wallets", json=WALLET)

        assert refusal(refused) == (429, "rate")
        assert refused.json()["error"]["details"]["rule"] == "wallets"
        assert client.get("/wallets").status_code == 200


def test_call_that_one_limit_refuses_is_counted_by_no_other(tmp_path: Path) -> None:
    settings = gateway(
        caller(rate='rate = "4/hour"', rule='rate = "2/hour"'),
        further='organisation_rate = "8/hour"',
    )
    with running_gateway(tmp_path, settings) as running, running.client() as client:
        # The rule takes two of four calls of the caller, which are six of eight requests.
        assert statuses(client, 5) == [200, 200, 429, 429, 429]

        reads = [client.get("/wallets").status_code for _ in range(3)]

    assert reads == [200, 200, 429]


@pytest.mark.parametrize(
    ("organisation", "rate", "check"),
    [(Rate(3, 60), None, "organisation-rate"), (Rate(900, 60), "1/minute", "caller-rate")],
)
def test_call_that_another_limit_refuses_is_not_counted_by_its_rule(
    organisation: Rate, rate: str | None, check: str
) -> None:
    clock = Clock()
    counters = InMemory(clock)
    rules = [Rule(name="wallets", call="POST /wallets", rate="2/day")]
    policy = Policy(rules, title="the caller", count=counting(counters, "acme"))
    limiting = limits.Limits(organisation, counters, organisation="acme")

    def outcome() -> str:
        call = AnnouncedCall("POST", "/wallets", "{}")
        try:
            asyncio.run(limiting.admit(Caller("payments", policy, rate=rate), call, 1))
        except Refusal as refusal:
            return refusal.check
        return "admitted"

    assert [outcome() for _ in range(5)] == ["admitted", check, check, check, check]
    clock.now += 61
    assert outcome() == "admitted"


def test_call_that_no_rule_allows_is_counted_by_no_limit_but_that_of_requests(
    tmp_path: Path,
) -> None:
    settings = gateway(caller(rate='rate = "1/hour"'))
    with running_gateway(tmp_path, settings) as running, running.client() as client:
        refused = [client.post("/keys", json={}).status_code for _ in range(5)]

        assert refused == [403] * 5
        assert client.get("/wallets").status_code == 200


def test_signed_call_is_three_requests_of_the_organisation_and_a_read_is_one(
    tmp_path: Path,
) -> None:
    settings = gateway(caller(), further='organisation_rate = "7/hour"')
    with running_gateway(tmp_path, settings) as running, running.client() as client:
        assert statuses(client, 3) == [200, 200, 429]
        assert client.get("/wallets").status_code == 200

        assert refusal(client.get("/wallets")) == (429, "organisation-rate")
        assert len(running.emulator.requests) == 7


def test_each_further_attempt_is_as_many_requests_of_the_organisation_again(
    tmp_path: Path,
) -> None:
    settings = gateway(caller(), further='organisation_rate = "6/hour"')
    with running_gateway(tmp_path, settings) as running, running.client() as client:
        running.emulator.fail_next("GET", "/wallets", times=2, headers={"Retry-After": "0"})

        assert client.get("/wallets").status_code == 200

        assert len(running.emulator.requests) == 3
        assert statuses(client, 2) == [200, 429]


def test_further_attempt_that_the_organisation_has_no_room_for_is_not_made(
    tmp_path: Path,
) -> None:
    settings = gateway(caller(), further='organisation_rate = "3/hour"')
    with running_gateway(tmp_path, settings) as running, running.client() as client:
        assert client.get("/wallets").status_code == 200
        running.emulator.fail_next("GET", "/wallets", times=9, headers={"Retry-After": "0"})

        refused = client.get("/wallets")

        assert refusal(refused) == (429, "organisation-rate")
        assert len(running.emulator.requests) == 3


def test_caller_that_floods_leaves_the_others_their_share(tmp_path: Path) -> None:
    settings = gateway(
        caller(), caller("other", OTHER_TOKEN), further='organisation_rate = "24/hour"'
    )
    with (
        running_gateway(tmp_path, settings) as running,
        running.client() as flooding,
        running.client(OTHER_TOKEN) as other,
    ):
        # Half of 24 for both, and a quarter for each: six signed calls, and two.
        assert statuses(flooding, 10) == [200] * 6 + [429] * 4
        assert statuses(other, 3) == [200, 200, 429]


def test_caller_that_floods_with_what_is_refused_is_not_served_for_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUESTS", Rate(5, 3600))
    settings = gateway(caller(), caller("other", OTHER_TOKEN))
    with (
        running_gateway(tmp_path, settings) as running,
        running.client() as flooding,
        running.client(OTHER_TOKEN) as other,
    ):
        refused = [flooding.post("/keys", json={}).status_code for _ in range(5)]

        assert refused == [403] * 5
        assert refusal(flooding.post("/keys", json={})) == (429, "request-rate")
        assert refusal(flooding.get("/wallets")) == (429, "request-rate")
        assert other.get("/wallets").status_code == 200


def test_body_of_a_caller_that_floods_is_not_parsed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUESTS", Rate(2, 3600))
    with running_gateway(tmp_path, gateway(caller())) as running, running.client() as flooding:
        misread = [flooding.post("/wallets", json=["no object"]).status_code for _ in range(2)]

        assert misread == [400, 400]
        assert refusal(flooding.post("/wallets", json=["no object"])) == (429, "request-rate")


def test_long_bodies_of_a_caller_count_as_many_requests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "REQUESTS", Rate(20, 3600))
    settings = gateway(caller(), caller("other", OTHER_TOKEN))
    long = ["x" * 9 * PIECE]
    with (
        running_gateway(tmp_path, settings) as running,
        running.client() as flooding,
        running.client(OTHER_TOKEN) as other,
    ):
        misread = [flooding.post("/wallets", json=long).status_code for _ in range(2)]

        assert misread == [400, 400]
        assert refusal(flooding.post("/wallets", json=long)) == (429, "request-rate")
        assert statuses(other, 1) == [200]


def test_store_that_fails_has_calls_refused_until_it_answers(
    tmp_path: Path, own_store: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    further = f'store = "{own_store.url}"\nseal_keys = ["{"5a" * 32}"]'
    settings = gateway(caller(), further=further)
    with running_gateway(tmp_path, settings) as running, running.client() as client:
        assert statuses(client, 1) == [200]
        sent = len(running.emulator.requests)
        own_store.stop()

        refused = client.post("/wallets", json=WALLET)

        assert refusal(refused) == (503, "rate-store")
        assert own_store.url not in refused.text
        assert len(running.emulator.requests) == sent
        own_store.start()
        monkeypatch.setattr("dfns_signers.rate_limits.stores.PAUSE", 0)
        assert statuses(client, 1) == [200]


def test_rate_of_the_organisation_that_no_signed_call_fits_into_is_refused(
    tmp_path: Path,
) -> None:
    settings = gateway(caller(), further='organisation_rate = "2/hour"')

    with (
        pytest.raises(ConfigurationError, match="'organisation_rate': expected 3 requests or more"),
        running_gateway(tmp_path, settings),
    ):
        pass
