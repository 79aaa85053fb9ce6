"""How long a client waits before it tries again, and when it does not wait at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import RetryCallState, Retrying

from dfns_signers.emulator import Emulator
from dfns_signers.errors import RateLimitedError, ServerError
from dfns_signers.retries import BACKOFF  # as it is before the suite takes shorter pauses
from tests.core.client.driving import Driven
from tests.core.client.recordings import sent


def read(dfns: Driven) -> object:
    return dfns.call(lambda client: client.get("/wallets"))


@pytest.mark.parametrize("seconds", [0, 7, 30])
def test_pause_is_what_the_server_asked_for(
    dfns: Driven, emulator: Emulator, pauses: list[float], seconds: int
) -> None:
    emulator.fail_next("GET", "/wallets", status=429, headers={"Retry-After": str(seconds)})

    read(dfns)

    assert pauses == [seconds]


@pytest.mark.parametrize("asked", ["31", "86400", "Fri, 01 Jan 2100 00:00:00 GMT"])
@pytest.mark.parametrize(("status", "error"), [(429, RateLimitedError), (503, ServerError)])
def test_server_that_asks_for_too_long_gets_its_error_reported_at_once(
    dfns: Driven,
    emulator: Emulator,
    pauses: list[float],
    status: int,
    error: type[ServerError | RateLimitedError],
    asked: str,
) -> None:
    emulator.fail_next("GET", "/wallets", status=status, headers={"Retry-After": asked})

    with pytest.raises(error) as caught:
        read(dfns)

    assert pauses == []
    assert caught.value.retry_after is not None
    assert caught.value.retry_after > 30
    assert len(sent(emulator, "/wallets")) == 1


def test_pauses_without_a_wish_of_the_server_are_short_and_bounded(
    dfns: Driven, emulator: Emulator, pauses: list[float]
) -> None:
    emulator.fail_next("GET", "/wallets", times=2)

    read(dfns)

    assert len(pauses) == 2
    assert all(0 <= pause <= 8 for pause in pauses)


def test_first_success_waits_for_nothing(dfns: Driven, pauses: list[float]) -> None:
    read(dfns)

    assert pauses == []


@given(st.integers(1, 50))
def test_pauses_of_attempts_are_random_and_grow_to_eight_seconds(attempts: int) -> None:
    state = RetryCallState(Retrying(), None, (), {})
    state.attempt_number = attempts

    assert 0 <= BACKOFF(state) <= min(0.25 * 2 ** (attempts - 1), 8)
