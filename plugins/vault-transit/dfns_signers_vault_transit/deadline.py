"""The deadline of the operation that this thread carries out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

_end: Final[ContextVar[float | None]] = ContextVar("deadline", default=None)


@contextmanager
def deadline(seconds: float | None) -> Iterator[None]:
    """Bound what is sent and read inside; None for no bound."""
    token = _end.set(None if seconds is None else time.monotonic() + seconds)
    try:
        yield
    finally:
        _end.reset(token)


def until_deadline(longest: float | None) -> float | None:
    """Seconds that may be waited: at most ``longest``, and no longer than until the deadline.

    Raises:
        TimeoutError: the deadline has passed.
    """
    end = _end.get()
    if end is None:
        return longest
    left = end - time.monotonic()
    if left <= 0:
        raise TimeoutError("the time for the operation is over")
    return left if longest is None else min(longest, left)
