"""When a failed call is sent again: never if it may have taken effect and would do so twice."""

from __future__ import annotations

from typing import Any, Final

from tenacity import RetryCallState, retry_if_exception, stop_after_attempt, wait_random_exponential

from dfns_signers.client.call import Call
from dfns_signers.errors import ApiError, CallError, DfnsSignersError

MAX_RETRY_AFTER: Final = 30.0
"""Seconds; a server that asks for more gets its error reported instead."""

_backoff: Final = wait_random_exponential(multiplier=0.25, max=8)


def retry_policy(call: Call[Any], max_attempts: int) -> dict[str, Any]:
    """Arguments for tenacity, the same for its synchronous and its asynchronous form.

    Each attempt starts over with a new challenge, for a user action is good for one use.
    """
    return {
        "stop": stop_after_attempt(max_attempts),
        "wait": _wait,
        "retry": retry_if_exception(_Verdict(call)),
        "reraise": True,
    }


class _Verdict:
    """Whether to try again after an error; remembers whether an attempt may have had its effect.

    A later error must not tell that nothing happened when an earlier attempt may have succeeded
    with its answer lost.
    """

    def __init__(self, call: Call[Any]) -> None:
        self._call = call
        self._uncertain: CallError | None = None

    def __call__(self, error: BaseException) -> bool:
        if not isinstance(error, CallError):
            if self._uncertain is not None and isinstance(error, DfnsSignersError):
                raise self._uncertain from error
            return False
        again = self._is_safe_after(error)
        if error.may_have_taken_effect:
            self._uncertain = error
        error.may_have_taken_effect = self._uncertain is not None
        return again

    def _is_safe_after(self, error: CallError) -> bool:
        return (
            error.retriable
            and (self._call.is_repeatable or not error.may_have_taken_effect)
            and (_retry_after(error) or 0) <= MAX_RETRY_AFTER
        )


def _retry_after(error: BaseException | None) -> float | None:
    return error.retry_after if isinstance(error, ApiError) else None


def _wait(state: RetryCallState) -> float:
    asked = _retry_after(state.outcome.exception() if state.outcome else None)
    return _backoff(state) if asked is None else asked
