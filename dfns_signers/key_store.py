"""Ask a key store: what it refuses is explained, what may pass is repeated, within one deadline.

Every error of a key store reads the same: ``cannot {task}: {what the provider said}; {what to do}
({provider} request id {id}, attempt n of m)``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Final, TypeAlias, TypeVar

from tenacity import RetryCallState, Retrying, retry_if_exception

from dfns_signers import deadlines
from dfns_signers.errors import (
    ConfigurationError,
    DfnsSignersError,
    KeyStateError,
    KeyStoreUnavailableError,
)
from dfns_signers.retries import Resumed, is_retriable, wait

T = TypeVar("T")

_MAX_QUOTED: Final = 600

# Seconds between two looks at a key that is being made.
_PAUSE: Final = 1.0


class KeyPendingError(KeyStateError):
    """A key that was just created cannot be used yet."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What an error of a provider means: a row of a backend's table.

    Attributes:
        error: class of ours to raise.
        advice: what to do next, as a clause without a full stop.
        may_quote: whether the provider's exception may be shown, as the cause of ours and in its
            words; False where it may repeat credentials.
    """

    error: type[DfnsSignersError]
    advice: str
    may_quote: bool = True


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of a provider, understood.

    Attributes:
        meaning: the row of the table.
        said: what the provider said, made for people; left out if empty.
        request_id: the provider's id of the request.
        retry_after: seconds to wait as the provider asked.
    """

    meaning: Meaning
    said: str = ""
    request_id: str | None = None
    retry_after: float | None = None


Explain: TypeAlias = Callable[[Exception], Failure | None]
"""What a foreign exception means; None for one that does not come from the provider."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One of several attempts at a request.

    Attributes:
        number: counted from 1.
        of: how many there are at most.
        remaining: seconds until the deadline of the operation; None without one.
    """

    number: int = 1
    of: int = 1
    remaining: float | None = None


@contextmanager
def explained(
    task: str, *, provider: str, explain: Explain, attempt: Attempt = Attempt()
) -> Iterator[None]:
    """Raise a provider's exceptions as errors of ours; those of ours pass.

    Args:
        task: what is done to which key, such as ``sign with the key …``.
        provider: its name, such as ``AWS``.
        explain: what an exception means.
        attempt: which attempt this is.
    """
    try:
        yield
    except DfnsSignersError:
        raise
    except Exception as error:
        failure = explain(error)
        if failure is None:
            raise
        cause = error if failure.meaning.may_quote else None
        raise _error(task, provider, failure, attempt) from cause


class KeyStore:
    """A key store as a backend asks it; safe to use from several threads.

    Args:
        provider: its name in errors, such as ``AWS``.
        explain: what an exception of its client library means.
        max_attempts: how often a request is sent at most; those that fail for a reason that may
            pass (``retriable``) are repeated.
        timeout: seconds for one operation over all attempts; None for no such bound. The time that
            is left to the caller (``deadlines``) bounds it, too.
        sleep: waits for some seconds between two attempts.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        provider: str,
        explain: Explain,
        *,
        max_attempts: int = 3,
        timeout: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_attempts < 1:
            raise ConfigurationError(f"'max_attempts' must be 1 or more, not {max_attempts}")
        self.provider = provider
        self.max_attempts = max_attempts
        self._explain = explain
        self._timeout = timeout
        self._sleep = sleep
        self._clock = clock

    def ask(
        self,
        task: str,
        send: Callable[[Attempt], T],
        *,
        repeat: bool = True,
        explain: Explain | None = None,
    ) -> T:
        """Send a request, and again where that may help.

        Args:
            task: what is done to which key, such as ``sign with the key …``.
            send: sends it once; ``deadlines.remaining()`` is the time that it has.
            repeat: False for a request that must not be carried out twice.
            explain: what an exception means for this request, such as which permission it needs.

        Raises:
            DfnsSignersError: the last failure, as ``explain`` understood it.
        """
        of = self.max_attempts if repeat else 1
        explain = explain or self._explain
        end = self._end()
        numbers = count(1)

        def once() -> T:
            remaining = None if end is None else max(end - self._clock(), 0.001)
            attempt = Attempt(next(numbers), of, remaining)
            try:
                with (
                    deadlines.within(remaining),
                    explained(task, provider=self.provider, explain=explain, attempt=attempt),
                ):
                    return send(attempt)
            except DfnsSignersError as error:
                if error.__cause__ is not None or not error.__suppress_context__:
                    raise
                hidden = error
            # Outside of the handler, and without what must not be quoted as its context either.
            hidden.__context__ = None
            raise hidden

        try:
            return once()
        except DfnsSignersError as error:
            if of == 1 or not is_retriable(error):
                raise
            attempts = Resumed(error, once)
        return self._retrying(of, end)(attempts.next)

    def _retrying(self, of: int, end: float | None) -> Retrying:
        """Repeats what may be repeated, so many attempts at most, and none after the end."""

        def is_last(state: RetryCallState) -> bool:
            is_late = end is not None and self._clock() + state.upcoming_sleep >= end
            return is_late or state.attempt_number >= of

        return Retrying(
            stop=is_last,
            wait=wait,
            retry=retry_if_exception(is_retriable),
            sleep=self._sleep,
            reraise=True,
        )

    def _end(self) -> float | None:
        """When to give up: after ``timeout``, or when the caller does."""
        bounds = [each for each in (self._timeout, deadlines.remaining()) if each is not None]
        return self._clock() + min(bounds) if bounds else None

    def once_ready(self, look: Callable[[], T], *, timeout: float) -> T:
        """What ``look`` returns, tried again each second while the key is being made.

        Args:
            look: reads the key; raises KeyPendingError while it cannot be used.
            timeout: seconds to wait.

        Raises:
            KeyPendingError: it still cannot be used then.
        """
        end = self._clock() + timeout
        while True:
            try:
                return look()
            except KeyPendingError:
                left = end - self._clock()
                if left <= 0:
                    raise
            self._sleep(min(left, _PAUSE))


def quoted(text: str) -> str:
    """What a provider said, fit for a message: one line, printable, of bounded length."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split()).rstrip(". ")
    return line if len(line) <= _MAX_QUOTED else line[: _MAX_QUOTED - 1] + "…"


def _error(task: str, provider: str, failure: Failure, attempt: Attempt) -> DfnsSignersError:
    said = f"{quoted(failure.said)}; " if failure.said else ""
    facts = [f"{provider} request id {quoted(failure.request_id)}"] if failure.request_id else []
    facts += [f"attempt {attempt.number} of {attempt.of}"] if attempt.of > 1 else []
    trail = f" ({', '.join(facts)})" if facts else ""
    error = failure.meaning.error(f"cannot {task}: {said}{failure.meaning.advice}{trail}")
    if isinstance(error, KeyStoreUnavailableError):
        error.retry_after = failure.retry_after
    return error
