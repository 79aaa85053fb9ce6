"""The time that is left for a call."""

from __future__ import annotations

import asyncio

import pytest

from dfns_signers import deadlines, worker_threads


def test_no_bound_without_a_call() -> None:
    assert deadlines.remaining() is None


def test_time_that_is_left_never_grows_and_ends_at_zero() -> None:
    with deadlines.within(60):
        first, second = deadlines.remaining(), deadlines.remaining()
    with deadlines.within(0):
        none = deadlines.remaining()

    assert first is not None
    assert second is not None
    assert 60 >= first >= second > 0
    assert none == 0


def test_bound_is_that_of_its_block_alone() -> None:
    with deadlines.within(60):
        with deadlines.lifted():
            assert deadlines.remaining() is None
        assert deadlines.remaining() is not None
    assert deadlines.remaining() is None


def test_earlier_bound_stays() -> None:
    with deadlines.within(0):
        with deadlines.within(60):
            assert deadlines.remaining() == 0
        with deadlines.within(None):
            assert deadlines.remaining() == 0


def test_bound_ends_with_an_error() -> None:
    with pytest.raises(LookupError), deadlines.within(60):
        raise LookupError
    assert deadlines.remaining() is None


def test_tasks_have_each_their_own() -> None:
    async def seen(seconds: float) -> float | None:
        with deadlines.within(seconds):
            await asyncio.sleep(0)
            return deadlines.remaining()

    async def both() -> list[float | None]:
        return list(await asyncio.gather(seen(5), seen(500)))

    short, long = asyncio.run(both())
    assert short is not None
    assert long is not None
    assert short <= 5 < long


def test_worker_threads_have_that_of_their_caller() -> None:
    with deadlines.within(60):
        assert worker_threads.submit(deadlines.remaining).result(10) is not None
    assert worker_threads.submit(deadlines.remaining).result(10) is None


@pytest.mark.parametrize(("longest", "expected"), [(None, None), (3.0, 3.0)])
def test_without_a_bound_the_longest_wait_counts(
    longest: float | None, expected: float | None
) -> None:
    assert deadlines.at_most(longest) == expected


def test_wait_is_no_longer_than_what_is_left() -> None:
    with deadlines.within(60):
        left, short = deadlines.at_most(None), deadlines.at_most(3.0)
    with deadlines.within(1):
        cut = deadlines.at_most(3.0)

    assert left is not None
    assert cut is not None
    assert (0 < left <= 60, short, 0 < cut <= 1) == (True, 3.0, True)


def test_wait_without_any_time_is_refused() -> None:
    with deadlines.within(0), pytest.raises(TimeoutError, match="the time is over"):
        deadlines.at_most(3.0)
