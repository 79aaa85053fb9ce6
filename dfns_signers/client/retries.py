"""When a failed call is sent again: never if it may have taken effect and would do so twice."""

from __future__ import annotations

from functools import partial
from typing import Any

from tenacity import RetryCallState, retry_if_exception

from dfns_signers import deadlines
from dfns_signers.client.arguments import CallLimits
from dfns_signers.client.call import Call
from dfns_signers.errors import CallError
from dfns_signers.retries import is_retriable, wait


def retry_policy(call: Call[Any], limits: CallLimits) -> dict[str, Any]:
    """Arguments for tenacity, the same for its synchronous and its asynchronous form.

    Each attempt starts over with a new challenge, for a user action is good for one use. None
    begins once the time of the call is over.
    """
    return {
        "stop": partial(_is_last, limits.max_attempts),
        "wait": wait,
        "retry": retry_if_exception(_Verdict(call, limits.max_retry_after)),
        "reraise": True,
    }


def _is_last(max_attempts: int, state: RetryCallState) -> bool:
    left = deadlines.remaining()
    would_be_late = left is not None and state.upcoming_sleep >= left
    return would_be_late or state.attempt_number >= max_attempts


class _Verdict:
    """Whether to try again after an error; remembers whether an attempt may have had its effect.

    A later error must not say that nothing happened when an earlier attempt may have succeeded
    with its answer lost: then the earlier one is raised, with the later one as its cause.
    """

    def __init__(self, call: Call[Any], max_retry_after: float) -> None:
        self._call = call
        self._max_retry_after = max_retry_after
        self._uncertain: CallError | None = None

    def __call__(self, error: BaseException) -> bool:
        if not isinstance(error, CallError):
            # Being cancelled or interrupted is no failure, and passes.
            if self._uncertain is not None and isinstance(error, Exception):
                raise self._uncertain from error
            return False
        is_safe = self._call.is_repeatable or not error.may_have_taken_effect
        if error.may_have_taken_effect:
            self._uncertain = error
        error.may_have_taken_effect = self._uncertain is not None
        return is_safe and is_retriable(error, max_retry_after=self._max_retry_after)
