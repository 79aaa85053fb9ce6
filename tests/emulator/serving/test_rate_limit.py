from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulator.caller import Caller, answered, refused
from tests.emulator.conftest import Clock, calling


@pytest.fixture
def limited(clock: Clock) -> Iterator[Caller]:
    """A caller who may send four requests a minute."""
    with calling(rate_limit=4, clock=clock) as caller:
        yield caller


def test_requests_up_to_the_limit_are_answered_and_the_next_is_refused(limited: Caller) -> None:
    for _ in range(4):
        answered(limited.get("/wallets"))

    refused(limited.get("/wallets"), 429, "rateLimit", "4 per minute")


def test_refused_request_says_when_to_come_back(limited: Caller, clock: Clock) -> None:
    for _ in range(4):
        limited.get("/wallets")
    clock.now += 17.5

    assert limited.get("/wallets").headers["retry-after"] == "43"


def test_requests_after_the_minute_are_answered(limited: Caller, clock: Clock) -> None:
    for _ in range(4):
        limited.get("/wallets")
    clock.now += 59.9
    refused(limited.get("/wallets"), 429, "rateLimit")

    clock.now += 0.1

    answered(limited.get("/wallets"))


def test_each_request_counts_until_a_minute_after_it(limited: Caller, clock: Clock) -> None:
    limited.get("/wallets")
    clock.now += 30
    for _ in range(3):
        limited.get("/wallets")

    clock.now += 30

    answered(limited.get("/wallets"))
    refused(limited.get("/wallets"), 429, "rateLimit")


def test_signed_operation_counts_three_times(limited: Caller) -> None:
    limited.create("/wallets", {"network": "Ethereum"})

    answered(limited.get("/wallets"))
    refused(limited.get("/wallets"), 429, "rateLimit")


def test_refused_request_leaves_the_user_action_unspent(limited: Caller, clock: Clock) -> None:
    action = limited.user_action("POST", "/wallets", '{"network":"Base"}')
    for _ in range(2):
        limited.get("/wallets")
    refused(
        limited.send("POST", "/wallets", b'{"network":"Base"}', user_action=action),
        429,
        "rateLimit",
    )

    clock.now += 60

    answered(limited.send("POST", "/wallets", b'{"network":"Base"}', user_action=action))


def test_request_without_a_valid_token_is_not_counted(limited: Caller) -> None:
    for _ in range(5):
        limited.http.get("/wallets")

    answered(limited.get("/wallets"))


def test_requests_without_a_limit_are_not_counted(caller: Caller) -> None:
    for _ in range(120):
        answered(caller.get("/wallets"))
