"""The permits of a process: never more than the limit in any minute, whatever the window is."""

from __future__ import annotations

import math
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dfns_signers.rate_limits.window import Window
from tests.support.clock import Clock


def window(limit: int = 4) -> tuple[Window, Clock]:
    clock = Clock()
    return Window(limit, clock), clock


def use(counted: Window, permits: int) -> None:
    assert counted.take(permits) == 0
    counted.settle(permits, 0.0)


def test_permits_up_to_the_limit_are_taken_at_once() -> None:
    counted, _ = window(4)

    assert [counted.take(3), counted.take(1)] == [0, 0]


def test_permits_are_taken_together_or_not_at_all() -> None:
    counted, _ = window(4)
    use(counted, 2)

    assert counted.take(3) > 0
    assert counted.take(2) == 0


def test_permits_come_free_a_minute_after_their_requests_have_ended() -> None:
    counted, clock = window(3)
    counted.take(3)
    clock.now += 1000  # on the way
    counted.settle(3, 1000.0)

    clock.now += 59.5

    assert counted.take(1) == 0.5
    clock.now += 0.5
    assert counted.take(3) == 0


def test_time_to_wait_is_that_until_enough_have_come_free() -> None:
    counted, clock = window(4)
    use(counted, 1)
    clock.now += 10
    use(counted, 3)

    assert counted.take(1) == 50
    assert counted.take(3) == 60


def test_time_to_wait_for_requests_under_way_is_not_known() -> None:
    counted, _ = window(4)
    counted.take(3)
    use(counted, 1)

    assert counted.take(3) == math.inf


def test_permits_that_are_given_back_are_free() -> None:
    counted, _ = window(3)
    counted.take(3)

    counted.give_back(3)

    assert counted.take(3) == 0


def test_drained_window_is_used_up_for_a_minute() -> None:
    counted, clock = window(3)

    counted.drain()

    assert counted.take(1) == 60
    clock.now += 60
    assert counted.take(3) == 0


def test_child_counts_what_its_parent_used_and_had_under_way() -> None:
    counted, clock = window(4)
    use(counted, 1)
    counted.take(2)

    counted.after_fork()

    assert counted.take(1) == 0
    assert counted.take(1) == 60
    clock.now += 60
    assert counted.take(3) == 0


def test_call_that_was_under_way_at_the_fork_and_ends_in_the_child_frees_nothing() -> None:
    counted, clock = window(3)
    counted.take(3)
    counted.after_fork()

    counted.settle(3, 0.0)

    assert counted.take(1) > 0
    clock.now += 60
    assert counted.take(3) == 0
    assert counted.take(1) > 0


@given(
    st.lists(
        st.tuples(
            st.floats(0, 30),  # until the next call
            st.sampled_from([1, 2, 3]),
            st.floats(0, 90),  # until its answer
            st.floats(0, 1),  # when Dfns counts it in between
        ),
        max_size=60,
    )
)
def test_dfns_counts_no_more_than_the_limit_in_any_minute(
    calls: list[tuple[float, int, float, float]],
) -> None:
    limit = 6
    counted, clock = window(limit)
    ends: list[tuple[float, int]] = []
    arrivals: list[float] = []
    for pause, permits, length, share in calls:
        target = clock.now + pause
        for end, under_way in sorted(ends):
            if end <= target:
                clock.now = max(clock.now, end)
                counted.settle(under_way, 0.0)
                ends.remove((end, under_way))
        clock.now = target
        if not counted.take(permits):
            ends.append((clock.now + length, permits))
            arrivals += [clock.now + length * share] * permits

    arrivals.sort()

    for first, last in zip(arrivals, arrivals[limit:], strict=False):
        assert last - first >= 60 - 1e-6


@pytest.mark.parametrize("permits", [1, 3])
def test_threads_never_take_more_than_the_limit(permits: int) -> None:
    counted = Window(30)
    taken: list[int] = []

    def work() -> None:
        taken.extend(permits for _ in range(20) if not counted.take(permits))

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(taken) == 30
