"""How a request is sent again, and after how long: the same for the API and for key stores."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final, Generic, ParamSpec, TypeVar

from tenacity import RetryCallState, wait_random_exponential

from dfns_signers import defaults

P = ParamSpec("P")
T = TypeVar("T")

BACKOFF: Final = wait_random_exponential(multiplier=0.25, max=8)
"""Seconds between attempts, random from the start: clients that failed together do not come back
together."""


def is_retriable(
    error: BaseException, *, max_retry_after: float = defaults.MAX_RETRY_AFTER
) -> bool:
    """Whether the same request may succeed later, and the server asks for no longer wait."""
    return bool(getattr(error, "retriable", False)) and (retry_after(error) or 0) <= max_retry_after


def retry_after(error: BaseException | None) -> float | None:
    """Seconds to wait as the server asked, if it did."""
    seconds = getattr(error, "retry_after", None)
    # Not a number is not below infinity.
    return max(0.0, seconds) if isinstance(seconds, (int, float)) and seconds <= inf else None


def wait(state: RetryCallState) -> float:
    """Seconds until the next attempt: as long as the server asks, else a random backoff."""
    asked = retry_after(state.outcome.exception() if state.outcome else None)
    return BACKOFF(state) if asked is None else asked


class Resumed(Generic[P, T]):
    """Attempts of which the first has failed, for tenacity, which most requests never need.

    Args:
        failure: of the first attempt.
        attempt: makes the others.
    """

    def __init__(self, failure: Exception, attempt: Callable[P, T]) -> None:
        self._failures = [failure]
        self._attempt = attempt

    def next(self, *args: P.args, **kwargs: P.kwargs) -> T:
        """The next attempt."""
        if self._failures:
            raise self._failures.pop()
        return self._attempt(*args, **kwargs)
