"""The soak notices what a round leaves behind."""

from __future__ import annotations

import socket
import threading

import pytest

from tests.soak import leaks
from tests.soak.leaks import Watch
from tests.soak.verdicts import Violations


def test_nothing_is_found_when_all_is_closed() -> None:
    found, watch = Violations(), Watch(settling=0)

    with watch.over(found, collects=False), socket.socket():
        pass

    assert not found


def test_open_socket_is_found() -> None:
    found = Violations()

    with Watch(settling=0).over(found, collects=False):
        left = socket.socket()
    left.close()

    assert found.sockets == ["1 sockets are open after the round"]


def test_threads_beyond_those_of_a_pool_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leaks, "IDLE_THREADS", 1)
    found, end = Violations(), threading.Event()
    threads = [threading.Thread(target=end.wait) for _ in range(2)]

    with Watch(settling=0).over(found, collects=False):
        for thread in threads:
            thread.start()
    end.set()
    for thread in threads:
        thread.join()

    assert found.threads == ["2 threads are left after the round"]


@pytest.mark.parametrize(("step", "is_found"), [(0, False), (20, True)])
def test_growth_of_memory_from_round_to_round_is_found(step: int, is_found: bool) -> None:
    found = Violations()
    watch = Watch(memories=[2**28 + number * step * 2**20 for number in range(40)])

    watch.judge_memory(found)

    assert bool(found.memory) is is_found
