"""One operation, repeated while that may help, within its deadline."""

from __future__ import annotations

import itertools
import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from google.api_core import exceptions as google

from dfns_signers_gcp_kms.errors import DamagedAnswerError, is_damaged
from dfns_signers_gcp_kms.steps import Pause, Request, Steps

_LONGEST_PAUSE: Final = 5.0
_TRANSIENT: Final = (
    google.ServiceUnavailable,
    google.DeadlineExceeded,
    google.ResourceExhausted,
    DamagedAnswerError,
)


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How long, and how often.

    Attributes:
        timeout: seconds for one operation, with everything that is repeated.
        max_attempts: requests at most for one operation.
        generation_timeout: seconds to wait for a version that is still being generated.
        first_pause: seconds before the second request; doubled from there on, up to 5 s, and
            shortened at random by up to a half.
        clock: tells the time, in seconds.
        sleep: waits, where the blocking client is used.
    """

    timeout: float = 10.0
    max_attempts: int = 4
    generation_timeout: float = 60.0
    first_pause: float = 0.1
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def end(self) -> float:
        """When an operation that begins now is given up, by the clock."""
        return self.clock() + self.timeout

    def pauses(self) -> Iterator[float]:
        """Seconds between one request and the next, without end."""
        for number in itertools.count():
            longest = min(self.first_pause * 2 ** min(number, 30), _LONGEST_PAUSE)
            yield longest * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, hides nothing


@dataclass(frozen=True, slots=True)
class Answer:
    """What Cloud KMS answered, and how many requests it took."""

    message: Any
    attempts: int


def ask(
    policy: RetryPolicy,
    method: str,
    fields: Mapping[str, Any],
    check: Callable[[Any], None] = lambda _answer: None,
    end: float | None = None,
) -> Steps[Answer]:
    """Send a request that may be repeated.

    Args:
        policy: how long, and how often.
        method: method of Google's client.
        fields: the request.
        check: raises DamagedAnswerError for an answer to be discarded.
        end: when to give up, by the clock of the policy; else after its timeout.

    Raises:
        GoogleAPIError, GoogleAuthError: the last one.
        DamagedAnswerError: the last answer was damaged too.
    """
    end = policy.end() if end is None else end
    for attempt, pause in enumerate(policy.pauses(), start=1):
        try:
            message = yield Request(method, fields, max(end - policy.clock(), 0.001))
            check(message)
        except (google.GoogleAPIError, DamagedAnswerError) as error:
            may_help = isinstance(error, _TRANSIENT) or is_damaged(error)
            if not may_help or attempt >= policy.max_attempts or policy.clock() + pause >= end:
                raise
        else:
            return Answer(message, attempt)
        yield Pause(pause)
    raise AssertionError("pauses have no end")


def ask_once(policy: RetryPolicy, method: str, fields: Mapping[str, Any]) -> Steps[Any]:
    """Send a request that must not be repeated, because it creates something."""
    return (yield Request(method, fields, policy.timeout))
