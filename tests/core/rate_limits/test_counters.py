"""Rates such as 10/minute, counted in memory and in a store that processes share."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.errors import NoPermitError
from dfns_signers.rate_limits.counters import (
    Counters,
    InMemory,
    Shared,
    counter_name,
    counters_of,
)
from dfns_signers.rate_limits.rates import Rate
from dfns_signers.rate_limits.stores import Store
from dfns_signers.sealed import Sealed
from tests.support.clock import Clock
from tests.support.forking import in_forked_child
from tests.support.redis_servers import PROGRAMS, RedisServer, redis_server

pytestmark = pytest.mark.timeout(30)  # half of a window: nothing here waits for one

NOWHERE = "redis://:hidden-password@127.0.0.1:1/0"
PER_MINUTE = Rate(6, 60)
_numbers = count()

_TAKING = """
import sys
from dfns_signers.rate_limits.counters import counters_of
from dfns_signers.rate_limits.rates import Rate
from dfns_signers.sealed import Sealed

_, url, name, number, tries = sys.argv
counters = counters_of(Sealed(url), "'store'")
print("ready", flush=True)
sys.stdin.readline()
print(sum(counters.take(name, Rate(int(number), 3600)) == 0 for _ in range(int(tries))))
"""


@pytest.fixture
def name() -> str:
    """A counter of this test alone."""
    return f"counter {next(_numbers)}"


@pytest.fixture(scope="module", params=["memory", *sorted(PROGRAMS)])
def counters(request: pytest.FixtureRequest) -> Iterator[Counters]:
    if request.param == "memory":
        yield InMemory()
    else:
        with redis_server(request.param) as server:
            yield shared(server.url)


def shared(url: str) -> Shared:
    return Shared(Store(Sealed(url), "'rate_limit_store'"))


def test_as_much_is_counted_as_the_rate_has_and_no_more(counters: Counters, name: str) -> None:
    assert [counters.take(name, PER_MINUTE) for _ in range(6)] == [0] * 6
    assert counters.take(name, PER_MINUTE) > 0


def test_cost_is_counted_together_or_not_at_all(counters: Counters, name: str) -> None:
    counters.take(name, PER_MINUTE, 4)

    assert counters.take(name, PER_MINUTE, 3) > 0
    assert counters.take(name, PER_MINUTE, 2) == 0


def test_pause_says_what_take_would_and_counts_nothing(counters: Counters, name: str) -> None:
    assert [counters.pause(name, PER_MINUTE, 6) for _ in range(3)] == [0] * 3
    counters.take(name, PER_MINUTE, 4)

    assert 59 < counters.pause(name, PER_MINUTE, 3) <= 60.1
    assert counters.pause(name, PER_MINUTE, 2) == 0


def test_every_name_has_a_counter_of_its_own(counters: Counters, name: str) -> None:
    counters.take(name, PER_MINUTE, 6)

    assert counters.take(f"not {name}", PER_MINUTE, 6) == 0


def test_number_that_changes_keeps_what_was_counted(counters: Counters, name: str) -> None:
    counters.take(name, Rate(6, 60), 5)

    assert counters.take(name, Rate(7, 60), 3) > 0
    assert counters.take(name, Rate(8, 60), 3) == 0
    assert counters.take(name, Rate(3, 60)) > 0


def test_seconds_to_wait_are_those_until_enough_comes_free_for_the_cost() -> None:
    clock = Clock()
    counters = InMemory(clock)
    for clock.now in (100.0, 110.0, 120.0):
        counters.take("one", PER_MINUTE, 2)
    clock.now = 130.0

    waits = [counters.take("one", PER_MINUTE, cost) for cost in (1, 2, 3, 4, 5)]

    assert waits == [30, 30, 40, 40, 50]
    clock.now += waits[2]
    assert counters.take("one", PER_MINUTE, 3) == 0


def test_seconds_to_wait_of_a_store_are_those_for_the_cost_too(
    store: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters, begin = shared(store.url), time.time()
    now = iter((begin, begin + 10, begin + 20))
    with monkeypatch.context() as then:
        then.setattr(time, "time", lambda: next(now))
        for _ in range(3):
            counters.take(name, PER_MINUTE, 2)
    monkeypatch.setattr(time, "time", lambda: begin + 30)

    waits = [counters.take(name, PER_MINUTE, cost) for cost in (1, 2, 3, 4, 5)]

    assert [round(wait, 1) for wait in waits] == [30, 30, 40, 40, 50]


@given(
    number=st.integers(1, 20),
    takes=st.lists(st.tuples(st.floats(0, 40), st.integers(1, 5)), max_size=60),
)
def test_no_window_ever_has_more_than_the_rate(number: int, takes: list[tuple[float, int]]) -> None:
    clock, taken = Clock(), list[tuple[float, int]]()
    counters = InMemory(clock)
    for pause, cost in takes:
        clock.now += pause
        if counters.take("one", Rate(number, 60), cost) == 0:
            taken.append((clock.now, cost))

    for begin, _ in taken:
        assert sum(cost for at, cost in taken if begin <= at < begin + 60) <= number


def test_clock_of_the_day_that_goes_forward_frees_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    counters = InMemory()
    counters.take(name, PER_MINUTE, 6)
    ahead = time.time() + 3600
    monkeypatch.setattr(time, "time", lambda: ahead)

    assert counters.take(name, PER_MINUTE) > 0


def test_threads_of_a_process_never_exceed_a_rate_together(name: str) -> None:
    counters, rate = InMemory(), Rate(500, 3600)
    with ThreadPoolExecutor(8) as threads:
        waits = list(threads.map(lambda _: counters.take(name, rate), range(2000)))

    assert waits.count(0) == 500


def test_processes_that_share_a_store_never_exceed_a_rate_together(
    store: RedisServer, name: str
) -> None:
    command = [sys.executable, "-c", _TAKING, store.url, name, "700", "500"]
    processes = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"

    with ThreadPoolExecutor(2) as both:
        counted = [int(out) for out, _ in both.map(lambda one: one.communicate("\n"), processes)]

    assert sum(counted) == 700
    assert all(counted)


def test_forked_child_goes_on_with_what_its_parent_counted() -> None:
    before = """
    import threading
    from dfns_signers.rate_limits.counters import InMemory
    from dfns_signers.rate_limits.rates import Rate
    rate, counters = Rate(6, 60), InMemory()
    counters.take("one", rate, 4)
    """

    taken = in_forked_child(before, '[counters.take("one", rate, n) == 0 for n in (3, 2, 1)]')

    assert taken == [False, True, False]


def test_forked_child_waits_for_no_lock_that_a_thread_of_its_parent_held() -> None:
    before = """
    import threading, time
    from dfns_signers.rate_limits.counters import InMemory
    from dfns_signers.rate_limits.rates import Rate
    counting = threading.Event()
    def clock():
        if threading.current_thread() is not threading.main_thread():
            counting.set()
            threading.Event().wait()
        return time.monotonic()
    rate, counters = Rate(6, 60), InMemory(clock)
    counters.take("one", rate)
    threading.Thread(target=counters.take, args=("one", rate), daemon=True).start()
    counting.wait()
    """

    assert in_forked_child(before, 'counters.take("one", rate, 5)') == 0


def test_forked_child_connects_to_the_store_anew(store: RedisServer, name: str) -> None:
    before = """
    from dfns_signers.rate_limits.counters import Shared
    from dfns_signers.rate_limits.rates import Rate
    from dfns_signers.rate_limits.stores import Store
    from dfns_signers.sealed import Sealed
    url, name = argument
    rate, counters = Rate(6, 60), Shared(Store(Sealed(url), "'store'"))
    counters.take(name, rate, 2)
    """
    after = "assert [counters.take(name, rate, n) == 0 for n in (3, 2)] == [False, True]"

    taken = in_forked_child(
        before, "[counters.take(name, rate, 2) == 0]", [store.url, name], after=after
    )

    assert taken == [True]


def test_counting_in_memory_starts_no_thread(name: str) -> None:
    before = set(threading.enumerate())

    InMemory().take(name, PER_MINUTE)

    assert set(threading.enumerate()) <= before  # those of other tests may end


def test_store_that_fails_refuses_and_keeps_its_url_to_itself(
    caplog: pytest.LogCaptureFixture, name: str
) -> None:
    counters = shared(NOWHERE)

    with caplog.at_level(logging.DEBUG):
        for ask in (counters.take, counters.take, counters.pause):
            with pytest.raises(NoPermitError, match="the URL in 'rate_limit_store'") as refused:
                ask(name, PER_MINUTE)
            assert "hidden" not in repr(refused.getrepr(showlocals=True))

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "hidden" not in caplog.text


def test_store_that_fails_is_asked_again_after_a_second(
    own_store: RedisServer, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.monotonic()
    counters = shared(own_store.url)
    counters.take(name, PER_MINUTE)
    own_store.stop()
    with pytest.raises(NoPermitError):
        counters.take(name, PER_MINUTE)
    own_store.start()

    monkeypatch.setattr(time, "monotonic", lambda: now - 3600)
    with pytest.raises(NoPermitError):
        counters.take(name, PER_MINUTE)
    monkeypatch.setattr(time, "monotonic", lambda: now + 3600)
    assert counters.take(name, PER_MINUTE) == 0


def test_counters_of_an_equal_store_are_the_same(store: RedisServer) -> None:
    url = store.url

    assert counters_of(Sealed(url), "'store'") is counters_of(Sealed(url), "'store'")
    assert counters_of(None, "'store'") is counters_of(None, "'store'")
    assert counters_of(None, "'store'") is not counters_of(Sealed(url), "'store'")


@given(
    st.lists(st.text(max_size=4), min_size=1, max_size=3),
    st.lists(st.text(max_size=4), min_size=1, max_size=3),
)
def test_names_of_different_parts_differ(one: list[str], other: list[str]) -> None:
    assert (counter_name(*one) == counter_name(*other)) == (one == other)
