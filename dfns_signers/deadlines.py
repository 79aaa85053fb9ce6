"""The time that is left for what is under way, known to all that works for it.

It goes with the context (``contextvars``): into tasks, and into worker threads of this package.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Final

_end: Final[ContextVar[float | None]] = ContextVar("dfns_signers_end", default=None)


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Give what runs inside so many seconds, or what is left of an earlier bound if it is less."""
    ends = [_end.get(), None if seconds is None else time.monotonic() + seconds]
    with _until(min((end for end in ends if end is not None), default=None)):
        yield


def lifted() -> AbstractContextManager[None]:
    """Give what runs inside all the time it needs."""
    return _until(None)


@contextmanager
def _until(end: float | None) -> Iterator[None]:
    token = _end.set(end)
    try:
        yield
    finally:
        _end.reset(token)


def remaining() -> float | None:
    """Seconds that are left, 0 if none are; None without a bound."""
    end = _end.get()
    return None if end is None else max(0.0, end - time.monotonic())


def at_most(longest: float | None) -> float | None:
    """Seconds that may be waited: at most ``longest``, and no longer than what is left.

    Raises:
        TimeoutError: nothing is left.
    """
    left = remaining()
    if left is None:
        return longest
    if left <= 0:
        raise TimeoutError("the time is over")
    return left if longest is None else min(longest, left)
