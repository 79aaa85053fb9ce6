"""``with`` and ``async with`` for whatever can be closed, and the gate that work goes through."""

from __future__ import annotations

import threading
from functools import partial

import pytest

from dfns_signers import closing
from dfns_signers.closing import AsyncClosing, Closing, Gate
from tests.support.interruption import BOUND, Act, at_each_line


class Resource(Closing, AsyncClosing):
    def __init__(self) -> None:
        self.closed: list[str] = []

    def close(self) -> None:
        self.closed.append("close")

    async def aclose(self) -> None:
        self.closed.append("aclose")


def test_with_block_gives_the_object_and_closes_it_at_the_end() -> None:
    resource = Resource()

    with resource as same:
        assert same is resource
        assert same.closed == []

    assert resource.closed == ["close"]


@pytest.mark.anyio
async def test_async_with_block_gives_the_object_and_closes_it_asynchronously() -> None:
    resource = Resource()

    async with resource as same:
        assert same is resource
        assert same.closed == []

    assert resource.closed == ["aclose"]


def test_with_block_error_inside_is_not_swallowed() -> None:
    resource = Resource()

    with pytest.raises(LookupError), resource:
        raise LookupError

    assert resource.closed == ["close"]


@pytest.mark.anyio
async def test_async_with_block_error_inside_is_not_swallowed() -> None:
    resource = Resource()

    with pytest.raises(LookupError):
        async with resource:
            raise LookupError

    assert resource.closed == ["aclose"]


class Work:
    """Work that goes through a gate, with what it was about in order."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self.events: list[str] = []

    def do(self, *, admitted: bool = False) -> None:
        ticket = self.gate.enter(admitted)
        if ticket is not None:
            self.events.append("work")
            self.gate.leave(ticket)

    def shut(self) -> None:
        self.gate.shut(lambda: self.events.append("release"), wait=BOUND)


@pytest.mark.parametrize("elsewhere", [False, True])
def test_gate_shut_at_any_point_of_work_releases_once_and_after_it(elsewhere: bool) -> None:
    works: list[Work] = []

    def prepared() -> tuple[Act, Act]:
        works.append(Work(Gate()))
        return works[-1].do, works[-1].shut

    for _ in at_each_line(closing, prepared, elsewhere=elsewhere):
        assert works[-1].events in (["release"], ["work", "release"])

    assert len(works) > 6


def test_gate_admits_nothing_once_the_last_that_was_inside_released() -> None:
    works: list[Work] = []

    def prepared() -> tuple[Act, Act]:
        work = Work(Gate())
        works.append(work)
        last = work.gate.enter()
        work.gate.shut(lambda: work.events.append("release"), wait=0)
        return partial(work.do, admitted=True), partial(work.gate.leave, last)

    for elsewhere in (False, True):
        for _ in at_each_line(closing, prepared, elsewhere=elsewhere):
            assert works[-1].events in (["release"], ["work", "release"])

    assert len(works) > 16


def test_gate_that_two_threads_shut_releases_once() -> None:
    works: list[Work] = []

    def prepared() -> tuple[Act, Act]:
        works.append(Work(Gate()))
        return works[-1].shut, works[-1].shut

    for _ in at_each_line(closing, prepared, elsewhere=True):
        works[-1].do()  # is refused
        assert works[-1].events == ["release"]

    assert len(works) > 8


def test_gate_admits_what_belongs_to_work_inside_until_it_released() -> None:
    gate, released = Gate(), list[str]()
    ticket = gate.enter()
    gate.shut(lambda: released.append("release"), wait=0)

    inner = gate.enter(admitted=True)
    assert gate.enter() is None
    gate.leave(ticket)
    assert (inner is not None, released) == (True, [])
    gate.leave(inner)

    assert gate.enter(admitted=True) is None
    assert released == ["release"]


def test_closing_that_waits_releases_itself_and_so_raises_what_fails() -> None:
    gate, failures = Gate(), list[str]()
    ticket = gate.enter()

    def fail() -> None:
        raise OSError("the socket is gone")

    def shut() -> None:
        try:
            gate.shut(fail, wait=BOUND)
        except OSError as error:
            failures.append(str(error))

    shutting = threading.Thread(target=shut)
    shutting.start()
    while not gate.is_shut:
        pass
    gate.leave(ticket)  # gets in once the other waits
    shutting.join(BOUND)

    assert failures == ["the socket is gone"]


def test_gate_left_twice_with_one_ticket_counts_it_once() -> None:
    gate, released = Gate(), list[str]()
    first, second = gate.enter(), gate.enter()
    gate.shut(lambda: released.append("release"), wait=0)

    gate.leave(first)
    gate.leave(first)
    assert released == []
    gate.leave(second)

    assert released == ["release"]


def test_work_from_before_a_fork_releases_nothing_in_the_child() -> None:
    gate, released = Gate(), list[str]()
    ticket = gate.enter()
    gate.shut(lambda: released.append("release"), wait=0)

    gate.after_fork()
    gate.leave(ticket)

    assert released == []
