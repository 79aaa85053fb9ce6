"""The permits of processes that share a store; two windows stand for two processes."""

from __future__ import annotations

import logging
import threading
import time
from itertools import count

import pytest

from dfns_signers import deadlines
from dfns_signers.errors import NoPermitError
from dfns_signers.rate_limits import shared_window
from dfns_signers.rate_limits.limiter import RateLimiter, limiter_of
from dfns_signers.rate_limits.rate_limit import RateLimit
from dfns_signers.rate_limits.shared_window import SharedWindow
from tests.support.clock import Clock
from tests.support.forking import in_forked_child
from tests.support.redis_servers import RedisServer

pytestmark = pytest.mark.timeout(30)  # half of a window: nothing here waits for one

NOWHERE = "redis://:hidden-password@127.0.0.1:1/0"
_numbers = count()


@pytest.fixture
def name() -> str:
    """What shares a limit in this test alone."""
    return f"organisation {next(_numbers)}"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of the day, which stands unless a test moves it."""
    clock = Clock()
    clock.now = time.time()
    monkeypatch.setattr(time, "time", clock)
    return clock


@pytest.fixture
def _spare_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_window, "_SPARE", 20)  # as long as the test takes


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch, _spare_for_long: None) -> None:
    monkeypatch.setattr(shared_window, "WINDOW", 0)
    monkeypatch.setattr(shared_window, "MARGIN", 1)
    monkeypatch.setattr(shared_window, "_CLOCKS", -60)  # no call is late


def window(url: str, name: str, limit: int = 6, *, fallback: float = 0.0) -> SharedWindow:
    return SharedWindow(RateLimit(limit, store=url, fallback=fallback), name)


def test_processes_share_the_permits_of_a_name(store: RedisServer, name: str) -> None:
    one, other = window(store.url, name), window(store.url, name)

    assert [one.take(3), other.take(3)] == [0, 0]
    assert one.take(1) > 0
    assert window(store.url, f"not {name}").take(6) == 0


def test_permits_are_taken_together_or_not_at_all(store: RedisServer, name: str) -> None:
    one, other = window(store.url, name), window(store.url, name)
    one.take(4)

    assert other.take(3) > 0
    assert one.take(2) == 0


def test_permits_come_free_when_the_window_and_its_margin_are_over(
    store: RedisServer, name: str, clock: Clock
) -> None:
    one, other = window(store.url, name), window(store.url, name)
    one.take(6)

    assert other.take(1) == pytest.approx(62.001)


def test_clock_that_goes_back_has_nobody_wait_longer_than_the_window(
    store: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = window(store.url, name), window(store.url, name)
    now = time.time()
    with monkeypatch.context() as ahead:
        ahead.setattr(time, "time", lambda: now + 1_000_000)
        one.take(6)

    assert 61 < other.take(1) < 62.1


@pytest.mark.usefixtures("_quick")
def test_permits_that_have_come_free_are_taken(store: RedisServer, name: str) -> None:
    one, other = RateLimiter(window(store.url, name)), RateLimiter(window(store.url, name))

    for _ in range(2):
        for limited in (one, other):
            with limited.lent(3, "POST /"):
                pass


def test_call_that_ends_late_takes_its_permits_once_more(store: RedisServer, name: str) -> None:
    one, other = window(store.url, name), window(store.url, name)
    one.take(3)

    one.settle(3, 10.0)

    assert one.has_debts
    assert one.take(0) == 0
    assert not one.has_debts
    assert other.take(1) > 0


def test_call_that_ends_in_time_owes_nothing(store: RedisServer, name: str) -> None:
    one = window(store.url, name)
    one.take(3)

    one.settle(3, 0.9)

    assert not one.has_debts


def test_permits_that_are_owed_come_before_those_of_other_calls(
    store: RedisServer, name: str
) -> None:
    one, other = window(store.url, name), window(store.url, name)
    one.take(3)
    other.take(2)
    one.settle(3, 10.0)

    assert one.take(1) > 0
    assert other.take(1) == 0


def test_permits_that_are_owed_are_taken_as_they_come_free(store: RedisServer, name: str) -> None:
    one, other = window(store.url, name, 12), window(store.url, name, 12)
    one.take(6)
    other.take(3)
    one.settle(6, 10.0)

    assert one.take(0) > 0
    assert one.has_debts
    assert other.take(1) > 0


def test_limiter_pays_what_it_owes_though_no_call_waits(
    store: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_window, "MARGIN", 0)  # every call is late
    one, other = window(store.url, name), window(store.url, name)

    with RateLimiter(one).lent(3, "POST /"):
        pass
    for thread in threading.enumerate():
        if thread.name == "dfns-signers":
            thread.join(10)

    assert not one.has_debts
    assert other.take(1) > 0


@pytest.mark.usefixtures("_spare_for_long")
def test_process_that_has_waited_for_a_read_takes_permits_for_those_that_follow(
    store: RedisServer, name: str, clock: Clock
) -> None:
    one, other = window(store.url, name, 3), window(store.url, name, 3)
    one.take(3)
    clock.sleep(one.take(1))

    assert one.take(1) == 0
    assert other.take(1) > 0
    assert [one.take(1), one.take(1)] == [0, 0]
    assert one.take(1) > 0


@pytest.mark.usefixtures("_quick")
def test_reads_of_one_process_leave_room_for_signed_calls_of_another(
    store: RedisServer, name: str
) -> None:
    reading, signing = (RateLimiter(window(store.url, name)) for _ in range(2))
    is_over = threading.Event()

    def read() -> None:
        while not is_over.is_set():
            with reading.lent(1, "GET /"):
                pass

    thread = threading.Thread(target=read)
    thread.start()
    try:
        for _ in range(3):
            with deadlines.within(20), signing.lent(3, "POST /"):
                pass
    finally:
        is_over.set()
        thread.join()


@pytest.mark.usefixtures("_spare_for_long")
def test_permits_of_a_call_that_gave_up_are_for_the_next_one(store: RedisServer, name: str) -> None:
    one = window(store.url, name)
    one.take(6)

    one.give_back(3)

    assert one.take(3) == 0
    assert one.take(1) > 0


def test_permits_that_were_spare_for_too_long_are_not_used(
    store: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_window, "_SPARE", 0.0)
    one = window(store.url, name)
    one.take(6)

    one.give_back(3)

    assert one.take(1) > 0


def test_drained_window_is_used_up_for_all_processes(store: RedisServer, name: str) -> None:
    one, other = window(store.url, name), window(store.url, name)
    one.take(1)

    one.drain()

    assert one.take(1) > 0
    assert other.take(1) > 0


def test_window_is_drained_once_its_store_answers_again(
    own_store: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_window, "PAUSE", 0.0)
    one, other = window(own_store.url, name), window(own_store.url, name)
    own_store.stop()
    one.drain()
    one.take(0)

    own_store.start()

    assert one.take(1) > 0
    assert other.take(1) > 0


@pytest.mark.anyio
async def test_blocking_and_asynchronous_calls_share_the_store(
    store: RedisServer, name: str
) -> None:
    one, other = RateLimiter(window(store.url, name)), RateLimiter(window(store.url, name))
    with one.lent(3, "POST /"):
        async with other.alent(3, "POST /"):
            with deadlines.within(5), pytest.raises(NoPermitError, match="used up"):
                async with other.alent(1, "GET /wallets"):
                    pass


def test_child_of_a_fork_asks_the_store_by_itself(store: RedisServer, name: str) -> None:
    before = """
    from dfns_signers.rate_limits.rate_limit import RateLimit
    from dfns_signers.rate_limits.shared_window import SharedWindow

    window = SharedWindow(RateLimit(6, store=argument[0]), argument[1])
    window.take(3)
    """

    inherited = "[window.after_fork(), window.take(3) == 0, window.take(1) > 0]"

    assert in_forked_child(before, inherited, [store.url, name]) == [None, True, True]


def test_store_that_fails_refuses_calls_without_its_password(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    limited = limiter_of(RateLimit(6, store=NOWHERE, name=name), "")

    with (
        caplog.at_level(logging.WARNING),
        pytest.raises(
            NoPermitError, match="GET /wallets was not sent: the store of the rate limit"
        ) as caught,
        limited.lent(1, "GET /wallets"),
    ):
        pass

    assert "fails with ConnectionError: calls are refused" in caplog.text
    assert "hidden-password" not in caplog.text + str(caught.value)


def test_store_that_fails_is_reported_once(name: str, caplog: pytest.LogCaptureFixture) -> None:
    one = window(NOWHERE, name)

    for _ in range(3):
        with pytest.raises(NoPermitError):
            one.take(1)

    assert len([record for record in caplog.records if record.levelname == "WARNING"]) == 1


def test_store_that_fails_leaves_the_process_its_share(name: str) -> None:
    one = window(NOWHERE, name, 12, fallback=0.25)

    assert one.take(3) == 0
    assert one.take(1) > 0


def test_share_counts_what_the_process_took_from_the_store_before_it_failed(
    own_store: RedisServer, name: str
) -> None:
    one = window(own_store.url, name, 12, fallback=0.5)
    assert one.take(4) == 0

    own_store.stop()

    assert one.take(2) == 0
    assert one.take(1) > 0


def test_store_that_answers_again_counts_what_was_used_meanwhile(
    own_store: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_window, "PAUSE", 0.0)
    one = window(own_store.url, name, 12, fallback=0.5)
    other = window(own_store.url, name, 12)
    own_store.stop()
    assert one.take(3) == 0

    own_store.start()
    one.take(1)
    one.take(0)

    assert other.take(9) > 0
    assert other.take(8) == 0
