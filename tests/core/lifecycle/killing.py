"""Flows that are left after each of their steps, as a process that is killed leaves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Final

from dfns_signers.lifecycle.steps import Flow

_LEFT: Final[list[Flow[Any]]] = []
"""Referred to for good: a flow that is collected closes, and runs what it has for its end."""


def killed_after_each_step(begin: Callable[[], Flow[Any]]) -> Iterator[int]:
    """Begin a flow again and again, each time left one step further on.

    Yields:
        How many steps were done, once for each number that the flow does not end with.
    """
    for steps in count(0):
        flow = begin()
        _LEFT.append(flow)
        try:
            step = next(flow)
            for _ in range(steps):
                step = flow.send(step.function())
        except StopIteration:
            return
        yield steps
