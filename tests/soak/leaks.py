"""What a process holds: threads, sockets and memory."""

from __future__ import annotations

import ctypes
import gc
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.soak.verdicts import Violations

IDLE_THREADS = 64
"""Threads that pools of the package may keep for later work."""

_GROWTH = 32 * 2**20  # bytes between early and late rounds
_WARM_UP = 16  # rounds, in which each kind of key loads its libraries
_FEWEST = 2 * _WARM_UP  # measurements without which memory is not judged
_ARENA_MAX = -8  # of mallopt, in malloc.h of glibc


def sockets() -> int:
    """How many sockets are open."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            count += str(descriptor.readlink()).startswith("socket:")
        except OSError:  # the descriptor that lists the others
            continue
    return count


def use_one_arena() -> None:
    """Have all threads allocate from one arena, or memory would grow by the gaps in each.

    Without an effect where the C library is not that of GNU.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


def memory() -> int:
    """Resident bytes, once what is free has gone back to the system."""
    gc.collect()
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


@dataclass
class Watch:
    """Compares what is held after each round with what was held before it.

    Attributes:
        settling: seconds in which libraries end what they close in the background.
        memories: resident bytes after each round.
    """

    settling: float = 10.0
    memories: list[int] = field(default_factory=list)

    @contextmanager
    def over(self, found: Violations, *, collects: bool) -> Iterator[None]:
        """A round: whatever it opens must be closed at its end.

        Args:
            found: where to say what is not.
            collects: whether to collect garbage first. That closes forgotten sockets, too, and is
                for libraries of key stores, whose errors hold broken connections in cycles.
        """
        gc.collect()
        sockets_before, threads_before = sockets(), threading.active_count()
        yield
        if collects:
            gc.collect()
        ends = time.monotonic() + self.settling
        while time.monotonic() < ends and (
            sockets() > sockets_before or threading.active_count() - threads_before > IDLE_THREADS
        ):
            time.sleep(0.05)
        if (left := sockets() - sockets_before) > 0:
            found.sockets.append(f"{left} sockets are open after the round")
        if (more := threading.active_count() - threads_before) > IDLE_THREADS:
            found.threads.append(f"{more} threads are left after the round")
        self.memories.append(memory())

    @property
    def growth(self) -> int:
        """Bytes from the first quarter of the rounds to the last, after those that warm up."""
        if len(self.memories) < _FEWEST:
            return 0
        judged = self.memories[_WARM_UP:]
        quarter = len(judged) // 4
        return int(median(judged[-quarter:]) - median(judged[:quarter]))

    def judge_memory(self, found: Violations) -> None:
        """At the end."""
        if self.growth > _GROWTH:
            found.memory.append(f"{self.growth / 2**20:.0f} MiB more than in early rounds")
