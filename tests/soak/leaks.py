"""What a process holds: threads, sockets and memory."""

from __future__ import annotations

import gc
import resource
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from tests.soak.verdicts import Violations

IDLE_THREADS = 64
"""Threads that pools of the package may keep for later work."""

_SETTLING = 10.0  # seconds in which libraries end what they close in the background
_GROWTH = 96 * 2**20  # bytes between early and late rounds; allocators keep some of what is freed
_FEWEST = 12  # measurements without which memory is not judged


def sockets() -> int:
    """How many sockets are open."""
    count = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            count += str(descriptor.readlink()).startswith("socket:")
        except OSError:  # the descriptor that lists the others
            continue
    return count


def memory() -> int:
    """Resident bytes."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize()


@dataclass
class Watch:
    """Compares what is held between rounds with what was held before the first."""

    sockets: int = field(default_factory=sockets)
    threads: int = field(default_factory=threading.active_count)
    memories: list[int] = field(default_factory=list)

    def look(self, found: Violations, round_: str) -> None:
        """Between rounds: everything that the round opened must be closed."""
        # Before the garbage is collected, which would close what was forgotten.
        ends = time.monotonic() + _SETTLING
        while sockets() > self.sockets and time.monotonic() < ends:
            time.sleep(0.05)
        if (left := sockets() - self.sockets) > 0:
            found.sockets.append(f"{left} sockets are open after {round_}")
            self.sockets += left
        if (more := threading.active_count() - self.threads) > IDLE_THREADS:
            found.threads.append(f"{more} threads are left after {round_}")
            self.threads += more
        gc.collect()
        self.memories.append(memory())

    @property
    def growth(self) -> int:
        """Bytes from the second quarter of the rounds to the last; the first warms up."""
        quarter = len(self.memories) // 4
        if len(self.memories) < _FEWEST:
            return 0
        early, late = self.memories[quarter : 2 * quarter], self.memories[-quarter:]
        return int(median(late) - median(early))

    def judge_memory(self, found: Violations) -> None:
        """At the end."""
        if self.growth > _GROWTH:
            found.memory.append(f"{self.growth / 2**20:.0f} MiB more than in early rounds")
