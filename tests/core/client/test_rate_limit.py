"""What calls take of the client's own rate limit: a permit for each request, all at once."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from dfns_signers.emulator import Emulator
from dfns_signers.errors import (
    ApiError,
    NoPermitError,
    RateLimitedError,
    RequestError,
    TransportError,
)
from dfns_signers.rate_limits import limiter
from dfns_signers.rate_limits.rate_limit import RateLimit
from dfns_signers.signer import KeySigner
from tests.core.client.driving import Connector, Driven
from tests.core.client.recordings import calls, sent
from tests.core.client.scripted import CUT, Reply, ScriptedApi

pytestmark = pytest.mark.timeout(30)  # half of a window: nothing here waits for one

IN_TIME = {"call_timeout": 20}  # less than a window, so that no call waits for permits


@pytest.fixture(autouse=True)
def _no_limit_of_another_test(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server may get the port of one before it."""
    monkeypatch.setattr(limiter, "_limiters", limiter._Limiters())


@pytest.fixture
def limited(connect: Connector, emulator: Emulator, signer: KeySigner) -> Driven:
    """A client that may send four requests in a minute."""
    url = emulator.url
    return connect(emulator.auth_token, signer, base_url=url, rate_limit=4, **IN_TIME)


def create(dfns: Driven) -> Any:
    return dfns.call(lambda client: client.post("/wallets", json={"network": "Solana"}))


def read(dfns: Driven) -> Any:
    return dfns.call(lambda client: client.get("/wallets"))


def test_signed_call_takes_three_permits_and_a_read_one(
    limited: Driven, emulator: Emulator
) -> None:
    create(limited)
    read(limited)

    with pytest.raises(NoPermitError, match="GET /wallets was not sent"):
        read(limited)
    assert len(list(emulator.requests)) == 4


def test_signed_call_without_permits_for_all_its_requests_sends_none(
    limited: Driven, emulator: Emulator
) -> None:
    for _ in range(2):
        read(limited)

    with pytest.raises(NoPermitError, match="POST /wallets was not sent"):
        create(limited)

    assert len(list(emulator.requests)) == 2
    read(limited)


def test_each_page_takes_a_permit(connect: Connector, api: ScriptedApi, signer: KeySigner) -> None:
    numbers = count()
    page = lambda _: Reply(body={"items": [1], "nextPageToken": str(next(numbers))})  # noqa: E731
    api.on("/wallets", always=page)
    dfns = connect("token", signer, base_url=api.url, rate_limit=4, **IN_TIME)

    with pytest.raises(NoPermitError):
        dfns.walk(lambda client: client.wallets.list())

    assert len(api.sent("/wallets")) == 4


def test_each_attempt_takes_its_permits(
    connect: Connector, api: ScriptedApi, pauses: list[float]
) -> None:
    api.on("/wallets", always=Reply(503))
    dfns = connect("token", base_url=api.url, rate_limit=4, max_attempts=10, **IN_TIME)

    with pytest.raises(NoPermitError):
        read(dfns)

    assert len(api.sent("/wallets")) == 4


def test_attempt_without_permits_does_not_hide_that_an_earlier_one_may_have_had_its_effect(
    connect: Connector, api: ScriptedApi, signer: KeySigner, pauses: list[float]
) -> None:
    api.on("/wallets", always=CUT)
    dfns = connect("token", signer, base_url=api.url, rate_limit=4, **IN_TIME)

    with pytest.raises(TransportError) as caught:
        dfns.call(lambda client: client.post("/wallets", json={"externalId": "one"}))

    assert caught.value.may_have_taken_effect
    assert isinstance(caught.value.__cause__, NoPermitError)


def test_delegated_call_takes_a_permit_to_announce_it_and_two_to_complete_it(
    connect: Connector, emulator: Emulator, signer: KeySigner
) -> None:
    url = emulator.url
    dfns = connect.delegated(emulator.auth_token, base_url=url, rate_limit=4, **IN_TIME)

    pending = dfns.call(lambda client: client.init("POST", "/wallets", json={"network": "Base"}))
    read(dfns)
    assertion = signer.sign(pending.challenge)
    dfns.call(lambda client: client.complete(pending, assertion))

    with pytest.raises(NoPermitError):
        read(dfns)
    assert len(list(emulator.requests)) == 4


def test_clients_of_one_api_with_an_equal_limit_share_it(
    connect: Connector, emulator: Emulator
) -> None:
    options = {"base_url": emulator.url, **IN_TIME}
    one = connect(emulator.auth_token, rate_limit=4, **options)
    other = connect(emulator.auth_token, rate_limit=RateLimit(4), **options)
    for _ in range(2):
        read(one)
        read(other)

    with pytest.raises(NoPermitError):
        read(other)


def test_calls_are_not_limited_by_default(dfns: Driven, emulator: Emulator) -> None:
    for _ in range(20):
        read(dfns)

    assert len(calls(emulator)) == 20


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "25"}])
def test_after_a_429_every_client_waits(
    connect: Connector, emulator: Emulator, headers: dict[str, str]
) -> None:
    options = {"base_url": emulator.url, "rate_limit": 1000, **IN_TIME}
    one = connect(emulator.auth_token, max_attempts=1, **options)
    other = connect(emulator.auth_token, **options)
    emulator.fail_next("GET", "/wallets", status=429, headers=headers)
    with pytest.raises(RateLimitedError):
        read(one)

    with pytest.raises(NoPermitError):
        read(other)

    assert len(sent(emulator, "/wallets")) == 1


def test_call_goes_on_after_the_pause_of_a_429(connect: Connector, emulator: Emulator) -> None:
    emulator.fail_next("GET", "/wallets", status=429, headers={"Retry-After": "1"})
    options = {"base_url": emulator.url, "rate_limit": 1000, **IN_TIME}
    dfns = connect(emulator.auth_token, **options)

    read(dfns)

    assert len(sent(emulator, "/wallets")) == 2


def test_other_refusals_are_not_waited_for(limited: Driven, emulator: Emulator) -> None:
    emulator.fail_next("GET", "/wallets", status=403)
    with pytest.raises(ApiError):
        read(limited)

    read(limited)


def test_closed_client_refuses_rather_than_waits(connect: Connector, emulator: Emulator) -> None:
    dfns = connect(emulator.auth_token, base_url=emulator.url, rate_limit=3, call_timeout=None)
    for _ in range(3):
        read(dfns)
    close = "aclose" if connect.portal else "close"
    dfns.call(lambda client: getattr(client, close)())

    with pytest.raises(RequestError, match="closed"):
        read(dfns)
