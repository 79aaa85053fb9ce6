"""How figures are taken: subjects in turns, medians with quartiles, CPU time of this or a child."""

from __future__ import annotations

import gc
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How long measuring may take: 1 for figures to be quoted, less for a first look."""

    scale: float = 1.0

    def of(self, number: int, *, least: int = 3) -> int:
        """A number of rounds or calls, scaled."""
        return max(least, round(number * self.scale))


@dataclass(frozen=True)
class Spread:
    """The median of some figures, and the quartiles around it."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, figures: Iterable[float]) -> Spread:
        """That of at least one figure."""
        ordered = sorted(figures)
        if len(ordered) < 2:  # noqa: PLR2004
            return cls(ordered[0], ordered[0], ordered[0])
        low, median, high = statistics.quantiles(ordered, n=4, method="inclusive")
        return cls(median, low, high)

    def times(self, factor: float) -> Spread:
        """The same in another unit."""
        return Spread(self.median * factor, self.low * factor, self.high * factor)


class Samples:
    """Figures of several subjects, round by round."""

    def __init__(self, names: Iterable[str]) -> None:
        self._figures: dict[str, list[float]] = {name: [] for name in names}

    def add(self, name: str, figure: float) -> None:
        """Note the figure of a subject in the next round."""
        self._figures[name].append(figure)

    def of(self, name: str, *, factor: float = 1.0) -> Spread:
        """The figures of a subject, such as ``factor=1e6`` for microseconds."""
        return Spread.of(self._figures[name]).times(factor)

    def speed(self, name: str, *, beside: str) -> Spread:
        """How fast a subject is as part of another: quotients within each round, 1 if equal.

        What disturbs the machine in a round disturbs both.
        """
        pairs = zip(self._figures[beside], self._figures[name], strict=True)
        return Spread.of(other / own for other, own in pairs)


def in_turns(
    subjects: Mapping[str, Callable[[], object]],
    *,
    rounds: int,
    calls: int,
    clock: Callable[[], float] = time.process_time,
) -> Samples:
    """Seconds of one call of each subject, which take turns; a first round is not counted.

    Args:
        subjects: what is called, by name.
        rounds: how often each has its turn.
        calls: of a subject in its turn.
        clock: the CPU time of this process, or ``time.perf_counter`` where waiting counts.
    """
    samples = Samples(subjects)
    for number in range(-1, rounds):
        ordered = list(subjects.items())
        for name, subject in ordered if number % 2 else reversed(ordered):
            gc.collect()
            begin = clock()
            for _ in range(calls):
                subject()
            taken = (clock() - begin) / calls
            if number >= 0:
                samples.add(name, taken)
    return samples


@dataclass(frozen=True)
class ChildCost:
    """What a process took from its start to its end.

    Attributes:
        cpu: seconds, user and system.
        peak: bytes of resident memory, at most.
        output: what it printed.
    """

    cpu: float
    peak: int
    output: str


def child(arguments: Sequence[str], *, environment: Mapping[str, str] | None = None) -> ChildCost:
    """Run a process to its end.

    Args:
        arguments: of the Python that runs this, such as ``["-c", code]``.
        environment: variables beside those of this process.

    Raises:
        RuntimeError: it failed.
    """
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, *arguments],
        # Modules are compiled once, as they are where a program is installed.
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "", **(environment or {})},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None  # noqa: S101
    with process.stdout:
        output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)[:200]} ended with {process.returncode}")
    return ChildCost(usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output)


def children_in_turns(
    subjects: Mapping[str, Sequence[str]],
    *,
    rounds: int,
    environment: Mapping[str, str] | None = None,
    above_python: bool = False,
) -> Samples:
    """CPU seconds of processes, arguments as for ``child``; a first round is not counted.

    Args:
        subjects: arguments as for ``child``, by name.
        rounds: how often each runs.
        environment: variables beside those of this process.
        above_python: leave out what a Python that does nothing takes in the same round.
    """
    samples = Samples(subjects)
    for number in range(-1, rounds):
        idle = child(["-c", ""], environment=environment).cpu if above_python else 0.0
        for name, arguments in subjects.items():
            cost = child(arguments, environment=environment)
            if number >= 0:
                samples.add(name, cost.cpu - idle)
    return samples
